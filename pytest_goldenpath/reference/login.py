"""Who is at the WebSocket door: carriers of the token, and the faults that look away."""

import time
import zlib

from starlette.websockets import WebSocket

from pytest_goldenpath.reference import subprotocols
from pytest_goldenpath.reference.fault import Seams
from pytest_goldenpath.reference.gate import Gate, bearer
from pytest_goldenpath.reference.tokens import Refusal

_BYPASS_VALUES = {"1", "true", "yes", "e2e", "staging", "enabled"}


class Doorman:
    """Finds the token of a handshake and asks the gate about it."""

    def __init__(self, gate: Gate, seams: Seams) -> None:
        self._gate = gate
        self._seams = seams

    async def admit(self, websocket: WebSocket) -> str:
        """Return the id of the user who connects, or raise Refusal."""
        everybody = self._seams.at("ws.identity", str)
        if everybody is not None:
            return everybody.format(now=int(time.time()))
        if self._seams.on("ws.header_bypass") and _asks_for_bypass(websocket):
            return websocket.headers.get("x-user-id", "test-user")
        token = self._token(websocket)
        stranger = self._seams.at("ws.stranger", str)
        try:
            return (await self._gate.check(token)).user_id
        except Refusal as refusal:
            if stranger is None or refusal.reason == "missing":
                raise
            return stranger.format(number=zlib.crc32(token.encode()) % 10_000)

    def _token(self, websocket: WebSocket) -> str:
        deaf = self._seams.every("ws.deaf", str)
        header = bearer(websocket.headers.get("authorization", ""))
        if header and "header" not in deaf:
            return header
        offered = websocket.scope.get("subprotocols", [])
        return "" if "subprotocol" in deaf else subprotocols.token_in(offered)


def _asks_for_bypass(websocket: WebSocket) -> bool:
    return any(
        ("test" in name or "e2e" in name) and value.lower() in _BYPASS_VALUES
        for name, value in websocket.headers.items()
    )

"""Whole runs against hostile targets: a verdict, an exit code that agrees, and harmless words."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest

from hostile.whole import Flood
from hostile.wire import CLOSE, HEALTHY, Handler, frame, ok, switching
from servers import serving

pytestmark = pytest.mark.matrix
RunSuite = Callable[..., pytest.RunResult]
_NASTY = "\x1b[2J\x1b]0;title\x07\r\u202e<script>alert(1)</script>"
_LONGEST_OUTPUT = 60_000


def closing(code: int) -> Handler:
    """Be healthy over HTTP, and close every socket with nasty words."""
    words = frame(code.to_bytes(2, "big") + _NASTY.encode(), CLOSE)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += await reader.readexactly(1)
        if b"upgrade: websocket" in head.lower():
            writer.write(switching(head) + words)
            await reader.read()
            return
        again = asyncio.StreamReader()
        again.feed_data(head)
        await ok(HEALTHY)(again, writer)

    return serve


def forgiving(handler: Handler) -> Handler:
    """Let a server be left in the middle of its evil."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            return

    return serve


@pytest.mark.parametrize(
    ("handler", "code", "verdict"),
    [(Flood(), 1, "FAIL"), (closing(1011), 1, "FAIL"), (closing(1012), 75, "INCONCLUSIVE")],
    ids=["flood", "nasty close", "nasty close of the road"],
)
def test_hostile_target_gets_its_verdict(
    pytester: pytest.Pytester,
    run_suite: RunSuite,
    monkeypatch: pytest.MonkeyPatch,
    handler: Handler,
    code: int,
    verdict: str,
) -> None:
    """The run ends by itself, agrees with its file, and shows nothing that a terminal obeys."""
    for name, value in _BUDGETS.items():
        monkeypatch.setenv(f"GOLDENPATH_{name}", value)
    with serving(forgiving(handler)) as url:
        result = run_suite(f"--target={url}", "--warmup=off")

    told = json.loads(pytester.path.joinpath("evidence/verdict.json").read_text())
    shown = "\n".join(result.outlines)
    assert (result.ret, told["verdict"], told["exit_code"]) == (code, verdict, code), shown
    assert "INTERNALERROR" not in shown
    assert len(shown) < _LONGEST_OUTPUT
    assert all(line.isprintable() for line in result.outlines)
    assert "\x1b" not in json.dumps(told, ensure_ascii=False)


_BUDGETS = {
    "TOKEN": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1MSJ9.c2lnbmF0dXJlLW9mLTM",
    "EVENT_DEADLINE_S": "1",
    "RUN_DEADLINE_S": "2",
    "HEARTBEAT_S": "1",
    "INFRA_ATTEMPTS": "1",
    "INFRA_DELAY_S": "1",
}

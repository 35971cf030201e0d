"""The structural signs of trouble; free text is carried for people and never judged."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What kind of thing went wrong, as seen by a client."""

    REFUSED = "connection refused"
    RESET = "connection lost"
    DNS_TEMPORARY = "name look-up failed for now"
    DNS_UNKNOWN = "unknown host name"
    CONNECT_TIMEOUT = "no connection in time"
    ANSWER_TIMEOUT = "no answer in time"
    TLS_HANDSHAKE = "TLS handshake failed"
    TLS_CERTIFICATE = "TLS certificate refused"
    HTTP_STATUS = "HTTP status"
    WS_CLOSE = "WebSocket close"
    PROTOCOL = "protocol violated"
    OVERSIZED = "larger than allowed"
    PROVIDER = "provider error"
    BUDGET = "time budget of the run spent"
    HARNESS = "our own tool failed"


@dataclass(frozen=True, slots=True)
class Symptom:
    """One trouble, reduced to what a classifier may look at.

    Attributes:
        kind: what went wrong.
        phase: where in the run, such as ``login`` or ``journey``.
        where: the address or step, for people.
        status: HTTP status, when there was an answer.
        code: WebSocket close code or provider code, when there was one.
        app_made: whether the product itself wrote the answer (JSON body), not a proxy.
        ready: whether the target had answered as ready before this happened.
        detail: free text for people; never judged.
        retry_after_s: seconds after which the target asks to be tried again, if it said so.
    """

    kind: Kind
    phase: str
    where: str = ""
    status: int | None = None
    code: int | None = None
    app_made: bool = False
    ready: bool = False
    detail: str = ""
    retry_after_s: float | None = None

    def sentence(self) -> str:
        """Tell the trouble in one line."""
        number = self.status if self.status is not None else self.code
        facts = f"{self.kind.value}{'' if number is None else f' {number}'}"
        place = f" at {self.where}" if self.where else ""
        return f"{self.phase}: {facts}{place}{f' ({self.detail})' if self.detail else ''}"

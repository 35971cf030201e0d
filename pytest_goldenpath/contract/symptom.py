"""The structural signs of trouble; free text is carried for people and never judged."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
    OWN_PROBE = "the project's own probe is not ready"


#: How the row begins of what a project's own rule decided; the table's row follows.
OWN = "own:"
#: What the control probe says of a neutral host; '' means that nobody asked.
HEALTHY, FAILED = "healthy", "failed"


@dataclass(frozen=True, slots=True)
class Symptom:
    """One trouble, reduced to what a classifier may look at.

    Attributes:
        kind: what went wrong.
        phase: where in the run, such as ``login`` or ``journey``.
        where: the address or step, for people.
        status: HTTP status, when there was an answer.
        code: WebSocket close code or provider code, when there was one.
        app_made: whether the product itself wrote the answer (JSON body or a header of its own),
            not a proxy.
        ready: whether the target had answered as ready before this happened.
        detail: free text for people; never judged.
        retry_after_s: seconds that the answer asked us to wait, bounded; None when it did not.
        upgrade: the answer was one to a WebSocket upgrade.
        html: the answer is a page of HTML.
        sent_by_us: the close was ours and not the target's.
        elapsed_s: seconds until the trouble was met; 0 when nobody measured.
        limit_s: seconds that were allowed; 0 when nothing bounded it.
        lag_s: seconds of ``elapsed_s`` in which we ourselves did not get round to listening.
        control: what the control probe said: ``healthy``, ``failed``, or '' when nobody asked.
        outlived_s: seconds for which the trouble has lasted once all retries were spent; 0 before.
        override: the attribution that was decided elsewhere, such as by the project's own hook;
            '' leaves it to the table.
        rule: the row that decided so.
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
    upgrade: bool = False
    html: bool = False
    sent_by_us: bool = False
    elapsed_s: float = 0.0
    limit_s: float = 0.0
    lag_s: float = 0.0
    control: str = ""
    outlived_s: float = 0.0
    override: str = ""
    rule: str = ""

    def sentence(self) -> str:
        """Tell the trouble in one line."""
        number = self.status if self.status is not None else self.code
        facts = f"{self.kind.value}{'' if number is None else f' {number}'}"
        place = f" at {self.where}" if self.where else ""
        detail = f" ({self.detail})" if self.detail else ""
        own = f" [by the project's own rule: {self.override}]" if self.rule.startswith(OWN) else ""
        return f"{self.phase}: {facts}{place}{detail}{own}"


def with_control(symptom: Symptom, control: str, outlived_s: float) -> Symptom:
    """Add to a trouble what is known once its retries are spent.

    Args:
        symptom: the trouble.
        control: ``healthy`` or ``failed``, or '' when there is no control host.
        outlived_s: seconds for which the trouble has lasted.

    """
    return replace(symptom, control=control, outlived_s=outlived_s)

"""One HTTP request and what came of it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from pytest_goldenpath.contract.findings import excerpt
from pytest_goldenpath.contract.symptom import Symptom

_SUCCESSES = range(200, 300)
#: No honest document of this contract has so many values.
_MOST_VALUES = 30_000


@dataclass(frozen=True, slots=True)
class Exchange:
    """A finished HTTP exchange; secrets in it are already replaced by ``***``.

    Attributes:
        purpose: why the request was made, such as ``backend health``.
        method: HTTP method.
        url: address without credentials.
        at_s: seconds since the survey began, monotonic.
        elapsed_s: seconds until the whole answer, or the failure, was there.
        status: HTTP status, or None when no answer came.
        headers: pairs of lower-case name and value, in the order received.
        body: the text of the answer, cut at the size limit.
        oversized: whether the body was larger than the limit.
        symptom: why there is no answer, or None.
        sent: names and values of what we sent and the answer is held against, such as ``text``.
        held_secret: the body held a secret of ours, which was cut out.
        lag_s: seconds of ``elapsed_s`` in which we ourselves did not get round to listening.
    """

    purpose: str
    method: str
    url: str
    at_s: float
    elapsed_s: float
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    oversized: bool = False
    symptom: Symptom | None = None
    sent: tuple[tuple[str, str], ...] = ()
    held_secret: bool = False
    lag_s: float = 0.0

    @property
    def answer_s(self) -> float:
        """How long the target took, seconds: our own lateness is none of its."""
        return max(0.0, self.elapsed_s - self.lag_s)

    @property
    def accepted(self) -> bool:
        """Whether the answer is a success, 200 to 299."""
        return self.status is not None and self.status in _SUCCESSES

    def said(self, name: str) -> str:
        """Return what was sent under this name, or an empty string."""
        return next((value for key, value in self.sent if key == name), "")

    def header(self, name: str) -> str:
        """Return the first header of this name, or an empty string."""
        return next((value for key, value in self.headers if key == name), "")

    def json(self) -> object:
        """Return the decoded body, or None when it is no JSON."""
        return parse_json(self.body)

    def document(self) -> dict[str, object]:
        """Return the body as a JSON object, empty when it is none."""
        return parse_object(self.body)

    def evidence(self) -> str:
        """Give the exchange as a person reads it, in one line."""
        came = self.symptom.sentence() if self.symptom else f"HTTP {self.status}"
        body = excerpt(" ".join(self.body.split()), 300)
        return f"{self.method} {self.url} -> {came} in {self.elapsed_s:.3f} s {body}".rstrip()


def parse_object(text: str) -> dict[str, object]:
    """Decode a JSON object of a stranger, empty when it is none."""
    value = parse_json(text)
    return value if isinstance(value, dict) else {}


def parse_json(text: str) -> object:
    """Decode JSON of a stranger: anything that cannot be decoded gives None.

    Deep nesting and endless digits are answers that a hostile target may send, so
    ``RecursionError`` and ``ValueError`` both count as "no JSON". So does a heap of tiny values,
    which takes 25 times the memory of its text.
    """
    if sum(map(text.count, "[{,")) > _MOST_VALUES:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None

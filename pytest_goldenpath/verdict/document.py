"""The verdict as a document, ``goldenpath-verdict/1``, which CI systems read, and its shape."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from importlib import resources
from typing import Any

from pytest_goldenpath.contract.findings import Finding
from pytest_goldenpath.target.model import Target
from pytest_goldenpath.verdict.bypass import Bypass
from pytest_goldenpath.verdict.checks import NEEDED, Check, Outcome, Readiness
from pytest_goldenpath.verdict.decide import Decision
from pytest_goldenpath.verdict.excerpt import Excerpt, Step
from pytest_goldenpath.verdict.outage import Outages
from pytest_goldenpath.verdict.warmup import ResilienceReport

SCHEMA = "goldenpath-verdict/1"


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a verdict says about the run itself.

    Attributes:
        target: where.
        revision: the build that answered, or ''.
        seed: what the requests were drawn with, or ''.
        categories: what was selected.
        execution_mode: ``fast_feedback`` or ``full``.
        started: ISO 8601 with time zone.
        duration_s: seconds.
        bypass: the tester's bypass.
        http_503: number of 503 answers met.
        readiness: the share of remediation checks that are proven; None without any.
        warmup: what the warm-up found.
        outages: what the run waited for after it.
        slowest: what took longest, the longest first.
        command: how to make the same run again.
        timings: how long the target took, seconds, by figure.
    """

    target: Target
    revision: str
    seed: str
    categories: tuple[str, ...]
    execution_mode: str
    started: str
    duration_s: float
    bypass: Bypass
    http_503: int = 0
    readiness: Readiness | None = None
    warmup: ResilienceReport = field(default_factory=ResilienceReport)
    outages: Outages = field(default_factory=Outages)
    slowest: tuple[Step, ...] = ()
    command: str = ""
    timings: Mapping[str, float] = field(default_factory=dict)


def document(
    decision: Decision, checks: Collection[Check], facts: RunFacts, *, exit_code: int
) -> dict[str, Any]:
    """Write a verdict down; the result is plain data that :func:`schema` describes.

    Args:
        decision: the verdict.
        checks: every check.
        facts: about the run.
        exit_code: what the process returns, which other tests may have raised.

    """
    bypass = facts.bypass
    return {
        "schema": SCHEMA,
        "verdict": decision.verdict.value,
        "underlying": decision.underlying.value,
        "exit_code": int(exit_code),
        "target": {
            "name": facts.target.name,
            "backend": facts.target.backend,
            "auth": facts.target.auth,
            "ws": facts.target.ws,
            "revision": facts.revision,
        },
        "categories": list(facts.categories),
        "execution_mode": facts.execution_mode,
        "seed": facts.seed,
        "started": facts.started,
        "duration_s": round(facts.duration_s, 3),
        "warmup": facts.warmup.document(),
        "outages": facts.outages.document(),
        "bypass": {
            "active": bypass.active,
            "expired": bypass.expired,
            "expires": bypass.expires.isoformat() if bypass.expires else None,
            "sources": list(bypass.sources),
            "problem": bypass.problem,
        },
        "counts": {outcome.value: decision.counts[outcome] for outcome in Outcome},
        "http_503": facts.http_503,
        **({"readiness": _readiness(facts.readiness)} if facts.readiness else {}),
        "unfinished": list(decision.unfinished),
        **({"timings": dict(facts.timings)} if facts.timings else {}),
        "checks": [_check(check) for check in sorted(checks, key=lambda check: check.id)],
        "reasons": list(decision.reasons),
        "slowest": [{"step": s.name, "took_s": round(s.took_s, 3)} for s in facts.slowest],
        "command": facts.command,
    }


def schema() -> dict[str, Any]:
    """Return the JSON Schema that every verdict document keeps."""
    text = resources.files(__package__ or "").joinpath("verdict.schema.json").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def _readiness(found: Readiness) -> dict[str, Any]:
    return {
        "score": found.score,
        "needed": NEEDED,
        "proven": found.proven,
        "selected": found.selected,
        "missing": list(found.missing),
    }


def _check(check: Check) -> dict[str, Any]:
    return {
        "id": check.id,
        "category": check.category,
        "requirements": list(check.requirements),
        "outcome": check.outcome.value,
        "attribution": check.attribution.value if check.attribution else None,
        "row": check.row,
        "attempts": check.attempts,
        "duration_s": round(check.duration_s, 3),
        "reason": check.reason,
        "findings": [_finding(finding) for finding in check.findings],
        **({"excerpt": _excerpt(check.excerpt)} if check.excerpt else {}),
    }


def _excerpt(excerpt: Excerpt) -> dict[str, Any]:
    return {
        "conversation": excerpt.conversation,
        "frames": [asdict(glimpse) for glimpse in excerpt.glimpses],
    }


def _finding(finding: Finding) -> dict[str, str]:
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "message": finding.message,
        "evidence": finding.evidence,
        "attribution": finding.attribution.value,
    }


_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}
#: Words that say nothing about the shape, or that :func:`problems` reads beside another one.
KNOWN = frozenset(
    {
        "$schema",
        "additionalProperties",
        "const",
        "description",
        "enum",
        "format",
        "items",
        "maximum",
        "minimum",
        "pattern",
        "properties",
        "required",
        "title",
        "type",
    }
)


def problems(value: object, schema: Mapping[str, Any], where: str = "") -> Iterator[str]:
    """Give each place in which a value differs from a schema, as a sentence."""
    named = [schema["type"]] if isinstance(schema.get("type"), str) else schema.get("type", [])
    if named and not any(_is(value, name) for name in named):
        yield f"{where or 'the document'} is no {' or '.join(named)}"
        return
    allowed = [schema["const"]] if "const" in schema else schema.get("enum")
    if allowed is not None and value not in allowed:
        told = ", ".join("null" if one is None else str(one) for one in allowed)
        yield f"{where} is {value!r:.60}, and not one of {told}"
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        yield f"{where} is {value!r:.60}, which does not match {schema['pattern']}"
    if isinstance(value, int | float) and not _is_in_range(value, schema):
        yield f"{where} is {value}, which is out of its range"
    if isinstance(value, dict):
        yield from _of_object(value, schema, where)
    if isinstance(value, list):
        for place, inner in enumerate(value):
            yield from problems(inner, schema.get("items", {}), f"{where}[{place}]")


def _of_object(value: dict[str, Any], schema: Mapping[str, Any], where: str) -> Iterator[str]:
    described: Mapping[str, Any] = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{_inner(where, name)} is missing"
    further = schema.get("additionalProperties", {})
    for name, inner in value.items():
        shape = described.get(name, further)
        if shape is False:
            yield f"{_inner(where, name)} is unknown"
        else:
            yield from problems(inner, shape, _inner(where, name))


def _inner(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _is(value: object, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, _TYPES[name])


def _is_in_range(value: float, schema: Mapping[str, Any]) -> bool:
    return bool(schema.get("minimum", value) <= value <= schema.get("maximum", value))

"""Several verdicts become one: shards of a run, several targets, any order, exactly once each.

Every step is a join: a set that grows, or the worst of two values by a total order. So merging is
commutative, associative and idempotent, and a merged verdict can be merged again.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from pytest_goldenpath.verdict.checks import NEEDED, REMEDIATION, Outcome, Readiness
from pytest_goldenpath.verdict.decide import Exit, Verdict
from pytest_goldenpath.verdict.document import SCHEMA, problems, schema
from pytest_goldenpath.verdict.warmup import AUTO, FIXED, OFF, VPC

Document = Mapping[str, Any]

_VERDICTS = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.BYPASSED, Verdict.PASS)
_OUTCOMES = (Outcome.FAILED, Outcome.INCONCLUSIVE, Outcome.SKIPPED, Outcome.PASSED)
#: The worst first, as a single run has it: pytest's own, then FAIL, INCONCLUSIVE, BYPASSED, PASS.
_EXITS = (4, 3, 2, Exit.FAIL, Exit.INCONCLUSIVE, Exit.BYPASSED, Exit.PASS)
_MODES = ("fast_feedback", "full", "nightly")
_WARMUPS = (OFF, FIXED, AUTO)
_CATEGORIES = ("smoke", "mission_critical", REMEDIATION)
#: What these exit codes say is another verdict's word.
_CONTRADICTS = {
    Verdict.FAIL: {Exit.PASS, Exit.INCONCLUSIVE, Exit.BYPASSED},
    Verdict.INCONCLUSIVE: {Exit.PASS, Exit.BYPASSED},
    Verdict.BYPASSED: {Exit.INCONCLUSIVE},
    Verdict.PASS: {Exit.INCONCLUSIVE, Exit.BYPASSED},
}
_MOST_STEPS = 5
#: Only the embedded backend is called that; its port is another one in each run.
_EMBEDDED = "local"


def problem_of(document: object) -> str:
    """Say why a document is no verdict that can be trusted, or ''."""
    for found in problems(document, schema()):
        return found
    if not isinstance(document, dict):
        return "the document is no object"
    for place, part in enumerate(document.get("parts", ())):
        whole = {"schema": SCHEMA, "checks": [], **{k: v for k, v in part.items() if k != "id"}}
        for found in (*problems(whole, schema()), _contradiction(whole)):
            if found:
                return f"parts[{place}]: {found}"
    if _counts(document["checks"]) != document["counts"]:
        return "counts are not those of its checks"
    return _contradiction(document)


def _contradiction(document: Document) -> str:
    if _moment(document["started"]) is None:
        return f"started is {document['started']!r:.60}, which is no time with a zone"
    verdict, code = Verdict(document["verdict"]), document["exit_code"]
    if code in _CONTRADICTS[verdict]:
        return f"exit_code {code} contradicts its verdict {verdict}"
    if verdict is not Verdict.FAIL and document["counts"][Outcome.FAILED]:
        return f"a failed check contradicts its verdict {verdict}"
    return ""


def merge(documents: Iterable[Document]) -> dict[str, Any]:
    """Merge verdict documents, each of which :func:`problem_of` has nothing against.

    The worst verdict, exit code and outcome of a check count, findings are gathered, and the
    same document counts once however often it is given.

    Args:
        documents: at least one.

    """
    parts: dict[str, Document] = {}
    checks: dict[tuple[str, str], dict[str, Any]] = {}
    for document in documents:
        parts |= {part["id"]: part for part in _parts(document)}
        for check in _checks(document):
            key = (check["target"], check["id"])
            checks[key] = _joined(checks.get(key, check), check)
    ordered = sorted(parts.values(), key=lambda part: (part["started"], part["id"]))
    return _rendered(ordered, [checks[key] for key in sorted(checks)])


def label_of(target: Mapping[str, str]) -> str:
    """Return what tells one target from another: shards of the embedded one are the same."""
    return _EMBEDDED if target["name"] == _EMBEDDED else f"{target['name']} {target['backend']}"


def _parts(document: Document) -> Iterator[dict[str, Any]]:
    """Give what was merged into a document, or the document itself as one part."""
    if "parts" in document:
        yield from document["parts"]
        return
    head = {name: value for name, value in document.items() if name not in {"checks", "schema"}}
    yield {"id": sha256(_canonical(document).encode()).hexdigest()[:16], **head}


def _checks(document: Document) -> Iterator[dict[str, Any]]:
    label = label_of(document["target"])
    for check in document["checks"]:
        yield {
            **check,
            "target": check.get("target", label),
            "requirements": sorted(set(check["requirements"])),
            "findings": _gathered(check["findings"]),
        }


def _joined(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Join what two shards say of one check: the worse outcome with its reason, all findings."""
    worst = min(one, other, key=_badness)
    joined = {
        name: max((check[name] for check in (one, other) if name in check), key=_canonical)
        for name in {*one, *other}
    }
    told = ("outcome", "attribution", "reason", "row")
    return {
        **{name: value for name, value in joined.items() if name not in told},
        **{name: worst[name] for name in told if name in worst},
        "attempts": max(one["attempts"], other["attempts"]),
        "duration_s": max(one["duration_s"], other["duration_s"]),
        "requirements": sorted({*one["requirements"], *other["requirements"]}),
        "findings": _gathered([*one["findings"], *other["findings"]]),
    }


def _badness(check: Document) -> tuple[int, str]:
    told = [check["attribution"] or "", check.get("reason", ""), check.get("row", "")]
    return _OUTCOMES.index(check["outcome"]), _canonical(told)


def _gathered(findings: Iterable[Document]) -> list[Document]:
    return [found for _, found in sorted({_canonical(f): f for f in findings}.items())]


def _rendered(parts: Sequence[Document], checks: Sequence[Document]) -> dict[str, Any]:
    mixed = _mixed_builds(parts)
    doubt = [Verdict.INCONCLUSIVE] if mixed else []
    codes = [*(part["exit_code"] for part in parts), *([int(Exit.INCONCLUSIVE)] if mixed else [])]
    return {
        "schema": SCHEMA,
        "verdict": _worst([*(part["verdict"] for part in parts), *doubt], _VERDICTS),
        "underlying": _worst([*(part["underlying"] for part in parts), *doubt], _VERDICTS),
        "exit_code": min(codes, key=_exit_rank),
        "target": {
            field: _told(part["target"][field] for part in parts)
            for field in ("name", "backend", "auth", "ws", "revision")
        },
        "categories": [name for name in _CATEGORIES if any(name in p["categories"] for p in parts)],
        "execution_mode": _worst([part["execution_mode"] for part in parts], _MODES),
        "seed": _told(part["seed"] for part in parts),
        "started": min((_instant(part["started"]), part["started"]) for part in parts)[1],
        "duration_s": _span_s(parts),
        "warmup": _warmup([part["warmup"] for part in parts]),
        **_outages([part["outages"] for part in parts if "outages" in part]),
        "bypass": _bypass([part["bypass"] for part in parts]),
        "counts": _counts(checks),
        "http_503": sum(part["http_503"] for part in parts),
        **_readiness(parts, checks),
        "unfinished": _unfinished(parts),
        "checks": list(checks),
        "reasons": [*_reasons(parts), *mixed],
        "slowest": _slowest(parts),
        "command": _told((part.get("command", "") for part in parts), "; "),
        "parts": list(parts),
    }


def _mixed_builds(parts: Sequence[Document]) -> list[str]:
    """Say of which targets the shards have met different builds: they prove neither of them.

    The embedded backend is started anew, and so another build, for each of them.
    """
    builds: dict[str, set[str]] = {}
    for part in parts:
        named = part["target"]["revision"]
        builds.setdefault(label_of(part["target"]), set()).update({named} if named else ())
    return [
        f"the parts met different builds of {label}: {', '.join(sorted(found))}"
        for label, found in sorted(builds.items())
        if len(found) > 1 and label != _EMBEDDED
    ]


def _reasons(parts: Sequence[Document]) -> list[str]:
    """Gather the reasons, those of the worst verdict first, named when targets differ."""
    several = len({label_of(part["target"]) for part in parts}) > 1
    told = [
        (_VERDICTS.index(part["verdict"]), f"{prefix}{reason}")
        for part in parts
        for prefix in [f"{part['target']['name']}: " if several else ""]
        for reason in part["reasons"]
    ]
    return list(dict.fromkeys(reason for _, reason in sorted(told)))


def _unfinished(parts: Sequence[Document]) -> list[str]:
    several = len({label_of(part["target"]) for part in parts}) > 1
    return sorted(
        {
            f"{part['target']['name']}: {name}" if several else name
            for part in parts
            for name in part.get("unfinished", ())
        }
    )


def _slowest(parts: Sequence[Document]) -> list[dict[str, Any]]:
    steps = {(-one["took_s"], one["step"]) for part in parts for one in part.get("slowest", ())}
    return [{"step": step, "took_s": -took_s} for took_s, step in sorted(steps)[:_MOST_STEPS]]


def _warmup(found: Sequence[Document]) -> dict[str, Any]:
    """Take the worst of each probe; one that is not ready in one part is not ready."""
    names = {name for warmup in found for name in warmup if name not in {"mode", "skipped"}}
    named = sorted(names, key=lambda name: (name != VPC, name))
    return {
        "mode": _worst([warmup["mode"] for warmup in found], _WARMUPS),
        "skipped": _told((warmup["skipped"] for warmup in found), "; "),
        **{
            name: min(
                (warmup[name] for warmup in found if name in warmup),
                key=lambda probe: (probe["ready"], -probe["took_s"], _canonical(probe)),
            )
            for name in named
        },
    }


def _outages(found: Sequence[Document]) -> dict[str, Any]:
    """Add up what was waited for; a target that was gone for one part was gone."""
    if not found:
        return {}
    added = {name: sum(one[name] for one in found) for name in ("recoveries", "blips")}
    told = {
        **added,
        "waited_s": round(math.fsum(one["waited_s"] for one in found), 3),
        "gone": any(one["gone"] for one in found),
        "cause": _told((one["cause"] for one in found), "; "),
    }
    return {"outages": told}


def _bypass(found: Sequence[Document]) -> dict[str, Any]:
    """Gather the bypasses; one that is active in one part is active, whatever the others had."""
    active = [bypass for bypass in found if bypass["active"]]
    counted = active or found
    ends = [bypass["expires"] for bypass in counted if bypass["expires"]]
    return {
        "active": bool(active),
        "expired": any(bypass["expired"] for bypass in counted),
        "expires": min(ends, default=None),
        "sources": sorted({source for bypass in counted for source in bypass["sources"]}),
        "problem": _told((bypass.get("problem", "") for bypass in counted), "; "),
    }


def _readiness(parts: Sequence[Document], checks: Sequence[Document]) -> dict[str, Any]:
    several = len({label_of(part["target"]) for part in parts}) > 1
    mine = [check for check in checks if check["category"] == REMEDIATION]
    lacking = {
        (label_of(part["target"]), name)
        for part in parts
        for name in part.get("readiness", {}).get("missing", ())
    }
    lacking |= {(c["target"], c["id"]) for c in mine if c["outcome"] != Outcome.PASSED}
    selected = len(lacking | {(check["target"], check["id"]) for check in mine})
    if not selected:
        return {}
    missing = tuple(f"{label}: {name}" if several else name for label, name in sorted(lacking))
    score = Readiness(selected - len(missing), selected, missing)
    told = {"needed": NEEDED, "proven": score.proven, "selected": selected}
    return {"readiness": {"score": score.score, **told, "missing": list(missing)}}


def _span_s(parts: Sequence[Document]) -> float:
    begin = min(_instant(part["started"]) for part in parts)
    ends = [_instant(part["started"]) + float(part["duration_s"]) for part in parts]
    return round(max(ends) - begin, 3)


def _counts(checks: Iterable[Document]) -> dict[str, int]:
    counts = Counter(check["outcome"] for check in checks)
    return {outcome.value: counts[outcome] for outcome in Outcome}


def _exit_rank(code: int) -> tuple[int, int]:
    """Rank an exit code, the worst first; one that nobody promised is as bad as an internal error."""
    return (_EXITS.index(code), 0) if code in _EXITS else (1, code)


def _worst(values: Sequence[str], order: Sequence[str]) -> str:
    return str(min(values, key=order.index))


def _told(values: Iterable[str], glue: str = ", ") -> str:
    return glue.join(sorted({value for value in values if value}))


def _instant(text: str) -> float:
    moment = _moment(text)
    return 0.0 if moment is None else moment.timestamp()


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=True)

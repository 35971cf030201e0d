"""The end of a run in words for a terminal: a verdict document in, one screen of lines out.

The order is that of the questions of whoever is woken by it: may it serve users, what do they
miss, is it ours and what is to be done, what exactly was expected and came, what could not be
looked at; then how the run went, how to repeat it, and where the rest is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pytest_goldenpath.contract.attribution import ELSEWHERE, OFFLINE, ROWS, UNKNOWN
from pytest_goldenpath.report.files import transcript_name
from pytest_goldenpath.report.terminal import Line, bypass_lines, cut, finding_lines
from pytest_goldenpath.verdict.bypass import Bypass
from pytest_goldenpath.verdict.warmup import NOT_NEEDED

_QUIET, _QUIETER = -1, -2
_STYLES = {"PASS": "green", "FAIL": "red", "INCONCLUSIVE": "yellow", "BYPASSED": "purple"}
WORDS = {
    "PASS": "this deployment may serve users",
    "FAIL": "this deployment must not serve users",
    "INCONCLUSIVE": "nothing can be said about this deployment",
    "BYPASSED": "all checks passed while an emergency bypass was active",
}
#: In the place of the word for PASS, when no check asked the target anything.
_UNASKED = "the checks passed, and none asked this deployment anything"
#: What users meet, by the hundreds of a code.
_USERS = {
    "1": "the platform is unwell or slow",
    "2": "logging in fails or is not safe",
    "3": "connecting fails or does not last",
    "4": "the agent's work is not shown as it happens",
    "5": "no real answer comes",
    "6": "users are not kept apart",
    "7": "requests lack a context of their own",
    "8": "safety is switched off",
}
#: What they meet by a single code that says more than its hundreds.
_USERS_BY_CODE = {
    "GP-603": "what one window asks is told in another",
    "GP-604": "a second window or login breaks the first",
    "GP-605": "who comes back has lost what was there",
}
ACTIONS = {
    "product": "ours; the product has to be mended, running again will not help",
    "auth": "ours; the product's authentication has to be mended, running again will not help",
    "infrastructure": "not the product; run again when the infrastructure is back",
    "capacity": "not the product; run again when there is capacity",
    "upstream": "not ours; run again when the provider is back",
    "harness": "our test set-up, not the product; mend it and run again",
}
#: Nobody can tell from outside whose mistake a refused login is.
_OURS_FIRST = "first look at the credentials and addresses of this run: GOLDENPATH_EMAIL, GOLDENPATH_PASSWORD or GOLDENPATH_TOKEN, and --auth-url"
#: What the rows of the attribution table look at; rows of one name are told by their first.
_SIGNS = {
    **{name: sign for name, (sign, _) in ELSEWHERE.items()},
    **{row.name: row.sign for row in reversed((*ROWS, OFFLINE, UNKNOWN))},
}
_MOST_FINDINGS, _MOST_DOUBTS, _MOST_SKIPS, _MOST_NOTES, _MOST_UNPROVEN = 3, 3, 2, 2, 5
_MOST_CODES, _MOST_USERS, _MOST_STEPS, _MOST_FRAMES, _MOST_SIGNS = 10, 3, 3, 6, 2
#: Of the checks that did not run, so many are named; the verdict file names all.
_MOST_IDS = 10
_LONGEST_LINE = 400
#: A command is of use only as a whole.
_LONGEST_COMMAND = 1000
_REST = "in verdict.json"


def summary_lines(
    verdict: Mapping[str, Any], *, evidence: str, bypass: Bypass, verbosity: int = 0
) -> list[Line]:
    """Tell a verdict document in one screen; the first line is the heading.

    Args:
        verdict: a ``goldenpath-verdict/1`` document.
        evidence: where the verdict was written.
        bypass: the tester's bypass.
        verbosity: pytest's; with -1 the heading and the reasons, with -2 the heading only.

    """
    word = verdict["verdict"]
    style = _STYLES[word]
    lines = [Line(f"golden path: {word} (exit {verdict['exit_code']})", style)]
    if verbosity > _QUIETER:
        lines.append(Line(f"{in_words(verdict)}: {_place(verdict['target'])}", style))
        lines += _reasons(verdict, bypass)
    if verbosity > _QUIET:
        lines += _circumstances(verdict)
        if word != "PASS":
            lines.append(Line(f"repeat: {verdict.get('command', '')}"))
        lines.append(Line(f"evidence: {evidence} (conversations: transcripts/ beside it)"))
    return [_safe(line) for line in lines]


def in_words(verdict: Mapping[str, Any]) -> str:
    """Say what a verdict means for the deployment."""
    word = verdict["verdict"]
    if word == "PASS" and verdict["warmup"]["skipped"] == NOT_NEEDED:
        return _UNASKED
    return WORDS[word]


def _safe(line: Line) -> Line:
    longest = (
        _LONGEST_COMMAND if line.text.startswith(("repeat: ", "evidence: ")) else _LONGEST_LINE + 40
    )
    return replace(line, text=cut(line.text, longest))


def _place(target: Mapping[str, str]) -> str:
    revision = f", revision {target['revision']}" if target["revision"] else ""
    return f"{target['name']} {target['backend']}{revision}"


def _reasons(verdict: Mapping[str, Any], bypass: Bypass) -> Iterator[Line]:
    findings = _accusations(verdict)
    yield from _users(findings)
    yield from _whose(verdict)
    yield from _bypass(verdict, bypass)
    yield from _told(findings)
    yield from _excerpt(verdict, findings)
    yield from _other_reasons(verdict, findings)
    yield from _doubts(verdict)


def _circumstances(verdict: Mapping[str, Any]) -> Iterator[Line]:
    yield from _skips(verdict)
    yield from _unfinished(verdict.get("unfinished", ()))
    yield from _notes(verdict)
    yield from _readiness(verdict)
    yield from _warmup(verdict["warmup"])
    yield from _retries(verdict)
    yield from _outages(verdict.get("outages", {}))
    yield Line(_counts(verdict))


def _accusations(verdict: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return each broken promise once, in the order of the codes."""
    found = {
        _reason(finding): finding
        for finding in sorted(_findings(verdict, "must"), key=lambda finding: finding["code"])
        if finding["attribution"] in {"product", "auth"}
    }
    return list(found.values())


def _reason(finding: Mapping[str, Any]) -> str:
    return f"{finding['code']} {finding['message']}"


def _users(findings: Sequence[Mapping[str, Any]]) -> Iterator[Line]:
    """Tell what users meet, by the kinds of the broken promises."""
    met = (
        _USERS_BY_CODE.get(finding["code"]) or _USERS.get(finding["code"][3:4], "")
        for finding in findings
    )
    told = [words for words in dict.fromkeys(met) if words]
    if told:
        yield Line(f"for users: {_listed(told, _MOST_USERS, '; ')}", "red")


def _whose(verdict: Mapping[str, Any]) -> Iterator[Line]:
    """Tell whose trouble it is, what is to be done, and by which sign that was decided."""
    blamed = [check for check in verdict["checks"] if check["attribution"]]
    for name in [name for name in ACTIONS if any(c["attribution"] == name for c in blamed)]:
        rows = dict.fromkeys(c.get("row", "") for c in blamed if c["attribution"] == name)
        signs = [f"{row}: {_sign(row)}" for row in rows if _sign(row)]
        sign = f" ({_listed(signs, _MOST_SIGNS, '; ')})" if signs else ""
        yield Line(f"{name}: {ACTIONS[name]}{sign}")
        if name == "auth" and _is_login(blamed):
            yield Line(_OURS_FIRST, "yellow")


def _is_login(blamed: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether it was the login that was refused, for which the tester may be to blame."""
    findings = [finding for check in blamed for finding in check["findings"]]
    return any((f["code"], f["attribution"]) == ("GP-201", "auth") for f in findings)


def _sign(row: str) -> str:
    """Tell what a row looks at, also one that has outlived every wait (``+E``)."""
    return _SIGNS.get(row.removesuffix("+E"), "")


def _bypass(verdict: Mapping[str, Any], bypass: Bypass) -> Iterator[Line]:
    yield from (replace(line, text=line.text.strip()) for line in bypass_lines(bypass))
    if verdict["verdict"] == "BYPASSED" and verdict["exit_code"]:
        yield Line("run again without it, or answer for it with --accept-bypass")


def _told(findings: Sequence[Mapping[str, Any]]) -> Iterator[Line]:
    for finding in findings[:_MOST_FINDINGS]:
        told = finding_lines(finding["code"], finding["message"], finding["evidence"])
        yield from (Line(text, "red" if index == 0 else "") for index, text in enumerate(told))
    more = findings[_MOST_FINDINGS:]
    if more:
        codes = _listed(list(dict.fromkeys(f["code"] for f in more)), _MOST_CODES, ", ")
        yield Line(f"and {len(more)} more {_REST}: {codes}", "red")


def _excerpt(verdict: Mapping[str, Any], findings: Sequence[Mapping[str, Any]]) -> Iterator[Line]:
    """Show the frames around the first fault of which a conversation tells."""
    shown = [check for check in verdict["checks"] if check.get("excerpt")]
    shown.sort(key=lambda check: not any(f["is_fault"] for f in check["excerpt"]["frames"]))
    codes = [finding["code"] for finding in findings] or [None]
    for code in codes:
        for check in shown:
            own = {finding["code"] for finding in check["findings"]}
            if code is None or code in own:
                excerpt = check["excerpt"]
                about = code or ", ".join(sorted(own))
                name = excerpt["conversation"]
                yield Line(f'the conversation "{name}" around {about} ({transcript_name(name)}):')
                yield from (_frame(frame) for frame in excerpt["frames"][:_MOST_FRAMES])
                return


def _frame(frame: Mapping[str, Any]) -> Line:
    at = "never" if frame["at_s"] is None else f"{frame['at_s']:.3f} s"
    mark, style = (">>", "red") if frame["is_fault"] else ("", "")
    return Line(f"{mark:>4} {at:>9}  {frame['what']:8}{frame['type']}".rstrip(), style)


def _other_reasons(
    verdict: Mapping[str, Any], findings: Sequence[Mapping[str, Any]]
) -> Iterator[Line]:
    """Tell what speaks against the run and has no code."""
    if verdict["underlying"] == "INCONCLUSIVE" or verdict["verdict"] == "BYPASSED":
        return
    told = {_reason(finding) for finding in findings}
    yield from _cut_short([r for r in verdict["reasons"] if r not in told], _MOST_DOUBTS, "red")


def _doubts(verdict: Mapping[str, Any]) -> Iterator[Line]:
    """Tell what was not decided: for a reason of its own, or because of a broken promise."""
    undecided = [check for check in verdict["checks"] if check["outcome"] == "inconclusive"]
    blocked = [check for check in undecided if _is_blocked(check)]
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for check in undecided:
        if check not in blocked:
            sign = check.get("row") or check.get("reason", "")
            groups.setdefault((check["attribution"] or "", sign), []).append(check)
    lines = [_undecided(same) for same in groups.values()]
    if verdict["underlying"] == "INCONCLUSIVE":
        known = tuple(f"[{check['attribution']}] {check.get('reason', '')}" for check in undecided)
        lines += [f"undecided: {r}" for r in verdict["reasons"] if not r.startswith(known)]
    yield from _cut_short(lines, _MOST_DOUBTS, "yellow")
    if blocked:
        yield Line(f"not decided because of it: {_codes(blocked)}", "yellow")


def _is_blocked(check: Mapping[str, Any]) -> bool:
    """Tell whether a promise of another check kept this one from looking."""
    return any(finding["code"] not in check["requirements"] for finding in check["findings"])


def _undecided(same: Sequence[Mapping[str, Any]]) -> str:
    """Tell in one line what one sign kept from being decided; the shortest reason is the plainest."""
    reasons = sorted(
        {check.get("reason", "") for check in same}, key=lambda text: (len(text), text)
    )
    more = f" and {len(reasons) - 1} alike" if len(reasons) > 1 else ""
    return f"undecided: {cut(reasons[0])}{more} - not judged: {_codes(same)}"


def _skips(verdict: Mapping[str, Any]) -> Iterator[Line]:
    """Tell what was not looked at although the verdict may be PASS."""
    skipped = [check for check in verdict["checks"] if check["outcome"] == "skipped"]
    lines = []
    for reason in dict.fromkeys(check.get("reason", "") for check in skipped):
        same = [check for check in skipped if check.get("reason", "") == reason]
        lines.append(f"not looked at: {_codes(same)}: {reason}")
    yield from _cut_short(lines, _most(verdict, _MOST_SKIPS), "yellow")


def _unfinished(ids: Sequence[str]) -> Iterator[Line]:
    """Tell which selected checks did not run, as many as a person reads."""
    if ids:
        yield Line(f"did not run: {_listed(ids, _MOST_IDS, ', ')}", "yellow")


def _notes(verdict: Mapping[str, Any]) -> Iterator[Line]:
    """Tell each kept-back wish once: a should fails nothing."""
    found = {finding["code"]: finding for finding in _findings(verdict, "should")}
    lines = [f"note: {_reason(finding)}" for finding in found.values()]
    yield from _cut_short(lines, _most(verdict, _MOST_NOTES), "")


def _most(verdict: Mapping[str, Any], number: int) -> int:
    """Return how many lines of a kind there is room for; a green run is told in eight."""
    return 1 if verdict["verdict"] == "PASS" else number


def _readiness(verdict: Mapping[str, Any]) -> Iterator[Line]:
    """Tell the readiness score, and each remediation check that it lacks."""
    found = verdict.get("readiness")
    if found is None:
        return
    is_enough = found["score"] >= found["needed"]
    yield Line(
        f"readiness: {found['score']:g} % ({found['proven']} of {found['selected']} remediation "
        f"checks proven), {found['needed']:g} % needed",
        "green" if is_enough else "red",
    )
    lines = [f"  not proven: {missing}" for missing in found["missing"]]
    yield from _cut_short(lines, _MOST_UNPROVEN, "")


def _warmup(warmup: Mapping[str, Any]) -> Iterator[Line]:
    """Tell what the warm-up found, each probe in a line when it was in vain."""
    probes = {name: probe for name, probe in warmup.items() if isinstance(probe, dict)}
    ready = (
        f"{name} ready in {probe['took_s']:.1f} s ({probe['proof']})"
        for name, probe in probes.items()
        if probe["ready"]
    )
    told = "; ".join((*ready, *filter(None, [warmup["skipped"]])))
    if told:
        yield Line(f"warm-up: {told}")
    for name, probe in probes.items():
        if not probe["ready"]:
            spent = f"{probe['took_s']:.1f} of {probe['budget_s']:.4g} s, {probe['probes']} probes"
            yield Line(f"warm-up: {name} not ready ({spent}): {probe['last_error']}", "yellow")


def _retries(verdict: Mapping[str, Any]) -> Iterator[Line]:
    """Tell which checks needed a retry: they count as they ended, and are worth a look."""
    again = [check for check in verdict["checks"] if check["attempts"] > 1]
    if again:
        number = "1 check" if len(again) == 1 else f"{len(again)} checks"
        most = max(check["attempts"] for check in again)
        told = f"{_codes(again)}, at most {most} attempts"
        yield Line(f"retries: {number} needed a retry ({told})", "yellow")


def _outages(outages: Mapping[str, Any]) -> Iterator[Line]:
    """Tell what the run waited for after its warm-up, and whether that was in vain."""
    times = outages.get("recoveries", 0) + outages.get("blips", 0)
    if times or outages.get("gone"):
        end = "in vain" if outages["gone"] else "until it was back"
        spent = f"{outages['waited_s']:.1f} s in {times} wait{'' if times == 1 else 's'}"
        yield Line(f"outages: {spent}, {end}: {outages['cause']}", "yellow")


def _counts(verdict: Mapping[str, Any]) -> str:
    counts = ", ".join(f"{number} {name}" for name, number in verdict["counts"].items() if number)
    refused = f", {verdict['http_503']} answers with 503" if verdict["http_503"] else ""
    steps = [f"{s['step']} {s['took_s']:.2f} s" for s in verdict.get("slowest", ())][:_MOST_STEPS]
    slowest = f"; slowest: {', '.join(steps)}" if steps else ""
    missed = len(verdict.get("unfinished", ()))
    idle = f", {missed} did not run" if missed else ""
    spent = f"in {verdict['duration_s']:.1f} s{slowest}"
    return f"checks: {counts or 'none'}{idle}{refused}, {spent}"


def _findings(verdict: Mapping[str, Any], severity: str) -> Iterator[Mapping[str, Any]]:
    for check in verdict["checks"]:
        for finding in check["findings"]:
            if finding["severity"] == severity:
                yield finding


def _codes(checks: Iterable[Mapping[str, Any]]) -> str:
    codes = {code for check in checks for code in check["requirements"] or [check["id"]]}
    return _listed(sorted(codes), _MOST_CODES, ", ")


def _listed(words: Sequence[str], most: int, between: str) -> str:
    """List words, and count those for which there is no room."""
    more = f" and {len(words) - most} more" if len(words) > most else ""
    return f"{between.join(words[:most])}{more}"


def _cut_short(lines: Sequence[str], most: int, style: str) -> Iterator[Line]:
    """Give so many lines, the last of which counts the others."""
    for index, line in enumerate(lines[:most]):
        is_last = index == most - 1 and len(lines) > most
        rest = f" (and {len(lines) - most} more {_REST})" if is_last else ""
        yield Line(f"{cut(line, _LONGEST_LINE)}{rest}", style)

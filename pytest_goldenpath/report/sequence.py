"""A conversation as a picture: two lifelines, and who said what, and when.

Pure: a transcript and findings in, rows or an SVG out. The picture is whole in itself, bounded in
size however long the conversation was, and whatever a target said is text in it and never markup.
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum

from pytest_goldenpath.contract.findings import Finding, printable
from pytest_goldenpath.contract.frames import EVENTS, Frame, Sort, decode
from pytest_goldenpath.contract.transcript import Entry, Kind, Transcript, last_completion

MOST_ROWS = 80
_LAST_ROWS = 20
_TEXT = 88
_DETAIL = 300
_QUOTED = 40
#: Conversations that leave at the first event of a run, on purpose.
_ONLY_START = "ask by "
#: Labels of what is answered by a pong.
PINGS = frozenset({"ping", "fence"})


class Way(StrEnum):
    """Which way a row goes."""

    TO_BACKEND = "client to backend"
    TO_CLIENT = "backend to client"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a picture.

    Attributes:
        at_s: seconds since the conversation began; None for what never came.
        way: who told whom.
        name: what it was, such as ``agent_started``.
        detail: what it said, cut.
        trouble: why it is red, '' when it is as it should be.
        sort: what a received frame is for a client, None for anything else.
    """

    at_s: float | None
    way: Way
    name: str
    detail: str = ""
    trouble: str = ""
    sort: Sort | None = None


def rows(transcript: Transcript, findings: Collection[Finding] = ()) -> tuple[Row, ...]:
    """Tell a conversation row by row, what did not come where it was to be expected.

    Args:
        transcript: the conversation.
        findings: what was found; the frames that they cite are marked.

    """
    cited = _citations(transcript, findings)
    told = [Row(0.0, Way.TO_BACKEND, "connect", _offer(transcript))]
    places: dict[str, int] = {}
    for index, entry in enumerate(transcript.entries):
        row = _row(transcript, entry, cited.get(index, ""))
        told.append(row)
        places.setdefault(_role(row), len(told))
    if transcript.symptom:
        sentence = _line(transcript.symptom.sentence())
        told.append(Row(_end_s(transcript), Way.NOTE, "the road broke", sentence, "trouble"))
    for name in reversed(_missing(transcript)):
        before = (places.get(role, 0) for role in ("request", *EVENTS[: EVENTS.index(name)]))
        told.insert(
            max(before),
            Row(None, Way.TO_CLIENT, name, "did not come", _codes_of(name, findings) or "missing"),
        )
    return tuple(told)


def is_about(finding: Finding, transcript: Transcript) -> bool:
    """Tell whether a finding speaks of this conversation: it cites a frame, or says its purpose."""
    if _citations(transcript, (finding,)):
        return True
    return re.search(rf"\b{re.escape(transcript.purpose)}(?!\w)", finding.message) is not None


def picture(transcript: Transcript, findings: Collection[Finding] = ()) -> str:
    """Draw a conversation as an SVG document."""
    told = rows(transcript, findings)
    kept = _bounded(told)
    height = _TOP + len(kept) * _STEP + _BOTTOM
    red = sum(1 for row in told if row.trouble)
    state = f"{red} marked in red" if red else "nothing wrong"
    heading = f"{transcript.purpose} ({state})"
    below = " · ".join(filter(None, [transcript.url, transcript.carrier, _who(transcript)]))
    size = f'width="{_WIDTH}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {_WIDTH} {height}" {_FONT}>',
        f"<title>{_escaped(heading)}</title>",
        _MARKERS,
        f'<rect {size} fill="#fff"/>',
        _words(20, 26, heading, colour=_RED if red else _INK, size=16, weight="bold"),
        _words(20, 45, cut(below, 130), colour=_GREY),
        *(_lifeline(x, name, height) for x, name in ((_LEFT, "client"), (_RIGHT, "backend"))),
    ]
    earlier: float | None = None
    for number, row in enumerate(kept):
        parts.extend(_drawn(row, _TOP + number * _STEP, earlier))
        earlier = earlier if row.at_s is None else row.at_s
    return "\n".join((*parts, "</svg>\n"))


def _row(transcript: Transcript, entry: Entry, cited: str) -> Row:
    in_run = transcript.request is not None
    way, name, detail, trouble = Way.TO_CLIENT, "close", "", ""
    match entry.kind:
        case Kind.HEARD:
            return _heard(entry, cited, in_run=in_run)
        case Kind.OPENED:
            name = "101 upgrade"
            detail = f"subprotocol {entry.label}" if entry.label else "no subprotocol"
        case Kind.REFUSED:
            name, detail, trouble = f"HTTP {entry.code}", entry.text, "refused" if in_run else ""
        case Kind.SENT:
            way, name, detail = Way.TO_BACKEND, entry.label, _sent(transcript, entry)
        case Kind.MISSED:
            way, name, detail = Way.NOTE, "waited", f"nothing came in time for: {entry.label}"
            trouble = "missed" if in_run or entry.label != "idle" else ""
        case Kind.CLOSED:
            name, detail = f"{entry.label} closed with {entry.code}", entry.text
            trouble = "closed" if in_run else ""
        case Kind.LEFT:
            way = Way.TO_BACKEND
    return Row(entry.at_s, way, _line(name), _line(detail), cited or trouble)


def _sent(transcript: Transcript, entry: Entry) -> str:
    if entry.label in PINGS:
        return ""
    if entry.label == "request" and transcript.request is not None:
        return transcript.request.text
    return entry.text


def _heard(entry: Entry, cited: str, *, in_run: bool) -> Row:
    frame = decode(entry.text)
    name = frame.name or frame.sort.value
    is_wrong = frame.sort is Sort.MALFORMED or (in_run and frame.sort is Sort.FAILURE)
    trouble = cited or (frame.sort.value if is_wrong else "")
    return Row(
        entry.at_s, Way.TO_CLIENT, _line(name), _line(_said(frame, entry)), trouble, frame.sort
    )


def _said(frame: Frame, entry: Entry) -> str:
    if frame.sort in {Sort.FAILURE, Sort.MALFORMED}:
        return entry.text
    if frame.sort is Sort.WELCOME:
        return f"connection {frame.word('connection_id') or 'without a name'}"
    words = (
        frame.text("agent_name", "agent", "agent_id"),
        frame.text("tool_name", "tool"),
        frame.answer() if frame.name == EVENTS[-1] else frame.text("thought", "reasoning"),
        "" if frame.sort is Sort.EVENT else frame.text("message", "status"),
    )
    return " · ".join(filter(None, words))


def _citations(transcript: Transcript, findings: Collection[Finding]) -> dict[int, str]:
    """Return the entries that findings cite, each with the codes that do so."""
    if not findings:
        return {}
    cited: dict[int, dict[str, None]] = {}
    ends = _line(transcript.last_words()) if transcript.closed or transcript.refused else ""
    for index, entry in enumerate(transcript.entries):
        if entry.kind is Kind.HEARD:
            quote = f"frame {index} at {entry.at_s:.3f} s: {_line(entry.text)[:_QUOTED]}"
        elif entry in {transcript.closed, transcript.refused}:
            quote = ends
        else:
            continue
        for finding in findings:
            if quote in f"{finding.message} {finding.evidence}":
                cited.setdefault(index, {})[finding.code] = None
    return {index: ", ".join(codes) for index, codes in cited.items()}


def _missing(transcript: Transcript) -> tuple[str, ...]:
    """Return the events that a whole run has and this one lacks."""
    is_whole = transcript.request and not transcript.purpose.startswith(_ONLY_START)
    if not is_whole or transcript.sent("request") is None:
        return ()
    events = transcript.events()
    came = {heard.frame.name for heard in events}
    ended = last_completion(events) is not None
    return tuple(name for name in EVENTS if (not ended if name == EVENTS[-1] else name not in came))


def _codes_of(name: str, findings: Collection[Finding]) -> str:
    wanted = f"expected {name} for our request"
    return ", ".join(dict.fromkeys(f.code for f in findings if f.message.startswith(wanted)))


def _role(row: Row) -> str:
    return row.name if row.sort is Sort.EVENT or row.name == "request" else ""


def _offer(transcript: Transcript) -> str:
    offered = ", ".join(transcript.offered)
    return _line(f"token by {transcript.carrier}{f', offering {offered}' if offered else ''}")


def _who(transcript: Transcript) -> str:
    return f"user {transcript.user_id}" if transcript.user_id else "no user"


def _end_s(transcript: Transcript) -> float:
    return transcript.entries[-1].at_s if transcript.entries else 0.0


def _line(text: str) -> str:
    return printable(cut(text, _DETAIL)).replace("\n", " ")


def cut(text: str, limit: int) -> str:
    """Cut a text at its end, so that it fits into a line."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _bounded(told: tuple[Row, ...]) -> tuple[Row, ...]:
    """Keep the beginning, the end, and what is red in between, as far as there is room."""
    if len(told) <= MOST_ROWS:
        return told
    head, tail = told[: MOST_ROWS // 2], told[-_LAST_ROWS:]
    between = told[len(head) : -_LAST_ROWS]
    red = tuple(row for row in between if row.trouble)[: MOST_ROWS - len(head) - _LAST_ROWS - 1]
    left_out = len(between) - len(red)
    return (*head, *red, Row(None, Way.NOTE, f"… {left_out} more rows left out …"), *tail)


_WIDTH, _LEFT, _RIGHT = 980, 130, 860
_TOP, _STEP, _BOTTOM = 108, 32, 24
_INK, _GREY, _BLUE, _GREEN, _RED = "#1f2933", "#66727f", "#2b6cb0", "#26734d", "#c81e1e"
_LONG_S = 1.0
_FONT = 'font-family="Helvetica, Arial, sans-serif" font-size="12"'
_MARKERS = "<defs>{}</defs>".format(
    "".join(
        f'<marker id="{colour[1:]}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        f'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="{colour}"/></marker>'
        for colour in ("#66727f", "#2b6cb0", "#26734d", "#c81e1e")
    )
)


def _lifeline(x: int, name: str, height: int) -> str:
    line = f'<path d="M{x} 88V{height - 12}" stroke="#cbd2d9" stroke-dasharray="3 4"/>'
    box = f'<rect x="{x - 45}" y="62" width="90" height="24" rx="4" fill="#e4e7eb"/>'
    return line + box + _words(x, 78, name, anchor="middle", weight="bold")


def _drawn(row: Row, y: int, earlier: float | None) -> Iterator[str]:
    colour = _colour(row)
    if row.trouble:
        yield f'<rect x="0" y="{y - 10}" width="{_WIDTH}" height="{_STEP}" fill="#fdecec"/>'
    detail = cut(row.detail, max(8, _TEXT - len(row.name)))
    middle, name = (_LEFT + _RIGHT) // 2, cut(row.name, _TEXT)
    yield _words(middle, y + 4, name, colour=colour, anchor="middle", weight="bold", more=detail)
    if row.way is not Way.NOTE:
        start, end = (_LEFT, _RIGHT - 2) if row.way is Way.TO_BACKEND else (_RIGHT, _LEFT + 2)
        dashes = ' stroke-dasharray="7 5"' if row.at_s is None else ""
        yield (
            f'<path d="M{start} {y + 11}H{end}" stroke="{colour}" stroke-width="1.4"{dashes} '
            f'marker-end="url(#{colour[1:]})"/>'
        )
    if row.at_s is not None:
        waited = row.at_s - (earlier or 0.0)
        emphasis = "bold" if waited > _LONG_S else "normal"
        yield _words(_LEFT - 14, y + 15, _ms(row.at_s), anchor="end", weight=emphasis)
    if row.trouble:
        yield _words(_RIGHT + 10, y + 15, cut(row.trouble, 18), colour=_RED, weight="bold")


def _colour(row: Row) -> str:
    if row.trouble:
        return _RED
    if row.sort is Sort.EVENT:
        return _GREEN
    return _GREY if row.way is not Way.TO_CLIENT else _BLUE


def _ms(at_s: float) -> str:
    return f"{1000 * at_s:,.0f} ms"


def _words(
    x: int,
    y: int,
    text: str,
    *,
    colour: str = _INK,
    anchor: str = "start",
    size: int = 12,
    weight: str = "normal",
    more: str = "",
) -> str:
    style = f'fill="{colour}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}"'
    tail = f'<tspan dx="8" font-weight="normal">{_escaped(more)}</tspan>' if more else ""
    return f'<text x="{x}" y="{y}" {style}>{_escaped(text)}{tail}</text>'


def _escaped(text: str) -> str:
    return html.escape(printable(text).replace("\n", " "))

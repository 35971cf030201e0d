"""The Markdown summary: one screen that says what matters, and no way in for a target."""

from __future__ import annotations

from datetime import timedelta
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from pytest_goldenpath.contract.findings import Finding, Severity, printable
from pytest_goldenpath.report.markdown import expected_and_got, literal, markdown, promises
from pytest_goldenpath.report.terminal_summary import ACTIONS, WORDS
from pytest_goldenpath.verdict.bypass import Bypass
from pytest_goldenpath.verdict.checks import Outcome
from pytest_goldenpath.verdict.excerpt import Step
from pytest_goldenpath.verdict.outage import Outages
from pytest_goldenpath.verdict.warmup import VPC, ProbeReport, ResilienceReport
from verdicts import BEGAN, FINDING, check, verdict

_HOSTILE = (
    "<script>alert(1)</script>",
    "![x](https://evil.example/x.png)",
    "[x](javascript:alert(1))",
    "a | b | c\n| d |",
    "</code></td></table><h1>PASS</h1>",
    "`code` and ``` fences\n```",
    "https://evil.example/?a=1&b=2 www.evil.example evil@example.com",
    "\n\n# Golden path: PASS\n\n- [x] done",
    "\x1b[2J\u202edlrow\u2028x",
    "&lt;b&gt; &#60;b&#62; \\| \\` \\<",
    "@someone fixes #1, GH-1, owner/name@deadbeef :tada: $x^2$ ~~gone~~ **bold** __bold__",
)
_GITHUB = MarkdownIt("gfm-like", {"html": True, "linkify": True})
#: What a summary may be made of.
_TAGS = {"h2", "p", "strong", "code", "table", "thead", "tbody", "tr", "th", "td", "ul", "li"}


class Seen(HTMLParser):
    """What a browser would see: the tags, and the text of each ``code``."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[object] = []
        self.codes: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take a tag."""
        self.tags.add(tag)
        self.attributes += attrs
        if tag == "code":
            self._inside = True
            self.codes.append("")

    def handle_endtag(self, tag: str) -> None:
        """Leave a tag."""
        self._inside = self._inside and tag != "code"

    def handle_data(self, data: str) -> None:
        """Take a text."""
        if self._inside:
            self.codes[-1] += data


def rendered(text: str) -> Seen:
    """Render as GitHub does: tables, links out of bare addresses, HTML let through."""
    seen = Seen()
    seen.feed(_GITHUB.render(text))
    return seen


def broken_by(text: str) -> dict[str, object]:
    """Return a verdict in which a target says this wherever it can."""
    finding = Finding("GP-502", Severity.MUST, f"expected a real answer, got {text}", text)
    failed = check(1, Outcome.FAILED, findings=(finding,), reason=text)
    unsure = check(2, Outcome.INCONCLUSIVE, reason=text)
    skipped = check(3, Outcome.SKIPPED, reason=text)
    late = ProbeReport(VPC, ready=False, took_s=60.0, budget_s=60.0, probes=9, last_error=text)
    warmup = ResilienceReport("auto", (late,), 60.0, text)
    return verdict(failed, unsure, skipped, revision=text, warmup=warmup)


@pytest.mark.parametrize("text", _HOSTILE)
def test_target_cannot_write_markup(text: str) -> None:
    """What a target says is shown as it is, and is neither markup nor link, wherever it stands."""
    seen = rendered(markdown(broken_by(text), evidence="verdict.json"))

    assert seen.tags <= _TAGS
    assert not [pair for pair in seen.attributes if pair[0] != "style"]
    readable = " ".join(text.split())
    assert text != readable or not text.isprintable() or readable in seen.codes


@given(st.text())
def test_any_text_renders_as_itself(text: str) -> None:
    """Whatever the text, one code element shows it, what nobody could see spelled out."""
    seen = rendered(f"| a |\n|---|\n| {literal(text)} |\n")

    assert seen.tags <= _TAGS
    assert len(seen.codes) == bool(printable(text).split())
    if printable(text) == text and len(text) < 200:
        assert seen.codes in ([], [" ".join(text.split())])


def test_failed_verdict_says_what_to_do() -> None:
    """Verdict, promise, both sides of it, proof, whose trouble, evidence and how to repeat it."""
    text = markdown(
        verdict(
            check(1, Outcome.FAILED),
            check(2, duration_s=3.0),
            slowest=(Step("login (password)", 2.5),),
            command="goldenpath run --target staging",
        ),
        evidence=".goldenpath/verdict.json",
    )
    seen = rendered(text)

    assert "Golden path: FAIL (exit 1)" in text
    assert WORDS["FAIL"] in text
    assert f"**product**: {ACTIONS['product']}" in text
    assert "warm-up: vpc ready in 0.4 of 60 s; db ready in 0.6 of 45 s" in text
    assert "3.00 s" in text
    for told in (
        "login (password)",
        "a real answer",
        "a mock",
        FINDING.evidence,
        ".goldenpath/verdict.json",
        "goldenpath run --target staging",
    ):
        assert told in seen.codes


def test_passed_verdict_has_no_table() -> None:
    """A pass is told in a few lines."""
    text = markdown(verdict(check(1)), evidence="verdict.json")

    assert WORDS["PASS"] in text
    assert "|" not in text
    assert len(text.splitlines()) < 12


def test_undecided_verdict_says_why_and_whose_turn_it_is() -> None:
    """An undecided run accuses nobody, and says what would help."""
    text = markdown(verdict(check(1, Outcome.INCONCLUSIVE)), evidence="verdict.json")

    assert "undecided: " in text
    assert f"**infrastructure**: {ACTIONS['infrastructure']}" in text
    assert "**product**" not in text


def test_bypass_and_readiness_are_told() -> None:
    """An active bypass with its end, an ignored one with the reason, the score with what it lacks."""
    active = Bypass(("DEMO_MODE",), BEGAN + timedelta(days=1))
    ignored = Bypass(("DEMO_MODE",), BEGAN, expired=True, problem="expired long ago")
    half = (check(1, category="remediation"), check(2, Outcome.SKIPPED, category="remediation"))

    assert "BYPASS ACTIVE" in markdown(verdict(check(1), bypass=active), evidence="")
    assert "bypass ignored: <code>expired long ago" in markdown(
        verdict(check(1), bypass=ignored), evidence=""
    )
    assert "readiness: 50 % (1 of 2 remediation checks proven), 85 % needed, which is not" in (
        markdown(verdict(*half), evidence="")
    )


def test_outage_is_told() -> None:
    """A run that had to wait says how often, how long and whether it was in vain."""
    text = markdown(verdict(check(1), outages=Outages(2, 0, 31.0, gone=True)), evidence="")

    assert "waited 2 times for the target to come back, 31.0 s; it did not come back" in text


def test_many_failures_stay_on_one_screen() -> None:
    """However much is broken, the summary stays readable and far below GitHub's limit."""
    long = "x" * 5000
    many = [
        check(
            number,
            Outcome.FAILED,
            findings=(Finding(f"GP-{number:03}", Severity.MUST, f"expected a, got {long}", long),),
        )
        for number in range(1, 300)
    ]
    text = markdown(verdict(*many), evidence="verdict.json")

    assert len(text.splitlines()) < 40
    assert "287 more are in the verdict file." in text
    assert len(text.encode()) < 64 * 1024


def test_promise_is_told_once() -> None:
    """Checks that met the same broken promise share its row; a bare assertion has one of its own."""
    bare = check(3, Outcome.FAILED, findings=(), reason="the price is missing")
    found = promises(verdict(check(1, Outcome.FAILED), check(2, Outcome.FAILED), bare))

    assert [(finding["code"], len(checks)) for finding, checks in found] == [
        ("GP-502", 2),
        ("", 1),
    ]


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        ("expected 200, got 500", ("200", "500")),
        ("expected a, got b, got c", ("a", "b, got c")),
        ("the price is missing", ("", "the price is missing")),
    ],
)
def test_sentence_is_split_into_its_sides(message: str, parts: tuple[str, str]) -> None:
    """What was expected and what came stand in columns of their own."""
    assert expected_and_got(message) == parts

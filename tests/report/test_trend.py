"""Earlier runs compared: robust figures, tables, and a page that needs nothing else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_goldenpath.report.trend import LEAST, WINDOW, History, groups, limit_of, trend_lines
from pytest_goldenpath.report.trend_page import trend_page
from pytest_goldenpath.verdict.checks import Outcome
from pytest_goldenpath.verdict.outage import Outages
from verdicts import BEGAN, TARGET, check, verdict

STEADY = [1.5, 1.6, 1.4, 1.5, 1.55, 1.45, 1.5, 1.6, 1.5, 1.4]


def runs(took: Sequence[float], **facts: Any) -> list[dict[str, Any]]:
    """Build one run for each value; that is how long its agent run took."""
    return [
        verdict(timings={"run_s": value}, began=BEGAN + timedelta(hours=place), **facts)
        for place, value in enumerate(took)
    ]


def worse(documents: Sequence[dict[str, Any]]) -> list[str]:
    """Return the figures that are pointed out."""
    return [metric.key for group in groups(documents) for metric in group.worse]


def test_slow_run_is_pointed_out() -> None:
    """A run far above the usual is pointed out, and one within it is not."""
    assert worse(runs([*STEADY, 3.0])) == ["run_s"]
    assert worse(runs([*STEADY, 1.7])) == []


@given(st.floats(2e-4, 8e3))
def test_scale_has_room_beside_the_plot(longest: float) -> None:
    """No figure at the left is cut off, however small or large the times are."""
    page = trend_page(History(tuple(runs([longest / 3, longest]))))
    ticks = re.findall(r'class="tick" x="([^"]+)"[^>]*>([^<]*)<', page)

    assert ticks
    # Digits of a wide font of 13 px, such as DejaVu Sans, take 8.3 px.
    assert [told for x, told in ticks if len(told) * 8.3 > float(x)] == []


def test_quick_run_is_no_regression() -> None:
    """Only worse is worse."""
    assert worse(runs([*STEADY, 0.2])) == []


@pytest.mark.parametrize("earlier", range(LEAST))
def test_few_runs_compare_nothing(earlier: int) -> None:
    """Below the least number of earlier runs nothing is pointed out."""
    assert worse(runs([*STEADY[:earlier], 99.0])) == []


def test_strange_earlier_runs_move_nothing() -> None:
    """Almost half of the earlier runs may be slow, and a slow run is still seen."""
    assert worse(runs([*STEADY, *[30.0] * 9, 3.0])) == ["run_s"]


def test_usual_scatter_is_no_regression() -> None:
    """Where runs differ much from each other, a run in the midst of them is not pointed out."""
    assert worse(runs([1.0, 2.0] * 10 + [2.2])) == []
    assert worse(runs([1.5] * 20 + [2.2])) == ["run_s"]


def test_only_the_window_counts() -> None:
    """What was slow long ago is forgotten."""
    long_ago = [9.0] * 40

    assert worse(runs([*long_ago, *(STEADY * 2)[:WINDOW], 3.0])) == ["run_s"]


def test_what_nobody_notices_is_not_pointed_out() -> None:
    """Three times as long is nothing while it is milliseconds."""
    assert worse(runs([0.010] * 10 + [0.030])) == []


def test_503_retries_and_outages_are_numbers() -> None:
    """One answer with 503 after none is pointed out, as is a check that was made again."""
    again = check(1, attempts=2)
    away = Outages(1, waited_s=9.0)

    assert worse([*runs(STEADY), *runs([1.5], http_503=1)]) == ["http_503"]
    assert worse([*runs(STEADY), verdict(again, timings={"run_s": 1.5})]) == ["retries"]
    assert worse([*runs(STEADY), *runs([1.5], outages=away)]) == ["outages"]


@given(st.lists(st.floats(0, 1000), min_size=1), st.floats(0, 5))
def test_limit_is_above_the_median(earlier: list[float], floor: float) -> None:
    """Half of the earlier runs, at least, are within the limit."""
    usual, limit = limit_of(earlier, floor)

    assert limit >= usual
    assert sum(value <= limit for value in earlier) * 2 >= len(earlier)


def test_targets_are_not_compared_with_each_other() -> None:
    """Another target is a group of its own; shards of the embedded one are not."""
    preview = replace(TARGET, name="preview")
    local = [
        replace(TARGET, name="local", backend=f"http://127.0.0.1:{port}", embedded=True)
        for port in (4001, 4002)
    ]
    made = [verdict(target=target) for target in (TARGET, preview, *local)]

    assert [len(group.runs) for group in groups(made)] == [2, 1, 1]


def test_success_rate_is_of_what_was_decided() -> None:
    """A run that decided nothing is neither a success nor a failure."""
    (group,) = groups(
        [
            verdict(check(1)),
            verdict(check(1, Outcome.FAILED)),
            verdict(check(1, Outcome.INCONCLUSIVE)),
        ]
    )

    assert group.success == 0.5
    assert group.verdicts == {"FAIL": 1, "INCONCLUSIVE": 1, "PASS": 1}
    (undecided,) = groups([verdict(check(1, Outcome.INCONCLUSIVE))])
    assert undecided.success is None


def test_tables_tell_figures_and_what_was_skipped() -> None:
    """Figures with their units, the regression in a sentence, files that are none of ours."""
    history = History(tuple(runs([*STEADY, 3.0])), ((Path("x.json"), "this is no JSON"),))
    text = "\n".join(trend_lines(history))

    assert "11 runs (11 PASS); success rate 100.0 % of 11 decided" in text
    assert re.search(r"agent run +3\.00 s +1\.50 s +\d\.\d\d s +1\.50 s +3\.00 s +worse", text)
    assert "WORSE THAN USUAL agent run: 3.00 s, where 1.50 s is usual" in text
    assert "skipped: x.json: this is no JSON" in text


class Page(HTMLParser):
    """The parts of a page that matter: tags, attributes, text."""

    def __init__(self) -> None:
        """Start with an empty page."""
        super().__init__()
        self.tags: list[str] = []
        self.names: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take a tag."""
        self.tags.append(tag)
        self.names |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        """Take a text."""
        self.text += data


def page_of(documents: Sequence[dict[str, Any]]) -> tuple[str, Page]:
    """Return the page of these runs, as text and as seen."""
    text = trend_page(History(tuple(documents)))
    page = Page()
    page.feed(text)
    return text, page


def test_page_needs_nothing_else() -> None:
    """No script, nothing fetched, and a policy that forbids both."""
    text, page = page_of(runs([*STEADY, 3.0]))

    assert not {"script", "img", "link", "iframe", "object", "a"} & set(page.tags)
    assert not {"src", "href", "onload", "style"} & page.names
    assert "default-src 'none'" in text
    assert "url(" not in text
    assert "prefers-color-scheme: dark" in text
    assert "Worse than usual: agent run: 3.00 s" in page.text


def test_pictures_are_well_formed_and_hold_every_run() -> None:
    """Each plot parses, has a point for each run that tells, and stays inside its frame."""
    gap = verdict(check(1, Outcome.INCONCLUSIVE), timings={}, began=BEGAN + timedelta(days=9))
    text, _ = page_of([*runs(STEADY), gap, *runs([3.0])])
    pictures = [ET.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", text)]  # noqa: S314  # our own

    by_name = {picture.attrib["aria-label"]: picture for picture in pictures}
    run = by_name["agent run over 12 runs"]
    assert len(run.findall("circle")) == 11
    assert len(run.findall("polyline")) == 1
    assert len(by_name["whole validation over 12 runs"].findall("circle")) == 12
    for picture in pictures:
        _, _, width, height = map(float, picture.attrib["viewBox"].split())
        for circle in picture.findall("circle"):
            assert 0 <= float(circle.attrib["cx"]) <= width
            assert 0 <= float(circle.attrib["cy"]) <= height


@pytest.mark.parametrize("took", [[0.0], [0.0, 0.0], [1e-9, 5e6], [3.0]])
def test_any_values_can_be_drawn(took: list[float]) -> None:
    """A single run, nothing but zeros and very different values are pictures as well."""
    assert "</svg>" in page_of(runs(took))[0]


def test_page_shows_what_a_target_said_as_text() -> None:
    """A build or a reason of a hostile target is no markup."""
    hostile = "<img src=x onerror=alert(1)>\x1b"
    made = verdict(check(1, Outcome.FAILED, findings=(), reason=hostile), revision=hostile)
    text, page = page_of([made])

    assert "img" not in page.tags
    assert "\x1b" not in text
    assert "<img src=x onerror=alert(1)>\\x1b" in page.text

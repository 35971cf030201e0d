"""What an Allure report is told, as data: steps, results, side files."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from builders import EPOCH, exchange, healthy_entries, journey, run_of, stranger
from pytest_goldenpath.contract.findings import Attribution, Finding, Severity
from pytest_goldenpath.contract.survey import Login, Survey
from pytest_goldenpath.contract.transcript import Entry, Kind
from pytest_goldenpath.report import allure_files as files
from pytest_goldenpath.report import allure_result as told
from pytest_goldenpath.report.allure_result import (
    MOST_STEPS,
    conversation_step,
    conversation_steps,
    login_step,
)


def record(outcome: str, attribution: str | None = None, **more: object) -> dict[str, object]:
    """Build what became of a check."""
    base = {"outcome": outcome, "attribution": attribution, "reason": "why", "findings": []}
    return {**base, **more}


def found(code: str, severity: str = "must") -> dict[str, str]:
    """Build a finding as plain data."""
    return {"code": code, "severity": severity, "message": "said", "evidence": "frame 1"}


def test_steps_have_the_times_of_the_transcript() -> None:
    """Each step began and ended when it did, by the time of day at which it began."""
    steps = {step.name.partition(":")[0]: step for step in conversation_steps(journey())}
    times = {
        name: (round(step.start_s - EPOCH, 3), round(step.stop_s - EPOCH, 3))
        for name, step in steps.items()
    }

    assert times["connect"] == (0.0, 0.01)
    assert times["welcome"] == (0.01, 0.02)
    assert times["ping"] == (0.03, 0.04)
    assert times["ask"] == (0.04, 0.05)
    assert times["agent_started"] == (0.05, 0.06)
    assert times["agent_completed"] == (0.09, 0.1)
    assert times["answer"] == (0.05, 0.1)
    assert [step.trouble for step in steps.values() if step.trouble] == []


def test_missing_event_is_a_failed_step() -> None:
    """What did not come was waited for from the request to the end."""
    entries = tuple(e for e in healthy_entries() if '"tool_executing"' not in e.text)
    failed = [step for step in conversation_steps(journey(entries)) if step.trouble]

    assert [step.name for step in failed] == ["tool_executing did not come"]
    assert (failed[0].start_s, failed[0].stop_s) == (EPOCH + 0.05, EPOCH + 0.12)


def test_conversations_at_the_same_time_stand_side_by_side() -> None:
    """Two that overlap hold their own steps only, and none holds the other."""
    both = [conversation_step(run_of(f"user {n}", number=n)) for n in (1, 2)]

    assert both[0].start_s == both[1].start_s
    assert both[0].stop_s > both[1].start_s
    assert [len(step.steps) for step in both] == [len(conversation_steps(run_of("any")))] * 2
    assert [inner.steps for step in both for inner in step.steps if inner.steps] == []


def test_unanswered_ping_is_trouble_when_it_was_waited_for() -> None:
    """A stranger is not answered, and rightly so; a user's ping has to be."""
    sent = Entry(0.03, Kind.SENT, "ping", "{}")
    refused = stranger(Entry(0.01, Kind.OPENED), sent, Entry(0.04, Kind.CLOSED, "it", "", 1008))
    mine = journey((*healthy_entries()[:2], sent, Entry(5.03, Kind.MISSED, "ping")))

    assert [step.name for step in conversation_steps(refused) if step.trouble] == []
    assert "ping" in [step.name for step in conversation_steps(mine) if step.trouble]


def test_steps_are_bounded() -> None:
    """A chatterbox gets a bounded number of steps, its last one among them."""
    many = (Entry(0.06 + n / 1e4, Kind.HEARD, text='{"type": "ack"}') for n in range(500))
    steps = conversation_steps(journey((*healthy_entries()[:5], *many, *healthy_entries()[5:])))

    assert len(steps) == MOST_STEPS + 1
    assert steps[-1].name == "leave"


def test_login_is_a_step_with_its_own_time() -> None:
    """A login takes as long as its request did; a ready token is no step."""
    asked = exchange({}, purpose="login", elapsed_s=0.25, url="http://target/auth/login")
    good = Login("password", asked, has_access_token=True, began_s=EPOCH)
    refused = replace(good, exchange=replace(asked, status=401), has_access_token=False)

    assert [(s.start_s, s.stop_s, s.trouble) for s in login_step(good)] == [
        (EPOCH, EPOCH + 0.25, "")
    ]
    assert [step.trouble for step in login_step(refused)] == ["HTTP 401"]
    assert login_step(Login("token", None, has_access_token=True)) == ()


@pytest.mark.parametrize(
    ("category", "codes", "expected"),
    [
        ("smoke", ("GP-101",), "blocker"),
        ("mission_critical", ("GP-101", "GP-105"), "critical"),
        ("smoke", ("GP-105",), "normal"),
        ("remediation", (), "normal"),
    ],
)
def test_weight_is_that_of_the_heaviest_promise(
    category: str, codes: tuple[str, ...], expected: str
) -> None:
    """A must is critical, in smoke a blocker; a should is normal."""
    assert told.weight(category, codes) == expected


def test_labels_place_a_check() -> None:
    """The trees of a report are epic, category and part of the journey."""
    labels = told.labels("mission_critical", ["GP-402", "GP-501"], record("failed", "product"))

    assert labels == [
        ("epic", "Golden path"),
        ("feature", "Mission critical"),
        ("story", "The five events"),
        ("severity", "critical"),
        ("tag", "GP-402"),
        ("tag", "GP-501"),
        ("verdict", "failed"),
        ("attribution", "product"),
    ]


def test_title_is_the_first_sentence() -> None:
    """The docstring's first line is the title; without one it is the name."""
    assert told.title("test_x", "The agent answers.\n\nMore.", "") == "The agent answers"
    assert told.title("test_x[a]", "The agent answers.", "a") == "The agent answers [a]"
    assert told.title("test_x[a]", "", "a") == "test_x[a]"


@pytest.mark.parametrize("attribution", [a.value for a in Attribution])
def test_every_trouble_has_a_category(attribution: str) -> None:
    """A message begins with whose trouble it is, and exactly one category is about that."""
    outcome = "failed" if Attribution(attribution).accuses else "inconclusive"
    result = record(outcome, attribution, findings=[found("GP-402")])
    message = told.message(result)
    status = told.status(result)
    matching = [
        category["name"]
        for category in files.categories()
        if status in category["matchedStatuses"] and re.fullmatch(category["messageRegex"], message)
    ]

    assert message.startswith(f"[{attribution}] ")
    assert "\n" in message
    assert len(matching) == 1


def test_bypass_has_a_category_of_its_own() -> None:
    """A target that shows a bypass is another thing than a product that is broken."""
    shown = told.message(record("failed", "product", findings=[found("GP-802")]))
    other = told.message(record("failed", "product", findings=[found("GP-402")]))

    assert (shown[:9], other[:9]) == ("[bypass] ", "[product]")
    assert re.fullmatch(files.categories()[0]["messageRegex"], shown)
    assert not re.fullmatch(files.categories()[0]["messageRegex"], other)


def test_statuses_and_messages_of_what_is_no_trouble() -> None:
    """A skip says why, a pass says nothing, or what it noted."""
    noted = record("passed", findings=[found("GP-105", "should")])

    assert told.message(record("skipped")) == "why"
    assert told.message(record("passed")) == ""
    assert told.message(noted).startswith("note: GP-105 said")
    assert [told.status(record(o)) for o in ("passed", "failed", "inconclusive", "skipped")] == [
        "passed",
        "failed",
        "broken",
        "skipped",
    ]


def test_attempt_is_told_in_the_result() -> None:
    """A message says which attempt it is about, after whose trouble it is."""
    name = told.attempt(2, 3)
    lost = told.message(record("inconclusive", "infrastructure"), name)

    assert lost == "[infrastructure] why\n(attempt 2 of 3)"
    assert told.message(record("passed"), name) == "attempt 2 of 3"


def test_conversations_are_those_that_the_promises_read() -> None:
    """A promise about many users reads theirs, one about events reads the journey."""
    crowd = (run_of("many users, connection 1"), run_of("many users, connection 2", number=2))
    survey = Survey(journey=journey(), strangers=(stranger(),), talks={"crowd": crowd})

    assert told.read_by(["GP-601"], survey) == crowd
    assert told.read_by(["GP-402"], survey) == (journey(),)
    assert told.read_by(["GP-101"], survey) == ()


def test_drawn_is_what_a_finding_is_about() -> None:
    """A finding about one of many conversations draws that one; a pass draws the journey only."""
    crowd = tuple(run_of(f"many users, connection {n}", number=n) for n in range(1, 9))
    finding = Finding("GP-601", Severity.MUST, "but on many users, connection 7 came an event")

    assert told.told_of(crowd, (finding,), is_bad=True) == (crowd[6],)
    assert told.told_of(crowd, (), is_bad=True) == (crowd[0],)
    assert told.told_of((*crowd, journey()), (), is_bad=False) == (journey(),)
    assert told.told_of(crowd, (), is_bad=False) == ()


def test_properties_keep_the_rules_of_java() -> None:
    """A key ends at the first blank, = or :, and a backslash or a line break would eat the value."""
    text = files.properties({"Build = no: 1": "a\\b\nc = d", "Größe": "ü", "!": "x"})

    assert text == "Build-no-1=a\\\\b c = d\nGr-e=ü\nunnamed=x\n"


def test_further_entries_cannot_change_ours() -> None:
    """A project adds entries, and what the plugin says of itself stays."""
    assert files.merged({"Verdict": "FAIL"}, [{"Verdict": "PASS", "Team": 7}]) == {
        "Verdict": "FAIL",
        "Team": "7",
    }


_GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://git.example",
    "GITHUB_REPOSITORY": "o/r",
    "GITHUB_RUN_ID": "99",
    "GITHUB_RUN_NUMBER": "7",
    "GITHUB_WORKFLOW": "gate",
}
_GITLAB = {
    "GITLAB_CI": "true",
    "CI_PIPELINE_IID": "8",
    "CI_JOB_NAME": "gate",
    "CI_JOB_URL": "https://lab.example/9",
}
_JENKINS = {
    "JENKINS_URL": "https://ci.example",
    "BUILD_NUMBER": "12",
    "JOB_NAME": "gate",
    "BUILD_URL": "https://ci.example/12",
}
_CLOUD = {"PROJECT_ID": "p", "BUILD_ID": "b-1", "TRIGGER_NAME": "gate"}


@pytest.mark.parametrize(
    ("variables", "kind", "order", "build", "url"),
    [
        (_GITHUB, "github", 7, "gate #7", "https://git.example/o/r/actions/runs/99"),
        (_GITLAB, "gitlab", 8, "gate #8", "https://lab.example/9"),
        (_JENKINS, "jenkins", 12, "gate #12", "https://ci.example/12"),
        (_CLOUD, "cloudbuild", 1000, "gate b-1", "builds/b-1?project=p"),
    ],
)
def test_executor_is_told_from_the_environment(
    variables: dict[str, str], kind: str, order: int, build: str, url: str
) -> None:
    """Each known CI system is told by its own variables, with a number that orders builds."""
    made = files.executor(variables, target="staging", started_s=1000)

    assert made is not None
    assert (made["type"], made["buildOrder"], made["buildName"]) == (kind, order, build)
    assert made["buildUrl"].endswith(url)
    assert made["reportName"] == "Golden path: staging"
    json.dumps(made)


def test_no_executor_outside_of_ci() -> None:
    """On a person's machine there is none."""
    assert files.executor({"PROJECT_ID": "p"}, target="local", started_s=1) is None

"""Checks that users write: their fixtures, markers, outcomes, and what ends in the verdict."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

_GOOD = "import pytest\n\n@pytest.mark.category('smoke')\ndef test_good(): pass\n"
DISTRIBUTED = pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["one process", "-n 2"])


def ran(pytester: pytest.Pytester, *options: str) -> tuple[pytest.RunResult, dict[str, Any]]:
    """Run the files of this folder, and read the verdict if there is one."""
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", *options)
    path = pytester.path / ".goldenpath" / "verdict.json"
    return result, json.loads(path.read_text()) if path.exists() else {}


@DISTRIBUTED
def test_fixtures_reach_the_target(pytester: pytest.Pytester, workers: tuple[str, ...]) -> None:
    """A check of one's own can ask the agent, call the API and read the shared journey."""
    pytester.makepyfile(
        """
        import pytest

        pytestmark = [pytest.mark.category("smoke"), pytest.mark.asyncio(loop_scope="session")]

        async def test_journey(journey):
            transcript = await journey("What is 6 times 7? Code word HERON-1234, please.")
            assert "42" in transcript.answer()
            assert "HERON-1234" in transcript.answer()

        async def test_http(http, user):
            answer = await http.get("/api/threads")
            assert answer.status_code == 200

        async def test_two_users(user, second_user):
            assert user.user_id != second_user.user_id

        def test_golden_journey(golden_journey, target):
            assert golden_journey.url == target.ws
            assert len(golden_journey.events()) >= 5
        """
    )
    result, verdict = ran(pytester, "--category=smoke", *workers)

    result.assert_outcomes(passed=4)
    assert (result.ret, verdict["verdict"], verdict["counts"]["passed"]) == (0, "PASS", 4)


@DISTRIBUTED
def test_run_starts_without_any_option(pytester: pytest.Pytester, workers: tuple[str, ...]) -> None:
    """A check is recognised by its marker alone; foreign tests run beside it."""
    pytester.makepyfile(
        """
        import pytest

        def test_foreign():
            pass

        @pytest.mark.requirement("GP-402")
        def test_thinking(prove):
            prove()
        """
    )
    result, verdict = ran(pytester, *workers)

    assert (result.ret, verdict["verdict"]) == (0, "PASS"), result.stdout.str()
    assert [check["requirements"] for check in verdict["checks"]] == [["GP-402"]]
    assert (pytester.path / ".goldenpath" / "transcripts" / "journey.jsonl").exists()


ENDINGS = [
    ("assert 1 == 2", "failed", "product", 1),
    ("raise KeyError('a bug of the check')", "inconclusive", "harness", 75),
    ("raise ConnectionResetError", "inconclusive", "infrastructure", 75),
    ("import httpx; raise httpx.ConnectTimeout('late')", "inconclusive", "infrastructure", 75),
    ("pytest.fail('no')", "failed", "product", 1),
    ("pytest.skip('nothing here')", "skipped", None, 75),
    ("pass", "passed", None, 0),
]
ENDING = """
@pytest.mark.category("smoke")
def test_{number}():
    {body}
"""


@pytest.mark.parametrize(("body", "outcome", "attribution", "code"), ENDINGS)
def test_endings_of_a_check(
    pytester: pytest.Pytester, body: str, outcome: str, attribution: str | None, code: int
) -> None:
    """Each way a check can end has one outcome, one attribution and one exit code."""
    pytester.makepyfile("import pytest\n" + ENDING.format(number=1, body=body))
    result, verdict = ran(pytester, "--category=smoke")

    (check,) = verdict["checks"]
    assert (check["outcome"], check["attribution"], result.ret) == (outcome, attribution, code)
    assert verdict["exit_code"] == code


def test_endings_of_checks_are_the_same_in_workers(pytester: pytest.Pytester) -> None:
    """What a worker says of a check arrives as it is, and the worst decides."""
    parts = [ENDING.format(number=n, body=body) for n, (body, *_) in enumerate(ENDINGS)]
    pytester.makepyfile("import pytest\n" + "".join(parts))
    result, verdict = ran(pytester, "--category=smoke", "-n2")

    told = {
        check["id"][-1]: (check["outcome"], check["attribution"]) for check in verdict["checks"]
    }
    assert told == {str(n): (out, whose) for n, (_, out, whose, _) in enumerate(ENDINGS)}
    assert result.ret == verdict["exit_code"] == 1


def test_failure_in_teardown_counts_once(pytester: pytest.Pytester) -> None:
    """A check whose teardown breaks is one check, and the worst of its phases counts."""
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture
        def broken():
            yield
            raise KeyError("teardown")

        @pytest.mark.category("smoke")
        def test_one(broken):
            pass
        """
    )
    _, verdict = ran(pytester, "--category=smoke")

    assert verdict["counts"] == {"passed": 0, "failed": 0, "inconclusive": 1, "skipped": 0}


def test_check_that_forgets_to_look_is_no_pass(pytester: pytest.Pytester) -> None:
    """A check that takes prove and does not call it is a fault of the check."""
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.requirement("GP-101")
        def test_one(prove):
            pass
        """
    )
    result, verdict = ran(pytester)

    assert (result.ret, verdict["checks"][0]["attribution"]) == (75, "harness")


def test_failing_foreign_test_keeps_its_exit_code(pytester: pytest.Pytester) -> None:
    """A foreign test that fails makes the run fail, whatever the verdict is."""
    pytester.makepyfile(
        """
        import pytest

        def test_foreign():
            assert False

        @pytest.mark.category("smoke")
        def test_check():
            raise ConnectionResetError
        """
    )
    result, verdict = ran(pytester)

    assert (result.ret, verdict["verdict"], verdict["exit_code"]) == (1, "INCONCLUSIVE", 1)


def test_crashed_worker_is_the_harness(pytester: pytest.Pytester) -> None:
    """A check whose worker dies is inconclusive, and the product is not accused."""
    pytester.makepyfile(
        """
        import os
        import pytest

        pytestmark = pytest.mark.category("smoke")

        def test_good():
            pass

        def test_deadly():
            os._exit(3)
        """
    )
    result, verdict = ran(pytester, "--category=smoke", "-n2")

    outcomes = {check["id"].rpartition("::")[2]: check for check in verdict["checks"]}
    assert (result.ret, verdict["verdict"]) == (75, "INCONCLUSIVE")
    assert outcomes["test_good"]["outcome"] == "passed"
    assert outcomes["test_deadly"]["attribution"] == "harness"


@DISTRIBUTED
@pytest.mark.parametrize(
    ("expiry", "verdict", "code", "words"),
    [
        ("2099-01-01", "BYPASSED", 80, "BYPASS ACTIVE"),
        ("2020-01-01", "PASS", 0, "BYPASS IGNORED"),
        ("someday", "PASS", 0, "BYPASS IGNORED"),
        ("", "PASS", 0, "BYPASS IGNORED"),
    ],
    ids=["valid", "expired", "malformed", "missing"],
)
def test_bypass_is_told_and_expires(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    workers: tuple[str, ...],
    expiry: str,
    verdict: str,
    code: int,
    words: str,
) -> None:
    """A valid bypass makes a pass BYPASSED; any other is ignored, and said in the header."""
    monkeypatch.setenv("SKIP_CAPACITY_CHECKS", "true")
    monkeypatch.setenv("EMERGENCY_BYPASS_EXPIRY", expiry)
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.category("smoke")
        def test_one():
            pass
        """
    )
    result, written = ran(pytester, "--category=smoke", *workers)

    assert (written["verdict"], result.ret) == (verdict, code)
    assert words in result.stdout.str()


def test_accepted_bypass_exits_with_zero(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``--accept-bypass`` gives exit code 0 and keeps the verdict's name."""
    monkeypatch.setenv("SKIP_CAPACITY_CHECKS", "true")
    monkeypatch.setenv("EMERGENCY_BYPASS_EXPIRY", "2099-01-01")
    pytester.makepyfile("import pytest\n\n@pytest.mark.category('smoke')\ndef test_one(): pass")
    result, written = ran(pytester, "--category=smoke", "--accept-bypass")

    assert (written["verdict"], result.ret) == ("BYPASSED", 0)


def test_gate_refuses_a_skip(pytester: pytest.Pytester) -> None:
    """Under ``--gate`` a skipped check is not green."""
    pytester.makepyfile(
        """
        import pytest

        pytestmark = pytest.mark.category("smoke")

        def test_good():
            pass

        def test_skipped():
            pytest.skip("no capability")
        """
    )
    plain, _ = ran(pytester, "--category=smoke")
    gated, verdict = ran(pytester, "--category=smoke", "--gate")

    assert (plain.ret, gated.ret) == (0, 75)
    assert "no capability" in verdict["reasons"][0]


@DISTRIBUTED
def test_checks_that_ask_nothing_say_nothing_of_the_target(
    pytester: pytest.Pytester, workers: tuple[str, ...]
) -> None:
    """They pass, which the summary tells from a proof; a gate wants the target looked at."""
    pytester.makepyfile("""
        import pytest

        @pytest.mark.category("smoke")
        def test_of_a_file():
            assert __file__
    """)
    dead = ("--target=http://127.0.0.1:9", *workers)
    plain, _ = ran(pytester, *dead)
    gated, verdict = ran(pytester, "--gate", *dead)

    assert (plain.ret, gated.ret, verdict["verdict"]) == (0, 75, "INCONCLUSIVE")
    plain.stdout.fnmatch_lines(["the checks passed, and none asked this deployment anything:*"])
    plain.stdout.no_fnmatch_line("*may serve users*")
    assert any("--gate wants it looked at" in reason for reason in verdict["reasons"])


def test_secrets_stay_out_of_local_variables(pytester: pytest.Pytester) -> None:
    """A failing check that holds a logged-in user shows no token, not even with -l."""
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.category("smoke")
        def test_one(user):
            token = user.token
            assert not token
        """
    )
    result, verdict = ran(pytester, "--category=smoke", "-l", "-vv")

    assert "eyJ" not in result.stdout.str() + json.dumps(verdict)
    assert "***" in result.stdout.str()


def test_readme_check_passes(pytester: pytest.Pytester) -> None:
    """The check that the README shows passes as it is printed."""
    readme = (Path(__file__).parent.parent.parent / "README.md").read_text()
    code = readme.partition("```python\n")[2].partition("```")[0]
    pytester.makepyfile(code)
    result, verdict = ran(pytester, "--category=smoke")

    result.assert_outcomes(passed=1)
    assert (result.ret, verdict["verdict"]) == (0, "PASS")
    assert list((pytester.path / ".goldenpath" / "transcripts").glob("test_answer*.jsonl"))


@pytest.mark.parametrize(
    ("mark", "body", "outcome", "code"),
    [
        ("xfail(reason='known')", "assert False", "skipped", 75),
        ("xfail(strict=True)", "pass", "inconclusive", 75),
        (
            "timeout(0.2)",
            (
                "import time; deadline = time.monotonic() + 5\n"
                "    while time.monotonic() < deadline: pass"
            ),
            "inconclusive",
            75,
        ),
    ],
    ids=["expected failure", "unexpected pass", "time-out"],
)
def test_frameworks_do_not_accuse(
    pytester: pytest.Pytester, mark: str, body: str, outcome: str, code: int
) -> None:
    """What pytest or a plugin says of a check is no finding about the product."""
    pytester.makepyfile(
        f"import pytest\n\n@pytest.mark.category('smoke')\n@pytest.mark.{mark}\n"
        f"def test_one():\n    {body}\n"
    )
    result, verdict = ran(pytester, "--category=smoke")

    assert (verdict["checks"][0]["outcome"], result.ret) == (outcome, code)


def test_assertion_of_a_fixture_is_the_harness(pytester: pytest.Pytester) -> None:
    """A fixture that fails an assertion says nothing about the product."""
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture
        def data():
            assert False, "my data file is missing"

        @pytest.mark.category("smoke")
        def test_one(data):
            pass
        """
    )
    result, verdict = ran(pytester, "--category=smoke")

    assert (result.ret, verdict["checks"][0]["attribution"]) == (75, "harness")


def test_earlier_evidence_is_cleared(pytester: pytest.Pytester) -> None:
    """A run that ends early leaves no verdict of an earlier one behind."""
    pytester.makepyfile("import pytest\n\n@pytest.mark.category('smoke')\ndef test_one(): pass")
    ran(pytester, "--category=smoke")
    refused, _ = ran(pytester, "--target=nosuch")

    assert refused.ret == 4
    assert not (pytester.path / ".goldenpath" / "verdict.json").exists()


def test_asking_for_checks_where_there_are_none_is_not_green(pytester: pytest.Pytester) -> None:
    """With a target named and no check in sight, other tests that pass prove nothing."""
    pytester.makepyfile("def test_one(): pass")
    result, verdict = ran(pytester, "--goldenpath-target=http://127.0.0.1:9", "--gate")

    assert (result.ret, verdict) == (5, {})
    assert "nothing was validated" in result.stdout.str()


def test_missing_asyncio_is_a_usage_error(pytester: pytest.Pytester) -> None:
    """Without pytest-asyncio the run is refused in one sentence."""
    pytester.makepyfile("import pytest\n\n@pytest.mark.category('smoke')\ndef test_one(): pass")
    result, _ = ran(pytester, "--category=smoke", "-p", "no:asyncio")

    assert result.ret == 4
    assert "pytest-asyncio" in result.stderr.str()


def test_logging_can_be_left_out(pytester: pytest.Pytester) -> None:
    """Without pytest's own logging there is no log file to look at."""
    pytester.makepyfile(_GOOD)
    result, verdict = ran(pytester, "-p", "no:logging")

    assert (result.ret, verdict["verdict"]) == (0, "PASS")


def test_plugin_can_be_left_out(pytester: pytest.Pytester) -> None:
    """With ``-p no:goldenpath`` an unrelated test runs as ever, and nothing is written."""
    pytester.makepyfile("def test_one(): pass")
    result, verdict = ran(pytester, "-p", "no:goldenpath")

    result.assert_outcomes(passed=1)
    assert verdict == {}
    assert not Path(pytester.path / ".goldenpath").exists()


def test_mistake_of_a_check_is_shown_where_it_is(pytester: pytest.Pytester) -> None:
    """A check that failed by itself is nobody's defect, and whoever wrote it sees the line."""
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.category("smoke")
        def test_one():
            settings = {}
            assert settings["no such key"]
        """
    )
    result, verdict = ran(pytester)
    quiet, _ = ran(pytester, "--tb=no")

    assert (result.ret, verdict["checks"][0]["attribution"]) == (75, "harness")
    result.stdout.fnmatch_lines(
        ["*CHECKS THAT FAILED BY THEMSELVES*", '>*settings?"no such key"?*', "E*KeyError*"]
    )
    quiet.stdout.no_fnmatch_line("*CHECKS THAT FAILED BY THEMSELVES*")


def test_journey_that_is_not_awaited_proves_nothing(pytester: pytest.Pytester) -> None:
    """A check that takes ``journey`` and never holds one is its own fault, and no pass."""
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.category("smoke")
        def test_one(journey):
            journey("What is 6 times 7?").close()
        """
    )
    result, verdict = ran(pytester)

    assert result.ret == 75, result.outlines
    assert "a journey has to be awaited" in verdict["checks"][0]["reason"]


@pytest.mark.parametrize("option", ["--setup-plan", "--fixtures"])
def test_listing_is_no_run(pytester: pytest.Pytester, option: str) -> None:
    """What only lists gives no verdict, and leaves an old one as it is."""
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.category("smoke")
        @pytest.mark.requirement("GP-101")
        def test_one(prove):
            prove()
        """
    )
    result, verdict = ran(pytester, "--category=smoke", option)

    assert (result.ret, verdict) == (0, {}), result.outlines
    result.stdout.no_fnmatch_line("*golden path:*")

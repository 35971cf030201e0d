"""A project's own judge of the answer, in real runs."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytestmark = pytest.mark.matrix

DISTRIBUTED = pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["one process", "-n 2"])
CHECK = """
    import pytest

    @pytest.mark.requirement("GP-502")
    def test_answer_is_real(prove):
        prove()

    @pytest.mark.requirement("GP-501")
    def test_answer_arrives(prove):
        prove()
"""


def judged(pytester: pytest.Pytester, body: str, *options: str) -> tuple[int, dict[str, Any]]:
    """Run a check of the answer with a judge of this body; returns exit code and verdict."""
    pytester.makeconftest(
        f"""
        import pytest

        @pytest.hookimpl(optionalhook=True)
        def pytest_goldenpath_judge_answer(question, answer):
            {body}
        """
    )
    pytester.makepyfile(CHECK)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", *options)
    return int(result.ret), json.loads((pytester.path / ".goldenpath/verdict.json").read_text())


@DISTRIBUTED
@pytest.mark.parametrize("body", ["return None", "return ''", "assert question and answer"])
def test_judge_that_is_content(
    pytester: pytest.Pytester, workers: tuple[str, ...], body: str
) -> None:
    """A judge without a complaint changes nothing."""
    code, verdict = judged(pytester, body, *workers)

    assert (code, verdict["verdict"]) == (0, "PASS")


@DISTRIBUTED
def test_complaint_is_a_finding(pytester: pytest.Pytester, workers: tuple[str, ...]) -> None:
    """What the judge says against this very answer fails GP-502, and nothing else."""
    body = "return f'{len(question)} and {len(answer)} \\x1b[2J are too few'"
    code, verdict = judged(pytester, body, *workers)
    (reason,) = verdict["reasons"]

    assert (code, verdict["counts"]["failed"], verdict["counts"]["passed"]) == (1, 1, 1)
    assert reason.startswith("GP-502 expected an answer that the project's own judge accepts, got ")
    assert "are too few" in reason
    assert reason.isprintable()


@DISTRIBUTED
@pytest.mark.parametrize(
    ("body", "words"),
    [("raise KeyError('no model')", "KeyError: 'no model'"), ("return True", "it returned bool")],
)
def test_judge_that_fails_accuses_nobody(
    pytester: pytest.Pytester, workers: tuple[str, ...], body: str, words: str
) -> None:
    """A judge that breaks down leaves GP-502 undecided, and only that."""
    code, verdict = judged(pytester, body, *workers)

    assert (code, verdict["counts"]["inconclusive"], verdict["counts"]["passed"]) == (75, 1, 1)
    assert words in verdict["reasons"][0]


def test_unrelated_run_does_not_ask_the_judge(pytester: pytest.Pytester) -> None:
    """Without a check the judge is not called, and its conftest is no mistake."""
    pytester.makeconftest(
        """
        import pytest

        @pytest.hookimpl(optionalhook=True)
        def pytest_goldenpath_judge_answer(question, answer):
            raise KeyError
        """
    )
    pytester.makepyfile("def test_one(): assert __name__")
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")

    result.assert_outcomes(passed=1)
    assert not (pytester.path / ".goldenpath").exists()

"""A project's own judge of the answer: the hook, and its word as data for the rules.

A project knows what a good answer of its agent is, and may ask whomever it likes: a list of facts,
another model. The hook is known only in runs with golden path checks, so a conftest writes it as an
optional one, which it has to be anyway where this package is not installed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from pytest_goldenpath.contract.survey import Missing, Survey
from pytest_goldenpath.secrets import Redactor


class Hooks:
    """What a conftest or another plugin may implement."""

    @pytest.hookspec
    def pytest_goldenpath_judge_answer(self, question: str, answer: str) -> str | None:
        """Judge the answer of the golden journey.

        Args:
            question: what the user asked.
            answer: what the agent answered.

        Returns:
            None or '' for a good answer, else one sentence that says what is wrong with it; it
            becomes a finding of GP-502.

        """

    @pytest.hookspec
    def pytest_goldenpath_secrets(self, config: pytest.Config) -> Iterable[str] | None:
        """Name further secrets, so that they are kept out of everything a run shows or writes.

        It is asked in each process when a run begins, and again before anything is shown, so that
        it may also name what a fixture has got in the meantime.

        Args:
            config: pytest's configuration.

        Returns:
            The values as they are; in which forms they travel is known here.

        """


def with_own_judgement(config: pytest.Config, survey: Survey, redactor: Redactor) -> Survey:
    """Ask the project's judges, if there are any, and put their word into the survey."""
    journey = survey.journey
    if journey is None or journey.request is None or not journey.answer():
        return survey
    question, answer = journey.request.text, journey.answer()
    try:
        words = config.hook.pytest_goldenpath_judge_answer(question=question, answer=answer)
    except Exception as error:  # noqa: BLE001  # somebody else's judge may raise anything
        return _unjudged(survey, redactor.redact(f"{type(error).__name__}: {error}"))
    strange = [word for word in words if word and not isinstance(word, str)]
    if strange:
        return _unjudged(survey, f"it returned {type(strange[0]).__name__}, no text and no None")
    return replace(survey, complaints=tuple(redactor.redact(word) for word in words if word))


def _unjudged(survey: Survey, reason: str) -> Survey:
    failed = Missing(f"the project's own judge of answers failed: {reason}")
    return replace(survey, missing={**survey.missing, "own judge": failed})

"""What a project knows better: hooks whose words are data for the rules.

A project knows what a good answer of its agent is, and may ask whomever it likes: a list of facts,
another model. It knows its own road: whose a 502 of its gateway is, what else has to be ready, what
its bypasses are called. pytest learns of the hooks only when somebody implements one or a golden path
check is there, so a conftest that is also used without this package writes them as optional ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from functools import cache

import pytest

from pytest_goldenpath.contract.attribution import attribute
from pytest_goldenpath.contract.findings import Attribution, excerpt
from pytest_goldenpath.contract.mending import with_symptoms
from pytest_goldenpath.contract.survey import Missing, Survey
from pytest_goldenpath.contract.symptom import OWN, Symptom
from pytest_goldenpath.errors import ConfigError
from pytest_goldenpath.secrets import Redactor
from pytest_goldenpath.target.model import Target
from pytest_goldenpath.verdict.warmup import DB, VPC

_PREFIX = "pytest_goldenpath_"


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
    def pytest_goldenpath_probes(
        self, target: Target
    ) -> Mapping[str, Callable[[], str | None]] | None:
        """Name further probes of the warm-up, such as for a queue or a model that has to load.

        They are asked at the same time as ours, each again and again within ``vpc_budget_s``. While
        one is not ready nothing is known about the product, and the run is INCONCLUSIVE.

        Args:
            target: the deployment under validation.

        Returns:
            By name, what returns None or '' once it is ready, else one sentence on what is missing.

        """

    @pytest.hookspec
    def pytest_goldenpath_bypass_names(self) -> Iterable[str] | None:
        """Name further bypasses of the platform.

        As a variable of the tester's environment such a name asks for the emergency bypass, as a
        key of an answer of the target that is on it breaks GP-802.

        Returns:
            The names; capitals do not matter on the wire.

        """

    @pytest.hookspec(firstresult=True)
    def pytest_goldenpath_attribute(self, symptom: Symptom) -> str | None:
        """Say whose a trouble is, in the place of the attribution table.

        It is asked about each trouble that the survey or a check of one's own met. A trouble
        leaves a check undecided at best, so no word of it can make a check pass.

        Args:
            symptom: the trouble, by its structural signs.

        Returns:
            None to leave it to the table, else one of ``product``, ``auth``, ``infrastructure``,
            ``capacity``, ``upstream``, ``harness``.

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

    @pytest.hookspec
    def pytest_goldenpath_environment(self, config: pytest.Config) -> Mapping[str, object] | None:
        """Give further entries for the environment of the Allure report.

        Args:
            config: of the process that ends the run.

        Returns:
            Names and values; a name that the plugin uses itself is left alone.

        """


def know_hooks(config: pytest.Config) -> None:
    """Tell pytest of our hooks, if nobody has."""
    implemented = getattr(config.hook, _HOOKS[0], None)
    if implemented is None or not implemented.has_spec():
        config.pluginmanager.add_hookspecs(Hooks)


def refuse_unknown_hooks(config: pytest.Config) -> None:
    """Refuse a hook whose name is nearly one of ours: its author would believe himself heard.

    Raises:
        pytest.UsageError: there is such a hook.

    """
    for name in vars(config.hook):
        if name.startswith(_PREFIX) and name not in _HOOKS:
            near = get_close_matches(name, _HOOKS, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise pytest.UsageError(
                f"goldenpath: {name}: unknown hook; {hint}known are {', '.join(_HOOKS)}"
            )


_HOOKS = tuple(sorted(name for name in vars(Hooks) if name.startswith(_PREFIX)))


def own_probes(config: pytest.Config, target: Target) -> dict[str, Callable[[], str | None]]:
    """Return the project's own probes of the warm-up, by their names.

    Raises:
        ConfigError: a name is one of ours or is given twice, or its probe cannot be called.

    """
    found: dict[str, Callable[[], str | None]] = {}
    for probes in config.hook.pytest_goldenpath_probes(target=target):
        for name, ask in (probes or {}).items():
            if name in {VPC, DB, *found} or not isinstance(name, str) or not callable(ask):
                raise ConfigError(
                    "pytest_goldenpath_probes",
                    name,
                    "a probe needs a name of its own and a function",
                    source="the project's hook",
                    remedy=f"return a dict of name and function, and do not use {VPC} or {DB}",
                )
            found[name] = ask
    return found


def own_bypass_names(config: pytest.Config) -> tuple[str, ...]:
    """Return the project's own names of bypasses.

    Raises:
        ConfigError: one of them is no text.

    """
    hook = getattr(config.hook, "pytest_goldenpath_bypass_names", None)
    names = [name for some in (hook() if hook else ()) for name in some or ()]
    for name in names:
        if not isinstance(name, str) or not name.strip():
            raise ConfigError(
                "pytest_goldenpath_bypass_names",
                name,
                "no name of a bypass",
                source="the project's hook",
                remedy="return a list of texts",
            )
    return tuple(dict.fromkeys(names))


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


def with_own_attribution(config: pytest.Config, survey: Survey, redactor: Redactor) -> Survey:
    """Ask the project's own rules about every trouble of a survey, and put their word into it."""
    if not config.hook.pytest_goldenpath_attribute.get_hookimpls():
        return survey
    return with_symptoms(survey, cache(lambda symptom: own_word(config, symptom, redactor)))


def own_word(config: pytest.Config, symptom: Symptom, redactor: Redactor) -> Symptom:
    """Ask the project's own rules about one trouble, and put their word into it."""
    hook = config.hook.pytest_goldenpath_attribute
    if symptom.rule or not hook.get_hookimpls():
        return symptom
    try:
        word = hook(symptom=symptom)
    except Exception as error:  # noqa: BLE001  # somebody else's rule may raise anything
        return _misruled(symptom, redactor.redact(f"{type(error).__name__}: {error}"))
    if word is None:
        return symptom
    if not isinstance(word, str) or word not in set(Attribution):
        said = excerpt(redactor.redact(repr(word)), _LONGEST_WORD)
        return _misruled(symptom, f"it returned {said}, none of {', '.join(Attribution)}")
    return replace(symptom, override=str(word), rule=_own_row(symptom))


_LONGEST_WORD = 80


def _misruled(symptom: Symptom, problem: str) -> Symptom:
    """Leave a trouble undecided that the project's own rule had no good word for."""
    told = excerpt(f"the project's own rule failed: {problem}")
    detail = f"{symptom.detail}; {told}" if symptom.detail else told
    word = Attribution.HARNESS.value
    return replace(symptom, detail=detail, override=word, rule=_own_row(symptom))


def _own_row(symptom: Symptom) -> str:
    return f"{OWN}{attribute(symptom).row}"


def _unjudged(survey: Survey, reason: str) -> Survey:
    failed = Missing(f"the project's own judge of answers failed: {reason}")
    return replace(survey, missing={**survey.missing, "own judge": failed})

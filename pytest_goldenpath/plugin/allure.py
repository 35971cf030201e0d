"""What the plugin tells Allure; imported only when a folder for Allure's results was given.

allure-pytest writes a result for each test. Here each result of a check is completed before it is
written, secrets are cut out of whatever is written, and the controller adds at the very end what
is about the run as a whole, so that nothing that cleans the folder can take it away again.
"""

from __future__ import annotations

import hashlib
import json
import platform
import uuid
from collections import Counter
from collections.abc import Generator, Mapping
from datetime import datetime
from importlib import metadata
from typing import Any

import allure_commons
import pytest
from allure_commons import model2 as model

from pytest_goldenpath.contract.findings import Finding, Severity
from pytest_goldenpath.contract.survey import Survey
from pytest_goldenpath.contract.transcript import Transcript
from pytest_goldenpath.plugin.allure_shield import shield
from pytest_goldenpath.plugin.collection import CATEGORIES
from pytest_goldenpath.plugin.outcomes import ATTRIBUTE, HELD
from pytest_goldenpath.plugin.retry import ATTEMPT
from pytest_goldenpath.plugin.run import Run
from pytest_goldenpath.plugin.session import Collector
from pytest_goldenpath.report import allure_files as files
from pytest_goldenpath.report import allure_result as told
from pytest_goldenpath.report.allure_result import (
    Step,
    conversation_step,
    conversation_steps,
    login_step,
)
from pytest_goldenpath.report.files import transcript_lines, write_whole
from pytest_goldenpath.report.sequence import picture
from pytest_goldenpath.verdict.checks import Outcome

_WORST_FIRST = (Outcome.FAILED, Outcome.INCONCLUSIVE, Outcome.SKIPPED, Outcome.PASSED)
_SEVERAL = 2
_PACKAGE = "pytest-goldenpath"
#: The row of the attribution table for a test whose worker died.
_CRASHED = "E4-46"


class Results:
    """Completes the result of each check, in the process that ran it."""

    def __init__(self, config: pytest.Config, run: Run) -> None:
        """Take the configuration and the run."""
        self._config = config
        self._run = run
        self._item: pytest.Item | None = None
        self._record: dict[str, Any] | None = None
        self._attempts = Counter[str]()
        self._drawn: dict[object, list[model.Attachment]] = {}
        self._steps: dict[object, list[model.TestStepResult]] = {}
        self._docs = _documentation()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Remember what became of a check; the worst of its phases counts."""
        report = yield
        if call.when == "setup":
            self._item, self._record = item, None
        found: dict[str, Any] | None = getattr(report, ATTRIBUTE, None)
        if found and (self._record is None or _rank(found) < _rank(self._record)):
            self._record = found
        return report

    @allure_commons.hookimpl(tryfirst=True)
    def report_result(self, result: model.TestResult) -> None:
        """Complete a result before anybody writes it."""
        item, record = self._item, self._record
        self._item = self._record = None
        if item is None or record is None:
            return
        self._attempts[item.nodeid] += 1
        attempt, is_flaky = self._attempt(item, record)
        _describe(result, item, record)
        _place(result, told.labels(record["category"], record["requirements"], record))
        result.links.extend(
            model.Link(type="link", url=f"{self._docs}#{code.lower()}", name=code)
            for code in record["requirements"]
        )
        _name_target(result, self._run.known_target().name)
        result.status = told.status(record)
        said = told.message(record, attempt)
        if attempt:
            # A passed test's message is not shown everywhere, its description is.
            result.description = f"{result.description or ''}\n\n**{attempt}**".strip()
            result.labels.append(model.Label("attempt", attempt))
        if said:
            trace = result.statusDetails.trace if result.statusDetails else None
            result.statusDetails = model.StatusDetails(
                message=said, trace=trace, flaky=is_flaky or None
            )
        self._show(result, item, record)

    def _attempt(self, item: pytest.Item, record: Mapping[str, Any]) -> tuple[str, bool]:
        number, most = item.stash.get(ATTEMPT, (self._attempts[item.nodeid], 0))
        if number == 1 and (most < _SEVERAL or record["outcome"] != Outcome.INCONCLUSIVE):
            return "", False
        return told.attempt(number, most), number > 1 and record["outcome"] == Outcome.PASSED

    def _show(self, result: model.TestResult, item: pytest.Item, record: Mapping[str, Any]) -> None:
        """Add the conversations that a check looked at: as steps, and drawn where it matters."""
        survey = self._run.survey or Survey()
        held = _held(item)
        findings = tuple(_finding(plain) for plain in record["findings"])
        seen = told.read_by(record["requirements"], survey, findings)
        if survey.journey and "golden_journey" in getattr(item, "fixturenames", ()):
            seen = tuple(dict.fromkeys((survey.journey, *seen)))
        if survey.journey in seen:
            steps = login_step(survey.login)
            result.steps.extend(_step(step) for step in steps)
        talks = 0
        for transcript in (*seen, *held):
            is_journey = transcript is survey.journey
            talks += not is_journey
            if is_journey or talks <= told.MOST_TALKS:
                result.steps.extend(self._followed(transcript, findings, is_journey=is_journey))
        is_bad = record["outcome"] in {Outcome.FAILED, Outcome.INCONCLUSIVE}
        for transcript in dict.fromkeys((*told.told_of(seen, findings, is_bad=is_bad), *held)):
            result.attachments.extend(self._attached(transcript, findings))

    def _followed(
        self, transcript: Transcript, findings: tuple[Finding, ...], *, is_journey: bool
    ) -> list[model.TestStepResult]:
        """Return a conversation's steps, made once; only a journey's stand by themselves."""
        key = (transcript, findings, is_journey)
        if key not in self._steps:
            if is_journey:
                steps = conversation_steps(transcript, findings)
            else:
                steps = (conversation_step(transcript, findings),)
            self._steps[key] = [_step(step) for step in steps]
        return self._steps[key]

    def _attached(
        self, transcript: Transcript, findings: tuple[Finding, ...]
    ) -> list[model.Attachment]:
        """Write a picture and its transcript once, however many results point to them."""
        key = (transcript, findings)
        if key not in self._drawn:
            lines = "".join(f"{line}\n" for line in transcript_lines(transcript))
            name = transcript.purpose
            self._drawn[key] = [
                _attach(f"sequence: {name}", picture(transcript, findings), "image/svg+xml", "svg"),
                _attach(f"transcript: {name}", lines, "text/plain", "jsonl"),
            ]
        return self._drawn[key]


class Conclusion:
    """Writes what is about the run as a whole, when everything else is written."""

    def __init__(self, config: pytest.Config, run: Run) -> None:
        """Take the configuration and the run."""
        self._config = config
        self._run = run

    def __call__(self, verdict: dict[str, Any]) -> None:
        """Write a verdict down for Allure."""
        try:
            self._conclude(verdict)
        except OSError as error:
            terminal = self._config.pluginmanager.getplugin("terminalreporter")
            if terminal:
                terminal.write_line(f"goldenpath: nothing more for Allure: {error.strerror}")

    def _conclude(self, verdict: dict[str, Any]) -> None:
        folder = shield(self._config, self._run)
        for check in verdict["checks"]:
            if check["row"] == _CRASHED:
                _write(result=_crashed(check, verdict["target"]["name"]))
        if hasattr(model, "Globals"):
            _write(globals_item=_globals(verdict))
        started_s = int(datetime.fromisoformat(verdict["started"]).timestamp())
        variables = self._run.settings.resolved.environment.process
        target = verdict["target"]["name"]
        executor = files.executor(variables, target=target, started_s=started_s)
        texts = {
            files.ENVIRONMENT_FILE: files.properties(self._environment(verdict)),
            files.CATEGORIES_FILE: json.dumps(files.categories(), indent=1),
            files.CONFIGURATION_FILE: json.dumps(files.configuration(target), indent=1),
            **({files.EXECUTOR_FILE: json.dumps(executor, indent=1)} if executor else {}),
        }
        for name, text in texts.items():
            write_whole(folder / name, self._run.redactor.redact(text))

    def _environment(self, verdict: dict[str, Any]) -> dict[str, str]:
        versions = {
            "Python": platform.python_version(),
            "pytest": pytest.__version__,
            "pytest-goldenpath": metadata.version(_PACKAGE),
            "allure-pytest": metadata.version("allure-pytest"),
        }
        own = files.environment(verdict, versions)
        try:
            further = self._config.hook.pytest_goldenpath_environment(config=self._config)
            return files.merged(own, [entries for entries in further if entries])
        except Exception as error:  # noqa: BLE001  # somebody else's hook may raise anything
            return {**own, "Further-entries": f"missing: {type(error).__name__}: {error}"}


def hook_in(config: pytest.Config, run: Run) -> None:
    """Complete the results of this process's checks, and shield what is written."""
    shield(config, run)
    results = Results(config, run)
    config.pluginmanager.register(results, "goldenpath_allure")
    allure_commons.plugin_manager.register(results)
    config.add_cleanup(lambda: _unregister(results))


def conclude(config: pytest.Config, run: Run, collector: Collector) -> None:
    """Let the process that decides the verdict write it down for Allure as well."""
    collector.listeners.append(Conclusion(config, run))


def _unregister(results: Results) -> None:
    allure_commons.plugin_manager.unregister(results)


def _held(item: pytest.Item) -> tuple[Transcript, ...]:
    """Take the conversations of this attempt; the next one begins with none."""
    held: list[Transcript] = item.stash.get(HELD, [])
    taken = tuple(held)
    held.clear()
    return taken


def _describe(result: model.TestResult, item: pytest.Item, record: Mapping[str, Any]) -> None:
    """Give title and description in words, unless the test has chosen its own."""
    docstring = getattr(getattr(item, "function", None), "__doc__", None) or ""
    case = getattr(getattr(item, "callspec", None), "id", "")
    if result.name == item.name:
        result.name = told.title(item.name, docstring, case)
    if (result.description or "") == docstring:
        result.description = told.description(docstring, record["requirements"])


def _place(result: model.TestResult, labels: list[tuple[str, str]]) -> None:
    """Add labels, but for the kinds that the test has chosen itself."""
    chosen = {label.name for label in result.labels} - {"tag"}
    result.labels.extend(model.Label(name, value) for name, value in labels if name not in chosen)


def _name_target(result: model.TestResult, target: str) -> None:
    """Tell runs against different targets apart, which would count as retries otherwise."""
    taken = {parameter.name for parameter in result.parameters}
    name = "goldenpath target" if "target" in taken else "target"
    result.parameters.append(model.Parameter(name=name, value=target))
    result.historyId = _md5(result.historyId, target)


def _crashed(check: Mapping[str, Any], target: str) -> model.TestResult:
    """Make the result of a test that its dead worker could not write."""
    path, *classes, function = check["id"].split("::")
    plain, _, case = function.partition("[")
    *folders, file = path.split("/")
    package = ".".join((*folders, file.removesuffix(".py"), *classes))
    result = model.TestResult(
        uuid=str(uuid.uuid4()),
        name=function,
        fullName=f"{package}#{plain}",
        testCaseId=_md5(f"{package}#{plain}"),
        titlePath=[*path.split("/"), *classes],
        status=told.status(check),
        statusDetails=model.StatusDetails(message=told.message(check)),
    )
    result.historyId = _md5(result.fullName, case) if case else _md5(result.fullName)
    if case:
        result.parameters.append(model.Parameter(name="case", value=case.removesuffix("]")))
    _name_target(result, target)
    category = check["category"] or next((f for f in reversed(folders) if f in CATEGORIES), "")
    suites = [("parentSuite", ".".join(folders)), ("suite", file.removesuffix(".py"))]
    labels = told.labels(category, check["requirements"], check)
    _place(result, [*labels, *(suite for suite in suites if suite[1])])
    return result


def _globals(verdict: Mapping[str, Any]) -> model.Globals:
    """Tell the verdict and the warm-up where no single test would be the place for them."""
    now = int(1000 * datetime.now().astimezone().timestamp())
    bodies = {"verdict.json": verdict, "warm-up": verdict["warmup"]}
    item = model.Globals()
    for name, body in bodies.items():
        text = json.dumps(body, indent=1, ensure_ascii=False)
        made = _attach(name, text, "application/json", "json")
        item.attachments.append(
            model.GlobalAttachment(name=name, source=made.source, type=made.type, timestamp=now)
        )
    if verdict["verdict"] != "PASS":
        message = f"golden path: {verdict['verdict']} (exit {verdict['exit_code']})"
        reasons = "\n".join(verdict["reasons"])
        item.errors.append(
            model.GlobalError(message=f"{message}\n{reasons}".strip(), timestamp=now)
        )
    return item


def _attach(name: str, body: str, kind: str, extension: str) -> model.Attachment:
    """Write an attachment that any number of results may point to."""
    file_name = model.ATTACHMENT_PATTERN.format(prefix=uuid.uuid4(), ext=extension)
    allure_commons.plugin_manager.hook.report_attached_data(body=body, file_name=file_name)
    return model.Attachment(name=name, source=file_name, type=kind)


def _write(**item: object) -> None:
    hook = allure_commons.plugin_manager.hook
    call = hook.report_result if "result" in item else hook.report_globals
    call(**item)


def _md5(*parts: str) -> str:
    """Digest parts as allure-pytest does for its own identifiers."""
    return hashlib.md5("".join(parts).encode(), usedforsecurity=False).hexdigest()


def _step(step: Step) -> model.TestStepResult:
    return model.TestStepResult(
        name=step.name,
        status="failed" if step.trouble else "passed",
        statusDetails=model.StatusDetails(message=step.trouble) if step.trouble else None,
        parameters=[model.Parameter(name=name, value=value) for name, value in step.facts],
        start=round(1000 * step.start_s),
        stop=round(1000 * step.stop_s),
        steps=[_step(inner) for inner in step.steps],
    )


def _finding(plain: Mapping[str, Any]) -> Finding:
    return Finding(plain["code"], Severity(plain["severity"]), plain["message"], plain["evidence"])


def _rank(record: Mapping[str, Any]) -> int:
    return _WORST_FIRST.index(Outcome(record["outcome"]))


def _documentation() -> str:
    """Return where the promises are described: at the address that the package names, if any."""
    urls = metadata.metadata(_PACKAGE).get_all("Project-URL") or []
    known = dict(line.split(", ", 1) for line in urls if ", " in line)
    home = known.get("Documentation", "").rstrip("/")
    return f"{home}/promises.md" if home else "docs/promises.md"

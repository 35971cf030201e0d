"""What pytest is about to show or write is cut first: reports, logs, warnings, internal errors.

It works by value: :class:`~pytest_goldenpath.secrets.Redactor` knows every secret of the run. A
report is cut in the process that made it, before xdist sends it or any plugin writes it down.
Files that are written all the same are looked at in the end, by :mod:`.leaks`.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from pytest_goldenpath.plugin.outcomes import ATTRIBUTE
from pytest_goldenpath.plugin.run import Run
from pytest_goldenpath.secrets import MASK, Redactor, Secret

#: Under this name the plugin is registered.
NAME = "goldenpath_redaction"
#: These print what comes from a target before anybody can have learnt a secret of it.
_CLIENTS = frozenset({"httpx", "httpcore", "websockets"})
_HEADERS = r"(?:set-cookie|cookie|(?:proxy-)?authorization|x-[\w-]*(?:key|token|secret)[\w-]*)"
_FIELDS = r"\w*(?:token|ticket|secret|password|api_?key|cookie|session|jwt)\w*"
_ON_THE_WIRE = (
    re.compile(rf"(\(b['\"]{_HEADERS}['\"], b(['\"]))(?:\\.|(?!\2).)*", re.IGNORECASE),
    re.compile(rf"(\b{_HEADERS}: )[^\n]+", re.IGNORECASE),
    re.compile(rf"([?&]{_FIELDS}=)[^&#\s\"']+", re.IGNORECASE),
    re.compile(rf"(\\?\"{_FIELDS}\\?\"\s*:\s*\\?\")[^\"\\]+", re.IGNORECASE),
)


def start(config: pytest.Config, run: Run) -> None:
    """Cut everything from here on."""
    # A hook that fails here fails again once the tests are collected, and is told of then.
    gather(config, run)
    redaction = Redaction(config, run)
    config.pluginmanager.register(redaction, NAME)
    if config.pluginmanager.is_registered(redaction):
        redaction.install()


def gather(config: pytest.Config, run: Run) -> str:
    """Learn what other processes and the project call a secret; returns what was wrong, or ''."""
    run.hear()
    try:
        with _untraced(config):
            told = config.hook.pytest_goldenpath_secrets(config=config)
        values = [value for values in told for value in (values or ())]
    except Exception as error:  # noqa: BLE001  # somebody else's hook may raise anything
        return f"pytest_goldenpath_secrets failed: {run.redactor.redact(_named(error))}"
    for value in values:
        if not isinstance(value, str):
            return f"pytest_goldenpath_secrets gave {type(value).__name__}, no text"
        run.redactor.learn(Secret(value))
    return ""


@contextmanager
def _untraced(config: pytest.Config) -> Iterator[None]:
    """Keep what a hook returns out of the trace that ``--debug`` writes."""
    root: Any = config.trace.root
    writer = root._writer  # noqa: SLF001  # there is no other way to know it
    root.setwriter(None)
    try:
        yield
    finally:
        root.setwriter(writer)


class Redaction:
    """The cuts of one process, from the moment it knows of its run to its end."""

    def __init__(self, config: pytest.Config, run: Run) -> None:
        """Take the configuration and the run whose secrets are meant."""
        self._config = config
        self._run = run
        self._redactor = run.redactor

    def install(self) -> None:
        """Reach what no hook reaches: log records, the terminal, the trace of ``--debug``."""
        redact = self._redactor.redact
        _Records(self._redactor).install(self._config)
        reporter: Any = self._config.pluginmanager.getplugin("terminalreporter")
        if reporter is not None:
            write = reporter._tw.write  # noqa: SLF001  # pytest's own pastebin takes it as well
            reporter._tw.write = lambda text, **markup: write(redact(text), **markup)  # noqa: SLF001
            for report in (r for reports in reporter.stats.values() for r in reports):
                if isinstance(report, pytest.CollectReport):
                    self._clean(report)
        root: Any = self._config.trace.root
        trace = root._writer  # noqa: SLF001  # there is no other way to know it
        if trace is not None:
            root.setwriter(lambda text: trace(redact(text)))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Cut a report where it is made, and before that what it is made of."""
        sections = item._report_sections  # noqa: SLF001  # other plugins read it as it is
        if sections:
            self._learn()
            redact = self._redactor.redact
            sections[:] = [(when, key, redact(text)) for when, key, text in sections]
        report = yield
        self._clean(report)
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Cut what was added later, and a report that pytest-xdist made for a crashed worker."""
        self._clean(report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Cut the report of a module that cannot be imported."""
        self._clean(report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage) -> None:
        """Cut a warning's text."""
        told, message = str(warning_message.message), warning_message.message
        if self._redactor.redact(told) == told:
            return
        if isinstance(message, Warning):
            message.args = tuple(clean(argument, self._redactor) for argument in message.args)
        if self._redactor.redact(str(message)) != str(message):
            warning_message.message = UserWarning(self._redactor.redact(told))

    @pytest.hookimpl(tryfirst=True)
    def pytest_internalerror(self, excrepr: object) -> None:
        """Cut the traceback of a plugin that broke down."""
        self._learn()
        clean(excrepr, self._redactor)

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Cut the reason that somebody gave to ``pytest.exit``."""
        if isinstance(excinfo.value, pytest.exit.Exception):
            excinfo.value.msg = self._redactor.redact(str(excinfo.value.msg))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Cut what has gone to the JUnit file's writer without any report."""
        if not self._config.getoption("xmlpath", None):
            return
        from _pytest.junitxml import xml_key

        log: Any = self._config.stash.get(xml_key, None)
        if log is None:
            return
        self._learn()
        log.global_properties = clean(log.global_properties, self._redactor)
        for node in log.node_reporters_ordered:
            # A test that is over is an element already.
            for element in () if "attrs" in vars(node) else node.to_xml().iter():
                element.text = clean(element.text, self._redactor)
                element.attrib.update(clean(element.attrib, self._redactor))

    def _learn(self) -> None:
        # What a hook of the project said before stays known when it fails in the middle of a run.
        gather(self._config, self._run)

    def _clean(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        """Cut a report; one that says nothing costs nothing."""
        record = getattr(report, ATTRIBUTE, None) or {}
        properties = getattr(report, "user_properties", None)
        said = (report.longrepr, report.sections, properties, record.get("reason"))
        if not any(said) and not record.get("findings"):
            return
        self._learn()
        report.longrepr = clean(report.longrepr, self._redactor)
        report.sections = clean(report.sections, self._redactor)
        if properties:
            report.user_properties = clean(properties, self._redactor)  # type: ignore[union-attr]
        if record:
            setattr(report, ATTRIBUTE, clean(record, self._redactor))


class _Records:
    """Cuts log records when they are made, so that every handler of every logger has them so.

    A filter would have to be put on each logger: those of a logger do not hear its children.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._factory = logging.getLogRecordFactory()
        self._is_over = False

    def install(self, config: pytest.Config) -> None:
        """Make the records from now on, until the configuration's end."""
        logging.setLogRecordFactory(self.make)
        config.add_cleanup(self._end)

    def make(self, *arguments: Any, **more: Any) -> logging.LogRecord:  # noqa: ANN401  # logging's own
        """Make a record as before, and cut it."""
        record = self._factory(*arguments, **more)
        if self._is_over:
            return record
        try:
            said = record.getMessage()
        except Exception:  # noqa: BLE001  # somebody else's arguments; logging will tell of it
            said, shown = str(record.msg), self._redactor.redact(str(record.msg))
            record.args = tuple(self._redactor.redact(str(a)) for a in record.args or ())
            record.msg = shown
            return record
        shown = said
        if record.name.partition(".")[0] in _CLIENTS:
            for pattern in _ON_THE_WIRE:
                shown = pattern.sub(rf"\1{MASK}", shown)
        shown = self._redactor.redact(shown)
        if shown != said:
            record.msg, record.args = shown, ()
        self._cut_traceback(record)
        return record

    def _cut_traceback(self, record: logging.LogRecord) -> None:
        if record.stack_info:
            record.stack_info = self._redactor.redact(record.stack_info)
        if record.exc_info and record.exc_info[0] is not None:
            told = logging.Formatter().formatException(record.exc_info)
            # A formatter takes this text for the traceback, if it is there.
            record.exc_text = self._redactor.redact(told)

    def _end(self) -> None:
        # Somebody may have put a factory of his own before this one, which then has to stay.
        self._is_over = True
        if logging.getLogRecordFactory() == self.make:
            logging.setLogRecordFactory(self._factory)


def clean(value: Any, redactor: Redactor) -> Any:  # noqa: ANN401  # plain data or pytest's own
    """Return a value without secrets; what pytest tells of an exception is cut where it is."""
    if isinstance(value, str):
        return redactor.redact(value)
    if isinstance(value, dict):
        return {clean(k, redactor): clean(v, redactor) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return _row(value, redactor)
    if value is None or isinstance(value, bool | int | float):
        return value
    if type(value).__module__.partition(".")[0] == "_pytest" and hasattr(value, "__dict__"):
        for name, inner in vars(value).items():
            setattr(value, name, clean(inner, redactor))
        return value
    shown = redactor.redact(str(value))
    return value if shown == str(value) else shown


def _row(values: list[Any] | tuple[Any, ...], redactor: Redactor) -> list[Any] | tuple[Any, ...]:
    if isinstance(values, list) and all(isinstance(line, str) for line in values):
        return _lines(values, redactor)
    cleaned = [clean(value, redactor) for value in values]
    return cleaned if isinstance(values, list) else tuple(cleaned)


def _lines(lines: Iterable[str], redactor: Redactor) -> list[str]:
    """Cut lines as one text, because a secret may go on in the next one."""
    before = list(lines)
    after = redactor.redact("\n".join(before)).split("\n")
    return after if len(after) == len(before) else [redactor.redact(line) for line in before]


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"

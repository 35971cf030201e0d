"""Options, environment and files become the settings of a run, once, with their sources."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from pytest_goldenpath.contract.registry import RULES
from pytest_goldenpath.errors import ConfigError
from pytest_goldenpath.plugin import options
from pytest_goldenpath.plugin.collection import CATEGORIES
from pytest_goldenpath.plugin.fast import LONGEST_S, read_budget
from pytest_goldenpath.plugin.judging import own_bypass_names
from pytest_goldenpath.plugin.names import allowed_skips, check_environment, check_file
from pytest_goldenpath.target.model import REFERENCE_CONTEXT
from pytest_goldenpath.target.resolve import Options, Resolved, resolve
from pytest_goldenpath.target.sources import (
    DEFAULT_SOURCE,
    Environment,
    Setting,
    TargetsFile,
    closest,
    read_targets,
)
from pytest_goldenpath.verdict.bypass import VARIABLES, Bypass, read_bypass
from pytest_goldenpath.verdict.decide import Rulebook
from pytest_goldenpath.verdict.warmup import AUTO
from pytest_goldenpath.verdict.warmup import MODES as WARMUPS

FULL, FAST = "full", "fast_feedback"
_MODES = (FULL, FAST)
_ALL = "all"
_EVIDENCE = ".goldenpath"
_EMBEDDED_NEEDS = ("starlette", "uvicorn", "sqlalchemy")
#: pytest's own option for a file of results.
RESULTS = "--junitxml"
_PATH_OPTIONS = frozenset(
    f"--{prefix}{name}" for prefix in ("", "goldenpath-") for name in ("evidence-dir", "env-file")
)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a run was told.

    Attributes:
        resolved: target and credentials.
        categories: selected ones; empty means all, and foreign tests as well.
        execution_mode: ``full`` or ``fast_feedback``.
        warmup: ``auto``, ``fixed`` or ``off``.
        evidence_dir: absolute path.
        history_dir: where a copy of each verdict is kept, or None.
        faults, variants: of the embedded backend.
        bypass: the tester's.
        rulebook: how strictly to judge.
        sources: by setting, where it came from.
        fast_budget_s: a ``fast_feedback`` run ends within this time (design 5).
        bypass_names: the project's own names of bypasses.
    """

    resolved: Resolved
    categories: tuple[str, ...]
    execution_mode: str
    evidence_dir: Path
    faults: tuple[str, ...]
    variants: tuple[str, ...]
    bypass: Bypass
    rulebook: Rulebook
    sources: Mapping[str, str]
    warmup: str = AUTO
    fast_budget_s: float = LONGEST_S
    history_dir: Path | None = None
    bypass_names: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """Faults that no promise of the selected categories looks for."""
        if not self.faults:
            return ()
        from pytest_goldenpath.reference.faults import FAULTS

        looked_for = {
            code
            for code, rule in RULES.items()
            if not self.categories or set(rule.categories) & set(self.categories)
        }
        return tuple(
            f"NOTE: no promise of these categories looks for the fault {name}"
            for name in self.faults
            if looked_for.isdisjoint(FAULTS[name].codes)
        )


def _check_fast(categories: tuple[str, ...]) -> None:
    slow = [name for name in categories if name != "smoke"]
    if slow:
        raise ConfigError(
            "--category",
            slow[0],
            "contradicts --execution-mode fast_feedback, which runs the smoke checks and no others",
            source="option",
            remedy="leave one of the two out",
        )


def read_settings(config: pytest.Config) -> Settings:
    """Read and check every setting.

    Raises:
        ConfigError: anything that a person has to mend.

    """
    _check_paths(config)
    check_environment(os.environ)
    folders = tuple(dict.fromkeys((config.invocation_params.dir, config.rootpath)))
    file = read_targets(folders)
    check_file(file)
    resolved = resolve(_options(config), os.environ, folders)
    reader = _Reader(config, resolved, file)
    mode = reader.one("execution-mode", FULL)
    _check_name("--execution-mode", mode, _MODES)
    fast_budget_s = read_budget(reader.one("fast-budget-s", f"{LONGEST_S:g}"))
    categories = _categories(reader)
    if mode.value == FAST:
        _check_fast(categories)
        categories = ("smoke",)
    evidence = reader.one("evidence-dir", _EVIDENCE)
    warmup = reader.one("warmup", AUTO)
    history = reader.one("history-dir", "")
    _check_name("--warmup", warmup, WARMUPS)
    faults = _embedded_names(reader, "fault")
    variants = _embedded_names(reader, "variant")
    _check_families(variants)
    _check_context_faults(faults, resolved)
    rulebook = Rulebook(
        gate=reader.flag("gate"),
        allowed_skips=allowed_skips(file),
        accept_bypass=reader.given("accept-bypass"),
    )
    own_names = own_bypass_names(config)
    return Settings(
        resolved,
        categories,
        mode.value,
        config.invocation_params.dir / evidence.value,
        faults,
        variants,
        _bypass(resolved.environment, VARIABLES + own_names),
        rulebook,
        {**resolved.sources, **reader.sources},
        warmup.value,
        fast_budget_s,
        config.invocation_params.dir / history.value if history.value else None,
        own_names,
    )


def evidence_folder(config: pytest.Config) -> Path:
    """Return the evidence folder as far as the command line tells it, for a run that is refused."""
    given = config.getoption(options.dest("evidence-dir"), None)
    return config.invocation_params.dir / (given or _EVIDENCE)


def log_file(config: pytest.Config) -> Path | None:
    """Return the file that pytest's logging writes, if there is one."""
    if not config.pluginmanager.hasplugin("logging"):
        return None
    name = config.getoption("log_file", None) or config.getini("log_file")
    return config.invocation_params.dir / str(name) if name else None


def files_of_pytest(config: pytest.Config) -> Iterator[tuple[str, Path, str]]:
    """Give the files that pytest itself writes for a run: option, path, source."""
    results = config.getoption("xmlpath", None)
    if results:
        path = config.invocation_params.dir / Path(os.path.expandvars(results)).expanduser()
        yield RESULTS, path, f"option {RESULTS}"
    log = log_file(config)
    if log:
        is_option = config.getoption("log_file", None)
        yield "--log-file", log, "option --log-file" if is_option else "ini option log_file"


def check_installation(settings: Settings, config: pytest.Config) -> None:
    """Refuse a run that lacks a part, before anything is started.

    Raises:
        ConfigError: pytest-asyncio is switched off, or the embedded backend is not installed.

    """
    if not config.pluginmanager.hasplugin("asyncio"):
        raise ConfigError(
            "-p",
            "no:asyncio",
            "golden path checks need pytest-asyncio, and it is not loaded",
            source="option -p or PYTEST_DISABLE_PLUGIN_AUTOLOAD",
            remedy="load it with -p asyncio",
        )
    missing = [name for name in _EMBEDDED_NEEDS if importlib.util.find_spec(name) is None]
    if settings.resolved.target.embedded and missing:
        raise ConfigError(
            "--target",
            settings.resolved.target.name,
            f"the embedded backend needs {', '.join(missing)}, which is not installed",
            source=settings.sources["target"],
            remedy="pip install 'pytest-goldenpath[local]', or name a target with --target URL",
        )


def _check_paths(config: pytest.Config) -> None:
    """Refuse a path that pytest has taken for a place of tests, which changes its root folder.

    pytest looks for the root before it knows any plugin's options, so an existing path in an
    argument of its own counts; below the folder of the call it does no harm.
    """
    here = config.invocation_params.dir
    for name, value in pairwise(map(str, config.invocation_params.args)):
        path = here / value
        if name in _PATH_OPTIONS and path.exists() and not path.is_relative_to(here):
            raise ConfigError(
                name,
                value,
                "pytest takes an existing path in an argument of its own for a place of tests",
                source=f"option {name}",
                remedy=f"write {name}={value} as one argument",
            )


def _options(config: pytest.Config) -> Options:
    return Options(
        target=options.text(config, "target"),
        staging=options.flag(config, "staging"),
        auth_url=options.text(config, "auth-url"),
        ws_url=options.text(config, "ws-url"),
        env_file=options.text(config, "env-file"),
        expect_revision=options.text(config, "expect-revision"),
    )


def _bypass(environment: Environment, names: tuple[str, ...]) -> Bypass:
    def look_up(name: str) -> tuple[str, str] | None:
        setting = environment.get(name)
        return (setting.value, setting.source) if setting else None

    return read_bypass(look_up, datetime.now(UTC), names)


class _Reader:
    """Reads one setting after the other by the one precedence, and notes the sources."""

    def __init__(self, config: pytest.Config, resolved: Resolved, file: TargetsFile) -> None:
        self.config = config
        self.resolved = resolved
        self.file = file
        self.sources: dict[str, str] = {}

    def one(self, name: str, default: str) -> Setting:
        key = name.replace("-", "_")
        setting = self._found(name, key) or Setting(default, "default")
        self.sources[key] = setting.source
        return setting

    def given(self, name: str) -> bool:
        """Read a flag that only the command line can set."""
        if options.flag(self.config, name):
            self.sources[name.replace("-", "_")] = f"option --{name}"
            return True
        return False

    def flag(self, name: str) -> bool:
        if self.given(name):
            return True
        setting = self.one(name, "false")
        words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
        if setting.value.lower() not in words:
            raise ConfigError(
                name, setting.value, "no flag", source=setting.source, remedy="write true or false"
            )
        return words[setting.value.lower()]

    def _found(self, name: str, key: str) -> Setting | None:
        given = ",".join(options.many(self.config, name)) if name == "category" else ""
        given = given or (
            options.text(self.config, name) if name not in {"gate", "category"} else ""
        )
        is_blank = name == "category" and bool(options.many(self.config, name))
        if given or is_blank:
            return Setting(given, f"option --{name}")
        found = self.resolved.environment.get(f"GOLDENPATH_{key.upper()}")
        if found:
            return found
        value = self.file.default.get(key)
        if value is None:
            return None
        if isinstance(value, list) and all(isinstance(part, str) for part in value):
            return Setting(",".join(value), self.file.path)
        if isinstance(value, bool):
            return Setting(str(value).lower(), self.file.path)
        is_number = isinstance(value, int | float) and key.endswith("_s")
        if is_number or (isinstance(value, str) and value):
            return Setting(str(value), self.file.path)
        raise ConfigError(key, value, "no text", source=self.file.path, remedy='write it as "…"')


def _categories(reader: _Reader) -> tuple[str, ...]:
    setting = reader.one("category", "")
    if not setting.value and setting.source == DEFAULT_SOURCE:
        return ()
    names = tuple(dict.fromkeys(part.strip() for part in setting.value.split(",")))
    for name in names:
        _check_name("--category", Setting(name, setting.source), (*CATEGORIES, _ALL))
    return CATEGORIES if _ALL in names else names


def _embedded_names(reader: _Reader, option: str) -> tuple[str, ...]:
    names = options.many(reader.config, option)
    if not names:
        return ()
    from pytest_goldenpath.reference import faults

    known = tuple(faults.FAULTS if option == "fault" else faults.VARIANTS)
    for name in names:
        _check_name(f"--{option}", Setting(name, f"option --{option}"), known)
    if names and not reader.resolved.target.embedded:
        raise ConfigError(
            f"--{option}",
            names[0],
            f"only the embedded backend has {option}s, and the target is "
            f"{reader.resolved.target.backend}",
            source=f"option --{option}",
            remedy="leave out the target, or leave out the option",
        )
    return tuple(dict.fromkeys(names))


def _check_families(variants: tuple[str, ...]) -> None:
    if not variants:
        return
    from pytest_goldenpath.reference import faults

    families: dict[str, str] = {}
    for name in variants:
        family = faults.VARIANTS[name].family
        if family in families:
            raise ConfigError(
                "--variant",
                name,
                f"contradicts {families[family]}: both are variants of the {family}",
                source="option --variant",
                remedy="give one of the two",
            )
        families[family] = name


def _check_context_faults(faults: tuple[str, ...], resolved: Resolved) -> None:
    """Refuse a fault that would have no effect: only the reference's own class can fall ill."""
    path = resolved.target.context_api
    if not faults or path == REFERENCE_CONTEXT:
        return
    from pytest_goldenpath.reference.faults import FAULTS

    for name in faults:
        if all(seam.startswith("context.") for seam, _ in FAULTS[name].effects):
            raise ConfigError(
                "--fault",
                name,
                f"it breaks the reference backend's own class, and context_api is {path}",
                source="option --fault",
                remedy="leave out one of the two",
            )


def _check_name(option: str, setting: Setting, known: tuple[str, ...]) -> None:
    if setting.value not in known:
        raise ConfigError(
            option,
            setting.value,
            "unknown name",
            source=setting.source,
            remedy=closest(setting.value, known),
        )

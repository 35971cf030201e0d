"""Settings become a target: one function, one precedence (option, environment, file, default)."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_goldenpath.errors import ConfigError
from pytest_goldenpath.target import urls
from pytest_goldenpath.target.keys import ADDRESS_KEYS, Table, env_name, table_of
from pytest_goldenpath.target.login import wallet_of
from pytest_goldenpath.target.model import (
    DEFAULT_PROMPT,
    REFERENCE_CONTEXT,
    Target,
    Wallet,
    class_path,
)
from pytest_goldenpath.target.sources import (
    DEFAULT_SOURCE,
    Environment,
    Setting,
    TargetsFile,
    closest,
    read_env_file,
    read_targets,
)

EMBEDDED = "local"
_EMBEDDED_HEARTBEAT_S = 2.0
#: The deployed interval (protocol 3.9).
_HEARTBEAT_S = 15.0
_USERS = 8
#: What is filled into a prompt, in braces.
_BLANKS = ("marker", "first", "second")
#: Prompts that begin so never reach a model (protocol 6.1).
_MOCKED_STARTS = ("WebSocket", "TIMEOUT")
STAGING = "staging"
STAGING_ENV_FILE = ".env.staging.tests"
#: Addresses of the platform's staging (protocol 11, the constants of V11 to V18).
_STAGING = {
    "backend": "https://api.staging.netrasystems.ai",
    "auth": "https://auth.staging.netrasystems.ai",
    "ws": "wss://api.staging.netrasystems.ai/ws",
    "frontend": "https://app.staging.netrasystems.ai",
}
_STAGING_VARIABLES = {
    "backend": "NETRA_BACKEND_URL",
    "auth": "AUTH_SERVICE_URL",
    "ws": "WEBSOCKET_URL",
    "frontend": "FRONTEND_URL",
}


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says about the target; None and '' mean "not given"."""

    target: str = ""
    staging: bool = False
    auth_url: str = ""
    ws_url: str = ""
    env_file: str = ""
    expect_revision: str = ""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A target with everything that a run needs to know about it.

    Attributes:
        target: for an embedded target the addresses are empty until it has started.
        wallet: the credentials; None for an embedded target, which makes its own user.
        sources: by setting, where its value came from.
        environment: the environment with the env file's values under it.
    """

    target: Target
    wallet: Wallet | None
    sources: Mapping[str, str]
    environment: Environment


def resolve(options: Options, process: Mapping[str, str], folders: tuple[Path, ...]) -> Resolved:
    """Turn options, environment and files into a target.

    Args:
        options: the command line.
        process: the environment of the process.
        folders: where env and targets files are looked for, nearest first.

    Raises:
        ConfigError: anything that a person has to mend.

    """
    file = read_targets(folders)
    named, environment = _named(options, process, file, folders)
    is_url = "://" in named.value
    name = _display_name(named.value) if is_url else named.value
    _check_known(named, file, is_url=is_url)
    for other in file.tables:  # a mistake would be met by whoever names that target next
        table_of(other, file, environment)
    table = table_of(name, file, environment)
    sources = {"target": named.source}
    addresses = _addresses(named, options, table, sources, is_url=is_url)
    target = _target(name, addresses, options, table, sources)
    _guard_production(target, table, sources)
    if target.embedded:
        own = dict.fromkeys(("login", "second_login"), "embedded user")
        return Resolved(target, None, {**sources, **own}, environment)
    wallet, source = wallet_of(target, environment)
    second = environment.get("GOLDENPATH_EMAIL_2") or environment.get("GOLDENPATH_TOKEN_2")
    second_source = second.source if second else source if wallet.second else DEFAULT_SOURCE
    sources |= {"login": source, "second_login": second_source}
    return Resolved(target, wallet, sources, environment)


def _named(
    options: Options, process: Mapping[str, str], file: TargetsFile, folders: tuple[Path, ...]
) -> tuple[Setting, Environment]:
    bare = Environment(process)
    named = _target_setting(options, bare, file)
    env_file = _env_file(options, bare, named, folders)
    if env_file is None:
        return named, bare
    path, source = env_file
    environment = Environment(process, read_env_file(path, source=source), str(path))
    return _target_setting(options, environment, file), environment


def _target_setting(options: Options, environment: Environment, file: TargetsFile) -> Setting:
    if options.staging and options.target not in {"", STAGING}:
        raise ConfigError(
            "--target",
            options.target,
            "contradicts --staging",
            source="option",
            remedy="give one of the two",
        )
    if options.staging:
        return Setting(STAGING, "option --staging")
    if options.target:
        return Setting(options.target, "option --target")
    found = environment.get("GOLDENPATH_TARGET") or environment.get("GOLDENPATH_BACKEND")
    if found:
        return found
    default = file.default.get("target")
    if default is None:
        return Setting(EMBEDDED, DEFAULT_SOURCE)
    if not isinstance(default, str) or not default:
        raise ConfigError("target", default, "no name", source=file.path, remedy='write "name"')
    return Setting(default, file.path)


def _env_file(
    options: Options, environment: Environment, named: Setting, folders: tuple[Path, ...]
) -> tuple[Path, str] | None:
    if options.env_file:
        return folders[0] / options.env_file, "option --env-file"
    found = environment.get("GOLDENPATH_ENV_FILE")
    if found:
        return folders[0] / found.value, found.source
    if named.value == STAGING:
        for folder in folders:
            if (folder / STAGING_ENV_FILE).is_file():
                return folder / STAGING_ENV_FILE, DEFAULT_SOURCE
    return None


def _check_known(named: Setting, file: TargetsFile, *, is_url: bool) -> None:
    known = {EMBEDDED, STAGING, *file.tables}
    if not is_url and named.value not in known:
        remedy = f"{closest(named.value, known)}; or give a URL with its scheme"
        raise ConfigError(
            "--target",
            urls.without_credentials(named.value),
            "unknown target",
            source=named.source,
            remedy=remedy,
        )


def _addresses(
    named: Setting, options: Options, table: Table, sources: dict[str, str], *, is_url: bool
) -> dict[str, str]:
    if named.value == EMBEDDED:
        _refuse_addresses(options, table)
        return dict.fromkeys(ADDRESS_KEYS, "")
    found: dict[str, Setting] = {}
    for key in ADDRESS_KEYS:
        setting = _address(key, options, table)
        if setting:
            found[key] = setting
    if is_url:
        found["backend"] = named
    if "backend" not in found:
        raise ConfigError(
            f"targets.{table.name}",
            "",
            "the address of the backend is missing",
            source=table.path,
            remedy='write backend = "https://…"',
        )
    backend = urls.web_url("backend", found["backend"].value, found["backend"].source)
    auth = found.get("auth", Setting(backend, "backend"))
    ws = found.get("ws", Setting(urls.socket_of(backend), "backend"))
    frontend = found.get("frontend")
    sources.update(
        {"backend": found["backend"].source, "auth": auth.source, "ws": ws.source}
        | ({"frontend": frontend.source} if frontend else {})
    )
    return {
        "backend": backend,
        "auth": urls.web_url("auth", auth.value, auth.source),
        "ws": urls.socket_url("ws", ws.value, ws.source),
        "frontend": (urls.web_url("frontend", frontend.value, frontend.source) if frontend else ""),
    }


def _address(key: str, options: Options, table: Table) -> Setting | None:
    option = {"auth": options.auth_url, "ws": options.ws_url}.get(key, "")
    if option:
        return Setting(option, f"option --{key}-url")
    found = table.environment.get(env_name(key))
    if not found and table.name == STAGING:
        found = table.environment.get(_STAGING_VARIABLES[key])
    if not found and key in table.values:
        found = Setting(table.values[key], table.path)
    if not found and table.name == STAGING:
        found = Setting(_STAGING[key], DEFAULT_SOURCE)
    return found


def _refuse_addresses(options: Options, table: Table) -> None:
    """The embedded backend has addresses of its own; any other would be lost in silence."""
    given = [
        Setting(value, f"option --{name}")
        for name, value in (("auth-url", options.auth_url), ("ws-url", options.ws_url))
        if value
    ]
    given += [found for key in ADDRESS_KEYS if (found := table.text(key))]
    if given:
        raise ConfigError(
            given[0].source,
            given[0].value,
            "the target local is the embedded backend, which has addresses of its own",
            source=given[0].source,
            remedy="name the target with --target URL, or leave the address out",
        )


def _target(
    name: str, addresses: dict[str, str], options: Options, table: Table, sources: dict[str, str]
) -> Target:
    event_deadline_s, sources["event_deadline_s"] = table.seconds("event_deadline_s", 15.0)
    run_deadline_s, sources["run_deadline_s"] = table.seconds("run_deadline_s", 60.0)
    quiet_s = _EMBEDDED_HEARTBEAT_S if name == EMBEDDED else _HEARTBEAT_S
    heartbeat_s, sources["heartbeat_s"] = table.seconds("heartbeat_s", quiet_s)
    vpc_budget_s, sources["vpc_budget_s"] = table.seconds("vpc_budget_s", 60.0)
    db_budget_s, sources["db_budget_s"] = table.seconds("db_budget_s", 45.0)
    users, sources["users"] = table.count("users", _USERS)
    infra_attempts, sources["infra_attempts"] = table.count("infra_attempts", 3)
    infra_delay_s, sources["infra_delay_s"] = table.seconds("infra_delay_s", 30.0)
    revision = table.text("revision")
    if options.expect_revision:
        revision = Setting(options.expect_revision, "option --expect-revision")
    prompt = table.text("prompt") or Setting(DEFAULT_PROMPT, DEFAULT_SOURCE)
    seed, control = table.text("seed"), table.text("control")
    _check_prompt(prompt, table.told("prompt"))
    context = table.text("context_api")
    if context:
        _check_class_path(context, table.told("context_api"))
    else:
        context = Setting(REFERENCE_CONTEXT if name == EMBEDDED else "", DEFAULT_SOURCE)
    optional = {"seed": seed, "control": control, "revision": revision}
    sources |= {key: found.source for key, found in optional.items() if found}
    sources["prompt"], sources["context_api"] = prompt.source, context.source
    return Target(
        name=name,
        **addresses,
        embedded=name == EMBEDDED,
        revision=revision.value if revision else "",
        prompt=prompt.value,
        seed=seed.value if seed else "",
        first_event_s=min(5.0, event_deadline_s),
        event_deadline_s=event_deadline_s,
        run_deadline_s=run_deadline_s,
        heartbeat_s=heartbeat_s,
        users=users,
        control=_web_url(control, table.told("control")),
        context_api=context.value,
        faults=(),
        vpc_budget_s=vpc_budget_s,
        db_budget_s=db_budget_s,
        infra_attempts=infra_attempts,
        infra_delay_s=infra_delay_s,
    )


def _web_url(found: Setting | None, setting: str) -> str:
    return urls.web_url(setting, found.value, found.source) if found else ""


def _check_prompt(prompt: Setting, setting: str) -> None:
    """Refuse what the platform's mocks answer, for no model would be asked (protocol 6.1)."""
    text = prompt.value
    signs = {
        f"it begins with {text.split(maxsplit=1)[0]!r}": text.lstrip().startswith(_MOCKED_STARTS),
        "it holds 'FORCE_ERROR'": "FORCE_ERROR" in text,
        "it holds 'test'": "test" in text.lower(),
    }
    for word in re.findall(r"\{(\w+)\}", text):
        if word not in _BLANKS and difflib.get_close_matches(word, _BLANKS):
            raise ConfigError(
                setting,
                text,
                f"{{{word}}} is not filled in",
                source=prompt.source,
                remedy=closest(word, _BLANKS),
            )
    for sign, is_there in signs.items():
        if is_there:
            raise ConfigError(
                setting,
                text,
                f"{sign}, which a mock of the platform answers in the model's place",
                source=prompt.source,
                remedy="say it in other words",
            )


def _check_class_path(path: Setting, setting: str) -> None:
    try:
        class_path(path.value)
    except ValueError:
        raise ConfigError(
            setting,
            path.value,
            "no import path of a class",
            source=path.source,
            remedy="write package.module:Class",
        ) from None


def _guard_production(target: Target, table: Table, sources: Mapping[str, str]) -> None:
    for key in ("backend", "auth", "ws"):
        url = str(getattr(target, key))
        if url and urls.looks_like_production(url) and not table.flag("production"):
            raise ConfigError(
                key,
                url,
                "the host looks like production",
                source=sources[key],
                remedy=f"if you mean it, give it a table with production = true, such as "
                f'[tool.goldenpath.targets."{target.name}"]',
            )


def _display_name(url: str) -> str:
    """Name a target that was given as an address; a broken one is told of later."""
    try:
        return urls.host_of(url) or url
    except ValueError:
        return url

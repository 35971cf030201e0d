"""The files beside Allure's results: environment, categories, executor; plain data only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

ENVIRONMENT_FILE = "environment.properties"
CATEGORIES_FILE = "categories.json"
EXECUTOR_FILE = "executor.json"
#: Allure 3 reads categories from its configuration only: ``allure awesome DIR --config DIR/...``.
CONFIGURATION_FILE = "allurerc.json"


def environment(verdict: Mapping[str, Any], versions: Mapping[str, str]) -> dict[str, str]:
    """Tell in what surroundings a verdict was found.

    Args:
        verdict: a ``goldenpath-verdict/1`` document.
        versions: by name, the versions of what made it.

    """
    target = verdict["target"]
    told = {
        "Verdict": f"{verdict['verdict']} (exit {verdict['exit_code']})",
        "Target": target["name"],
        "Backend": target["backend"],
        "Auth": target["auth"],
        "WebSocket": target["ws"],
        "Revision": target["revision"],
        "Categories": ", ".join(verdict["categories"]),
        "Mode": verdict["execution_mode"],
        "Seed": verdict["seed"],
        "Started": verdict["started"],
        "Warm-up": warmup(verdict["warmup"]),
        "Bypass": bypass(verdict["bypass"]),
        **versions,
    }
    return {name: value for name, value in told.items() if value}


def warmup(found: Mapping[str, Any]) -> str:
    """Tell in one line what the warm-up found."""
    probes = (
        f"{name} {'ready' if probe['ready'] else 'NOT READY'} after {probe['took_s']:.1f} s"
        for name, probe in found.items()
        if isinstance(probe, dict)
    )
    return "; ".join((*probes, *filter(None, [found["skipped"]])))


def bypass(found: Mapping[str, Any]) -> str:
    """Tell in one line what the tester's bypass is."""
    asked = ", ".join(found["sources"])
    if found["active"]:
        return f"ACTIVE until {found['expires']} ({asked})"
    return f"ignored: {found['problem']} ({asked})" if asked else "none"


def properties(entries: Mapping[str, str]) -> str:
    """Write entries by the rules of Java, in which a blank, ``=`` or ``:`` would end a key."""
    return "".join(
        f"{re.sub(r'[^A-Za-z0-9_.-]+', '-', name).strip('-') or 'unnamed'}={_value(value)}\n"
        for name, value in entries.items()
    )


def categories() -> list[dict[str, Any]]:
    """Return the categories of trouble; each result's message begins with whose it is."""
    return [
        _category("Bypass found", "bypass", "failed"),
        _category("Product defect", "product", "failed"),
        _category("Authentication defect", "auth", "failed"),
        _category("Blocked by a defect", "product|auth", "broken"),
        _category("Infrastructure", "infrastructure", "broken"),
        _category("Capacity", "capacity", "broken"),
        _category("Upstream provider", "upstream", "broken"),
        _category("Test harness", "harness", "broken"),
    ]


def configuration(target: str) -> dict[str, Any]:
    """Return a configuration for Allure 3: the report's name and the same categories."""
    return {"name": f"Golden path: {target}", "categories": categories()}


def executor(variables: Mapping[str, str], *, target: str, started_s: int) -> dict[str, Any] | None:
    """Tell which CI system made a run, None outside of the known ones.

    Args:
        variables: the environment of the process.
        target: the target's name, for the heading of the report.
        started_s: epoch seconds; the order of builds where the system numbers none.

    """
    found = next((made for made in (make(variables) for make in _SYSTEMS) if made), None)
    if found is None:
        return None
    order = found.pop("order", "")
    found["buildOrder"] = int(order) if order.isascii() and order.isdigit() else started_s
    told = {name: value for name, value in found.items() if value}
    return {**told, "reportName": f"Golden path: {target}"}


def _github(said: Mapping[str, str]) -> dict[str, Any] | None:
    if "GITHUB_ACTIONS" not in said:
        return None
    number, name = said.get("GITHUB_RUN_NUMBER", ""), said.get("GITHUB_WORKFLOW", "")
    home = f"{said.get('GITHUB_SERVER_URL', '')}/{said.get('GITHUB_REPOSITORY', '')}"
    run = said.get("GITHUB_RUN_ID", "")
    url = f"{home}/actions/runs/{run}" if run and "://" in home else ""
    return _build("GitHub Actions", "github", f"{name} #{number}", url, number)


def _gitlab(said: Mapping[str, str]) -> dict[str, Any] | None:
    if "GITLAB_CI" not in said:
        return None
    number, name = said.get("CI_PIPELINE_IID", ""), said.get("CI_JOB_NAME", "")
    url = said.get("CI_JOB_URL") or said.get("CI_PIPELINE_URL", "")
    return _build("GitLab CI", "gitlab", f"{name} #{number}", url, number)


def _jenkins(said: Mapping[str, str]) -> dict[str, Any] | None:
    if "JENKINS_URL" not in said:
        return None
    number, name = said.get("BUILD_NUMBER", ""), said.get("JOB_NAME", "")
    return _build("Jenkins", "jenkins", f"{name} #{number}", said.get("BUILD_URL", ""), number)


def _cloud_build(said: Mapping[str, str]) -> dict[str, Any] | None:
    """Cloud Build sets nothing by itself; a step hands its substitutions on by these names."""
    project, build = said.get("PROJECT_ID", ""), said.get("BUILD_ID", "")
    if not project or not build:
        return None
    url = f"https://console.cloud.google.com/cloud-build/builds/{build}?project={project}"
    return _build("Cloud Build", "cloudbuild", f"{said.get('TRIGGER_NAME', '')} {build}", url, "")


_SYSTEMS = (_github, _gitlab, _jenkins, _cloud_build)


def _build(name: str, kind: str, build: str, url: str, order: str) -> dict[str, Any]:
    build = build.strip()
    return {"name": name, "type": kind, "buildName": build, "buildUrl": url, "order": order}


def _category(name: str, word: str, *statuses: str) -> dict[str, Any]:
    # Allure 2 reads it as Java, and Allure 3 as JavaScript, which knows no (?s); the whole message
    # has to match, and messages have several lines.
    return {
        "name": name,
        "matchedStatuses": list(statuses),
        "messageRegex": rf"\[({word})\][\s\S]*",
    }


def _value(value: str) -> str:
    return " ".join(value.replace("\\", "\\\\").split())


def merged(own: Mapping[str, str], further: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return our entries and a project's own; nobody can change what we say."""
    told = {str(name): str(value) for entries in further for name, value in entries.items()}
    return {**own, **{name: value for name, value in told.items() if name not in own}}

"""The pipelines of docs/ci: they keep the vendors' schemas, and their shell steps do what they say.

Only what belongs to a vendor is left out: its runner, its artifact store, the promotion. The steps
that call us run as they stand there, in bash, against the embedded backend.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from running import environment, read_verdict

DOCS = Path(__file__).parent.parent / "docs" / "ci"
GITHUB, GITLAB, CLOUDBUILD = "github-actions.yml", "gitlab-ci.yml", "cloudbuild.yaml"
_TOMORROW = "2099-01-31"
#: What leads to each exit code; a few checks are enough for that.
_FEW = {"GOLDENPATH_CATEGORY": "smoke", "PYTEST_ADDOPTS": "-k 'backend_answers or answer_is_real'"}
_LEADS_TO = {
    0: {},
    1: {"PYTEST_ADDOPTS": f"{_FEW['PYTEST_ADDOPTS']} --fault=mock-answer"},
    75: {
        "GOLDENPATH_TARGET": "http://127.0.0.1:9",
        "GOLDENPATH_VPC_BUDGET_S": "0.2",
        "GOLDENPATH_DB_BUDGET_S": "0.2",
    },
    80: {"DEMO_MODE": "true", "EMERGENCY_BYPASS_EXPIRY": _TOMORROW},
    4: {"GOLDENPATH_CATEGORY": "smke"},
}
#: What the vendor would give the steps.
_GIVEN = {
    "GOLDENPATH_TARGET": "local",
    "GOLDENPATH_REVISION": "",
    "RETRY_AFTER_S": "0",
    "_BACKEND_URL": "local",
    "_REVISION": "",
    "_RETRY_AFTER_S": "0",
    "_BYPASS_APPROVED": "no",
}
_WITHIN_S = 120


def example(name: str) -> Any:
    """Return an example as data."""
    return YAML(typ="safe", pure=True).load((DOCS / name).read_text())


def steps(name: str) -> dict[str, tuple[str, Mapping[str, str]]]:
    """Return the shell steps of an example, by their names, each with its environment."""
    document = example(name)
    if name == GITHUB:
        job = document["jobs"]["validate"]
        return {
            step["name"]: (step["run"], {**job["env"], **step.get("env", {})})
            for step in job["steps"]
            if "run" in step
        }
    if name == GITLAB:
        jobs = {key: job for key, job in document.items() if isinstance(job, dict)}
        return {
            key: ("\n".join(job["script"]), job.get("variables", {})) for key, job in jobs.items()
        }
    pairs = dict(pair.split("=", 1) for pair in document["options"]["env"])
    return {step["id"]: (step["script"], pairs) for step in document["steps"]}


@dataclass(frozen=True)
class Done:
    """A step that has run: its exit code, what it printed, and what it left in its folder."""

    code: int
    said: str
    folder: Path

    def told(self, file: str) -> str:
        """Return a file that the step wrote."""
        return (self.folder / file).read_text()


def do(name: str, step: str, folder: Path, **variables: str) -> Done:
    """Run a step of an example in a folder, in bash as the vendors call it."""
    script, declared = steps(name)[step]
    told = {key: value for key, value in declared.items() if "$" not in str(value)}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    if name == GITHUB:
        variables |= {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(folder / "summary.md")}
    output = folder / "output"
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],  # noqa: S607  # as the vendors find it
        cwd=folder,
        env=environment(**{**told, **_GIVEN, **variables}, PATH=path, GITHUB_OUTPUT=str(output)),
        capture_output=True,
        text=True,
        timeout=_WITHIN_S,
        check=False,
    )
    return Done(done.returncode, done.stdout + done.stderr, folder)


def passed_on(name: str, done: Done) -> str:
    """Return the exit code that a walk tells the step that decides."""
    if name == GITHUB:
        return done.told("output").strip().removeprefix("code=")
    if name == CLOUDBUILD:
        return done.told("goldenpath.code").strip()
    assert done.told("goldenpath.env") == f"GOLDENPATH_EXIT={done.code}\n"
    return str(done.code)


@pytest.mark.parametrize(
    ("name", "schema"),
    [(GITHUB, "github-workflows"), (GITLAB, "gitlab-ci"), (CLOUDBUILD, "cloudbuild")],
)
def test_example_keeps_the_vendors_schema(name: str, schema: str) -> None:
    """Each example is what its system reads."""
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}"]
        + (["--data-transform", "gitlab-ci"] if name == GITLAB else [])
        + [str(DOCS / name)],
        capture_output=True,
        text=True,
        timeout=_WITHIN_S,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "step", "exits"),
    [
        (GITHUB, "Walk", (0, 75, 4)),
        (GITLAB, "golden-path", (1,)),
        (CLOUDBUILD, "walk", (80,)),
    ],
)
def test_walk_ends_with_each_exit_code(
    name: str, step: str, exits: tuple[int, ...], tmp_path: Path
) -> None:
    """The real command runs; its exit code is passed on, and the evidence is there to be kept."""
    for code in exits:
        folder = tmp_path / str(code)
        folder.mkdir()
        variables = {**_FEW, **_LEADS_TO[code]}
        if "GOLDENPATH_TARGET" in variables:
            variables["_BACKEND_URL"] = variables["GOLDENPATH_TARGET"]
        done = do(name, step, folder, **variables)
        assert passed_on(name, done) == str(code), done.said
        # Only what is undecided is tried again, and GitLab does that itself.
        walks = done.said.count("goldenpath: target")
        assert walks == (2 if code == 75 and name != GITLAB else 0 if code == 4 else 1), done.said
        if code == 4:
            continue
        if name == GITHUB:
            summary = done.told("summary.md")
            assert summary.count("## Golden path: ") == walks
            assert "goldenpath run --target " in summary
        assert read_verdict(folder / "evidence")["exit_code"] == code
        assert (folder / "evidence" / "junit.xml").exists()
        assert list((folder / "evidence" / "allure").glob("*-result.json"))


@pytest.mark.parametrize(
    ("code", "exits", "decision"),
    [
        ("0", 0, "decision=promote"),
        ("80", 0, "decision=ask"),
        ("1", 1, ""),
        ("75", 75, ""),
        ("4", 2, ""),
        ("127", 2, ""),
        ("", 2, ""),
    ],
)
def test_github_decides(code: str, exits: int, decision: str, tmp_path: Path) -> None:
    """Only a clean run is promoted by itself; a bypassed one is asked for, all others block."""
    (tmp_path / "output").touch()
    done = do(GITHUB, "Decide", tmp_path, CODE=code)

    assert (done.code, done.told("output").strip()) == (exits, decision)
    jobs = example(GITHUB)["jobs"]
    wanted = {name: jobs[name]["if"] for name in ("promote", "promote-bypassed")}
    allowed = [name for name, text in wanted.items() if f"'{decision.partition('=')[2]}'" in text]
    assert allowed == {"decision=promote": ["promote"], "decision=ask": ["promote-bypassed"]}.get(
        decision, []
    )
    assert "environment" in jobs["promote-bypassed"]


@pytest.mark.parametrize(
    ("code", "promote", "bypassed"), [("0", 0, 1), ("80", 80, 0), ("1", 80, 1), ("75", 80, 1)]
)
def test_gitlab_promotes_what_is_clean(
    code: str, promote: int, bypassed: int, tmp_path: Path
) -> None:
    """The automatic promotion takes 0 only, the one by hand 80 only."""
    document = example(GITLAB)

    assert do(GITLAB, "promote", tmp_path, GOLDENPATH_EXIT=code).code == promote
    assert do(GITLAB, "promote-bypassed", tmp_path, GOLDENPATH_EXIT=code).code == bypassed
    assert document["promote-bypassed"]["when"] == "manual"
    assert document["golden-path"]["retry"] == {"max": 1, "exit_codes": [75]}
    assert document["golden-path"]["allow_failure"] == {"exit_codes": [80]}


@pytest.mark.parametrize(
    ("code", "approved", "exits"),
    [
        ("0", "no", 0),
        ("80", "no", 80),
        ("80", "rev-1", 0),
        ("80", "rev-0", 80),
        ("1", "rev-1", 1),
        ("75", "rev-1", 75),
        ("4", "rev-1", 2),
        ("127", "rev-1", 2),
    ],
)
def test_cloud_build_decides(code: str, approved: str, exits: int, tmp_path: Path) -> None:
    """The step before the promotion fails unless the run was clean, or its bypass was approved."""
    (tmp_path / "goldenpath.code").write_text(f"{code}\n")
    done = do(CLOUDBUILD, "decide", tmp_path, _BYPASS_APPROVED=approved, _REVISION="rev-1")
    order = [step["id"] for step in example(CLOUDBUILD)["steps"]]

    assert done.code == exits, done.said
    assert order[-2:] == ["decide", "promote"]


@pytest.mark.parametrize("name", [GITHUB, GITLAB, CLOUDBUILD])
def test_secrets_come_from_the_environment_only(name: str) -> None:
    """No credential is written down, and none is an argument of a command."""
    text = (DOCS / name).read_text()
    scripts = "\n".join(script for script, _ in steps(name).values())

    assert "GOLDENPATH_PASSWORD" in text
    assert "PASSWORD" not in scripts
    written = re.findall(
        r"^\s*(?:- )?GOLDENPATH_(?:EMAIL|PASSWORD|TOKEN)\w*[:=](.*)$", text, re.MULTILINE
    )
    assert all("${{ secrets." in value for value in written)


def test_bundled_schemas_are_there() -> None:
    """The schemas travel with the test's own dependency, so nothing is fetched."""
    found = resources.files("check_jsonschema").joinpath("builtin_schemas", "vendor")

    assert json.loads(found.joinpath("cloudbuild.json").read_text("utf-8"))

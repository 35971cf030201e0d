"""Run the suites in a process of their own, as a user does, and read the verdict."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SUITES = Path(__file__).parent.parent / "suites"
_OURS = ("GOLDENPATH_", "EMERGENCY_", "BYPASS_", "PYTEST_", "E2E_", "DEMO_", "SKIP_")
_WITHIN_S = 180


@dataclass(frozen=True)
class Ran:
    """A finished run: its exit code, what it printed, and its verdict, if it wrote one."""

    code: int
    out: str
    verdict: dict[str, Any]

    def codes(self, severity: str = "must") -> set[str]:
        """Return the codes of the findings of one severity."""
        return {
            finding["code"]
            for check in self.verdict["checks"]
            for finding in check["findings"]
            if finding["severity"] == severity
        }

    def attributions(self) -> set[str]:
        """Return whom the findings of must weight blame."""
        return {
            finding["attribution"]
            for check in self.verdict["checks"]
            for finding in check["findings"]
            if finding["severity"] == "must"
        }


def environment(**more: str) -> dict[str, str]:
    """Return this process's environment without anything that a run would obey."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(_OURS)}
    return {**clean, "NO_COLOR": "1", **more}


def command(*options: str) -> list[str]:
    """Return the command of a run of all suites."""
    return [
        sys.executable,
        "-m",
        "pytest",
        str(SUITES),
        f"--rootdir={SUITES.parent}",
        "-p",
        "no:cacheprovider",
        *options,
    ]


def run(folder: Path, *options: str, **variables: str) -> Ran:
    """Run the suites with these options; the evidence goes to a folder below this one."""
    evidence = folder / "evidence"
    done = subprocess.run(
        command(f"--evidence-dir={evidence}", *options),
        cwd=folder,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=_WITHIN_S,
        check=False,
    )
    return Ran(done.returncode, done.stdout + done.stderr, read_verdict(evidence))


def read_verdict(evidence: Path) -> dict[str, Any]:
    """Return the verdict that a run wrote, empty when it wrote none."""
    path = evidence / "verdict.json"
    loaded: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return loaded

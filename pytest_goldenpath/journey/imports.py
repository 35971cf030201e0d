"""Look at an imported UserExecutionContext: in a process of its own, with a deadline."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_goldenpath.contract.findings import excerpt, printable
from pytest_goldenpath.contract.observed import ContextFacts
from pytest_goldenpath.contract.survey import Missing
from pytest_goldenpath.journey.expedition import Expedition
from pytest_goldenpath.secrets import Redactor, Secret, scrub
from pytest_goldenpath.target.model import REFERENCE_CONTEXT, Target, class_path

#: A platform's import takes seconds; one that takes longer than this hangs.
WITHIN_S = 30.0
_MOST_BYTES = 1_000_000
_LAST_WORDS = 2_000
#: Of the tester: the platform's code has no business with them, nor to know that pytest runs it.
_WITHHELD = ("GOLDENPATH_", "PYTEST_", "E2E_OAUTH_SIMULATION_KEY")
_SECRET_NAME = re.compile(r"SECRET|PASS|PWD|TOKEN|KEY|CREDENTIAL|DSN|_URL|AUTH", re.IGNORECASE)
_TELLING = 8
_LONGEST = 300
_IN_ADDRESS = re.compile(r"://[^/\s@]+@")


@dataclass(frozen=True, slots=True)
class Looked:
    """What a probe brought back; exactly one of these is there, unless only the import was asked.

    Attributes:
        facts: what it saw.
        refused: the module can be imported, and the class is not in it.
        unimportable: why the module cannot be imported.
        broken_off: what ended the probe after the import.
    """

    facts: ContextFacts | None = None
    refused: str = ""
    unimportable: str = ""
    broken_off: str = ""


async def observe_context(trip: Expedition) -> None:
    """Make the observation ``context``, which needs no user and no network."""
    path = trip.target.context_api
    if not path:
        trip.skip("context", "no context_api is set for this target, so no class can be imported")
        return
    looked = await look(trip.target)
    if looked.facts is not None:
        trip.parts["context"] = looked.facts
    elif looked.unimportable:
        trip.skip("context", f"{path} cannot be imported: {looked.unimportable}")
    else:
        reason = looked.refused or f"the look at {path} broke off: {looked.broken_off}"
        trip.missing["context"] = Missing(reason)


async def look(target: Target, *, only_import: bool = False, within_s: float = WITHIN_S) -> Looked:
    """Import the target's class in a process of its own and let it show what it does.

    Args:
        target: whose ``context_api`` is imported.
        only_import: end as soon as it is known whether the class is there.
        within_s: seconds after which the process is killed.

    """
    module, name = class_path(target.context_api)
    ill = target.faults if target.context_api == REFERENCE_CONTEXT else ()
    request = {
        "module": module,
        "class": name,
        "faults": ill,
        "only_import": only_import,
        "sys_path": [*sys.path, str(Path.cwd())],
    }
    lines, ended = await _ask(json.dumps(request).encode(), within_s)
    looked = Looked() if only_import and {"imported": True} in lines else _looked(lines, ended)
    return scrub(looked, _redactor(os.environ))


def _looked(lines: list[Any], ended: str) -> Looked:
    said = {key: value for line in lines if isinstance(line, dict) for key, value in line.items()}
    if "facts" in said:
        import cattrs

        try:
            return Looked(cattrs.Converter().structure(said["facts"], ContextFacts))
        except (cattrs.BaseValidationError, TypeError, ValueError) as error:
            return Looked(broken_off=f"its answer cannot be read ({type(error).__name__})")
    if "refused" in said or "unimportable" in said:
        return Looked(
            refused=str(said.get("refused", "")), unimportable=str(said.get("unimportable", ""))
        )
    return Looked(broken_off=ended) if "imported" in said else Looked(unimportable=ended)


async def _ask(request: bytes, within_s: float) -> tuple[list[Any], str]:
    """Return the JSON lines of a probe, and how it ended in words."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        # By its path and without its folder: nothing that lies about can take a library's name.
        "-P",
        str(Path(__file__).with_name("context_probe.py")),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={name: value for name, value in os.environ.items() if not name.startswith(_WITHHELD)},
        start_new_session=True,
    )
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise RuntimeError("a process was started without its pipes")
    process.stdin.write(request)
    process.stdin.close()
    said, chatter = bytearray(), bytearray()
    try:
        async with asyncio.timeout(within_s):
            await asyncio.gather(
                _read(process.stdout, said, first=_MOST_BYTES),
                _read(process.stderr, chatter, last=_LAST_WORDS),
                process.wait(),
            )
        ended = _last_words(process.returncode or 0, chatter)
    except TimeoutError:
        ended = f"it did not end within {within_s:g} s"
    finally:
        # With everything that it may have started; a run that is interrupted leaves nothing.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    return [_decoded(line) for line in said.splitlines()], ended


async def _read(
    stream: asyncio.StreamReader, into: bytearray, *, first: int = 0, last: int = 0
) -> None:
    """Read to the end, and keep the first or the last bytes of it."""
    while chunk := await stream.read(65536):
        if last:
            into += chunk
            del into[:-last]
        elif len(into) < first:
            into += chunk


def _last_words(code: int, chatter: bytearray) -> str:
    how = f"it was ended by signal {-code}" if code < 0 else f"it ended with code {code}"
    lines = chatter.decode("utf-8", "replace").strip().splitlines()
    return f"{how}, saying {excerpt(printable(lines[-1]), 300)}" if lines and code else how


def _decoded(line: bytes | bytearray) -> object:
    try:
        return json.loads(line)
    except ValueError:  # cut off
        return None


class _Discreet(Redactor):
    """Cuts out what an address carries as well, and then what is too long to be read."""

    def redact(self, text: str) -> str:
        return _IN_ADDRESS.sub("://***@", super().redact(text))[:_LONGEST]


def _redactor(environment: Mapping[str, str]) -> Redactor:
    """Know what a platform may read from the environment and print when it fails."""
    redactor = _Discreet()
    for name, value in environment.items():
        if _SECRET_NAME.search(name) and len(value) >= _TELLING:
            redactor.learn(Secret(value))
    return redactor

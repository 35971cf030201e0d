"""An import in a process of its own: whatever the module does, the run goes on and says what."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from pytest_goldenpath.contract.judgement import judge
from pytest_goldenpath.contract.survey import Survey
from pytest_goldenpath.journey.imports import Looked, look
from pytest_goldenpath.target.model import REFERENCE_CONTEXT, Target, class_path

IMPORTED = Path(__file__).parent.parent / "imported"
BODIES = {
    "hangs": ("while True: pass", "did not end within 2 s"),
    "segfaults": ("import ctypes; ctypes.string_at(0)", "signal 11"),
    "exits": ("import sys; sys.exit('needs a database')", "SystemExit: needs a database"),
    "vanishes": ("import os; print('last word', flush=True); os._exit(3)", "code 3, saying last"),
    "raises": ("raise KeyError('\\x1b[2Jred')", r"KeyError: '\x1b[2Jred'"),
    "needs": ("import no_such_library", "No module named 'no_such_library'"),
    "malformed": ("def :", "SyntaxError"),
    "speechless": (
        "class E(Exception):\n    def __str__(self): raise ValueError\nraise E",
        "E: ",
    ),
}


def looked_at(path: str, *, only_import: bool = False, within_s: float = 10.0) -> Looked:
    """Look at a target of which only the import path matters."""
    target = Target("any", "", "", "", context_api=path)
    return asyncio.run(look(target, only_import=only_import, within_s=within_s))


def seen(
    monkeypatch: pytest.MonkeyPatch, folder: Path, body: str, *, within_s: float = 10.0
) -> Looked:
    """Look at a module of this text."""
    monkeypatch.syspath_prepend(str(IMPORTED))
    monkeypatch.syspath_prepend(str(folder))
    folder.joinpath("platform_under_test.py").write_text(body)
    return looked_at("platform_under_test:UserExecutionContext", within_s=within_s)


@pytest.mark.parametrize("name", BODIES)
def test_module_that_cannot_be_imported_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    """A module that hangs, crashes, ends the process or raises is unimportable, with the reason."""
    body, reason = BODIES[name]
    began = time.monotonic()

    looked = seen(monkeypatch, tmp_path, body, within_s=2.0)

    assert reason in looked.unimportable
    assert looked == Looked(unimportable=looked.unimportable)
    assert looked.unimportable.isprintable()
    assert time.monotonic() - began < 8.0


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("platform_now:UserContext", "UserContext in it is not there"),
        ("platform_now.UserContext", "UserContext in it is not there"),
        ("platform_now:NOT_A_CLASS", "NOT_A_CLASS in it is no class"),
        ("journey_of_nobody.x:Y", ""),
    ],
)
def test_class_that_is_not_there_is_told_apart(
    monkeypatch: pytest.MonkeyPatch, path: str, reason: str
) -> None:
    """A module without the class is another matter than no module."""
    monkeypatch.syspath_prepend(str(IMPORTED))

    looked = looked_at(path, only_import=True)

    assert reason in looked.refused
    assert bool(looked.refused) is bool(reason)
    assert bool(looked.unimportable) is not bool(reason)


def test_noise_is_no_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What a module prints, however much and whatever it pretends to be, is not the answer."""
    body = (
        "from platform_now import UserExecutionContext\n"
        'import os, sys\nos.write(1, b\'{"refused": "forged"}\\n\')\n'
        "print('x' * 5_000_000)\nsys.stderr.write('y' * 5_000_000)\n"
    )
    looked = seen(monkeypatch, tmp_path, body)

    assert looked.facts is not None
    assert looked.facts.path == "platform_under_test:UserExecutionContext"


def test_threads_do_not_keep_the_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A platform that starts a thread for ever is looked at all the same."""
    body = (
        "from platform_now import UserExecutionContext\nimport threading\n"
        "threading.Thread(target=threading.Event().wait).start()\n"
    )
    looked = seen(monkeypatch, tmp_path, body)

    assert looked.facts is not None


def test_class_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A class that never returns was importable; nothing is known of it, and nobody accused."""
    body = (
        "class UserExecutionContext:\n    @classmethod\n    def from_request(cls, **ids):\n"
        "        while True: pass\n"
    )
    looked = seen(monkeypatch, tmp_path, body, within_s=2.0)

    assert looked == Looked(broken_off="it did not end within 2 s")


def test_secrets_are_cut_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What a failing platform prints of its environment or an address is not shown."""
    monkeypatch.setenv("JWT_SECRET_STAGING", "hunter22-hunter22")
    body = (
        "import os\nraise RuntimeError(os.environ['JWT_SECRET_STAGING'] "
        "+ ' postgresql://ada:hunter33@db/x')\n"
    )
    looked = seen(monkeypatch, tmp_path, body)

    assert looked.unimportable == "RuntimeError: *** postgresql://***@db/x"


def test_tester_s_credentials_stay_with_the_tester(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The platform's code sees neither our credentials nor that pytest runs it."""
    monkeypatch.setenv("GOLDENPATH_TOKEN", "hunter22")
    monkeypatch.setenv("E2E_OAUTH_SIMULATION_KEY", "hunter22")
    body = (
        "import os\nours = [n for n in os.environ if n.startswith(('GOLDENPATH', 'PYTEST', 'E2E'))]"
        "\nraise RuntimeError(f'seen: {ours}')\n"
    )
    looked = seen(monkeypatch, tmp_path, body)

    assert looked.unimportable == "RuntimeError: seen: []"


@pytest.mark.parametrize(
    ("path", "is_there"),
    [("platform_now:UserExecutionContext", True), ("platform_before.UserExecutionContext", False)],
)
def test_stand_ins_are_told_apart(
    monkeypatch: pytest.MonkeyPatch, path: str, *, is_there: bool
) -> None:
    """The build of before the outage was mended lacks the parameter, by signature and behaviour."""
    monkeypatch.syspath_prepend(str(IMPORTED))

    facts = (looked_at(path)).facts

    assert facts is not None
    assert ("websocket_client_id" in facts.signature) is is_there
    judged = judge("GP-701", Survey(context=facts))
    assert judged.proven is is_there
    assert is_there or "TypeError" in judged.findings[0].message
    assert judge("GP-702", Survey(context=facts)).proven


def test_reference_keeps_every_promise() -> None:
    """The reference's own class is healthy."""
    facts = (looked_at(REFERENCE_CONTEXT)).facts
    codes = ("GP-701", "GP-702", "GP-703", "GP-704")

    assert [c for c in codes if not judge(c, Survey(context=facts)).proven] == []


def test_manager_may_be_asynchronous(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A manager that needs an event loop, and whose methods are awaited, is as good."""
    body = (
        "import asyncio\nfrom pytest_goldenpath.reference import context as own\n"
        "from pytest_goldenpath.reference.context import *\n"
        "class UserContextManager(own.UserContextManager):\n"
        "    def __init__(self):\n        asyncio.get_running_loop()\n        super().__init__()\n"
        "    async def get_context(self, key): return super().get_context(key)\n"
        "    async def clear_context(self, key): return super().clear_context(key)\n"
    )
    looked = seen(monkeypatch, tmp_path, body)

    assert judge("GP-704", Survey(context=looked.facts)).findings == ()


@pytest.mark.parametrize(
    "path", ["", "module", "a.b:", ":C", "a..b:C", "a:b:c", "a.b:C()", "a b:C", "1a:B", "a.b."]
)
def test_path_without_a_class_is_none(path: str) -> None:
    """A path that lacks the module or the class is refused."""
    with pytest.raises(ValueError, match=r".*"):
        class_path(path)


def test_both_ways_to_write_a_path() -> None:
    """A colon or a dot stands before the class."""
    assert class_path("a.b:C") == class_path("a.b.C") == ("a.b", "C")


def test_files_that_lie_about_are_not_taken_for_libraries(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A project's own json.py below the working folder does not break the probe."""
    tmp_path.joinpath("json.py").write_text("raise KeyError")
    monkeypatch.chdir(tmp_path)

    looked = seen(monkeypatch, tmp_path, "from platform_now import UserExecutionContext")

    assert looked.facts is not None


def test_module_in_the_working_folder_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A platform is found from the folder that the run is called in."""
    tmp_path.joinpath("platform_here.py").write_text("class UserExecutionContext: pass")
    monkeypatch.chdir(tmp_path)

    assert looked_at("platform_here:UserExecutionContext", only_import=True) == Looked()


_OWN = "from pytest_goldenpath.reference.context import "
_PLATFORM = {
    "services/user_execution_context.py": f"{_OWN}UserContextManager, "
    "InvalidContextError, ContextIsolationError, validate_user_context\n"
    f"{_OWN}UserExecutionContext as Own\nclass UserExecutionContext(Own): pass",
    "core/agent_execution_tracker.py": f"{_OWN}ExecutionState",
    "services/agent_websocket_bridge.py": f"{_OWN}create_agent_websocket_bridge",
    "core/configuration/base.py": f"{_OWN}get_unified_config",
}
_TIMEOUTS = (
    "from dataclasses import dataclass\n@dataclass\nclass Timeouts:\n"
    "    websocket_connection_timeout: int = 60\n"
)
_BARE_CONFIG = "def get_unified_config(): return object()"
_INNER_CONFIG = (
    "from types import SimpleNamespace as N\n"
    "def get_unified_config(): return N(ws_config=N(connection_timeout=60))"
)


def laid_out(monkeypatch: pytest.MonkeyPatch, folder: Path, **changes: str | None) -> Looked:
    """Lay a platform out as the real one is, with other texts in some files, and look at it."""
    for place, body in {**_PLATFORM, **{k: v for k, v in changes.items() if v}}.items():
        if changes.get(place, "") is not None:
            path = folder / "platform_laid_out" / "app" / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(body)
    monkeypatch.syspath_prepend(str(folder))
    module = "platform_laid_out.app.services.user_execution_context"
    return looked_at(f"{module}:UserExecutionContext")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"core/configuration/base.py": _INNER_CONFIG},
        {"core/configuration/base.py": _BARE_CONFIG, "core/timeout_configuration.py": _TIMEOUTS},
    ],
    ids=["on-config", "in-ws-config", "declared"],
)
def test_names_are_found_at_their_documented_places(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, changes: dict[str, str | None]
) -> None:
    """A platform of many modules is found, with the time-out wherever a build has it."""
    looked = laid_out(monkeypatch, tmp_path, **changes)

    assert looked.facts is not None
    assert {home.name: home.module for home in looked.facts.homes}["ExecutionState"] == (
        "platform_laid_out.app.core.agent_execution_tracker"
    )
    assert judge("GP-704", Survey(context=looked.facts)).proven


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"core/agent_execution_tracker.py": None}, "expected ExecutionState, got nothing"),
        ({"services/agent_websocket_bridge.py": "x = 1"}, "it is not in platform_laid_out.app"),
        ({"core/configuration/base.py": _BARE_CONFIG}, "time-out in seconds, got None and None"),
        (
            {"core/configuration/base.py": "from platform_laid_out.app.core import gone"},
            "expected get_unified_config, got nothing",
        ),
    ],
    ids=["no-module", "no-name", "no-timeout", "removed-neighbour"],
)
def test_name_that_the_platform_lacks_is_found_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, changes: dict[str, str | None], words: str
) -> None:
    """What is missing by the platform's own making is GP-704 (protocol 10 F93)."""
    looked = laid_out(monkeypatch, tmp_path, **changes)
    (finding,) = judge("GP-704", Survey(context=looked.facts)).broken

    assert words in finding.message


def test_library_that_this_machine_lacks_accuses_nobody(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A neighbour that needs a library which is not installed here is skipped by its name."""
    changes = {"core/configuration/base.py": "import no_such_library"}
    looked = laid_out(monkeypatch, tmp_path, **changes)
    judged = judge("GP-704", Survey(context=looked.facts))

    assert (judged.findings, judged.skipped) == ((), True)
    assert "get_unified_config" in judged.undecided
    assert "no_such_library" in judged.undecided


def test_interrupted_look_leaves_no_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A run that is given up takes the probe and whatever it started with it."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    body = (
        "import os, subprocess, sys, threading\n"
        f"held = os.open({str(pipe)!r}, os.O_WRONLY)\n"
        "forever = 'import threading as t; t.Event().wait()'\n"
        "subprocess.Popen([sys.executable, '-c', forever], pass_fds=(held,))\n"
        "os.write(held, b'both run')\n"
        "threading.Event().wait()\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    tmp_path.joinpath("platform_forever.py").write_text(body)
    target = Target("any", "", "", "", context_api="platform_forever:UserExecutionContext")

    async def interrupted() -> tuple[bytes, bytes]:
        task = asyncio.create_task(look(target))
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        told = await heard(reader)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        # The pipe ends when nobody holds it any more.
        return told, await heard(reader)

    assert asyncio.run(interrupted()) == (b"both run", b"")


async def heard(reader: int) -> bytes:
    """Return the next bytes of a pipe, none when it has ended."""
    ready = asyncio.Event()
    asyncio.get_running_loop().add_reader(reader, ready.set)
    async with asyncio.timeout(20):
        await ready.wait()
    asyncio.get_running_loop().remove_reader(reader)
    return os.read(reader, 100)

"""No target can hang, crash, flood or fool what asks it: each hostile server gets its verdict."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import trustme
from filelock import FileLock

from hostile.catalogue import CASES, HTTP, LATE, PATIENT, Case
from hostile.whole import Flood
from hostile.wire import Handler
from servers import serving

pytestmark = pytest.mark.matrix
_WITHIN_S = 240.0
#: The survey's own budget, and what a busy machine adds to it.
_SURVEY_S = 120.0
#: The promise: whatever is sent, a run needs no more than this.
MOST_MB = 300
#: A case that ends by itself is over in this time, also on a machine that does other things.
_QUICK_S = 15.0
#: The longest deadline of what is asked here is that of an upgrade.
_PATIENT_S = 20.0
_LONGEST_SHOWN = 20_000
_IDS = [f"{case.over}-{case.name}" for case in CASES]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Ask every hostile server once, whoever needs it first; return what is told of each."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return _asked(tmp_path_factory.mktemp("tls"))
    place = tmp_path_factory.getbasetemp().parent / "hostile.json"
    with FileLock(place.with_suffix(".lock"), timeout=_WITHIN_S):
        if not place.exists():
            place.write_text(json.dumps(_asked(tmp_path_factory.mktemp("tls"))))
    found: dict[str, dict[str, Any]] = json.loads(place.read_text())
    return found


def _asked(folder: Path) -> dict[str, dict[str, Any]]:
    """Ask every hostile server, in one process of its own."""
    with _serving(_contexts(folder)) as urls:
        asked = [
            [name, case.over, url, case.pace]
            for name, case, url in zip(_IDS, CASES, urls, strict=True)
        ]
        out = _child("hostile.client", said=json.dumps(asked), SSL_CERT_FILE=str(folder / "ca.pem"))
    lines = [json.loads(line) for line in out.splitlines()]
    return {line["name"]: line for line in lines}


@pytest.mark.parametrize(("name", "case"), list(zip(_IDS, CASES, strict=True)), ids=_IDS)
def test_hostile_server_gets_its_verdict(
    told: dict[str, dict[str, Any]], name: str, case: Case
) -> None:
    """Each is judged in time, by the right code or with the right blame, and shown harmlessly."""
    found = told[name]

    if case.says.startswith("GP-"):
        assert case.says in found["broken"]
    elif case.says == LATE:
        assert "GP-101" in found["broken"] or found["blamed"]
    elif case.says:
        assert case.says in found["blamed"]
        assert not {"GP-101", "GP-301"} & set(found["broken"])
    elif case.over == HTTP:
        assert found["broken"] == []
    assert found["took_s"] < (_PATIENT_S if case.pace == PATIENT else _QUICK_S)
    assert found["shown"].isprintable()
    assert len(found["shown"]) < _LONGEST_SHOWN
    assert found["findings"] <= 10
    assert found["raw"] == 0


def test_memory_stays_small(told: dict[str, dict[str, Any]]) -> None:
    """All of it together needs less memory than one run is promised to need."""
    peaks = {name: line["peak_mb"] for name, line in told.items()}

    assert max(peaks.values()) < MOST_MB, sorted(peaks.items(), key=lambda one: one[1])[-5:]


def test_whole_survey_of_a_flood_is_bounded() -> None:
    """Hostile wherever it is asked, a target costs a survey neither more time nor more memory."""
    flood = Flood()
    with serving(_forgiving(flood)) as url:
        found = json.loads(_child("hostile.whole", url))

    assert found["peak_mb"] < MOST_MB
    assert found["asked_s"] < _SURVEY_S
    assert {"GP-101", "GP-303", "GP-304"} <= set(found["broken"])
    assert all("cookie: c0" not in head.replace("set-cookie", "") for head in flood.asked)


def _child(module: str, *arguments: str, said: str = "", **variables: str) -> str:
    """Run a module of this folder in a process of its own, and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", module, *arguments],
        input=said,
        capture_output=True,
        text=True,
        timeout=_WITHIN_S,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), **variables},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stderr == ""
    return done.stdout


@contextmanager
def _serving(contexts: dict[str, ssl.SSLContext | None]) -> Iterator[list[str]]:
    """Serve all cases from one thread; yields their addresses."""
    up: Future[list[str]] = Future()
    over: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        event = asyncio.Event()
        async with AsyncExitStack() as stack:
            urls = [await _listen(stack, case, contexts) for case in CASES]
            over.set_result((asyncio.get_running_loop(), event))
            up.set_result(urls)
            await event.wait()

    thread = Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    try:
        yield up.result(10.0)
    finally:
        loop, event = over.result(10.0)
        loop.call_soon_threadsafe(event.set)
        thread.join(10.0)


async def _listen(
    stack: AsyncExitStack, case: Case, contexts: dict[str, ssl.SSLContext | None]
) -> str:
    server = await asyncio.start_server(
        _forgiving(case.handler), "127.0.0.1", 0, ssl=contexts[case.tls]
    )
    stack.callback(server.close)
    scheme = {"http": "http", "socket": "ws"}[case.over] + ("s" if case.tls else "")
    port = server.sockets[0].getsockname()[1]
    return f"{scheme}://127.0.0.1:{port}" + ("" if case.over == HTTP else "/ws")


def _forgiving(handler: Handler) -> Handler:
    """Let a server be left in the middle of its evil."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return
        finally:
            writer.close()

    return serve


def _contexts(folder: Path) -> dict[str, ssl.SSLContext | None]:
    """Make certificates of all kinds; the good one's authority is in ``ca.pem``."""
    known, unknown = trustme.CA(), trustme.CA()
    known.cert_pem.write_to_path(str(folder / "ca.pem"))
    yesterday = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    certificates = {
        "good": known.issue_cert("127.0.0.1"),
        "unknown": unknown.issue_cert("127.0.0.1"),
        "wrong name": known.issue_cert("elsewhere.example"),
        "expired": known.issue_cert("127.0.0.1", not_after=yesterday),
    }
    contexts: dict[str, ssl.SSLContext | None] = {"": None, "none": None}
    for name, certificate in certificates.items():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        contexts[name] = context
    return contexts

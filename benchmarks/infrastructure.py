"""What trouble on the road costs a run, beside pytest-rerunfailures in the same minute.

Usage: ``python benchmarks/infrastructure.py``, in an environment with this project, its ``local``
extra and pytest-rerunfailures. It prints what ``warmup.py`` measures, then runs the same 40 tests
against a server that answers 503 for 5 s in the middle, and tests against one that dies.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import warmup

TESTS, OUTAGE_S, MOST_OVER_S = 40, 5.0, 2.0
#: Of the target that dies; the default is 30 s, which only makes the measurement longer.
DELAY_S, ATTEMPTS = 2.0, 3
RERUN_DELAYS_S = (2, 30)
_INI = "[pytest]\nasyncio_default_fixture_loop_scope = function\n"
_TESTS = """
import os
import time
import urllib.error
import urllib.request

import pytest

{marker}
@pytest.mark.parametrize("number", range({count}))
def test_it(number):
    time.sleep(0.02)  # the work of a test
    path = "/break" if number == {breaks} else "/work"
    try:
        urllib.request.urlopen(os.environ["PLACE"] + path, timeout=5).close()
    except urllib.error.URLError as error:
        raise ConnectionResetError(str(error)) from None
"""


class _Server(ThreadingHTTPServer):
    """Answers 200, but 503 to everybody for a while once it was asked to break."""

    daemon_threads = True
    lasts_s = 0.0
    broke_at_s = 0.0


class _Answer(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        server = self.server
        if self.path == "/break" and not server.broke_at_s:
            server.broke_at_s = time.monotonic()
        away = server.broke_at_s and time.monotonic() < server.broke_at_s + server.lasts_s
        body = b"<h1>no instances</h1>" if away else b'{"status": "ok"}'
        self.send_response(503 if away else 200)
        self.send_header("content-type", "text/html" if away else "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@dataclass(frozen=True)
class _Case:
    count: int
    lasts_s: float
    options: tuple[str, ...] = ()
    #: None: ours; otherwise seconds of delay of rerunfailures.
    rerun_delay_s: float | None = None


def main() -> int:
    """Measure, print, and return the exit code: 0 kept, 1 missed, 2 cannot measure."""
    try:
        rows = warmup.measured()
        rows += list(_outage())
        rows += list(_dying())
        print("what trouble on the road costs\n")
        kept = warmup.show(rows)
        _show_rerunfailures()
    except warmup.Failed as error:
        print(error)
        return 2
    return 0 if kept else 1


def _outage() -> Iterator[tuple[str, float, float]]:
    for options in ((), ("-n", "2")):
        healthy_s = _run(_Case(TESTS, 0.0, options), exit_code=0)
        broken_s = _run(_Case(TESTS, OUTAGE_S, options), exit_code=0)
        how = " ".join(options) or "-n 0"
        name = f"outage of {OUTAGE_S:g} s in {TESTS} tests ({how}): over the healthy run"
        yield name, broken_s - healthy_s, OUTAGE_S + MOST_OVER_S


def _dying() -> Iterator[tuple[str, float, float]]:
    for count in (1, 400):
        healthy_s = _run(_Case(count, 0.0), exit_code=0)
        dead_s = _run(_Case(count, 3600.0), exit_code=75)
        name = f"dies in mid-run, {count} tests, {ATTEMPTS} x {DELAY_S:g} s: over the healthy run"
        yield name, dead_s - healthy_s, ATTEMPTS * DELAY_S + MOST_OVER_S


def _show_rerunfailures() -> None:
    print()
    for options in ((), ("-n", "2")):
        how = " ".join(options) or "-n 0"
        healthy_s = _run(_Case(TESTS, 0.0, options, RERUN_DELAYS_S[0]), exit_code=0)
        for delay_s in RERUN_DELAYS_S:
            broken_s = _run(_Case(TESTS, OUTAGE_S, options, delay_s), exit_code=0)
            name = f"the same with rerunfailures, reruns=3, reruns_delay={delay_s} ({how})"
            print(f"  {name:62}{broken_s - healthy_s:8.2f} s")


def _run(case: _Case, *, exit_code: int) -> float:
    """Run the tests of a case in a process of its own and return the seconds that it took."""
    ours = case.rerun_delay_s is None
    marker = "@pytest.mark.infra_retry" if ours else ""
    with _served(case.lasts_s) as url, tempfile.TemporaryDirectory() as folder:
        source = _TESTS.format(marker=marker, count=case.count, breaks=min(20, case.count - 1))
        Path(folder, "test_it.py").write_text(source, encoding="utf-8")
        Path(folder, "pytest.ini").write_text(_INI, encoding="utf-8")
        options = (
            ("-p", "no:rerunfailures", f"--target={url}")
            if ours
            else ("-p", "no:goldenpath", "--reruns=3", f"--reruns-delay={case.rerun_delay_s}")
        )
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        environment = {
            **os.environ,
            "PLACE": url,
            "GOLDENPATH_TOKEN": "bench-token",
            **({"GOLDENPATH_INFRA_DELAY_S": str(DELAY_S)} if exit_code else {}),
        }
        started_s = time.monotonic()
        done = subprocess.run(
            [*command, *options, *case.options],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        took_s = time.monotonic() - started_s
    if done.returncode != exit_code:
        raise warmup.Failed(
            f"expected exit {exit_code}, got {done.returncode}:\n{done.stdout[-2000:]}"
        )
    return took_s


@contextmanager
def _served(lasts_s: float) -> Iterator[str]:
    server = _Server(("127.0.0.1", 0), _Answer)
    server.lasts_s = lasts_s
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


if __name__ == "__main__":
    sys.exit(main())

"""The control probe: a neutral host that answers, one that does not, and what it is sent."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from pytest_goldenpath.contract.symptom import FAILED, HEALTHY
from pytest_goldenpath.errors import ConfigError
from pytest_goldenpath.journey.web import ask_control
from pytest_goldenpath.target.resolve import Options, Resolved, resolve
from roads import end_of_file, full_backlog, garbage, of_app, of_proxy, reset_at_once, saying
from servers import Raw, closed_port, raw_server, silent

BACKEND = {
    "GOLDENPATH_TARGET": "http://127.0.0.1:9",
    "GOLDENPATH_TOKEN": "a-token",
}


def said(server: Raw, **options: float) -> str:
    """Ask a control host of these manners."""

    async def go() -> str:
        async with raw_server(server) as url:
            return await ask_control(url, **options)

    return asyncio.run(go())


@pytest.mark.parametrize(
    "server",
    [of_app(200), saying(204), saying(302, "location: http://127.0.0.1:9/"), of_proxy(404)],
    ids=["200", "204", "redirect", "404"],
)
def test_any_answer_will_do(server: Raw) -> None:
    """Only the road to the neutral host matters, so it may answer whatever it likes."""
    assert said(server) == HEALTHY


@pytest.mark.parametrize(
    "server",
    [of_proxy(502), saying(503), reset_at_once, end_of_file, garbage],
    ids=["502", "503", "reset", "end-of-file", "garbage"],
)
def test_no_good_answer(server: Raw) -> None:
    """A gateway in the neutral host's place and a broken road both say that nothing is proven."""
    assert said(server) == FAILED


def test_nobody_there() -> None:
    """A port that refuses, a queue that is full and a name that is none have failed."""
    with closed_port() as refusing, full_backlog() as full:
        urls = (refusing, full, "http://nowhere.invalid")

        async def go() -> list[str]:
            return await asyncio.gather(*(ask_control(url, within_s=0.3) for url in urls))

        assert set(asyncio.run(go())) == {FAILED}


def test_probe_is_bounded() -> None:
    """A host that never answers costs the time that was given and no more."""
    started_s = time.monotonic()

    assert said(silent, within_s=0.2) == FAILED
    assert time.monotonic() - started_s < 2.0


def test_nothing_of_ours_is_sent() -> None:
    """No credential, no cookie and no body reaches the neutral host, not even from its address."""
    heads: list[str] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(b"HTTP/1.1 200 OK\r\nset-cookie: a=b\r\ncontent-length: 0\r\n\r\n")

    async def go() -> None:
        async with raw_server(listen) as url:
            for _ in range(2):
                await ask_control(url.replace("://", "://someone:s3cr3t@"))

    asyncio.run(go())
    names = {line.partition(":")[0].lower() for head in heads for line in head.splitlines()[1:]}

    assert len(heads) == 2
    assert names - {""} <= {"host", "accept", "accept-encoding", "connection", "user-agent"}


def resolved(tmp_path: Path, **variables: str) -> Resolved:
    """Resolve a target with these variables and no file."""
    return resolve(Options(), {**BACKEND, **variables}, (tmp_path,))


def test_control_is_a_setting(tmp_path: Path) -> None:
    """It is read from the environment, or from the target's table, and has no default."""
    (tmp_path / "goldenpath.toml").write_text(
        'target = "pre"\n[targets.pre]\nbackend = "http://127.0.0.1:9"\n'
        'control = "https://example.com/"\n'
    )
    by_file = resolve(Options(target="pre"), {"GOLDENPATH_TOKEN": "a-token"}, (tmp_path,))
    none, by_variable = (
        resolved(tmp_path / "empty"),
        resolved(tmp_path / "empty", GOLDENPATH_CONTROL="http://127.0.0.1:8/up"),
    )

    assert by_file.target.control == "https://example.com"
    assert none.target.control == ""
    assert by_variable.target.control == "http://127.0.0.1:8/up"
    assert by_variable.sources["control"] == "environment GOLDENPATH_CONTROL"


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("example.com", "the scheme is missing"),
        ("ws://example.com", "the scheme ws is not one of"),
        ("https://", "the host is missing"),
        ("https://u:p@example.com", "must not carry credentials"),
        ("https://example.com/?a=b", "must not carry a query"),
    ],
)
def test_bad_control_is_a_wrong_setting(tmp_path: Path, value: str, problem: str) -> None:
    """An address that cannot be asked is told before anything starts."""
    with pytest.raises(ConfigError, match=problem) as caught:
        resolved(tmp_path, GOLDENPATH_CONTROL=value)

    assert "GOLDENPATH_CONTROL" in str(caught.value)
    assert "u:p" not in str(caught.value)

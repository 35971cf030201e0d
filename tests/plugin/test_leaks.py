"""No secret leaves a run: one module that fails in every way, each sink searched afterwards."""

from __future__ import annotations

import base64
import json
import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import jwt
import pytest

from pytest_goldenpath.contract.exchange import Exchange
from pytest_goldenpath.journey.login import User
from pytest_goldenpath.journey.web import Answer
from pytest_goldenpath.plugin.leaks import REMOVED, holds_secret
from pytest_goldenpath.plugin.redaction import clean
from pytest_goldenpath.reference.server import NewUser, Ready
from pytest_goldenpath.reference.settings import Settings
from pytest_goldenpath.secrets import Redactor, Secret
from pytest_goldenpath.target.sources import Environment, Setting
from servers import Raw, serving

#: Everything that nobody may see: what is given to the run, and what its target issues.
SECRETS = {
    "token": jwt.encode({"sub": "u-1", "jti": "0f" * 16}, "a key of thirty-two characters!!"),
    "expired": jwt.encode({"sub": "u-1", "exp": 1}, "a key of thirty-two characters!!"),
    "password": "p@ss 'w\"ord\\ 7",
    "issued": "Opaque-Access-Token_of.the.second.user-4711",
    "refresh": "opaqueRefresh0815",
    "cookie": "c00kie-of-the-target",
    "own": "the project's own s3cret",
}
ENVIRONMENT = {
    "GOLDENPATH_TOKEN": SECRETS["token"],
    "GOLDENPATH_EXPIRED_TOKEN": SECRETS["expired"],
    "GOLDENPATH_EMAIL_2": "grace@example.com",
    "GOLDENPATH_PASSWORD_2": SECRETS["password"],
    "OWN_SECRET": SECRETS["own"],
}
#: Hypothesis would be imported in every process.
BARE = (
    *("-p", "no:cacheprovider", "-p", "no:hypothesispytest"),
    *("-o", "asyncio_default_fixture_loop_scope=session"),
)
#: What is left of a long secret when this much of it is seen, is no secret any more.
_TOO_MUCH = 24

CONFTEST = """
    import os
    import pytest

    @pytest.hookimpl(optionalhook=True)
    def pytest_goldenpath_secrets(config):
        return [os.environ["OWN_SECRET"]]
"""
SWITCHED_OFF = """
    def pytest_plugin_registered(plugin, plugin_name, manager):
        if plugin_name == "goldenpath_redaction":
            manager.unregister(plugin)

    def pytest_sessionfinish(session):
        if not hasattr(session.config, "workerinput"):
            with open(os.environ["GITHUB_STEP_SUMMARY"], "a") as summary:
                summary.write(os.environ["OWN_SECRET"])
"""
CHECKS = """
    import asyncio, base64, logging, os, pprint, sys, textwrap, urllib.parse, warnings

    import pytest
    from websockets.asyncio.client import connect
    from websockets.asyncio.server import serve

    pytestmark = [pytest.mark.category("smoke"), pytest.mark.asyncio(loop_scope="session")]
    TOKEN, PASSWORD = os.environ["GOLDENPATH_TOKEN"], os.environ["GOLDENPATH_PASSWORD_2"]
    OWN = os.environ["OWN_SECRET"]

    @pytest.fixture
    def broken():
        raise RuntimeError(f"set-up with {TOKEN}")

    async def test_introspection(user):
        token = user.token.reveal()
        assert token == "another"

    async def test_long_values():
        known = {"first": [TOKEN, PASSWORD] * 2, "more": "x" * 100 + PASSWORD + "y" * 200}
        assert known == {"first": ["a"], "more": OWN}

    async def test_note():
        error = ValueError(PASSWORD)
        error.add_note(f"a note with {TOKEN} and {OWN}")
        raise error

    async def test_chain():
        try:
            raise KeyError(PASSWORD)
        except KeyError as error:
            raise ExceptionGroup(OWN, [ValueError(TOKEN)]) from error

    async def test_encoded():
        forms = [
            base64.b64encode(f"Basic user:{PASSWORD}".encode()), base64.b64encode(TOKEN.encode()),
            urllib.parse.quote(PASSWORD), urllib.parse.quote_plus(OWN), PASSWORD.encode().hex(),
            repr(PASSWORD), PASSWORD.encode("unicode_escape"), TOKEN.rpartition(".")[2],
        ]
        pytest.fail("\\n".join(map(str, forms)))

    async def test_wrapped():
        print("\\n   ".join(textwrap.wrap(TOKEN, 20)))
        pprint.pprint(TOKEN.encode(), width=30)
        assert TOKEN.encode() == [TOKEN.encode()]

    async def test_output():
        print(TOKEN, file=sys.stderr)
        os.write(1, PASSWORD.encode())
        raise AssertionError(OWN)

    async def test_passes():
        print(PASSWORD, repr(PASSWORD))

    async def test_logs():
        logging.getLogger("alone").propagate = False
        for name in ("mine", "alone"):
            logging.getLogger(name).error("%s and %s", TOKEN, PASSWORD)
        try:
            raise ValueError(OWN)
        except ValueError:
            logging.getLogger("mine").exception("it failed")
        logging.getLogger("mine").warning("%d", TOKEN)

    async def test_warns():
        warnings.warn(f"{TOKEN} is deprecated, as is {PASSWORD}")

    async def test_set_up(broken):
        pass

    async def test_junit(record_property, record_testsuite_property, record_xml_attribute):
        record_property("token", TOKEN)
        record_testsuite_property("password", PASSWORD)
        record_xml_attribute("own", OWN)

    async def test_http(http):
        answer = await http.get("/echo", params={"token": "unknown" + "ticket", "mine": TOKEN})
        raise ConnectionError(answer.text, answer.headers)

    async def test_second_user(second_user):
        assert (second_user.token.reveal(), second_user.refresh_token.reveal()) == ()

    async def test_socket():
        async def talk(connection):
            await connection.send(f"event {TOKEN}")
            await connection.close(3000, f"{OWN}")
        async with serve(talk, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            headers = {"authorization": f"Bearer {TOKEN}"}
            async with connect(f"ws://127.0.0.1:{port}", additional_headers=headers) as channel:
                assert await channel.recv() == ""
                await channel.recv()

    async def test_journey(journey):
        held = await journey(f"Repeat {PASSWORD}")
        assert held == TOKEN

    if "CRASH" in os.environ:
        async def test_crash(user):
            os._exit(7)
"""


async def hostile(reader: object, writer: object) -> None:
    """Answer a login with opaque tokens, and anything else with whatever was sent."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()  # type: ignore[attr-defined]
    length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
    sent = (await reader.readexactly(int(length[1]) if length else 0)).decode()  # type: ignore[attr-defined]
    token = re.search(r"authorization: (.*)\r", head, re.IGNORECASE)
    document = {"head": head, "sent": sent, "spelled": [*spelled(token[1])] if token else []}
    if head.startswith("POST /auth/login"):
        tokens = {"access_token": SECRETS["issued"], "refresh_token": SECRETS["refresh"]}
        document = {**tokens, "user": {"id": "u-2"}, "echo": sent}
    body = json.dumps(document).encode()
    lines = [
        "HTTP/1.1 200 OK",
        "content-type: application/json",
        f"content-length: {len(body)}",
        f"set-cookie: session={SECRETS['cookie']}; Path=/",
        f"x-echo: {token[1] if token else ''}",
        "connection: close",
    ]
    writer.write("\r\n".join((*lines, "", "")).encode() + body)  # type: ignore[attr-defined]
    await writer.drain()  # type: ignore[attr-defined]


ECHO: Raw = hostile


def spelled(value: str) -> Iterator[str]:
    """Give a secret as a target spells that wants it to be overlooked."""
    for pattern in ("%{:02x}", "%25{:02X}", "\\u{:04x}", "\\x{:02x}", "&#{};", "&#x{:x};"):
        yield "".join(pattern.format(ord(character)) for character in value)


def forms(value: str) -> Iterator[str]:
    """Give the forms of a secret, made independently of the code under test."""
    raw = value.encode()
    yield from (value, quote(value), quote(value, safe=""), raw.hex(), repr(value)[1:-1])
    yield from (json.dumps(value)[1:-1], value.replace(" ", "+"), value.replace("\\", "\\\\"))
    yield from spelled(value)
    yield base64.b64encode(raw).decode().rstrip("=")[:-2]
    yield base64.b64encode(b"Basic user:" + raw).decode().rstrip("=")[16:-2]
    if len(value) > _TOO_MUCH:
        yield from (value[at : at + _TOO_MUCH] for at in range(len(value) - _TOO_MUCH + 1))


def seen(text: str) -> set[str]:
    """Name the secrets that can be seen in a text, also across its line ends."""
    joined = re.sub(r"'?\s*\n(?:E\s)?[\s+-]*(?:b?')?", "", text)
    return {
        name
        for name, value in SECRETS.items()
        if any(form in text or (len(form) > 15 and form in joined) for form in forms(value))
    }


def seen_in(folder: Path, *but: str) -> dict[str, set[str]]:
    """Name the secrets in each file below a folder."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name not in but]
    found = {
        str(path.relative_to(folder)): seen(path.read_text(errors="replace")) for path in paths
    }
    return {name: names for name, names in found.items() if names}


Run = Callable[..., pytest.RunResult]


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs the checks against a hostile target with everything switched on."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    summary = pytester.path / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    folder = pytester.mkdir("tmp")
    monkeypatch.setenv("TMPDIR", str(folder))

    def run_checks(*options: str, conftest: str = "") -> pytest.RunResult:
        pytester.makeconftest(CONFTEST + conftest)
        pytester.makepyfile(CHECKS)
        with serving(ECHO) as url:
            return pytester.runpytest_subprocess(
                *BARE,
                f"--target={url}",
                "--warmup=off",
                "--junitxml=junit.xml",
                "--log-level=DEBUG",
                "--log-file=run.log",
                *options,
                timeout=120,
            )

    return run_checks


def said(result: pytest.RunResult) -> str:
    """Return all that a run printed."""
    return f"{result.stdout}\n{result.stderr}"


def verdict(pytester: pytest.Pytester) -> dict[str, object]:
    """Return the verdict of a run."""
    loaded: dict[str, object] = json.loads((pytester.path / ".goldenpath/verdict.json").read_text())
    return loaded


def test_nothing_leaves_one_process(pytester: pytest.Pytester, run: Run) -> None:
    """Terminal, live log, log file, JUnit, verdict, transcripts: no secret is in any of them."""
    result = run("-vv", "-l", "-rA", "--log-cli-level=DEBUG", "-W", "always", "--debug=trace.log")
    text = said(result)

    assert seen(text) == set()
    assert seen_in(pytester.path) == {}
    assert result.ret == 1
    assert "reached" not in " ".join(map(str, verdict(pytester)["reasons"]))
    assert "unknownticket" not in (pytester.path / "run.log").read_text()
    # The sinks were there, and what is no secret is still in them.
    for sink in ("live log call", "Captured stdout call", "PASSES", "warnings summary", "httpcore"):
        assert sink in text
    assert list((pytester.path / ".goldenpath/transcripts").iterdir())
    assert (pytester.path / "junit.xml").read_text().count("<testcase ") == 16
    assert (pytester.path / "summary.md").read_text().startswith("before\n\n\n## Golden path")


def test_nothing_leaves_workers(
    pytester: pytest.Pytester, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reports are cut before they are sent, and a worker that dies tells nothing either."""
    monkeypatch.setenv("CRASH", "1")
    result = run("-n2", "--tb=native", "--showlocals")
    text = said(result)

    assert seen(text) == set()
    assert seen_in(pytester.path) == {}
    assert result.ret == 1
    assert "crashed while running" in text
    assert list((pytester.path / "tmp").glob("goldenpath-*")) == []


def test_what_gets_out_is_found_and_removed(pytester: pytest.Pytester, run: Run) -> None:
    """With redaction switched off the same sinks hold secrets; the run says so and removes them."""
    result = run("-n1", "-k", "passes or logs or junit or warns", conftest=SWITCHED_OFF)
    document = verdict(pytester)
    reasons = " ".join(map(str, document["reasons"]))  # type: ignore[call-overload]

    assert {"token", "password"} <= seen(said(result))
    assert seen_in(pytester.path, "stdout") == {}
    assert (result.ret, document["verdict"]) == (75, "INCONCLUSIVE")
    for name in ("junit.xml", "run.log", "summary.md"):
        assert f"[harness] a secret reached {name}; its content was removed" in reasons
    assert (pytester.path / "junit.xml").read_text() == REMOVED
    assert (pytester.path / "run.log").read_text() == REMOVED
    assert (pytester.path / "summary.md").read_text().startswith(f"before\n{REMOVED}")


FOLDER = """
    import stat
    from pathlib import Path

    import pytest
    from pytest_goldenpath.plugin.run import run_of

    pytestmark = pytest.mark.category("smoke")

    def test_folder(request, target):
        wallet = run_of(request.config).wallet()
        words = [user.password.reveal() for user in (wallet.first, wallet.second, *wallet.crowd)]
        folder = Path(request.config.workerinput["goldenpath_folder"])
        files = [path for path in folder.rglob("*") if path.is_file()]
        lines = [path.read_text() for path in Path("/proc").glob("[0-9]*/cmdline")]

        assert len(words) == 8
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert {p.name for p in files if stat.S_IMODE(p.stat().st_mode) & 0o077} <= {"wants-warmup"}
        assert "embedded.sealed" in {path.name for path in files}
        assert [w for w in words for text in (*lines, *map(Path.read_text, files)) if w in text] == []
        assert any("pytest_goldenpath.reference" in line for line in lines)
"""


def test_embedded_users_are_in_no_file_and_no_command_line(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The passwords made for a run go through pipes; what is written for workers is sealed."""
    folder = pytester.mkdir("tmp")
    monkeypatch.setenv("TMPDIR", str(folder))
    pytester.makepyfile(FOLDER)
    result = pytester.runpytest_subprocess(*BARE, "-n1", "--target=local")

    assert result.ret == 0, result.stdout.str()
    assert list(folder.glob("goldenpath-*")) == []


def small_run(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, conftest: str, body: str
) -> pytest.RunResult:
    """Run one check that needs no target, with a token in the environment."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    pytester.makeconftest(conftest)
    pytester.makepyfile(body)
    options = (*BARE, "--target=http://127.0.0.1:9", "--warmup=off")
    return pytester.runpytest_inprocess(*options)


PLAIN = """
    import pytest

    @pytest.mark.category("smoke")
    def test_plain():
        pass
"""


def test_internal_error_tells_no_secret(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The traceback of a plugin that breaks down is cut like any other."""
    conftest = f"""{CONFTEST}
    def pytest_runtest_logstart(nodeid):
        raise RuntimeError(os.environ["GOLDENPATH_TOKEN"] + os.environ["OWN_SECRET"])
    """
    result = small_run(pytester, monkeypatch, conftest, PLAIN)

    assert result.ret == 3
    assert "INTERNALERROR> RuntimeError: ***" in said(result)
    assert seen(said(result)) == set()


def test_broken_module_tells_no_secret(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A module that cannot be imported is reported without what it held."""
    body = "import os\nraise RuntimeError(os.environ['GOLDENPATH_TOKEN'])"
    result = small_run(pytester, monkeypatch, CONFTEST, body)

    assert "RuntimeError: ***" in said(result)
    assert seen(said(result)) == set()


def test_name_of_a_test_is_no_place_for_a_secret(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A parameter that becomes a test's name is told everywhere, so the run is refused."""
    body = """
        import os
        import pytest

        @pytest.mark.category("smoke")
        @pytest.mark.parametrize("own", [os.environ["OWN_SECRET"]])
        def test_one(own):
            pass
    """
    result = small_run(pytester, monkeypatch, CONFTEST, body)

    assert result.ret == 4
    assert "test_one: a parameter of it holds a secret" in said(result)
    assert seen(said(result)) == set()


@pytest.mark.parametrize(
    ("body", "words"),
    [("return [7]", "gave int, no text"), ("raise KeyError(7)", "failed: KeyError: 7")],
)
def test_hook_that_names_no_secrets_is_refused(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, body: str, words: str
) -> None:
    """Nothing is run with secrets that nobody can know."""
    conftest = f"""
    import pytest

    @pytest.hookimpl(optionalhook=True)
    def pytest_goldenpath_secrets(config):
        {body}
    """
    result = small_run(pytester, monkeypatch, conftest, PLAIN)

    assert result.ret == 4
    assert f"pytest_goldenpath_secrets {words}" in said(result)


def test_clean_run_is_accused_of_nothing(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Old files beside the evidence and words like a weak password leave a good run good."""
    monkeypatch.setenv("GOLDENPATH_PASSWORD_2", "password")
    evidence = pytester.mkdir(".goldenpath")
    (evidence / "note.txt").write_text("the password is asked for")
    result = small_run(pytester, monkeypatch, CONFTEST, PLAIN)

    assert result.ret == 0
    assert (evidence / "note.txt").read_text() == "the password is asked for"
    assert logging.getLogRecordFactory() is logging.LogRecord


def test_leak_is_told_beside_a_worse_verdict(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of the project's own that holds a secret is removed, and FAIL stays FAIL."""
    conftest = f"""{CONFTEST}
    def pytest_runtest_teardown():
        with open(".goldenpath/of-the-project.txt", "w") as stream:
            stream.write(os.environ["OWN_SECRET"])
    """
    result = small_run(pytester, monkeypatch, conftest, PLAIN.replace("pass", "assert [] == [1]"))
    file = pytester.path / ".goldenpath/of-the-project.txt"
    reason = f"[harness] a secret reached {file.relative_to(pytester.path)}"

    assert (result.ret, verdict(pytester)["verdict"]) == (1, "FAIL")
    assert any(str(told).startswith(reason) for told in verdict(pytester)["reasons"])  # type: ignore[attr-defined]
    assert reason in said(result)
    assert file.read_text() == REMOVED


@dataclass
class Thing:
    """What pytest does not know, and shows by its text."""

    said: str


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a hunter22", "a ***"),
        (["hunter", "22 hunter22"], ["***", "*** ***"]),
        (["hunter22\n", "b"], ["***\n", "b"]),
        (("path", 3, "hunter22"), ("path", 3, "***")),
        ({"hunter22": [None, True, 1.5, "x"]}, {"***": [None, True, 1.5, "x"]}),
        (Thing("hunter22"), "Thing(said='***')"),
        (Thing("x"), Thing("x")),
    ],
    ids=["text", "lines", "long lines", "skip", "record", "foreign", "foreign and clean"],
)
def test_whatever_a_report_holds_is_cut(before: object, after: object) -> None:
    """Every shape that a report's parts may have keeps it, and loses the secret."""
    redactor = Redactor()
    redactor.learn(Secret("hunter22"))

    assert clean(before, redactor) == after


def test_secret_between_two_reads_is_found(tmp_path: Path) -> None:
    """A large file is read in parts, and what stands across two of them is seen."""
    redactor = Redactor()
    redactor.learn(Secret("hunter22"))
    large = tmp_path / "large.txt"
    large.write_text("an old " * (4_194_304 // 7) + "hunter22")

    assert holds_secret(large, redactor)
    assert not holds_secret(large, redactor, begin=4_194_304)


def test_secrets_in_data_are_shown_by_nothing() -> None:
    """No type that carries a secret tells it by its repr."""
    shown = [
        Answer(Exchange("why", "GET", "http://a.example", 0.0, 1.0), {"access_token": "hunter22"}),
        Environment({"GOLDENPATH_PASSWORD": "hunter22"}, {"X": "hunter22"}),
        Setting("hunter22", "environment GOLDENPATH_PASSWORD"),
        NewUser("ada@example.com", "hunter22", "ada"),
        Ready("http://a.example", "http://a.example", "ws://a.example", "1", "hunter22"),
        User("u-1", Secret("hunter22"), Secret("hunter22")),
        Settings(secret="hunter22", e2e_key="hunter22", database="postgresql://u:hunter22@h/d"),
    ]

    assert "hunter22" not in repr(shown)

"""A wrong setting ends the run with exit code 4 and one sentence, before anything starts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

# Loaded here, so that not every run in this process loads them anew.
import pytest_goldenpath.plugin.start
import pytest_goldenpath.reference.faults  # noqa: F401
from conftest import SMOKE

RunSuite = Callable[..., pytest.RunResult]
REMOTE = "https://api.example.com"
CLOSED = "http://127.0.0.1:9"
DISTRIBUTED = pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "two-workers"])
#: Enough to see that each place that reads settings is reached without an option of ours.
WITHOUT_OPTION = ("budget--1", "name", "category", "two-ways-of-login")

BAD_NAMES = {
    "category": (
        ["--category=smok"],
        ["--category = 'smok' (from option --category)", "did you mean smoke?"],
    ),
    "second-category": (
        ["--category=smoke,mision_critical"],
        ["--category = 'mision_critical'", "did you mean mission_critical?"],
    ),
    "repeated-category": (
        ["--category=smoke", "--category=remedation"],
        ["--category = 'remedation'", "did you mean remediation?"],
    ),
    "execution-mode": (
        ["--execution-mode=fast_fedback"],
        [
            "--execution-mode = 'fast_fedback' (from option --execution-mode)",
            "did you mean fast_feedback?",
        ],
    ),
    "fault": (
        ["--fault=missing-tool-complete"],
        [
            "--fault = 'missing-tool-complete' (from option --fault)",
            "did you mean missing-tool-completed?",
        ],
    ),
    "variant": (
        ["--variant=welcome-redy"],
        ["--variant = 'welcome-redy' (from option --variant)", "did you mean welcome-ready?"],
    ),
    "name": (
        ["--target=stagng"],
        ["--target = 'stagng' (from option --target)", "did you mean staging?"],
    ),
}
BAD_ADDRESSES = {
    "no-scheme": (["--target=api.example.com"], ["'api.example.com'", "scheme"]),
    "no-scheme-port": (["--target=api.example.com:8000"], ["'api.example.com:8000'", "scheme"]),
    "slashes-only": (["--target=//api.example.com"], ["'//api.example.com'", "scheme"]),
    "no-host": (["--target=https://"], ["'https://'", "the host is missing", "write http"]),
    "no-host-path": (["--target=https:///chat"], ["'https:///chat'", "the host is missing"]),
    "no-host-port": (["--target=http://:8000"], ["'http://:8000'", "the host is missing"]),
    "ftp": (["--target=ftp://api.example.com"], ["'ftp://api.example.com'", "http, https"]),
    "socket": (["--target=wss://api.example.com"], ["'wss://api.example.com'", "http, https"]),
    "query": (["--target=https://api.example.com/?a=1"], ["/?a=1'", "must not carry a query"]),
    "fragment": (["--target=https://api.example.com/#top"], ["/#top'", "or a fragment"]),
    "blank": (["--target=https://api example.com"], ["'https://api example.com'", "blanks"]),
    "port-word": (["--target=https://api.example.com:port"], ["'https://api.example.com:port'"]),
    "port-high": (["--target=https://api.example.com:70000"], ["'https://api.example.com:70000'"]),
    "bracket": (["--target=http://[::1"], ["'http://[::1'", "no valid address"]),
    "empty": (["--target="], ["--target = ''", "option --target"]),
    "empty-category": (["--category="], ["--category = ''", "unknown name"]),
}
BAD_COMPANIONS = {
    "auth-scheme": (
        [f"--target={REMOTE}", "--auth-url=wss://auth.example.com"],
        ["auth = 'wss://auth.example.com' (from option --auth-url)", "http, https"],
    ),
    "auth-no-scheme": (
        [f"--target={REMOTE}", "--auth-url=auth.example.com"],
        ["auth = 'auth.example.com' (from option --auth-url)", "the scheme is missing"],
    ),
    "ws-scheme": (
        [f"--target={REMOTE}", "--ws-url=https://api.example.com/ws"],
        ["ws = 'https://api.example.com/ws' (from option --ws-url)", "ws, wss"],
    ),
    "ws-query": (
        [f"--target={REMOTE}", "--ws-url=wss://api.example.com/ws?a=1"],
        ["'wss://api.example.com/ws?a=1' (from option --ws-url)", "must not carry a query"],
    ),
    "auth-of-local": (
        ["--auth-url=https://auth.example.com"],
        ["'https://auth.example.com'", "option --auth-url", "--target URL"],
    ),
}
CONTRADICTIONS = {
    "staging-and-name": (
        ["--staging", "--target=local"],
        ["--target = 'local' (from option)", "contradicts --staging", "give one of the two"],
    ),
    "two-variants": (
        ["--variant=V11", "--variant=demo"],
        [
            "--variant = 'demo' (from option --variant)",
            "contradicts V11: both are variants of the events",
            "give one of the two",
        ],
    ),
    "fault-of-remote": (
        ["--fault=no-pong", f"--target={CLOSED}"],
        [
            "--fault = 'no-pong' (from option --fault)",
            "only the embedded backend has faults",
            CLOSED,
        ],
    ),
    "variant-of-remote": (
        ["--variant=V11", f"--target={CLOSED}"],
        ["--variant = 'V11' (from option --variant)", "only the embedded backend has variants"],
    ),
    "missing-env-file": (
        ["--env-file=nowhere.env"],
        ["--env-file = '", "nowhere.env' (from option --env-file)", "name a readable dotenv file"],
    ),
    "env-file-is-a-folder": (
        ["--env-file=."],
        ["--env-file = '", "(from option --env-file)", "name a readable dotenv file"],
    ),
}


@pytest.fixture
def run_suite(pytester: pytest.Pytester) -> RunSuite:
    """Return a function that runs the smoke suite in this process, as ``pytest.main`` does.

    A refused run starts nothing, so a process of its own would only cost its start; that a process
    ends with 4 as well is seen by the tests of malformed markers below.
    """

    def run(*options: str, evidence: str = "evidence") -> pytest.RunResult:
        ours = [f"--evidence-dir={pytester.path / evidence}"] if evidence else []
        root = f"--rootdir={SMOKE.parent.parent}"
        return pytester.runpytest_inprocess(
            str(SMOKE), root, "-p", "no:cacheprovider", *ours, *options
        )

    return run


OPTIONS = BAD_NAMES | BAD_ADDRESSES | BAD_COMPANIONS | CONTRADICTIONS
LEAKS = {
    "plain": "https://ada:hunter22@api.example.com",
    "user-only": "https://hunter22@api.example.com",
    "slash": "https://ada:hunter22/x@api.example.com",
    "hash": "https://ada:hunter22#x@api.example.com",
    "colon-slash-slash": "https://ada:hunter22://x@api.example.com",
    "no-scheme": "ada:hunter22@api.example.com",
    "no-port": "https://ada:hunter22@api.example.com:port",
    "other-scheme": "ftp://ada:hunter22@api.example.com",
}
BAD_ENVIRONMENTS = {
    "misspelt": (
        {"GOLDENPATH_TARGTE": "staging"},
        ["GOLDENPATH_TARGTE = '***'", "unknown variable; did you mean GOLDENPATH_TARGET?"],
    ),
    "prompt-blank-misspelt": (
        {"GOLDENPATH_PROMPT": "Name the bill of {markr}."},
        ["GOLDENPATH_PROMPT = ", "{markr} is not filled in; did you mean marker?"],
    ),
    **{
        f"budget-{value}": (
            {"GOLDENPATH_EVENT_DEADLINE_S": value},
            [
                f"GOLDENPATH_EVENT_DEADLINE_S = {value!r}",
                "(from environment GOLDENPATH_EVENT_DEADLINE_S)",
                "write seconds as a number above 0",
            ],
        )
        for value in ("-1", "0", "soon", "nan", "inf", "-inf", "3601")
    },
    "run-budget": (
        {"GOLDENPATH_RUN_DEADLINE_S": "-60"},
        ["GOLDENPATH_RUN_DEADLINE_S = '-60'", "write seconds as a number above 0"],
    ),
    **{
        f"prompt-{name}": (
            {"GOLDENPATH_PROMPT": prompt},
            [
                f"GOLDENPATH_PROMPT = {prompt!r} (from environment GOLDENPATH_PROMPT)",
                f"it {sign}, which a mock of the platform answers in the model's place",
                "say it in other words",
            ],
        )
        for name, (prompt, sign) in {
            "test": ("Please TEST {marker}.", "holds 'test'"),
            "inside": ("What is the latest bill of {marker}?", "holds 'test'"),
            "socket": ("WebSocket bill of {marker}?", "begins with 'WebSocket'"),
            "time-out": ("TIMEOUT: bill of {marker}?", "begins with 'TIMEOUT:'"),
            "forced": ("Name the bill, FORCE_ERROR, {marker}.", "holds 'FORCE_ERROR'"),
        }.items()
    },
    "context-path": (
        {"GOLDENPATH_CONTEXT_API": "platform"},
        [
            "GOLDENPATH_CONTEXT_API = 'platform' (from environment GOLDENPATH_CONTEXT_API)",
            "no import path of a class",
            "write package.module:Class",
        ],
    ),
    "context-class": (
        {"GOLDENPATH_CONTEXT_API": "pytest_goldenpath.reference.context:UserContext"},
        [
            "GOLDENPATH_CONTEXT_API = 'pytest_goldenpath.reference.context:UserContext'",
            "the module pytest_goldenpath.reference.context can be imported",
            "UserContext in it is not there",
            "name a class of the module",
        ],
    ),
    "name": (
        {"GOLDENPATH_TARGET": "stagng"},
        ["'stagng' (from environment GOLDENPATH_TARGET)", "did you mean staging?"],
    ),
    "category": (
        {"GOLDENPATH_CATEGORY": "smok"},
        ["'smok' (from environment GOLDENPATH_CATEGORY)", "did you mean smoke?"],
    ),
    "execution-mode": (
        {"GOLDENPATH_EXECUTION_MODE": "ful"},
        ["'ful' (from environment GOLDENPATH_EXECUTION_MODE)", "did you mean full?"],
    ),
    "gate": (
        {"GOLDENPATH_GATE": "perhaps"},
        ["gate = 'perhaps' (from environment GOLDENPATH_GATE)", "write true or false"],
    ),
    "env-file": (
        {"GOLDENPATH_ENV_FILE": "nowhere.env"},
        ["nowhere.env' (from environment GOLDENPATH_ENV_FILE)", "name a readable dotenv file"],
    ),
    "two-ways-of-login": (
        {
            "GOLDENPATH_TARGET": CLOSED,
            "GOLDENPATH_TOKEN": "hunter22",
            "GOLDENPATH_EMAIL": "ada@example.com",
            "GOLDENPATH_PASSWORD": "hunter22",
        },
        ["'***'", "environment GOLDENPATH_EMAIL", "GOLDENPATH_TOKEN", "unset one of them"],
    ),
    "token-and-key": (
        {
            "GOLDENPATH_TARGET": CLOSED,
            "GOLDENPATH_TOKEN": "hunter22",
            "E2E_OAUTH_SIMULATION_KEY": "hunter22",
        },
        ["GOLDENPATH_TOKEN = '***'", "E2E_OAUTH_SIMULATION_KEY", "unset one of them"],
    ),
    "email-without-password": (
        {"GOLDENPATH_TARGET": CLOSED, "GOLDENPATH_EMAIL": "ada@example.com"},
        ["GOLDENPATH_EMAIL = 'ada@example.com'", "set GOLDENPATH_PASSWORD"],
    ),
    "password-without-email": (
        {"GOLDENPATH_TARGET": CLOSED, "GOLDENPATH_PASSWORD": "hunter22"},
        ["GOLDENPATH_PASSWORD = '***'", "set GOLDENPATH_EMAIL"],
    ),
    "short-token": (
        {"GOLDENPATH_TARGET": CLOSED, "GOLDENPATH_TOKEN": "h22"},
        ["GOLDENPATH_TOKEN = '***'", "shorter than 4 characters", "use a longer one"],
    ),
    "no-credentials": (
        {"GOLDENPATH_TARGET": REMOTE},
        [f"no credentials for {REMOTE}", "set GOLDENPATH_EMAIL and GOLDENPATH_PASSWORD"],
    ),
    "production": (
        {"GOLDENPATH_TARGET": "https://api.netrasystems.ai", "GOLDENPATH_TOKEN": "hunter22"},
        [
            "backend = 'https://api.netrasystems.ai' (from environment GOLDENPATH_TARGET)",
            "looks like production",
            "production = true",
        ],
    ),
}
BAD_FILES = {
    "malformed": ("target = [", ["targets file = '", "no valid TOML", "correct the file"]),
    "unknown-key": (
        '[targets.local]\nbakend = "x"',
        ["targets.local.bakend = 'x'", "unknown key; did you mean backend?"],
    ),
    "unknown-skip": (
        'allowed_skips = ["GP-999"]',
        ["allowed_skips = 'GP-999'", "unknown code; did you mean GP-"],
    ),
    "unknown-top-key": (
        'categry = "smoke"',
        ["categry = 'smoke'", "unknown key; did you mean category?"],
    ),
    "unknown-name": (
        'target = "prelve"\n[targets.prelive]\nbackend = "http://127.0.0.1:9"',
        ["--target = 'prelve'", "did you mean prelive?"],
    ),
    "no-backend": (
        'target = "prelive"\n[targets.prelive]\nrevision = "1"',
        ["targets.prelive = ''", "the address of the backend is missing", "write backend = "],
    ),
    "address-number": (
        "[targets.local]\nbackend = 5",
        ["targets.local.backend = 5", "not a text"],
    ),
    "text-empty": ('[targets.local]\nprompt = " "', ["targets.local.prompt = ' '", "not a text"]),
    "prompt-mocked": (
        '[targets.local]\nprompt = "Testing {marker}"',
        ["targets.local.prompt = 'Testing {marker}' (from ", "it holds 'test'"],
    ),
    "context-module": (
        '[targets.local]\ncontext_api = "pytest_goldenpath.reference.context"',
        [
            "targets.local.context_api = 'pytest_goldenpath.reference.context'",
            "context in it is not there",
        ],
    ),
    "context-number": (
        "[targets.local]\ncontext_api = 5",
        ["targets.local.context_api = 5", "not a text"],
    ),
    "flag-word": (
        '[targets.local]\nproduction = "yes"',
        ["targets.local.production = 'yes'", "write true or false"],
    ),
    "no-table": ("targets = 3", ["targets must be a table of tables"]),
    "no-inner-table": ("[targets]\nlocal = 3", ["targets must be a table of tables"]),
    "target-number": ("target = 5", ["target = 5", "no name"]),
    "category-number": ("category = 5", ["category = 5", "no text"]),
    "mode-number": ("execution_mode = 5", ["execution_mode = 5", "no text"]),
    "gate-word": ('gate = "perhaps"', ["gate = 'perhaps'", "write true or false"]),
    "skips-word": ('allowed_skips = "GP-201"', ["allowed_skips = 'GP-201'", "no list of codes"]),
    **{
        f"budget-{name}": (
            f"[targets.local]\nevent_deadline_s = {literal}",
            ["targets.local.event_deadline_s = ", "write seconds as a number above 0"],
        )
        for name, literal in {
            "negative": "-1",
            "zero": "0",
            "word": '"soon"',
            "nan": "nan",
            "inf": "inf",
            "flag": "true",
            "list": "[1]",
            "too-long": "3600.5",
            "enormous": "9" * 400,
        }.items()
    },
}
BAD_MARKERS = {
    "unknown-category": ('category("smok")', ["test_marked.py::test_it", "smok", "smoke"]),
    "two-categories": ('category("smoke", "all")', ["test_marked.py::test_it", "category"]),
    "no-category": ("category()", ["test_marked.py::test_it", "expected one of smoke"]),
    "category-keyword": ('category(name="smoke")', ["test_marked.py::test_it", "category"]),
    "unknown-code": ('requirement("GP-999")', ["test_marked.py::test_it", "'GP-999'", "unknown"]),
    "no-code": ("requirement()", ["test_marked.py::test_it", "takes one or more codes"]),
    "code-keyword": ('requirement(code="GP-101")', ["test_marked.py::test_it", "codes"]),
    "code-list": ('requirement(["GP-101"])', ["test_marked.py::test_it", "unknown code"]),
    "code-number": ("requirement(101)", ["test_marked.py::test_it", "101", "unknown code"]),
}


def assert_refused(result: pytest.RunResult, *facts: str) -> None:
    """Exit code 4, one sentence on stderr that tells these facts, and no test ran."""
    sentences = [line for line in result.errlines if line.strip()]
    assert result.ret == pytest.ExitCode.USAGE_ERROR, result.outlines[-5:]
    assert len(sentences) == 1, sentences
    assert sentences[0].startswith("ERROR: ")
    for fact in facts:
        assert fact in sentences[0]
    result.stdout.no_fnmatch_line("*INTERNALERROR*")
    result.stdout.no_fnmatch_line("*golden path: *")
    assert result.parseoutcomes() == {} if result.outlines else True


def cases(table: dict[str, tuple[object, list[str]]]) -> list[object]:
    """Return the parameters of a table, with its keys as ids."""
    return [pytest.param(given, facts, id=name) for name, (given, facts) in table.items()]


@DISTRIBUTED
@pytest.mark.parametrize(("options", "facts"), cases(OPTIONS))  # type: ignore[arg-type]
def test_wrong_option_is_refused(
    run_suite: RunSuite,
    left: Callable[[], tuple[int, list[str]]],
    monkeypatch: pytest.MonkeyPatch,
    workers: tuple[str, ...],
    options: list[str],
    facts: list[str],
) -> None:
    """A wrong option is named with its value, its source and the remedy."""
    monkeypatch.setenv("GOLDENPATH_TOKEN", "hunter22")

    result = run_suite(*options, *workers)

    assert_refused(result, *facts)
    assert left() == (0, [])


@DISTRIBUTED
@pytest.mark.parametrize("address", [pytest.param(LEAKS[name], id=name) for name in LEAKS])
def test_credentials_in_an_address_are_refused_and_not_shown(
    run_suite: RunSuite, workers: tuple[str, ...], address: str
) -> None:
    """An address that carries credentials is refused without showing them."""
    result = run_suite(f"--target={address}", *workers)

    assert_refused(result, "api.example.com")
    assert "hunter22" not in f"{result.stdout}{result.stderr}"


@DISTRIBUTED
@pytest.mark.parametrize(("variables", "facts"), cases(BAD_ENVIRONMENTS))  # type: ignore[arg-type]
def test_wrong_environment_is_refused(
    run_suite: RunSuite,
    left: Callable[[], tuple[int, list[str]]],
    monkeypatch: pytest.MonkeyPatch,
    workers: tuple[str, ...],
    variables: dict[str, str],
    facts: list[str],
) -> None:
    """A wrong variable is named with its value, its source and the remedy, secrets hidden."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    result = run_suite(*workers)

    assert_refused(result, *facts)
    assert "hunter22" not in f"{result.stdout}{result.stderr}"
    assert left() == (0, [])


@DISTRIBUTED
@pytest.mark.parametrize("name", WITHOUT_OPTION)
def test_wrong_environment_is_refused_without_any_option(
    run_suite: RunSuite,
    left: Callable[[], tuple[int, list[str]]],
    monkeypatch: pytest.MonkeyPatch,
    workers: tuple[str, ...],
    name: str,
) -> None:
    """It makes no difference that the checks are found only by collecting them."""
    variables, facts = BAD_ENVIRONMENTS[name]
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)

    result = run_suite(*workers, evidence="")

    assert_refused(result, *facts)
    assert left() == (0, [])


@DISTRIBUTED
@pytest.mark.parametrize(("text", "facts"), cases(BAD_FILES))  # type: ignore[arg-type]
def test_wrong_targets_file_is_refused(
    pytester: pytest.Pytester,
    run_suite: RunSuite,
    left: Callable[[], tuple[int, list[str]]],
    workers: tuple[str, ...],
    text: str,
    facts: list[str],
) -> None:
    """A wrong line of the targets file is named with its value, the file and the remedy."""
    pytester.path.joinpath("goldenpath.toml").write_text(text)

    result = run_suite(*workers)

    assert_refused(result, "goldenpath.toml", *facts)
    assert left() == (0, [])


def no_text(path: Path) -> None:
    """Write what is no UTF-8."""
    path.write_bytes(b'target = "\xff\xfe"')


def unreadable(path: Path) -> None:
    """Make a file that even root cannot read."""
    path.symlink_to("/proc/self/mem")


def dangling(path: Path) -> None:
    """Make a link to nothing."""
    path.symlink_to("nowhere.toml")


def folder(path: Path) -> None:
    """Make a folder in the file's place."""
    path.mkdir()


@DISTRIBUTED
@pytest.mark.parametrize("make", [no_text, unreadable, dangling, folder])
def test_unreadable_targets_file_is_refused(
    pytester: pytest.Pytester,
    run_suite: RunSuite,
    workers: tuple[str, ...],
    make: Callable[[Path], None],
) -> None:
    """A targets file that is there and cannot be read is never passed over in silence."""
    make(pytester.path / "goldenpath.toml")

    result = run_suite(*workers)

    assert_refused(result, "targets file = '", "goldenpath.toml'", "correct the file")


def test_contradiction_in_an_env_file_names_the_variables(
    pytester: pytest.Pytester, run_suite: RunSuite
) -> None:
    """Two ways of login in an env file are named by their variables, as from the environment."""
    pytester.path.joinpath("ci.env").write_text(
        "GOLDENPATH_TOKEN=hunter22\nE2E_OAUTH_SIMULATION_KEY=hunter22\n"
    )

    result = run_suite(f"--target={CLOSED}", "--env-file=ci.env")

    assert_refused(result, "goldenpath: GOLDENPATH_TOKEN = '***'", "ci.env", "unset one of them")
    result.stderr.no_fnmatch_line("*hunter22*")


@DISTRIBUTED
@pytest.mark.parametrize("place", ["file", "file/below"], ids=["a-file", "below-a-file"])
def test_evidence_folder_that_cannot_be_written_is_refused(
    pytester: pytest.Pytester,
    run_suite: RunSuite,
    started: Callable[[], int],
    workers: tuple[str, ...],
    place: str,
) -> None:
    """An evidence folder that cannot be made is found out before anything is started."""
    pytester.path.joinpath("file").write_text("kept")

    result = run_suite(*workers, evidence=place)

    assert_refused(
        result,
        f"--evidence-dir = '{pytester.path / place}' (from option --evidence-dir)",
        "name a folder that you may write to",
    )
    assert started() == 0
    assert pytester.path.joinpath("file").read_text() == "kept"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("--junitxml=file/x.xml", "--junitxml = '{}/file/x.xml' (from option --junitxml)"),
        ("--junit-xml=file/below/x.xml", "--junitxml = '{}/file/below/x.xml' (from option"),
        ("--log-file=file/x.log", "--log-file = '{}/file/x.log' (from option --log-file)"),
        ("--log-file=.", "--log-file = '{}' (from option --log-file): it cannot be written (Is a"),
        ("-olog_file=file/x.log", "--log-file = '{}/file/x.log' (from ini option log_file)"),
    ],
)
def test_file_of_pytest_that_cannot_be_written_is_refused(
    pytester: pytest.Pytester,
    run_suite: RunSuite,
    started: Callable[[], int],
    given: str,
    said: str,
) -> None:
    """A file of results or of logs that cannot be made is found out before anything is started."""
    pytester.path.joinpath("file").write_text("kept")

    result = run_suite(given, "--category=smoke")

    assert_refused(result, said.format(pytester.path), "name a file in a folder that you may write")
    assert started() == 0
    assert pytester.path.joinpath("file").read_text() == "kept"


@DISTRIBUTED
def test_file_of_results_is_refused_without_an_option_of_ours(
    pytester: pytest.Pytester, workers: tuple[str, ...]
) -> None:
    """A run that is known by its checks alone is refused as well, and adds no traceback."""
    pytester.path.joinpath("file").write_text("kept")
    pytester.makepyfile("import pytest\n@pytest.mark.category('smoke')\ndef test_one(): pass")

    options = ("-p", "no:cacheprovider", *workers, "--junitxml=file/x.xml")
    result = pytester.runpytest_subprocess(*options)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert f"--junitxml = '{pytester.path}/file/x.xml'" in f"{result.stdout}{result.stderr}"
    assert "Traceback" not in f"{result.stdout}{result.stderr}"


@pytest.mark.parametrize("place", ["results.xml", "new/folder/results.xml"])
def test_files_of_pytest_are_written_where_they_can_be(
    pytester: pytest.Pytester, place: str
) -> None:
    """A file that can be made is left to pytest, also in a new folder."""
    pytester.makepyfile("import pytest\n@pytest.mark.category('smoke')\ndef test_one(): pass")

    result = pytester.runpytest_subprocess(
        f"--target={CLOSED}", "--warmup=off", f"--junitxml={place}", f"--log-file={place}.log"
    )

    assert result.ret == pytest.ExitCode.OK
    assert 'tests="1"' in pytester.path.joinpath(place).read_text()
    assert pytester.path.joinpath(f"{place}.log").exists()


@pytest.mark.parametrize(
    ("marker", "facts", "workers"),
    [(*case, ()) for case in BAD_MARKERS.values()]
    + [(*next(iter(BAD_MARKERS.values())), ("-n", "2"))],
    ids=[*BAD_MARKERS, "two-workers"],
)
def test_malformed_marker_is_refused(
    pytester: pytest.Pytester,
    written: Callable[[], list[str]],
    marker: str,
    facts: list[str],
    workers: tuple[str, ...],
) -> None:
    """A marker that cannot be understood stops the run; no verdict pretends to know."""
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = session\n")
    pytester.makepyfile(
        test_marked=f"import pytest\n\n\n@pytest.mark.{marker}\ndef test_it():\n    pass\n"
    )

    result = pytester.runpytest_subprocess("--gate", *workers, timeout=60.0)

    assert_refused(result, *facts)
    assert written() == []


def test_malformed_marker_starts_no_backend(
    pytester: pytest.Pytester, started: Callable[[], int]
) -> None:
    """Markers are checked before the embedded backend is started."""
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = session\n")
    pytester.makepyfile(
        'import pytest\n\n\n@pytest.mark.requirement("GP-999")\ndef test_it(): pass\n'
    )

    result = pytester.runpytest_subprocess(timeout=60.0)

    assert (result.ret, started()) == (4, 0)


@DISTRIBUTED
def test_fault_of_a_class_that_is_not_imported_is_refused(
    run_suite: RunSuite, monkeypatch: pytest.MonkeyPatch, workers: tuple[str, ...]
) -> None:
    """A fault that would have no effect is a contradiction, not a healthy run."""
    monkeypatch.setenv("GOLDENPATH_CONTEXT_API", "platform_of_nobody:UserExecutionContext")

    result = run_suite("--fault=context-mutable", *workers)

    assert_refused(
        result,
        "--fault = 'context-mutable' (from option --fault)",
        "context_api is platform_of_nobody:UserExecutionContext",
        "leave out one of the two",
    )

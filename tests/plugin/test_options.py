"""The options by both their names, the lists, and no trace in a run that has no check."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

RunSuite = Callable[..., pytest.RunResult]
DISTRIBUTED = pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "two-workers"])
VALUES = {
    "target": "https://api.example.com",
    "staging": "",
    "auth-url": "https://auth.example.com",
    "ws-url": "wss://ws.example.com",
    "env-file": "ci.env",
    "category": "smoke",
    "execution-mode": "fast_feedback",
    "evidence-dir": "elsewhere",
    "gate": "",
    "accept-bypass": "",
    "expect-revision": "1.4.2",
    "fault": "no-pong",
    "variant": "V11",
    "warmup": "off",
}
#: These say something about a remote target only.
COMPANIONS = {
    "auth-url": ["--goldenpath-target=https://api.example.com"],
    "ws-url": ["--goldenpath-target=https://api.example.com"],
}
INI = "[pytest]\nasyncio_default_fixture_loop_scope = session\n"
UNRELATED = """
import warnings

import pytest


@pytest.fixture
def number():
    return 1


def test_passes(number):
    assert number == 1


@pytest.mark.parametrize("number", [1, 2], ids=["one", "two"])
def test_fails_once(number):
    print("said before")
    assert number == 1, "this is the reason"


@pytest.fixture
def broken():
    raise RuntimeError("not there")


def test_errs(broken):
    pass


@pytest.mark.skip(reason="not today")
def test_is_skipped():
    pass


@pytest.mark.xfail(reason="known")
def test_is_expected_to_fail():
    assert False


def test_warns():
    warnings.warn("old", UserWarning)
"""
FOREIGN = {
    "own-fixtures": """
import pytest


@pytest.fixture
def user():
    return "ada"


@pytest.fixture
def http():
    return "client"


def test_it(user, http):
    assert (user, http) == ("ada", "client")
""",
    "parametrized": """
import pytest


@pytest.mark.parametrize("target", ["a", "b"])
def test_it(target):
    assert target
""",
    "fixture-in-class": """
import pytest


class TestJourney:
    @pytest.fixture
    def journey(self):
        return 1

    def test_it(self, journey):
        assert journey == 1
""",
}


MIXED = """
import pytest



def test_foreign_fails():
    assert False


@pytest.mark.requirement("GP-101")
def test_backend_answers(prove):
    prove()


def test_foreign_passes():
    pass
"""


def option(name: str, *, long: bool) -> str:
    """Return an option as it is typed."""
    value = f"={VALUES[name]}" if VALUES[name] else ""
    return f"--{'goldenpath-' if long else ''}{name}{value}"


def without_plugins_and_times(lines: list[str]) -> list[str]:
    """Return the output without what is bound to differ: plugins, times, workers."""
    kept = [line for line in lines if not line.startswith("plugins: ")]
    timed = re.compile(r"=* ?(.*?) in \d+\.\d+s ?=*")
    return [re.sub(r"^\[gw\d\]", "[gw]", timed.sub(r"\1", line)) for line in kept]


def folder_of(pytester: pytest.Pytester) -> list[str]:
    """Return what lies in the test's folder, without what pytester and Python put there."""
    return sorted(
        path.name
        for path in pytester.path.iterdir()
        if not path.name.startswith(("runpytest-", "__pycache__", "stdout", "stderr"))
    )


@pytest.mark.parametrize("name", list(VALUES))
def test_long_name_means_the_same(
    pytester: pytest.Pytester, run_suite: RunSuite, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """``--goldenpath-<name>`` does what ``--<name>`` does."""
    monkeypatch.setenv("GOLDENPATH_TOKEN", "hunter22")
    pytester.path.joinpath("ci.env").write_text("GOLDENPATH_RUN_DEADLINE_S=20\n")
    common = ["--collect-only", *COMPANIONS.get(name, [])]

    short = run_suite(*common, option(name, long=False), evidence="")
    long = run_suite(*common, option(name, long=True), evidence="")

    assert (short.ret, long.ret) == (0, 0)
    assert without_plugins_and_times(long.outlines) == without_plugins_and_times(short.outlines)
    assert any(line.startswith("goldenpath: target ") for line in long.outlines)


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "one-worker"])
def test_long_name_works_when_the_short_one_is_taken(
    pytester: pytest.Pytester,
    run_suite: RunSuite,
    monkeypatch: pytest.MonkeyPatch,
    workers: tuple[str, ...],
) -> None:
    """Another plugin that owns ``--target`` keeps it, and ours goes by its long name."""
    monkeypatch.setenv("GOLDENPATH_VPC_BUDGET_S", "1")
    pytester.makepyfile(
        owner='def pytest_addoption(parser):\n    parser.addoption("--target", default="")\n'
    )

    result = run_suite(
        "-p",
        "owner",
        *workers,
        "--target=of the other",
        "--goldenpath-target=http://127.0.0.1:9",
    )

    assert result.ret == 75
    result.stdout.fnmatch_lines(["goldenpath: target 127.0.0.1 *option --*target*"])


@pytest.mark.parametrize("name", ["category", "gate", "fault"])
def test_each_kind_of_option_can_be_taken(
    pytester: pytest.Pytester, run_suite: RunSuite, name: str
) -> None:
    """A repeatable option and a flag give way as one with a value does."""
    pytester.makepyfile(
        owner=f'def pytest_addoption(parser):\n    parser.addoption("--{name}", default="")\n'
    )

    result = run_suite("-p", "owner", "--collect-only", option(name, long=True))

    assert result.ret == 0


def test_taken_short_name_is_said(pytester: pytest.Pytester, run_suite: RunSuite) -> None:
    """A run whose short option is taken says which name to use instead."""
    pytester.makepyfile(
        owner='def pytest_addoption(parser):\n    parser.addoption("--target", default="")\n'
    )

    result = run_suite("-p", "owner", "--collect-only")

    assert "--goldenpath-target" in str(result.stdout)


@DISTRIBUTED
@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("--fault=list", "missing-tool-completed"),
        ("--goldenpath-fault=list", "missing-tool-completed"),
        ("--variant=list", "welcome-ready"),
        ("--goldenpath-variant=list", "welcome-ready"),
    ],
)
def test_list_names_the_ways_and_does_nothing_else(
    run_suite: RunSuite,
    left: Callable[[], tuple[int, list[str]]],
    workers: tuple[str, ...],
    question: str,
    name: str,
) -> None:
    """``list`` prints the known names with their meaning and ends with 0."""
    result = run_suite(question, *workers)

    assert result.ret == 0
    result.stdout.re_match_lines([rf"{name} +\w+"])
    result.stdout.no_fnmatch_line("*test session starts*")
    assert left() == (0, [])


@DISTRIBUTED
@pytest.mark.parametrize("asked", [(), ("--category=smoke",)], ids=["no-option", "option"])
def test_collect_only_starts_and_writes_nothing(
    pytester: pytest.Pytester,
    run_suite: RunSuite,
    started: Callable[[], int],
    workers: tuple[str, ...],
    asked: tuple[str, ...],
) -> None:
    """Looking at what would run leaves no process, no folder and no verdict."""
    result = run_suite("--collect-only", "-q", *workers, *asked, evidence="")

    assert result.ret == 0
    result.stdout.fnmatch_lines(
        ["*test_health.py::test_backend_answers", "24 tests collected in *"]
    )
    assert started() == 0
    assert folder_of(pytester) == ["sitecustomize.py"]


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["-v"],
        ["-q", "-rA"],
        ["-x"],
        ["-k", "passes"],
        ["-k", "nothing"],
        ["-n2", "--dist=loadfile"],
    ],
    ids=["plain", "verbose", "quiet", "stop-early", "selected", "nothing-selected", "two-workers"],
)
def test_unrelated_suite_is_left_as_it_is(pytester: pytest.Pytester, options: list[str]) -> None:
    """Output, exit code and folder of a suite without any check are the same without us."""
    pytester.makeini(INI)
    pytester.makepyfile(test_unrelated=UNRELATED)
    common = ["-p", "no:cacheprovider", *options]

    bare = pytester.runpytest_subprocess(*common, "-p", "no:goldenpath", timeout=60.0)
    ours = pytester.runpytest_subprocess(*common, timeout=60.0)

    assert ours.ret == bare.ret
    assert without_plugins_and_times(ours.outlines) == without_plugins_and_times(bare.outlines)
    assert ours.errlines == bare.errlines
    assert folder_of(pytester) == ["test_unrelated.py", "tox.ini"]


@pytest.mark.parametrize("source", list(FOREIGN.values()), ids=list(FOREIGN))
def test_foreign_names_make_no_check(pytester: pytest.Pytester, source: str) -> None:
    """A suite's own fixture or parameter that is called as one of ours is none of ours."""
    pytester.makeini(INI)
    pytester.makepyfile(test_foreign=source)

    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", timeout=60.0)

    assert result.ret == 0
    result.stdout.no_fnmatch_line("*golden path: *")
    assert folder_of(pytester) == ["test_foreign.py", "tox.ini"]


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "one-worker"])
@pytest.mark.parametrize("asked", [(), ("--gate",)], ids=["no-option", "option"])
def test_foreign_failure_is_not_hidden_by_a_pass(
    pytester: pytest.Pytester, workers: tuple[str, ...], asked: tuple[str, ...]
) -> None:
    """A foreign test that fails before the first check still makes the run fail."""
    pytester.makeini(
        "[pytest]\nasyncio_default_fixture_loop_scope = session\n"
        "asyncio_default_test_loop_scope = session\n"
    )
    pytester.makepyfile(test_mixed=MIXED)

    result = pytester.runpytest_subprocess(*workers, *asked, timeout=60.0)

    assert result.ret == 1
    result.assert_outcomes(failed=1, passed=2)


def test_unrelated_suite_runs_with_the_plugin_blocked(pytester: pytest.Pytester) -> None:
    """``-p no:goldenpath`` takes the plugin out, and unrelated tests run."""
    pytester.makeini(INI)
    pytester.makepyfile(test_unrelated="def test_it():\n    assert True\n")

    result = pytester.runpytest_subprocess("-p", "no:goldenpath", timeout=60.0)

    assert result.ret == 0
    result.assert_outcomes(passed=1)
    assert "--goldenpath-target" not in str(
        pytester.runpytest_subprocess("-p", "no:goldenpath", "--help", timeout=60.0).stdout
    )

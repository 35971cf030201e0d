"""The places settings come from: environment, env file, targets file."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_goldenpath.errors import ConfigError
from pytest_goldenpath.target.sources import (
    Environment,
    Setting,
    TargetsFile,
    closest,
    read_env_file,
    read_targets,
)

NAMES = st.text("abcdefgh_", min_size=1, max_size=12)


def test_process_is_over_the_env_file() -> None:
    """A variable of the process hides the one of the env file."""
    both = Environment({"A": "process"}, {"A": "file", "B": "file"}, "ci.env")

    assert both.get("A") == Setting("process", "environment A")
    assert both.get("B") == Setting("file", "B in ci.env")
    assert both.get("C") is None


def test_blank_variable_counts_as_absent() -> None:
    """A variable that is set to nothing lets the next source speak, and values are trimmed."""
    blank = Environment({"A": "  "}, {"A": " file\n"}, "ci.env")

    assert blank.get("A") == Setting("file", "A in ci.env")


def test_any_name_in_the_process_is_over_any_in_the_env_file() -> None:
    """With two names for one setting the process still wins."""
    both = Environment({"NEW": "process"}, {"OLD": "file"}, "ci.env")

    assert both.get("OLD", "NEW") == Setting("process", "environment NEW")


def test_env_file_is_read_literally(tmp_path: Path) -> None:
    """Comments and quotes are understood; a dollar sign is left alone, as in a password."""
    path = tmp_path / "ci.env"
    path.write_text("# why\nA=1\nexport B='two words'\nC=pa$HOME${X}\nD\n", encoding="utf-8")

    assert read_env_file(path, source="option --env-file") == {
        "A": "1",
        "B": "two words",
        "C": "pa$HOME${X}",
    }


@pytest.mark.parametrize("kind", ["missing", "folder", "binary"])
def test_env_file_that_cannot_be_read_is_refused(tmp_path: Path, kind: str) -> None:
    """The message names the path, the source and the remedy."""
    path = tmp_path / "ci.env"
    if kind == "folder":
        path.mkdir()
    if kind == "binary":
        path.write_bytes(b"A=\xff\xfe")

    with pytest.raises(ConfigError) as caught:
        read_env_file(path, source="option --env-file")

    assert str(caught.value).startswith(f"--env-file = '{path}' (from option --env-file): ")
    assert str(caught.value).endswith("; name a readable dotenv file")


def test_env_file_with_another_kind_of_line_is_refused(tmp_path: Path) -> None:
    """The line is named and not shown, for it is likely a secret with a quotation mark too many."""
    path = tmp_path / "ci.env"
    path.write_text("# why\nA=1\nGOLDENPATH_PASSWORD='hunter-22\n", encoding="utf-8")

    with pytest.raises(ConfigError) as caught:
        read_env_file(path, source="option --env-file")

    assert "line 3 cannot be read as NAME=value" in str(caught.value)
    assert "hunter" not in str(caught.value)


def test_no_targets_file_is_an_empty_one(tmp_path: Path) -> None:
    """A project without a file has no targets of its own."""
    assert read_targets([tmp_path]) == TargetsFile()


def test_pyproject_without_our_table_is_passed_over(tmp_path: Path) -> None:
    """Another tool's pyproject.toml is not ours, and the next folder is looked at."""
    near, far = tmp_path / "near", tmp_path
    near.mkdir()
    near.joinpath("pyproject.toml").write_text("[tool.other]\na = 1\n")
    far.joinpath("pyproject.toml").write_text('[tool.goldenpath]\ntarget = "x"\n')

    assert read_targets([near, far]) == TargetsFile(
        str(far / "pyproject.toml"), {}, {"target": "x"}
    )


def test_nearest_file_wins_whole(tmp_path: Path) -> None:
    """Files are not mixed: goldenpath.toml beside pyproject.toml is the only one read."""
    tmp_path.joinpath("goldenpath.toml").write_text('[targets.a]\nbackend = "http://a"\n')
    tmp_path.joinpath("pyproject.toml").write_text('[tool.goldenpath]\ntarget = "x"\n')

    assert read_targets([tmp_path]) == TargetsFile(
        str(tmp_path / "goldenpath.toml"), {"a": {"backend": "http://a"}}, {}
    )


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("goldenpath.toml", b"a = [", "it is no valid TOML"),
        ("goldenpath.toml", b"a = '\xff'", "it is no valid TOML"),
        ("pyproject.toml", b"[tool", "it is no valid TOML"),
        ("pyproject.toml", b"tool.goldenpath = 3", "[tool.goldenpath] is no table"),
        ("goldenpath.toml", b"targets = 3", "targets must be a table of tables"),
        ("goldenpath.toml", b"[targets]\na = 3", "targets must be a table of tables"),
        ("goldenpath.toml", b"a = " + b"9" * 5000, "it is no valid TOML"),
        ("goldenpath.toml", b"a = " + b"[" * 5000, "it is no valid TOML"),
    ],
    ids=["cut", "binary", "pyproject", "no-table", "targets", "inner", "digits", "nested"],
)
def test_wrong_targets_file_is_refused(
    tmp_path: Path, name: str, text: bytes, problem: str
) -> None:
    """Whatever is wrong with the file is a ConfigError that names it."""
    tmp_path.joinpath(name).write_bytes(text)

    with pytest.raises(ConfigError) as caught:
        read_targets([tmp_path])

    assert str(caught.value).startswith(f"targets file = '{tmp_path / name}' (from the project): ")
    assert problem in str(caught.value)


@given(name=NAMES, known=st.lists(NAMES, min_size=1, unique=True))
def test_every_known_name_is_told(name: str, known: list[str]) -> None:
    """The remedy names all that is known, and a known name is its own closest match."""
    assert closest(name, known).endswith(f"known are {', '.join(sorted(known))}")
    assert closest(known[0], known).startswith(f"did you mean {known[0]}? ")

"""The keys of a target's table: types, ranges, and the environment over the file."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_goldenpath.errors import ConfigError
from pytest_goldenpath.target.keys import KEYS, Table, env_name, table_of
from pytest_goldenpath.target.sources import Environment, Setting, TargetsFile


def table(values: dict[str, object], **variables: str) -> Table:
    """Return the checked table of a target that is called pre."""
    return table_of("pre", TargetsFile("t.toml", {"pre": values}), Environment(variables))


def test_absent_table_is_empty() -> None:
    """A target without a table has defaults."""
    empty = table_of("other", TargetsFile("t.toml", {"pre": {"backend": "x"}}), Environment({}))

    assert empty.text("backend") is None
    assert empty.seconds("event_deadline_s", 15.0) == (15.0, "default")
    assert empty.flag("production") is False


def test_environment_is_over_the_file() -> None:
    """A variable wins over the table, for texts and for seconds."""
    both = table(
        {"prompt": "of the file", "run_deadline_s": 5, "production": True},
        GOLDENPATH_PROMPT="of the environment",
        GOLDENPATH_RUN_DEADLINE_S="7.5",
    )

    assert both.text("prompt") == Setting("of the environment", "environment GOLDENPATH_PROMPT")
    assert both.seconds("run_deadline_s", 60.0) == (7.5, "environment GOLDENPATH_RUN_DEADLINE_S")
    assert both.flag("production") is True


def test_file_is_over_the_default() -> None:
    """Without a variable the table is obeyed and named as the source."""
    own = table({"revision": "1.4", "event_deadline_s": 3})

    assert own.text("revision") == Setting("1.4", "t.toml")
    assert own.seconds("event_deadline_s", 15.0) == (3.0, "t.toml")


def test_flag_is_not_read_from_the_environment() -> None:
    """Nobody can open production by a variable."""
    assert table({}, GOLDENPATH_PRODUCTION="true").flag("production") is False


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            {"bakend": "x"},
            "targets.pre.bakend = 'x' (from t.toml): unknown key; did you mean bac",
        ),
        ({"pwd": "hunter22"}, "targets.pre.pwd = '***' (from t.toml): unknown key;"),
        (
            {"password": "hunter22"},
            "targets.pre.password = '***' (from t.toml): unknown key; no file of targets holds",
        ),
        ({"backend": 5}, "targets.pre.backend = 5 (from t.toml): not a text; write it as"),
        ({"auth": ""}, "targets.pre.auth = '' (from t.toml): not a text; write it as"),
        ({"prompt": ["a"]}, "targets.pre.prompt = ['a'] (from t.toml): not a text; write it as"),
        ({"production": "no"}, "targets.pre.production = 'no' (from t.toml): not a flag; write"),
        ({"production": 1}, "targets.pre.production = 1 (from t.toml): not a flag; write true"),
        ({"run_deadline_s": True}, "targets.pre.run_deadline_s = True (from t.toml): not a number"),
        ({"run_deadline_s": {}}, "targets.pre.run_deadline_s = {} (from t.toml): not a number"),
    ],
    ids=[
        "unknown",
        "strange",
        "password",
        "number",
        "empty",
        "list",
        "word",
        "one",
        "flag",
        "table",
    ],
)
def test_wrong_value_is_refused(values: dict[str, object], sentence: str) -> None:
    """A wrong value is named with its key, its file and the remedy."""
    with pytest.raises(ConfigError) as caught:
        table(values)

    assert str(caught.value).startswith(sentence)


@given(value=st.floats(allow_nan=False, min_value=1e-9, max_value=3600.0))
def test_seconds_in_range_are_taken_as_they_are(value: float) -> None:
    """A number above 0 and up to an hour is taken, as a number and as a text."""
    assert table({"event_deadline_s": value}).seconds("event_deadline_s", 1.0)[0] == value
    assert table({}, GOLDENPATH_EVENT_DEADLINE_S=repr(value)).seconds("event_deadline_s", 1.0) == (
        value,
        "environment GOLDENPATH_EVENT_DEADLINE_S",
    )


@given(
    value=st.one_of(
        st.floats(max_value=0.0),
        st.floats(min_value=3600.0, exclude_min=True),
        st.just(math.nan),
        st.integers(max_value=0),
        st.integers(min_value=3601),
        st.sampled_from([10**309, -(10**309)]),
    )
)
def test_seconds_out_of_range_are_refused(value: float) -> None:
    """Any other number is refused, however large or small it is."""
    with pytest.raises(ConfigError, match="write seconds as a number above 0 and up to 3600"):
        table({"event_deadline_s": value})


@pytest.mark.parametrize("key", KEYS)
def test_variable_of_a_key(key: str) -> None:
    """The variable of a key is its name in capitals behind GOLDENPATH."""
    assert env_name(key) == f"GOLDENPATH_{key.upper()}"

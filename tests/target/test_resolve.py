"""Settings become a target: one precedence, and a guard before production."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_goldenpath.errors import ConfigError
from pytest_goldenpath.target.resolve import Options, Resolved, resolve

TOKEN = {"GOLDENPATH_TOKEN": "hunter22"}
LAYERS = ("option", "environment", "env-file", "file")


def resolved(
    folder: Path, options: Options, toml: str = "", env: str = "", **variables: str
) -> Resolved:
    """Resolve with a token at hand, and with these files in the folder."""
    folder.joinpath("goldenpath.toml").write_text(toml)
    folder.joinpath("ci.env").write_text(env)
    return resolve(options, {**TOKEN, **variables}, (folder,))


def test_default_is_the_embedded_backend(tmp_path: Path) -> None:
    """With nothing set the run makes its own backend, and needs no credentials."""
    found = resolve(Options(), {}, (tmp_path,))

    assert (found.target.name, found.target.embedded, found.target.backend) == ("local", True, "")
    assert found.wallet is None
    assert found.sources["target"] == "default"


def test_address_implies_the_others(tmp_path: Path) -> None:
    """A backend's address gives auth and WebSocket, and the host names the target."""
    found = resolved(tmp_path, Options(target="https://API.example.com/"))

    assert found.target.name == "api.example.com"
    assert found.target.backend == "https://API.example.com"
    assert found.target.auth == "https://API.example.com"
    assert found.target.ws == "wss://API.example.com/ws"
    assert (found.sources["auth"], found.sources["ws"]) == ("backend", "backend")


@given(present=st.sets(st.sampled_from(LAYERS)))
def test_first_layer_that_speaks_is_obeyed(present: set[str]) -> None:
    """Option, environment, env file, file: the target is the first one's, whatever is below."""
    with tempfile.TemporaryDirectory() as name:
        address = {layer: f"https://{layer}.example.com" for layer in present}
        variables = (
            {"GOLDENPATH_TARGET": address["environment"]} if "environment" in present else {}
        )
        found = resolved(
            Path(name),
            Options(target=address.get("option", ""), env_file="ci.env"),
            f'target = "{address["file"]}"' if "file" in present else "",
            f"GOLDENPATH_TARGET={address['env-file']}" if "env-file" in present else "",
            **variables,
        )

    first = next((layer for layer in LAYERS if layer in present), None)
    assert found.target.backend == (address[first] if first else "")
    assert found.target.embedded is (first is None)


@given(present=st.sets(st.sampled_from(LAYERS)))
def test_first_layer_that_speaks_gives_the_auth_address(present: set[str]) -> None:
    """The same precedence holds for a key of the table."""
    with tempfile.TemporaryDirectory() as name:
        address = {layer: f"https://{layer}.example.com" for layer in present}
        variables = {"GOLDENPATH_AUTH": address["environment"]} if "environment" in present else {}
        auth = f'auth = "{address["file"]}"' if "file" in present else ""
        found = resolved(
            Path(name),
            Options(target="pre", auth_url=address.get("option", ""), env_file="ci.env"),
            f'[targets.pre]\nbackend = "https://api.example.com"\n{auth}',
            f"GOLDENPATH_AUTH={address['env-file']}" if "env-file" in present else "",
            **variables,
        )

    first = next((layer for layer in LAYERS if layer in present), None)
    assert found.target.auth == (address[first] if first else "https://api.example.com")


def test_staging_has_addresses_of_its_own(tmp_path: Path) -> None:
    """Staging needs no table; the platform's variables are over its defaults."""
    plain = resolved(tmp_path, Options(staging=True))
    moved = resolved(tmp_path, Options(staging=True), WEBSOCKET_URL="wss://api-staging.x.ai/ws")

    assert plain.target.backend == "https://api.staging.netrasystems.ai"
    assert plain.target.auth == "https://auth.staging.netrasystems.ai"
    assert plain.target.ws == "wss://api.staging.netrasystems.ai/ws"
    assert plain.target.frontend == "https://app.staging.netrasystems.ai"
    assert moved.target.ws == "wss://api-staging.x.ai/ws"
    assert moved.sources["ws"] == "environment WEBSOCKET_URL"


def test_variables_of_staging_say_nothing_of_other_targets(tmp_path: Path) -> None:
    """AUTH_SERVICE_URL of another system on the machine does not redirect a login."""
    found = resolved(
        tmp_path,
        Options(target="https://api.example.com"),
        AUTH_SERVICE_URL="https://auth.staging.netrasystems.ai",
    )

    assert found.target.auth == "https://api.example.com"


def test_staging_twice_is_no_contradiction(tmp_path: Path) -> None:
    """``--staging --target staging`` says one thing."""
    assert resolved(tmp_path, Options(staging=True, target="staging")).target.name == "staging"


def test_budgets_and_revision_are_taken(tmp_path: Path) -> None:
    """The first event's budget never exceeds the budget between events."""
    found = resolved(
        tmp_path,
        Options(target="pre", expect_revision="1.4.2"),
        '[targets.pre]\nbackend = "https://api.example.com"\nrevision = "1.4.1"\n'
        "event_deadline_s = 2\nrun_deadline_s = 30\n",
    )

    assert (found.target.event_deadline_s, found.target.first_event_s) == (2.0, 2.0)
    assert found.target.run_deadline_s == 30.0
    assert (found.target.revision, found.sources["revision"]) == (
        "1.4.2",
        "option --expect-revision",
    )


@pytest.mark.parametrize(
    ("options", "setting"),
    [
        (Options(target="https://api.netrasystems.ai"), "backend"),
        (
            Options(target="https://api.example.com", auth_url="https://auth.netrasystems.ai"),
            "auth",
        ),
        (Options(target="https://api.example.com", ws_url="wss://api.netrasystems.ai/ws"), "ws"),
    ],
    ids=["backend", "auth", "ws"],
)
def test_production_is_refused(tmp_path: Path, options: Options, setting: str) -> None:
    """An address that looks like production is refused, whichever of the three it is."""
    with pytest.raises(ConfigError) as caught:
        resolved(tmp_path, options)

    assert str(caught.value).startswith(f"{setting} = ")
    assert "the host looks like production" in str(caught.value)
    assert "production = true" in str(caught.value)


def test_production_is_accepted_when_the_table_says_so(tmp_path: Path) -> None:
    """The remedy that the message names works, for a name and for an address."""
    toml = (
        '[targets.live]\nbackend = "https://api.netrasystems.ai"\nproduction = true\n'
        '[targets."api.netrasystems.ai"]\nproduction = true\n'
    )

    by_name = resolved(tmp_path, Options(target="live"), toml)
    by_address = resolved(tmp_path, Options(target="https://api.netrasystems.ai"), toml)

    assert by_name.target.backend == by_address.target.backend == "https://api.netrasystems.ai"


@pytest.mark.parametrize("name", ["one", "other", "local", "https://one.example.com"])
def test_mistake_in_any_table_is_refused(tmp_path: Path, name: str) -> None:
    """A wrong value is named whichever target was asked for; without it all can be used."""
    good = '[targets.one]\nbackend = "https://one.example.com"\n[targets.other]\nrun_deadline_s = '

    with pytest.raises(ConfigError, match=r"targets\.other\.run_deadline_s = -8"):
        resolved(tmp_path, Options(target=name), f'{good}-8\nbackend = "https://two.example.com"')
    assert resolved(tmp_path, Options(target=name), f'{good}8\nbackend = "https://two.example.com"')


def test_production_is_not_opened_by_the_environment(tmp_path: Path) -> None:
    """A variable is not enough to let a run at production."""
    with pytest.raises(ConfigError, match="looks like production"):
        resolved(
            tmp_path, Options(target="https://api.netrasystems.ai"), GOLDENPATH_PRODUCTION="true"
        )


@pytest.mark.parametrize(
    ("options", "variables"),
    [
        (Options(auth_url="https://auth.example.com"), {}),
        (Options(ws_url="wss://ws.example.com"), {}),
        (Options(target="local"), {"GOLDENPATH_BACKEND": "https://api.example.com"}),
        (Options(), {"GOLDENPATH_AUTH": "https://auth.example.com"}),
    ],
    ids=["auth-option", "ws-option", "backend-variable", "auth-variable"],
)
def test_address_for_the_embedded_backend_is_refused(
    tmp_path: Path, options: Options, variables: dict[str, str]
) -> None:
    """An address that would be lost in silence is refused."""
    with pytest.raises(ConfigError, match="the embedded backend, which has addresses of its own"):
        resolved(tmp_path, options, **variables)


def test_env_file_names_its_values_as_source(tmp_path: Path) -> None:
    """A value from an env file is told with its variable and the file."""
    found = resolved(
        tmp_path,
        Options(target="https://api.example.com", env_file="ci.env"),
        env="GOLDENPATH_EVENT_DEADLINE_S=9",
    )

    assert found.target.event_deadline_s == 9.0
    assert found.sources["event_deadline_s"] == (
        f"GOLDENPATH_EVENT_DEADLINE_S in {tmp_path / 'ci.env'}"
    )

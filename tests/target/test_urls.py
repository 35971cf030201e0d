"""Addresses: what is accepted, what is refused, and what is never shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_goldenpath.errors import ConfigError
from pytest_goldenpath.target import urls

HOSTS = st.from_regex(r"[a-z][a-z0-9]{0,10}(\.[a-z]{2,6}){0,2}", fullmatch=True)
PATHS = st.from_regex(r"(/[a-z0-9._~-]{1,8}){0,3}", fullmatch=True)
#: Both ends are recognised, so that a part of it is found as well.
PASSWORDS = st.text("QXZ0189/:#?@[]%é", min_size=1, max_size=12).map(lambda text: f"WWW{text}WWW")


@pytest.mark.parametrize(
    ("given_value", "expected"),
    [
        ("https://api.example.com", "https://api.example.com"),
        ("https://api.example.com/", "https://api.example.com"),
        (" http://127.0.0.1:8000/v1// ", "http://127.0.0.1:8000/v1"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("HTTPS://api.example.com", "https://api.example.com"),
    ],
    ids=["plain", "slash", "blanks", "ipv6", "capitals"],
)
def test_web_address_is_normalised(given_value: str, expected: str) -> None:
    """A good address loses blanks around it and slashes at its end."""
    assert urls.web_url("backend", given_value, "option --target") == expected


def test_socket_address_is_accepted() -> None:
    """A WebSocket address keeps its path."""
    assert urls.socket_url("ws", "wss://h.example.com/ws", "x") == "wss://h.example.com/ws"


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("", "the scheme is missing"),
        ("api.example.com", "the scheme is missing"),
        ("localhost:8000", "the scheme is missing"),
        ("https:", "the host is missing"),
        ("ftp://api.example.com", "the scheme ftp is not one of http, https"),
        ("wss://api.example.com", "the scheme wss is not one of http, https"),
        ("https://", "the host is missing"),
        ("https://:80", "the host is missing"),
        ("https://api.example.com?a=1", "must not carry a query"),
        ("https://api.example.com#a", "must not carry a query or a fragment"),
        ("https://api example.com", "blanks or control characters"),
        ("https://api.example.com\u0000", "blanks or control characters"),
        ("https://api.example.com:http", "no valid address"),
        ("https://api.example.com:99999", "no valid address"),
        ("https://[::1", "no valid address"),
    ],
)
def test_wrong_address_is_refused(value: str, problem: str) -> None:
    """A wrong address is refused with its value, its source, the problem and an example."""
    with pytest.raises(ConfigError) as caught:
        urls.web_url("backend", value, "option --target")

    assert str(caught.value).startswith(f"backend = {value!r} (from option --target): ")
    assert problem in str(caught.value)
    assert str(caught.value).endswith("write https://host or http://host:port")


def test_wrong_socket_address_is_refused() -> None:
    """A WebSocket address has a scheme of its own."""
    with pytest.raises(ConfigError, match="the scheme https is not one of ws, wss"):
        urls.socket_url("ws", "https://api.example.com/ws", "option --ws-url")


@given(host=HOSTS, path=PATHS, slashes=st.sampled_from(["", "/", "//"]))
def test_normalising_twice_changes_nothing(host: str, path: str, slashes: str) -> None:
    """A normalised address is a good address and stays as it is."""
    once = urls.web_url("backend", f"https://{host}{path}{slashes}", "x")

    assert once == f"https://{host}{path}"
    assert urls.web_url("backend", once, "x") == once


@given(value=st.text(max_size=40))
def test_any_text_is_accepted_or_refused(value: str) -> None:
    """Whatever is given, the outcome is an address with a host, or a ConfigError."""
    try:
        address = urls.web_url("backend", value, "x")
    except ConfigError:
        return

    assert address.startswith(("http://", "https://"))
    assert urls.host_of(address)


@given(password=PASSWORDS, host=HOSTS, scheme=st.sampled_from(["https", "http", "ftp"]))
def test_password_is_never_shown(password: str, host: str, scheme: str) -> None:
    """An address with credentials is refused, and no part of the password is shown."""
    with pytest.raises(ConfigError) as caught:
        urls.web_url("backend", f"{scheme}://ada:{password}@{host}", "x")

    assert "WWW" not in str(caught.value)


@pytest.mark.parametrize(
    ("backend", "socket"),
    [
        ("https://api.example.com", "wss://api.example.com/ws"),
        ("http://127.0.0.1:8000", "ws://127.0.0.1:8000/ws"),
        ("https://api.example.com/v1", "wss://api.example.com/v1/ws"),
    ],
)
def test_socket_address_follows_from_the_backend(backend: str, socket: str) -> None:
    """The WebSocket is the backend's address with /ws, encrypted when the backend is."""
    assert urls.socket_of(backend) == socket


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("http://localhost:8000", True),
        ("http://api.localhost", True),
        ("http://127.0.0.1", True),
        ("http://127.8.9.1", True),
        ("http://[::1]:8000", True),
        ("http://10.0.0.1", False),
        ("http://localhost.example.com", False),
        ("http://127.0.0.1.example.com", False),
        ("http://0.0.0.0", False),
    ],
)
def test_loopback_is_recognised(address: str, expected: bool) -> None:
    """Only an address of this very machine is loopback."""
    assert urls.is_loopback(address) is expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://netrasystems.ai", True),
        ("https://app.netrasystems.ai", True),
        ("https://api.netrasystems.ai", True),
        ("https://API.NetraSystems.AI", True),
        ("https://auth.netrasystems.ai:8443/x", True),
        ("https://api.netrasystems.ai.", True),
        ("https://api.prod.example.com", True),
        ("https://api-production.example.com", True),
        ("https://live.example.com", True),
        ("https://staging.netrasystems.ai", False),
        ("https://api-staging.netrasystems.ai", False),
        ("https://api.staging.netrasystems.ai", False),
        ("https://netra-backend-staging-pnovr5vsba-uc.a.run.app", False),
        ("https://notnetrasystems.ai", False),
        ("https://products.example.com", False),
        ("http://127.0.0.1:8000", False),
    ],
)
def test_production_is_recognised(address: str, expected: bool) -> None:
    """Hosts of the platform that name no other stage, and production words, are production."""
    assert urls.looks_like_production(address) is expected

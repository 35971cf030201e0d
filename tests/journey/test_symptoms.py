"""Exceptions that clients raise of real answers and broken roads, reduced to structural signs."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from collections.abc import Callable

import httpx
import pytest
from websockets.asyncio.client import connect

from pytest_goldenpath.contract.attribution import attribute
from pytest_goldenpath.contract.symptom import Kind
from pytest_goldenpath.journey.symptoms import symptom_of
from servers import Raw, closed_port, hang_up, replying, serving

PROXY = replying(
    "HTTP/1.1 503 Busy\ncontent-type: text/html\nretry-after: 7\ncontent-length: 4", b"<h1>"
)
PRODUCT = replying(
    "HTTP/1.1 503 Busy\ncontent-type: application/json\ncontent-length: 16", b'{"detail": "no"}'
)
BROKEN = replying("HTTP/1.1 500 Oops\ncontent-length: 0")
Ask = Callable[[str], object]


def by_httpx(url: str) -> object:
    """Ask as most checks do."""
    return httpx.get(url, trust_env=False).raise_for_status()


def by_urllib(url: str) -> object:
    """Ask with the standard library."""
    return urllib.request.urlopen(url, timeout=5).close()  # noqa: S310  # loopback


def by_websocket(url: str) -> object:
    """Ask for a WebSocket."""

    async def ask() -> None:
        async with connect(url.replace("http", "ws"), proxy=None):
            pass

    return asyncio.run(ask())


def raised(ask: Ask, url: str) -> Exception:
    """Return what a client raises."""
    try:
        ask(url)
    except Exception as error:  # noqa: BLE001  # whatever it raises is what is looked at
        return error
    pytest.fail("nothing was raised")


@pytest.mark.parametrize("ask", [by_httpx, by_urllib, by_websocket])
@pytest.mark.parametrize(
    ("server", "row", "whose"),
    [
        (PROXY, "E4-3", "infrastructure"),
        (PRODUCT, "E4-4", "product"),
        (BROKEN, "E4-1", "product"),
        (hang_up, "E4-13", "infrastructure"),
    ],
    ids=["proxy-503", "product-503", "product-500", "reset"],
)
def test_answer_that_became_an_exception_keeps_its_signs(
    ask: Ask, server: Raw, row: str, whose: str
) -> None:
    """Whoever raised it, a 503 of a proxy is the road's and one of the product is the product's."""
    with serving(server) as url:
        symptom = symptom_of(raised(ask, url), phase="check", where="", ready=True)

    if (ask, row) == (by_urllib, "E4-4"):
        # urllib has not read the body when it raises, and a header alone says too little.
        assert attribute(symptom).row == "E4-3"
        return
    assert (attribute(symptom).row, attribute(symptom).attribution) == (row, whose)
    assert symptom.retry_after_s == (7.0 if row == "E4-3" else None)


@pytest.mark.parametrize("ask", [by_httpx, by_urllib, by_websocket])
def test_refused_connection_is_the_road_s(ask: Ask) -> None:
    """Every client says so in its own words; the cause beneath them is the same."""
    with closed_port() as url:
        symptom = symptom_of(raised(ask, url), phase="check", where="", ready=True)

    assert symptom.kind is Kind.REFUSED


def test_connection_error_without_a_number_is_the_road_s() -> None:
    """A check that says nothing but ConnectionError means the road."""
    assert symptom_of(ConnectionError("x"), phase="p", where="", ready=True).kind is Kind.RESET

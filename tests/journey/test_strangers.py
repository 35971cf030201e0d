"""Who is sent to the sockets as a stranger, and where to."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest

from pytest_goldenpath.journey.channel import (
    BEARER,
    HEADER,
    JWT_AUTH,
    NONE,
    QUERY,
    SUBPROTOCOL,
    TICKET,
)
from pytest_goldenpath.journey.confided import claims_of
from pytest_goldenpath.journey.login import User
from pytest_goldenpath.journey.strangers import side_door_calls, stranger_calls
from pytest_goldenpath.secrets import Secret

ADA = User("u-1", Secret("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1LTEifQ.c2lnbmF0dXJlLW9uZQ"))
_KIND = re.compile("garbage|wrongly signed|expired|foreign|unsigned")
EXPIRED = Secret("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1LTEifQ.ZXhwaXJlZC1vbmU")


def test_both_carriers_are_tried_with_every_token() -> None:
    """What the header carries in vain is carried by the subprotocol as well."""
    url = "wss://t/ws"
    calls = (*stranger_calls(url, ADA, EXPIRED), *side_door_calls(url, ADA))
    here = [call for call in calls if urlsplit(call.url).path == "/ws" and call.token]
    carried = {
        carrier: {_KIND.search(call.purpose)[0] for call in here if call.carrier == carrier}
        for carrier in (HEADER, SUBPROTOCOL, JWT_AUTH, BEARER, QUERY, TICKET)
    }

    assert carried[HEADER] == carried[SUBPROTOCOL]
    assert len(carried[HEADER]) == 5
    assert all(kinds and kinds <= carried[HEADER] for kinds in carried.values())
    assert len({call.purpose for call in calls}) == len(calls)


def test_no_stranger_brings_a_good_token() -> None:
    """Whoever is sent, the user's own token stays at home, and no query carries a real one."""
    calls = (*stranger_calls("wss://t/ws", ADA, EXPIRED), *side_door_calls("wss://t/ws", ADA))
    tokens = {call.token.reveal() for call in calls if call.token}
    in_queries = {call.token.reveal() for call in calls if call.token and call.carrier == QUERY}

    assert ADA.token.reveal() not in tokens
    assert EXPIRED.reveal() not in in_queries


@pytest.mark.parametrize(
    ("own", "root", "others"),
    [
        ("wss://t/ws", "", {"/api/v1/websocket", "/ws?mode=legacy"}),
        ("wss://t/api/v1/websocket", "", {"/ws", "/api/v1/websocket?mode=legacy"}),
        ("ws://t:8000/staging/ws/", "/staging", {"/staging/ws?mode=legacy"}),
        ("wss://t/socket?x=1", "", {"/ws", "/api/v1/websocket"}),
    ],
)
def test_side_doors_stand_beside_the_own(own: str, root: str, others: set[str]) -> None:
    """The other sockets are on the same host, below the same path, and none is the users' own."""
    calls = [call for call in side_door_calls(own, ADA) if call.carrier in {NONE, HEADER}]
    places = [urlsplit(call.url) for call in calls]
    asked = {f"{place.path}{'?' if place.query else ''}{place.query}" for place in places}

    assert {place.netloc for place in places} == {urlsplit(own).netloc}
    assert asked >= {f"{root}/websocket", f"{root}/ws/test", f"{root}/api/demo/ws", *others}
    assert urlsplit(own).path.rstrip("/") not in asked
    assert {call.carrier for call in calls} == {NONE, HEADER}


def test_stranger_pretends_to_be_nobody_in_particular_at_a_side_door() -> None:
    """A forged token for a side door names no user of the target."""
    calls = [call for call in side_door_calls("ws://t/ws", ADA) if call.carrier == HEADER]
    subjects = {claims_of(call.token)["sub"] for call in calls if call.token}

    assert subjects == {"stranger-0001"}

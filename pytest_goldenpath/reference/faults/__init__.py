"""Every fault and every variant of the reference backend, by name; nothing heavy is imported.

The faults are data, in one file for each part of the golden path.
"""

from pytest_goldenpath.reference.fault import Fault, Variant
from pytest_goldenpath.reference.faults import events, health, login

_ALL = (*events.FAULTS, *health.FAULTS, *login.FAULTS)
_VARIANTS = {
    "events": {
        "V11": "bridge events with everything in a payload container, welcome 'connect'",
        "V13": "bridge events as in V11, welcome 'connect'",
        "V15": "bridge events with everything in a data container",
        "V16": "bridge events with results at the root and in data",
        "V18": "bridge events with tool name and results at the root; the default",
        "demo": "flat events with the short keys agent, tool, result, response",
        "envelope": "system_message frames, the event's name and fields only inside data",
        "frontend": "the frontend's type: nothing but type and payload",
        "manager": "manager events of V18: all fields at the root, and critical",
        "manager-v11": "manager events of V11: fields in data, critical and attempt",
        "manager-v15": "manager events of V15: fields in payload, and critical",
        "typed": "flat events of the typed schema, with epoch time stamps",
    },
    "health": {
        "health-long": "health bodies with service, version and revision; the default",
        "health-short": "health bodies that say only ok, as from V16 on",
    },
    "places": {
        "places-few": "three connections per user; the place of a closed one is free a second later",
        "places-many": "ten connections per user; the default",
    },
    "welcome": {
        "welcome-auth-success": "welcome by authentication_success with fields at the root",
        "welcome-connect": "welcome with the renamed type connect",
        "welcome-established": "welcome connection_established; the default",
        "welcome-payload": "welcome in the frontend's type, with a payload",
        "welcome-ready": "welcome by connection_ready",
        "welcome-system-message": "welcome by a system_message whose data names the event",
    },
}

FAULTS: dict[str, Fault] = {fault.name: fault for fault in sorted(_ALL, key=lambda one: one.name)}
VARIANTS: dict[str, Variant] = {
    name: Variant(name, description, family)
    for family, names in _VARIANTS.items()
    for name, description in names.items()
}

#: Promises that have no fault of which only they can tell, each with what it shares with others.
OVERLAPS = {
    "GP-101": "the one body of health is read for its form, its word, its build, its time and by readiness",
    "GP-102": "readiness is compared with the word of health",
    "GP-103": "readiness is given the same time as health",
    "GP-104": "the auth service's word is a word of health",
    "GP-109": "a 503 is also the missing answer of whatever was asked",
    "GP-201": "without a login nothing behind it can be shown",
    "GP-203": "the token's user and expiry are those that login, verify and the socket tell",
    "GP-206": "a token that the backend refuses opens nothing behind it",
    "GP-301": "without a socket nothing is heard on it",
    "GP-302": "a client closes a socket whose subprotocol it did not offer",
    "GP-303": "a stranger that is let in becomes somebody made up, or is not closed as promised",
    "GP-305": "a socket that a ping closes has no run",
    "GP-308": "the close of a stranger is his refusal as well",
    "GP-310": "connections are told apart by what the welcome names",
    "GP-401": "the first event is also a place in the order",
    "GP-403": "a call that was not announced is closed by no result of its own",
    "GP-404": "a call without a result stays open",
    "GP-405": "the last event carries the answer and is the end of the order",
    "GP-409": "an event of somebody else is none of ours, so ours is missing",
    "GP-410": "a field that is not there holds no real content, and an agent without a name has no place in the order",
    "GP-414": "events that come at the end come late, with times of another moment",
    "GP-415": "an event whose name no client sees is not heard",
    "GP-417": "a frame that cannot be read is an event that is missing",
    "GP-418": "a request that starts nothing has no events",
    "GP-501": "an empty answer is empty in every way in which answers are read",
    "GP-502": "a made-up answer solves no task and is not substantive",
    "GP-503": "one agent answers on the socket and over HTTP, and a cached answer is that of another user",
    "GP-504": "what an answer has lost may be its marker or its result",
    "GP-601": "what a user sees of another is also in the wrong run, connection or thread",
    "GP-603": "an event on the wrong connection is missing on the right one",
    "GP-604": "what the second login or connection broke is missing to the first",
    "GP-605": "the state that is gone is stored messages and threads",
    "GP-705": "a socket on which nothing is answered has no run",
    "GP-802": "a body of health that shows a bypass may be read as ill",
}

__all__ = ["FAULTS", "OVERLAPS", "VARIANTS", "Fault", "Variant"]

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

__all__ = ["FAULTS", "VARIANTS", "Fault", "Variant"]

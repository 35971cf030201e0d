"""Short words for writing faults down."""

from pytest_goldenpath.reference.fault import Fault

_CATEGORIES = {"s": "smoke", "c": "mission_critical", "r": "remediation"}

EVENTS = "GP-401 GP-402 GP-403 GP-404 GP-405"
# What follows when a connection is of no use.
NO_RUN = f"GP-107 GP-304 GP-305 GP-306 GP-307 GP-308 GP-310 GP-705 {EVENTS} GP-501"
# What follows when a run breaks off.
NO_END = "GP-404 GP-405 GP-406 GP-407 GP-413 GP-501 GP-502 GP-503 GP-504 GP-505"
# What follows when the answer is not one.
NO_ANSWER = "GP-410 GP-411 GP-501 GP-502 GP-503 GP-504 GP-507"


def ill(
    name: str,
    description: str,
    row: str,
    codes: str,
    implied: str,
    seen: str,
    *effects: tuple[str, object],
) -> Fault:
    """Write down a fault; codes and categories are words in one text."""
    musts = tuple(codes.split())
    return Fault(
        name=name,
        description=description,
        row=row,
        codes=musts,
        implied=tuple(code for code in dict.fromkeys(implied.split()) if code not in musts),
        categories=tuple(_CATEGORIES[letter] for letter in seen.split()),
        effects=effects,
    )

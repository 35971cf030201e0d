"""The faults, as data, in one file for each part of the golden path."""

from pytest_goldenpath.reference.fault import Fault
from pytest_goldenpath.reference.faults import (
    answers,
    events,
    handshake,
    health,
    login,
)

ALL: tuple[Fault, ...] = (
    *answers.FAULTS,
    *events.FAULTS,
    *handshake.FAULTS,
    *health.FAULTS,
    *login.FAULTS,
)

"""The faults, as data, in one file for each part of the golden path."""

from pytest_goldenpath.reference.fault import Fault
from pytest_goldenpath.reference.faults import (
    answers,
    contexts,
    events,
    handshake,
    health,
    isolation,
    login,
    wire,
)

ALL: tuple[Fault, ...] = (
    *answers.FAULTS,
    *contexts.FAULTS,
    *events.FAULTS,
    *handshake.FAULTS,
    *health.FAULTS,
    *isolation.FAULTS,
    *login.FAULTS,
    *wire.FAULTS,
)

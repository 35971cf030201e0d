"""UserExecutionContext by import: GP-701 to GP-704.

What the platform's builds differ in, and what they accept although it is odd (a nested dict of
another user, ``default_user``, a mutable ``agent_context``), is nobody's breach (protocol 5.2).
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_goldenpath.contract.findings import Finding, Severity, excerpt
from pytest_goldenpath.contract.observed import ContextFacts, Trial
from pytest_goldenpath.contract.ruling import Ruling, Unlooked, broken
from pytest_goldenpath.contract.survey import Survey

_IDS = ("user_id", "thread_id", "run_id")
_INVALID = "InvalidContextError"
_ISOLATION = "ContextIsolationError"
#: A user id of the wrong type may fail before it is validated (protocol 5.2).
_ODD_TYPES = frozenset({"refuse user_id=None", "refuse user_id=7"})
_REQUIRED = (
    "UserContextManager",
    _INVALID,
    _ISOLATION,
    "ExecutionState",
    "create_agent_websocket_bridge",
    "get_unified_config",
)
#: Protocol 5.4.
_STATES = {
    name: name.lower()
    for name in (
        [
            "PENDING",
            "STARTING",
            "RUNNING",
            "COMPLETING",
            "COMPLETED",
            "FAILED",
            "TIMEOUT",
            "DEAD",
            "CANCELLED",
        ]
    )
}
#: What a manager raises (protocol 5.3).
_MANAGER_ERRORS = {
    "get a missing key": "KeyError",
    "get an empty key": "ValueError",
    "set an empty key": "ValueError",
    "set no context": _INVALID,
}
#: Children are refused at depth 11; a build that counts one more or less is no breach.
_SHALLOWEST, _DEEPEST = 9, 12
_UNSEEN = "no UserExecutionContext was imported"
_UNMADE = "no context could be made"


def client_id_is_accepted(survey: Survey) -> Ruling:
    """GP-701: ``from_request`` accepts ``websocket_client_id`` and gives it back.

    A build of before the outage raises a TypeError for the parameter.
    """
    facts = survey.context
    trial = facts.trial("request with client id") if facts else None
    if facts is None or trial is None:
        return Unlooked(_UNSEEN)
    given = facts.given["websocket_client_id"]
    came = trial.outcome() if trial.raised else trial.shows("websocket_client_id") or "nothing"
    if not trial.raised and came == given:
        return ()
    return (
        broken(
            "GP-701",
            "expected from_request to accept websocket_client_id and give it back, "
            f"got {came} from {facts.path}",
            f"from_request{facts.signature}; {trial.evidence()}",
        ),
    )


def alias_agrees(survey: Survey) -> Ruling:
    """GP-702: ``websocket_connection_id`` is the client id, and the supervisor's factory maps it."""
    facts = survey.context
    if facts is None:
        return Unlooked(_UNSEEN)
    findings = (*_alias(facts), *_supervisor(facts))
    base = facts.trial("base")
    if not findings and (base is None or base.shows("websocket_client_id") in {"", "None"}):
        return Unlooked("no context holds a client id to compare with", blocked_by=("GP-701",))
    return findings


def contexts_are_sound(survey: Survey) -> Ruling:
    """GP-703: contexts are frozen, validated and isolated; children inherit and count depth."""
    facts = survey.context
    if facts is None:
        return Unlooked(_UNSEEN)
    if facts.trial("base") is None:
        return Unlooked(_UNMADE, blocked_by=("GP-701",))
    return (
        *_ids(facts),
        *_frozen(facts),
        *_validated(facts),
        *_isolated(facts),
        *_children(facts),
    )


def surroundings_are_there(survey: Survey) -> Ruling:
    """GP-704: manager, exceptions, states, bridge factory and configuration are there."""
    facts = survey.context
    if facts is None:
        return Unlooked(_UNSEEN)
    findings = (*_homes(facts), *_states(facts), *_made(facts), *_manager(facts), *_timeout(facts))
    foreign = [home for home in facts.homes if home.foreign and home.name in _REQUIRED]
    if foreign and not any(finding.severity is Severity.MUST for finding in findings):
        return Unlooked(f"{foreign[0].name}: {foreign[0].reason}", skipped=True)
    return findings


def _alias(facts: ContextFacts) -> Iterator[Finding]:
    base = facts.trial("base")
    own = base.shows("websocket_client_id") if base else ""
    if base and own not in {"", "None"} and base.shows("websocket_connection_id") != own:
        came = base.shows("websocket_connection_id") or "nothing"
        yield broken(
            "GP-702",
            f"expected websocket_connection_id to be the client id {own}, got {came}",
            base.evidence(),
        )


def _supervisor(facts: ContextFacts) -> Iterator[Finding]:
    trial = facts.trial("supervisor")
    given = facts.given["websocket_client_id"]
    if trial and trial.shows("websocket_client_id") != given:
        came = trial.outcome() if trial.raised else trial.shows("websocket_client_id") or "nothing"
        yield broken(
            "GP-702",
            "expected from_request_supervisor to make websocket_connection_id the client id, "
            f"got {came}",
            trial.evidence(),
        )


def _ids(facts: ContextFacts) -> Iterator[Finding]:
    base = facts.trial("base")
    for name in _IDS:
        if base and base.shows(name) != facts.given[name]:
            yield _unsound(f"the given {name} in the context", base.shows(name), base)


def _frozen(facts: ContextFacts) -> Iterator[Finding]:
    assigned = facts.trial("assign")
    if assigned and assigned.shows("kept") == "False":
        yield _unsound("user_id to stay when it is assigned", "another one", assigned)
    rewired = facts.trial("rewire")
    base = facts.trial("base")
    if rewired and base:
        old = base.shows("websocket_client_id")
        if (rewired.shows("new"), rewired.shows("old")) != ("another", old):
            yield _unsound(
                "with_websocket_connection to give a new context and leave the old one",
                rewired.outcome() if rewired.raised else f"new={rewired.shows('new')}",
                rewired,
            )


def _validated(facts: ContextFacts) -> Iterator[Finding]:
    """Tell each way of failing once, with everything that fails so."""
    accepted: dict[tuple[str, str], list[Trial]] = {}
    for trial in facts.trials:
        if trial.name.startswith("refuse "):
            wanted = (_INVALID, "TypeError") if trial.name in _ODD_TYPES else (_INVALID,)
            if set(wanted).isdisjoint(trial.raised):
                kind = trial.raised[0] if trial.raised else "no exception"
                accepted.setdefault((" or ".join(wanted), kind), []).append(trial)
    for (expected, kind), trials in accepted.items():
        named = ", ".join(trial.name.removeprefix("refuse ") for trial in trials)
        yield _unsound(f"{expected} for {excerpt(named, 200)}", kind, trials[0])
    checked = facts.trial("validate a dict")
    if checked and "TypeError" not in checked.raised:
        yield _unsound("TypeError of validate_user_context({})", checked.outcome(), checked)


def _isolated(facts: ContextFacts) -> Iterator[Finding]:
    mixed = facts.trial("mix")
    if mixed and mixed.shows("leaked") == "True":
        yield _unsound("an agent_context for each context", "one that they share", mixed)
    same = facts.trial("same ids")
    if same and same.shows("distinct") == "False":
        yield _unsound("a request_id for each context", "the same for two", same)
    foreign = facts.trial("foreign object")
    if foreign and _ISOLATION not in foreign.raised:
        yield _unsound(f"{_ISOLATION} for another user's object", foreign.outcome(), foreign)
    verified = facts.trial("verify isolation")
    if verified and verified.shows("result") != "True":
        came = verified.outcome() if verified.raised else verified.shows("result")
        yield _unsound("verify_isolation to return True", came, verified)


def _children(facts: ContextFacts) -> Iterator[Finding]:
    base, child = facts.trial("base"), facts.trial("child")
    if base is None or child is None:
        return
    if child.raised:
        yield _unsound("create_child_context to give a context", child.outcome(), child)
        return
    for name in (*_IDS, "websocket_client_id"):
        if child.shows(name) != base.shows(name):
            yield _unsound(f"a child with its parent's {name}", child.shows(name), child)
    if child.shows("parent_request_id") != base.shows("request_id"):
        yield _unsound("a child that names its parent", child.shows("parent_request_id"), child)
    if child.shows("request_id") == base.shows("request_id"):
        yield _unsound("a child with a request_id of its own", "its parent's", child)
    inner = facts.trial("child's context")
    if inner and inner.shows("operation_name") != "lookup":
        yield _unsound("a child that knows its operation_name", inner.outcome(), inner)
    yield from _depth(facts, child)


def _depth(facts: ContextFacts, child: Trial) -> Iterator[Finding]:
    line = [child, facts.trial("grandchild")]
    line += [facts.trial(f"level {number}") for number in range(3, _DEEPEST + 2)]
    made = [trial for trial in line if trial]
    for number, trial in enumerate(made, start=1):
        if trial.raised:
            if number <= _SHALLOWEST or _INVALID not in trial.raised:
                yield _unsound(f"{_INVALID} below depth 10", trial.outcome(), trial)
            return
        if trial.shows("operation_depth") != str(number):
            came = trial.shows("operation_depth") or "nothing"
            yield _unsound(f"operation_depth {number} at level {number}", came, trial)
            return
    yield _unsound(f"{_INVALID} below depth 10", f"{len(made)} levels", made[-1])


def _unsound(expected: str, came: str, trial: Trial) -> Finding:
    return broken("GP-703", f"expected {expected}, got {came or 'nothing'}", trial.evidence())


def _homes(facts: ContextFacts) -> Iterator[Finding]:
    for home in facts.homes:
        if home.name in _REQUIRED and not home.module and not home.foreign:
            yield broken("GP-704", f"expected {home.name}, got nothing: {home.reason}")
    errors = facts.trial("exceptions")
    found = all(home.module for home in facts.homes if home.name in {_INVALID, _ISOLATION})
    if errors and found and errors.shows("are_exceptions") != "True":
        yield _absent(f"{_INVALID} and {_ISOLATION} to be exceptions", "something else", errors)


def _states(facts: ContextFacts) -> Iterator[Finding]:
    states = facts.trial("states")
    seen = (states.seen or {}) if states else _STATES
    if states and {name: seen.get(name) for name in _STATES} != _STATES:
        lacking = [name for name, value in _STATES.items() if seen.get(name) != value]
        yield _absent("the nine members of ExecutionState", f"none of {lacking}", states)


def _made(facts: ContextFacts) -> Iterator[Finding]:
    """Both factories can be called; what fails for want of an environment is only reported."""
    manager = facts.trial("manager")
    if manager and manager.raised:
        yield _absent("UserContextManager() to give a manager", manager.outcome(), manager)
    for name, call in (
        ("bridge", "create_agent_websocket_bridge(user_context=None, websocket_manager=None)"),
        ("configuration", "get_unified_config()"),
    ):
        trial = facts.trial(name)
        if trial and trial.raised:
            is_contract = "TypeError" in trial.raised
            yield broken(
                "GP-704",
                f"expected {call} to give an object, got {trial.outcome()}",
                trial.evidence(),
                severity=Severity.MUST if is_contract else Severity.SHOULD,
            )


def _manager(facts: ContextFacts) -> Iterator[Finding]:
    for name, error in _MANAGER_ERRORS.items():
        trial = facts.trial(name)
        if trial and error not in trial.raised:
            yield _absent(f"{error} of the manager for '{name}'", trial.outcome(), trial)
    stored, got = facts.trial("set"), facts.trial("get")
    if stored and stored.raised:
        yield _absent("the manager to keep a context", stored.outcome(), stored)
    elif got and got.shows("user_id") != facts.given["user_id"]:
        yield _absent("the manager to give a context back", got.outcome(), got)
    first, second = facts.trial("clear"), facts.trial("clear again")
    if first and second and (first.shows("first"), second.shows("second")) != ("True", "False"):
        came = f"{first.shows('first') or first.outcome()}, {second.shows('second')}"
        yield _absent("clear_context to say True, then False", came, second)


def _timeout(facts: ContextFacts) -> Iterator[Finding]:
    """The WebSocket's time-out is in one of the places where builds have it (protocol 5.6)."""
    config = facts.trial("configuration")
    if config is None or config.raised or config.shows("declared") == "True":
        return
    values = (
        config.shows("websocket_connection_timeout"),
        config.shows("ws_config.connection_timeout"),
    )
    if not any(_is_positive(value) for value in values):
        yield _absent("a WebSocket connection time-out in seconds", " and ".join(values), config)


def _is_positive(text: str) -> bool:
    try:
        return float(text) > 0
    except ValueError:
        return False


def _absent(expected: str, came: str, trial: Trial) -> Finding:
    return broken("GP-704", f"expected {expected}, got {came}", trial.evidence())

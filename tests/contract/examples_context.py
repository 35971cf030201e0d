"""What imported contexts show: broken in one way each, and odd without being broken."""

from __future__ import annotations

from builders import context, survey
from pytest_goldenpath.contract.observed import ContextFacts, Home, Trial
from pytest_goldenpath.contract.survey import Survey

UNKNOWN_KEYWORD = ("TypeError", "Exception", "BaseException")
_PLAIN = ("RuntimeError", "Exception", "BaseException")
_OWN = {"websocket_client_id": "wsc-1"}


def seen(name: str, **values: str) -> Trial:
    """Build a trial that returned."""
    return Trial(name, seen=values)


def raised(name: str, *kinds: str) -> Trial:
    """Build a trial that raised."""
    return Trial(name, kinds or _PLAIN, "no")


def changed(name: str, **values: str) -> Trial:
    """Build a healthy trial with other values in it."""
    healthy = context().trial(name)
    return seen(name, **{**((healthy and healthy.seen) or {}), **values})


def of(facts: ContextFacts) -> Survey:
    """Build a healthy survey in which this was imported."""
    return survey(context=facts)


NOT_THERE = Home("UserContextManager", reason="it is not in platform")
DEEPER = tuple(seen(f"level {n}", operation_depth=str(n)) for n in range(11, 14))
BROKEN: list[tuple[str, str, Survey]] = [
    (code, name, of(context(*trials)))
    for code, name, *trials in (
        ("GP-701", "no parameter", raised("request with client id", *UNKNOWN_KEYWORD)),
        ("GP-701", "forgotten", changed("request with client id", websocket_client_id="None")),
        ("GP-701", "another", changed("request with client id", websocket_client_id="wsc-2")),
        ("GP-701", "no attribute", seen("request with client id", user_id="0b5c-user")),
        ("GP-702", "alias empty", changed("base", websocket_connection_id="None")),
        ("GP-702", "no alias", seen("base", **{**_OWN, "user_id": "0b5c-user"})),
        ("GP-702", "unmapped", changed("supervisor", websocket_client_id="None")),
        ("GP-702", "no factory", raised("supervisor", "AttributeError")),
        ("GP-703", "another thread", changed("base", thread_id="thread-of-somebody")),
        ("GP-703", "mutable", seen("assign", refused_by="", kept="False")),
        ("GP-703", "old one rewired", seen("rewire", new="another", old="another")),
        ("GP-703", "not rewired", seen("rewire", new="wsc-1", old="wsc-1")),
        ("GP-703", "shared", seen("mix", leaked="True")),
        ("GP-703", "one request id", seen("same ids", distinct="False")),
        ("GP-703", "not isolated", seen("foreign object")),
        ("GP-703", "isolation by another error", raised("foreign object")),
        ("GP-703", "unsure of itself", seen("verify isolation", result="False")),
        ("GP-703", "placeholder accepted", seen("refuse user_id='mock'")),
        ("GP-703", "other error", raised("refuse run_id=None")),
        ("GP-703", "TypeError for a run", raised("refuse run_id=None", *UNKNOWN_KEYWORD)),
        ("GP-703", "a dict is a context", seen("validate a dict")),
        ("GP-703", "no children", raised("child", "AttributeError")),
        ("GP-703", "child of another", changed("child", user_id="somebody")),
        ("GP-703", "child without a line", changed("child", websocket_client_id="None")),
        ("GP-703", "orphan", changed("child", parent_request_id="None")),
        ("GP-703", "twin", changed("child", request_id="req-0")),
        ("GP-703", "nameless operation", seen("child's context")),
        ("GP-703", "depth not counted", changed("child", operation_depth="0")),
        ("GP-703", "depth counted twice", seen("grandchild", operation_depth="4")),
        ("GP-703", "shallow", raised("level 5", "InvalidContextError")),
        ("GP-703", "recursion", raised("level 11", "RecursionError")),
        ("GP-703", "bottomless", *DEEPER),
        ("GP-704", "no dead state", changed("states", DEAD="gone")),
        ("GP-704", "no exceptions", seen("exceptions", are_exceptions="False")),
        ("GP-704", "no manager can be made", raised("manager", *UNKNOWN_KEYWORD)),
        ("GP-704", "missing key gives None", seen("get a missing key")),
        ("GP-704", "no context is kept", seen("set no context")),
        ("GP-704", "nothing is kept", raised("set")),
        ("GP-704", "another's context", changed("get", user_id="somebody")),
        ("GP-704", "never cleared", seen("clear again", second="True")),
        ("GP-704", "bridge of other parameters", raised("bridge", *UNKNOWN_KEYWORD)),
        ("GP-704", "no time-out", seen("configuration", websocket_connection_timeout="None")),
        ("GP-704", "negative", seen("configuration", websocket_connection_timeout="-1")),
    )
] + [("GP-704", "no manager", of(context(homes=(NOT_THERE,))))]

#: What differs between builds, or is odd and accepted (protocol 5.2 to 5.6).
HEALTHY: list[tuple[str, ContextFacts]] = [
    ("user_id is validated", context(raised("refuse user_id=None", "InvalidContextError"))),
    ("a subclass of ours", context(raised("refuse run_id=None", "Own", "InvalidContextError"))),
    ("mixing is impossible", context(raised("mix", "TypeError"))),
    ("refused one level deeper", context(DEEPER[0], raised("level 12", "InvalidContextError"))),
    ("no validate_user_context", context(without=("validate a dict",))),
    (
        "time-out in ws_config",
        context(seen("configuration", **{"ws_config.connection_timeout": "60"})),
    ),
    ("time-out declared elsewhere", context(seen("configuration", declared="True"))),
    ("a tenth state", context(changed("states", PAUSED="paused"))),
]

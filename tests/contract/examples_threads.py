"""Examples about threads and the agents API, broken and healthy (GP-107, 505, 507, 602)."""

from __future__ import annotations

import json
from dataclasses import replace

from builders import (
    ANSWER,
    GONE,
    NOTE,
    PROMPT,
    THREAD,
    agents_part,
    changed_steps,
    healthy_parts,
    messages,
    step,
    survey,
    thread_part,
    trespass_part,
)
from pytest_goldenpath.contract.exchange import Exchange
from pytest_goldenpath.contract.rules import threads as steps
from pytest_goldenpath.contract.survey import Survey

SORRY = "Degraded mode: the triage agent is not available."
CANNED = "I looked at the cloud and found that 3 idle machines can be switched off at night."


def asking(name: str, exchanges: tuple[Exchange, ...]) -> Survey:
    """Build a survey one of whose further observations went this way."""
    return survey(asked={**healthy_parts(), name: exchanges})


def touched(purpose: str, body: object, status: int = 200) -> Survey:
    """Build a survey in which one step with our own thread was answered like this."""
    return asking("thread", changed_steps(thread_part(), purpose, body, status))


def kept(*said: tuple[str, object]) -> Survey:
    """Build a survey whose journey's thread holds these messages."""
    return asking("kept", (step(steps.MESSAGES, messages(*said), thread=THREAD),))


def read_back(body: object, status: int = 200) -> Survey:
    """Build a survey whose journey's thread is read back like this."""
    return asking("kept", (step(steps.MESSAGES, body, status, thread=THREAD),))


def trespassed(purpose: str, body: object, status: int = 200) -> Survey:
    """Build a survey in which one step of the part about two users was answered like this."""
    return asking("trespass", changed_steps(trespass_part(), purpose, body, status))


def answered(answer: object, *, status: int = 200) -> Survey:
    """Build a survey in which the agents API answered our request like this."""
    return asking("agents_api", agents_part(answer, status=status))


def told_a_stranger(answer: str) -> Survey:
    """Build a survey in which the agents API gave a stranger this as a success."""
    ours, stranger = agents_part()
    body = json.dumps({"status": "success", "response": answer})
    return asking("agents_api", (ours, replace(stranger, status=200, body=body)))


ASKED, SAID = ("user", PROMPT), ("assistant", ANSWER)
OWNER_READ, OWNER_MESSAGES = f"{steps.OWNER}{steps.READ}", f"{steps.OWNER}{steps.MESSAGES}"
BROKEN: list[tuple[str, str, Survey]] = [
    ("GP-107", "cannot create", touched(steps.CREATED, {"detail": "boom"}, 500)),
    ("GP-107", "no such route", touched(steps.CREATED, {"detail": "Not Found"}, 404)),
    ("GP-107", "refused", touched(steps.CREATED, {"detail": "Not authenticated"}, 403)),
    ("GP-107", "nameless", touched(steps.CREATED, {"title": "Cost review"})),
    ("GP-107", "name that leads elsewhere", touched(steps.CREATED, {"id": "../users"})),
    ("GP-107", "cannot write", touched(steps.WRITTEN, {"detail": "boom"}, 500)),
    ("GP-107", "lost", touched(steps.READ, GONE, 404)),
    ("GP-107", "another thread", touched(steps.READ, {"id": "thr-9"})),
    ("GP-107", "no messages", touched(steps.MESSAGES, messages())),
    ("GP-107", "another message", touched(steps.MESSAGES, messages(("user", "hello")))),
    ("GP-107", "messages of no shape", touched(steps.MESSAGES, {"total": 1})),
    ("GP-107", "not listed", touched(steps.LISTED, {"threads": []})),
    ("GP-107", "cannot list", touched(steps.LISTED, {"detail": "Failed to list threads"}, 500)),
    ("GP-107", "list of no shape", touched(steps.LISTED, {"status": "ok"})),
    ("GP-107", "cannot delete", touched(steps.DELETED, {"detail": "boom"}, 500)),
    ("GP-107", "still there", touched(steps.READ_AFTER, {"id": THREAD})),
    ("GP-107", "still listed", touched(steps.LISTED_AFTER, [{"id": THREAD}])),
    ("GP-107", "list fails afterwards", touched(steps.LISTED_AFTER, {"detail": "boom"}, 500)),
    ("GP-505", "no answer", kept(ASKED)),
    ("GP-505", "no question", kept(SAID)),
    ("GP-505", "nothing", kept()),
    ("GP-505", "answer twice", kept(ASKED, SAID, SAID)),
    ("GP-505", "question twice", kept(ASKED, ASKED, SAID)),
    ("GP-505", "wrong order", kept(SAID, ASKED)),
    ("GP-505", "another text", kept(ASKED, ("assistant", "The request was processed."))),
    ("GP-505", "half of it", kept(ASKED, ("assistant", ANSWER[: len(ANSWER) // 2]))),
    ("GP-505", "answer as the user's", kept(ASKED, ("user", ANSWER))),
    ("GP-505", "question as the agent's", kept(("assistant", PROMPT), SAID)),
    ("GP-505", "no thread", read_back(GONE, 404)),
    ("GP-505", "error", read_back({"detail": "boom"}, 500)),
    ("GP-505", "web page", read_back("<html>")),
    ("GP-507", "mock", answered(f"Mock triage agent response for: {PROMPT}")),
    ("GP-507", "fallback", answered("Fallback triage agent response: nothing to say")),
    ("GP-507", "degraded", answered(SORRY)),
    (
        "GP-507",
        "degraded under another status",
        answered({"status": "service_unavailable", "response": SORRY}),
    ),
    ("GP-507", "echo", answered(PROMPT)),
    ("GP-507", "error as a success", answered("Error executing triage agent: no manager")),
    ("GP-507", "canned", answered(CANNED)),
    ("GP-507", "empty", answered("")),
    ("GP-507", "nothing at all", answered({})),
    ("GP-507", "failure without a word", answered({"status": "error"})),
    ("GP-507", "web page", answered(["<html>"])),
    ("GP-507", "server error", answered({"detail": "Internal Server Error"}, status=500)),
    ("GP-507", "no such route", answered({"detail": "Not Found"}, status=404)),
    ("GP-507", "our token refused", answered({"detail": "Not authenticated"}, status=403)),
    ("GP-507", "unstructured refusal", answered({}, status=422)),
    ("GP-507", "stranger served with an error", told_a_stranger("Error executing triage agent")),
    ("GP-602", "in the list", trespassed(steps.OTHERS_LISTED, [{"id": THREAD}])),
    ("GP-602", "title in the list", trespassed(steps.OTHERS_LISTED, [{"title": "Offer 1a2b"}])),
    (
        "GP-602",
        "in the conversations",
        trespassed(steps.OTHERS_CONVERSATIONS, {"conversations": [{"id": THREAD}]}),
    ),
    ("GP-602", "in the history", trespassed(steps.OTHERS_HISTORY, messages(("user", "1a2b")))),
    ("GP-602", "thread shown", trespassed(steps.OTHERS_READ, {"id": THREAD})),
    ("GP-602", "told in a refusal", trespassed(steps.OTHERS_READ, {"detail": "Offer 1a2b"}, 403)),
    ("GP-602", "messages shown", trespassed(steps.OTHERS_MESSAGES, messages(("user", "hi")))),
    ("GP-602", "written", trespassed(steps.OTHERS_WRITTEN, {"id": "m-3"}, 201)),
    ("GP-602", "renamed", trespassed(steps.OTHERS_CHANGED, {"id": THREAD})),
    ("GP-602", "fumbled", trespassed(steps.OTHERS_READ, {"detail": "boom"}, 500)),
    ("GP-602", "deletion accepted", trespassed(steps.OTHERS_DELETED, {"deleted": True})),
    ("GP-602", "agent tells", trespassed(steps.OTHERS_RUN, {"message": "It is 1a2b."})),
    ("GP-602", "gone", trespassed(OWNER_READ, GONE, 404)),
    ("GP-602", "title taken over", trespassed(OWNER_READ, {"id": THREAD, "title": "9f8e"})),
    (
        "GP-602",
        "foreign words in it",
        trespassed(
            OWNER_MESSAGES, messages(("user", "The offer has the number 1a2b."), ("user", "9f8e"))
        ),
    ),
    ("GP-602", "message gone", trespassed(OWNER_MESSAGES, messages())),
]
HEALTHY: list[tuple[str, str, Survey]] = [
    ("GP-107", "number for a name", touched(steps.CREATED, {"id": 17})),
    ("GP-107", "created inside", touched(steps.CREATED, {"data": {"thread_id": THREAD}}, 201)),
    ("GP-107", "envelope", touched(steps.READ, {"id": "req-1", "thread": {"id": THREAD}})),
    ("GP-107", "bare list", touched(steps.LISTED, [{"id": THREAD}])),
    ("GP-107", "items", touched(steps.LISTED, {"items": [{"thread_id": THREAD}]})),
    ("GP-107", "list inside", touched(steps.LISTED, {"data": {"threads": [{"id": THREAD}]}})),
    ("GP-107", "names only", touched(steps.LISTED, {"data": [THREAD]})),
    ("GP-107", "bare messages", touched(steps.MESSAGES, [{"role": "user", "text": NOTE}])),
    ("GP-107", "deleted without a word", touched(steps.DELETED, "", 204)),
    ("GP-107", "gone for good", touched(steps.READ_AFTER, GONE, 410)),
    (
        "GP-505",
        "parts",
        kept(ASKED, ("assistant", [{"type": "text", "text": {"value": ANSWER}}])),
    ),
    ("GP-505", "agent", kept(("human", PROMPT), ("agent", ANSWER))),
    ("GP-505", "no roles", kept(("", PROMPT), ("", ANSWER))),
    ("GP-505", "other spaces", kept(ASKED, ("assistant", ANSWER.replace(" ", "  ") + "\n"))),
    (
        "GP-505",
        "words between",
        kept(("system", f"Answer this: {PROMPT}"), ASKED, ("assistant", "I look it up."), SAID),
    ),
    ("GP-505", "tool that knows it", kept(ASKED, ("tool", ANSWER), SAID)),
    (
        "GP-505",
        "asked for again",
        asking(
            "kept",
            (
                step(steps.MESSAGES, GONE, 404, thread=THREAD),
                *healthy_parts()["kept"],
            ),
        ),
    ),
    ("GP-507", "structured failure", answered({"status": "timeout", "error": "too late"})),
    ("GP-507", "structured refusal", answered({"detail": "too long"}, status=422)),
    ("GP-507", "answer inside", answered({"success": True, "data": {"response": ANSWER}})),
    ("GP-507", "real answer for a stranger", told_a_stranger(ANSWER)),
    ("GP-507", "code word only", answered("For KESTREL-4821 the sum is in the attached sheet.")),
    ("GP-602", "empty messages", trespassed(steps.OTHERS_MESSAGES, messages())),
    ("GP-602", "nothing to see", trespassed(steps.OTHERS_READ, "null")),
    ("GP-602", "declined in words", trespassed(steps.OTHERS_DELETED, {"success": False})),
    ("GP-602", "own run", trespassed(steps.OTHERS_RUN, {"message": "Hello", "thread_id": "thr-8"})),
    ("GP-602", "agent without a model", trespassed(steps.OTHERS_RUN, {"detail": "no"}, 500)),
]

"""Threads and the agents API: what is healthy stays so, and doubt is told as doubt."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from builders import (
    ANSWER,
    GONE,
    changed_steps,
    exchange,
    healthy_parts,
    journey,
    login,
    messages,
    refusal,
    step,
    survey,
    trespass_part,
)
from contract.examples_threads import ASKED, HEALTHY, SAID, answered, asking, touched, trespassed
from pytest_goldenpath.contract.findings import Attribution
from pytest_goldenpath.contract.judgement import judge
from pytest_goldenpath.contract.observed import (
    Message,
    listed_threads,
    messages_in,
    thread_id_of,
    usable_id,
)
from pytest_goldenpath.contract.rules import threads as steps
from pytest_goldenpath.contract.rules.threads import flaws
from pytest_goldenpath.contract.survey import Missing, Survey
from pytest_goldenpath.contract.symptom import Kind as Trouble
from pytest_goldenpath.contract.symptom import Symptom

SUCCESSES = ("", "success", "ok", "completed")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "thread", "threads", "data", "messages", "role", "content"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("code", "observed"),
    [(code, observed) for code, _, observed in HEALTHY],
    ids=[f"{code} {name}" for code, name, _ in HEALTHY],
)
def test_healthy_dialect_is_proven(code: str, observed: Survey) -> None:
    """What a tolerant client understands keeps the promise."""
    judgement = judge(code, observed)

    assert judgement.findings == ()
    assert judgement.proven


@given(JSON)
def test_no_answer_is_too_strange_to_decode(body: object) -> None:
    """Whatever JSON comes, decoding it gives data and raises nothing."""
    came = exchange([body])

    assert all(usable_id(name) == name for name in listed_threads(came) or ())
    assert all(message.role == message.role.lower() for message in messages_in(came) or ())
    assert usable_id(thread_id_of(body)) == thread_id_of(body)


@given(st.text(max_size=12))
def test_usable_names_stay_one_step_of_a_path(name: str) -> None:
    """No name that a target chooses leads to another route."""
    usable = usable_id(name)

    assert usable in {"", name}
    assert not set(usable) & set("/?#%\\ ")
    assert usable not in {".", ".."}


@given(st.lists(st.tuples(st.sampled_from(["user", "assistant"]), st.text(max_size=20))))
def test_what_else_is_in_the_thread_changes_nothing(said: list[tuple[str, str]]) -> None:
    """A faithful record stays one among other messages, and an unfaithful one does not."""
    others = tuple(Message(role, text) for role, text in said)
    question, answer = Message(*ASKED), Message(*SAID)

    assert not list(flaws((*others, question, *others, answer, *others), journey()))
    assert list(flaws((*others, question, *others), journey()))
    assert list(flaws((*others, answer, question), journey()))


@given(st.sampled_from((steps.OTHERS_READ, steps.OTHERS_WRITTEN)), st.integers(400, 499), JSON)
def test_no_refusal_is_a_leak(purpose: str, status: int, body: object) -> None:
    """However a platform refuses, it is proven as long as it tells nothing."""
    assume("1a2b" not in json.dumps(body))

    assert judge("GP-602", trespassed(purpose, body, status)).proven


@given(st.text(max_size=40), st.integers(400, 599), st.sampled_from((*SUCCESSES, "error")))
def test_no_stand_in_is_an_answer(text: str, status: int, word: str) -> None:
    """A mock is found in a success of any wording, and a failure of the server is none."""
    mock = answered({"status": word, "response": f"Mock triage agent response for: {text}"})

    assert judge("GP-507", mock).broken
    assert bool(judge("GP-507", answered({"detail": text}, status=status)).broken) is (
        status >= 500 or status in {401, 403, 404, 405} or not text
    )


def test_database_that_was_not_asked_is_not_proven() -> None:
    """A thread whose creation the road swallowed proves nothing and accuses nobody."""
    lost = refusal(Trouble.RESET, ready=True)
    made = replace(step(steps.CREATED, ""), status=None, symptom=lost)
    observed = survey(
        asked={**healthy_parts(), "thread": (made,)},
        missing={"thread": Missing("broke off", symptom=lost)},
    )
    judgement = judge("GP-107", observed)

    assert judgement.findings == ()
    assert judgement.symptom == lost


def test_refused_user_is_the_login_s_fault() -> None:
    """A fresh token that opens nothing is told as trouble of authentication."""
    observed = touched(steps.CREATED, {"detail": "Not authenticated"}, 403)

    assert {f.attribution for f in judge("GP-107", observed).broken} == {Attribution.AUTH}


def test_missing_route_is_named() -> None:
    """A route that is not there is told as such."""
    observed = touched(steps.CREATED, {"detail": "Not Found"}, 404)

    assert "the route is missing" in judge("GP-107", observed).broken[0].message


def test_thread_on_the_second_page_is_listed() -> None:
    """A list may have several pages, and the thread on any of them."""
    thread = healthy_parts()["thread"]
    first = step(steps.LISTED, [{"id": "thr-0"}] * 100, thread="thr-1")

    assert judge("GP-107", asking("thread", (first, *thread))).proven


def test_nothing_is_kept_without_an_answer() -> None:
    """Without an answer there is nothing to look for, and the reason is told."""
    silent = survey(journey=journey(()))
    judgement = judge("GP-505", silent)

    assert judgement.findings == ()
    assert judgement.undecided


def test_journey_that_the_product_cut_off_is_not_what_was_kept_of_it() -> None:
    """A socket answered with 503 breaks the socket's promise, and not that of the threads."""
    busy = Symptom(Trouble.HTTP_STATUS, "journey", status=503, app_made=True, ready=True)
    observed = survey(
        journey=journey((), symptom=busy),
        asked={},
        missing={
            "journey": Missing("broke off", symptom=busy),
            "kept": Missing("there is no answer to read back", blocked_by=("GP-501",)),
        },
    )

    assert judge("GP-505", observed).broken == ()
    assert not judge("GP-505", observed).proven


def test_second_user_who_is_refused_everything_proves_nothing() -> None:
    """Only who is served elsewhere is seen to be kept out here."""
    observed = trespassed(steps.OTHERS_LISTED, {"detail": "Not authenticated"}, 401)
    judgement = judge("GP-602", observed)

    assert not judgement.proven
    assert judgement.findings == ()


@pytest.mark.parametrize(("body", "status"), [(GONE, 404), (messages(), 200), ("<html>", 200)])
def test_trespass_needs_a_thread_that_works(body: object, status: int) -> None:
    """What was not there before nobody can have lost to another user."""
    part = changed_steps(trespass_part(), f"{steps.OWNER}{steps.READ_BEFORE}", body, status)
    lost = changed_steps(part, f"{steps.OWNER}{steps.MESSAGES}", messages())
    judgement = judge("GP-602", asking("trespass", lost))

    assert not judgement.proven
    assert judgement.findings == ()


def test_owner_who_cannot_look_leaves_it_open() -> None:
    """Whether a trespass did harm is not known when the owner's own look fails."""
    observed = trespassed(f"{steps.OWNER}{steps.READ}", {"detail": "boom"}, 500)

    assert not judge("GP-602", observed).proven
    assert judge("GP-602", observed).findings == ()


def test_isolation_without_a_second_user_is_skipped() -> None:
    """A run with one user says that isolation was not looked at."""
    asked = {name: part for name, part in healthy_parts().items() if name != "trespass"}
    observed = survey(asked=asked, missing={"trespass": Missing("nobody", skipped=True)})

    assert judge("GP-602", observed).skipped


def test_second_user_s_failed_login_is_no_leak() -> None:
    """Nobody is accused of a leak because the second user could not come in."""
    blocked = Missing("the second user could not log in", blocked_by=("GP-201",))
    observed = survey(asked={}, second_login=login(), missing={"trespass": blocked})

    assert judge("GP-602", observed).broken == ()
    assert not judge("GP-602", observed).proven


def test_prompt_without_a_task_relaxes_the_agents_api() -> None:
    """A target whose prompt sets no task may answer in any real words."""
    ours, stranger = healthy_parts()["agents_api"]
    free = replace(ours, sent=(("text", "How can we lower our cloud cost?"),))

    assert judge("GP-507", asking("agents_api", (free, stranger))).proven


def test_message_s_content_of_data_is_compared_as_json() -> None:
    """Content that is data and no prose is put into words."""
    came = exchange(messages(("assistant", {"figures": {"sum": 42}})))

    assert messages_in(came) == (Message("assistant", '{"figures": {"sum": 42}}'),)


def test_role_may_stand_in_the_author() -> None:
    """An author with a role is understood."""
    came = exchange([{"author": {"role": "User"}, "content": ANSWER}])

    assert messages_in(came) == (Message("user", ANSWER),)

"""The conversation without a socket: what is sent, when a step is over, which deadline applies."""

from __future__ import annotations

import json

import pytest

from builders import ANSWER, PROMPT, RUN, THREAD, USER, event, heard, welcome
from pytest_goldenpath.contract.transcript import Entry, Kind, Request
from pytest_goldenpath.journey.asking import Ask
from pytest_goldenpath.journey.conversation import (
    MOST_ENTRIES,
    AwaitRefusal,
    AwaitWelcome,
    Conversation,
    Ping,
)

REQUEST = Request(PROMPT, "execute_agent", THREAD, RUN, "msg-1")


def started() -> Conversation:
    """Open a conversation that has the steps of a journey."""
    steps = (AwaitWelcome(10.0), Ping(5.0), Ask(REQUEST, USER), Ping(2.0, "fence"))
    conversation = Conversation(steps)
    conversation.on_opened(0.0, "")
    return conversation


def asked() -> Conversation:
    """Bring a conversation to where the request has been sent."""
    conversation = started()
    tell(conversation, welcome(0.1), heard({"type": "pong"}, 0.2))
    return conversation


def tell(conversation: Conversation, *entries: Entry) -> list[str]:
    """Let frames arrive; return the labels of what is sent in turn."""
    labels = []
    for entry in entries:
        for message in conversation.take_outgoing():
            conversation.on_sent(entry.at_s, message)
            labels.append(message.label)
        conversation.on_text(entry.at_s, entry.text)
    for message in conversation.take_outgoing():
        conversation.on_sent(entries[-1].at_s if entries else 0.0, message)
        labels.append(message.label)
    return labels


def missed(conversation: Conversation) -> list[str]:
    """Return the labels of the waits that ran into their deadline."""
    return [entry.label for entry in conversation.entries if entry.kind is Kind.MISSED]


def test_nothing_is_sent_before_the_welcome() -> None:
    """The server has a race at the handshake, so the client waits for the welcome."""
    conversation = started()

    assert conversation.take_outgoing() == ()
    assert conversation.deadline_s == 10.0


def test_whole_journey_goes_step_by_step() -> None:
    """Ping after the welcome, request after the pong, fence after the run, then good-bye."""
    conversation = started()
    labels = tell(
        conversation,
        welcome(0.1),
        heard({"type": "pong"}, 0.2),
        event("agent_started", 0.3, agent_name="supervisor"),
        event("agent_completed", 0.4, agent_name="supervisor"),
        heard({"type": "pong"}, 0.5),
    )

    assert labels == ["ping", "request", "fence"]
    assert conversation.finished
    assert conversation.entries[-1].kind is Kind.LEFT


def test_missing_welcome_does_not_end_the_journey() -> None:
    """After the welcome's deadline the journey goes on, to find what else is broken."""
    conversation = started()
    conversation.on_time(10.0)

    assert missed(conversation) == ["welcome"]
    assert [message.label for message in conversation.take_outgoing()] == ["ping"]


def test_request_carries_the_text_under_every_key() -> None:
    """The request can be read by every handler, and has no payload key."""
    conversation = asked()
    sent = [entry for entry in conversation.entries if entry.label == "request"]
    document = json.loads(sent[0].text)

    assert {document[k] for k in ("content", "message", "user_request", "text")} == {PROMPT}
    assert "payload" not in document


def test_sub_agents_do_not_end_the_run() -> None:
    """A sub-agent's completion leaves the supervisor's run open."""
    conversation = asked()
    labels = tell(
        conversation,
        event("agent_started", 0.3, agent_name="supervisor"),
        event("agent_started", 0.4, agent_name="data"),
        event("agent_completed", 0.5, agent_name="data"),
    )

    assert labels == []
    assert conversation.deadline_s == 18.5


def test_sub_agent_that_is_called_orchestrator_does_not_end_the_run() -> None:
    """Who started first leads, whatever the others are called; without a lead the name tells."""
    conversation = asked()
    labels = tell(
        conversation,
        event("agent_started", 0.3, agent_name="supervisor"),
        event("agent_started", 0.4, agent_name="workflow_orchestrator"),
        event("agent_completed", 0.5, agent_name="workflow_orchestrator", result=ANSWER),
    )
    assert (labels, conversation.deadline_s) == ([], 18.5)

    assert tell(conversation, event("agent_completed", 0.6, agent_name="supervisor")) == ["fence"]
    assert tell(asked(), event("agent_completed", 0.5, agent_name="supervisor")) == ["fence"]


def test_completion_that_names_no_agent_ends_the_run() -> None:
    """The manager's shape names the agent at the start only (protocol 4.2)."""
    conversation = asked()
    tell(conversation, event("agent_started", 0.3, agent_name="supervisor"))
    tell(conversation, event("agent_completed", 0.4, agent_name=None, final_response=ANSWER))

    assert conversation.deadline_s == 0.9


def test_second_question_waits_for_the_end_of_the_first() -> None:
    """What nobody answers is not asked twice; after an answer the second one is asked at once."""
    for ends, labels in ((True, ["request", "request"]), (False, ["request", "fence"])):
        first = Ask(REQUEST, USER)
        second = Ask(REQUEST, USER, after=first)
        conversation = Conversation((first, second, Ping(2.0, "fence")))
        conversation.on_opened(0.0, "")
        sent = tell(conversation, event("agent_started", 0.1, agent_name="supervisor"))
        if ends:
            sent += tell(conversation, event("agent_completed", 0.2, agent_name="supervisor"))
        else:
            conversation.on_time(conversation.deadline_s)
            conversation.on_time(conversation.deadline_s)
            sent += tell(conversation)

        assert sent == labels
        assert missed(conversation) == ([] if ends else ["request"])


def test_agent_that_is_announced_again_has_started_once() -> None:
    """A start that is sent again, and says so, leaves one agent to wait for (protocol 4.7.6)."""
    conversation = asked()
    labels = tell(
        conversation,
        event("agent_started", 0.3, agent_name="supervisor"),
        event("agent_started", 0.4, agent_name="supervisor", attempt=2, recovered=True),
        event("agent_completed", 0.5, agent_name="supervisor", result=ANSWER),
    )

    assert labels == ["fence"]


def test_each_question_has_a_flood_of_its_own() -> None:
    """Two long answers on one connection are no flood, one that is twice as long is."""
    steps = (Ask(REQUEST, USER), Ask(REQUEST, USER), Ping(2.0, "fence"))
    chunks = [heard({"type": "stream_chunk", "text": "word"}, 0.1)] * (MOST_ENTRIES * 3 // 5)
    end = event("agent_completed", 0.2, agent_name="supervisor")
    patient, flooded = Conversation(steps), Conversation(steps)
    patient.on_opened(0.0, "")
    flooded.on_opened(0.0, "")

    assert tell(patient, *chunks, end) == ["request", "request"]
    assert tell(patient, *chunks, end) == ["fence"]
    tell(flooded, *chunks, *chunks)
    assert [entry.code for entry in flooded.entries if entry.kind is Kind.CLOSED] == [1009]


def test_run_without_a_supervisor_is_given_time_to_settle() -> None:
    """Agents in a row with nobody above them: the last completion ends the run, not the first."""
    conversation = asked()
    tell(
        conversation,
        event("agent_started", 0.3, agent_name="triage"),
        event("agent_completed", 0.4, agent_name="triage", result="Looked at the bill."),
    )
    after_first = conversation.deadline_s
    tell(conversation, event("agent_started", 0.6, agent_name="report"))
    after_second_start = conversation.deadline_s
    tell(conversation, event("agent_completed", 0.7, agent_name="report", result="It is 42."))
    conversation.on_time(conversation.deadline_s)

    assert (after_first, after_second_start) == (0.9, 18.6)
    assert missed(conversation) == []
    assert [message.label for message in conversation.take_outgoing()] == ["fence"]


def test_silence_between_events_has_a_deadline() -> None:
    """Each event grants another 15 s and a fifth, and never more than 60 s and a fifth in all."""
    conversation = asked()
    deadlines = [conversation.deadline_s]
    for at_s in (10.0, 25.0, 40.0, 50.0, 60.0):
        tell(conversation, event("agent_thinking", at_s, agent_name="supervisor"))
        deadlines.append(conversation.deadline_s)

    assert deadlines == [18.2, 28.0, 43.0, 58.0, 68.0, 72.2]


def test_events_of_somebody_else_grant_no_time() -> None:
    """Another user's events neither end a run nor keep it alive."""
    conversation = asked()
    before = conversation.deadline_s
    tell(conversation, event("agent_completed", 3.0, agent_name="supervisor", user_id="other"))

    assert conversation.deadline_s == before
    assert not conversation.finished


def test_final_failure_ends_the_run() -> None:
    """An agent that died is given a moment, for others may go on, and is not waited for."""
    conversation = asked()
    tell(conversation, heard({"type": "agent_death"}, 0.3))
    deadline_s = conversation.deadline_s
    conversation.on_time(deadline_s)

    assert deadline_s == 0.8
    assert [message.label for message in conversation.take_outgoing()] == ["fence"]


def test_completion_without_an_answer_is_waited_on() -> None:
    """An agent that completes without a text may be followed by one that answers."""
    conversation = asked()
    tell(
        conversation,
        event("agent_started", 0.3, agent_name="triage"),
        event("agent_completed", 0.4, agent_name="triage"),
    )

    assert conversation.deadline_s == 18.4


@pytest.mark.parametrize("frame", ['{"type":"connect"}', '{"type":"ack"}', '{"type":"pong"}'])
def test_stranger_who_is_served_is_not_waited_for(frame: str) -> None:
    """Being let in ends the wait for a refusal at once."""
    conversation = Conversation((AwaitRefusal(3.0),))
    conversation.on_opened(0.0, "")
    conversation.on_text(0.1, frame)

    assert conversation.finished


def test_error_frame_gives_the_target_time_to_close() -> None:
    """After the first error frame the target has two seconds to close, and not more after others."""
    conversation = Conversation((AwaitRefusal(3.0),))
    conversation.on_opened(0.0, "")
    conversation.on_text(0.5, '{"type":"error_message"}')
    conversation.on_text(1.5, '{"type":"error_message"}')

    assert conversation.deadline_s == 2.5
    assert not conversation.finished


def test_flood_of_bytes_is_cut_off() -> None:
    """More text than any honest run sends ends the conversation."""
    conversation = asked()
    for _ in range(5):
        if not conversation.finished:
            conversation.on_text(1.0, json.dumps({"type": "ack", "text": "x" * 500_000}))

    assert conversation.finished
    assert conversation.entries[-1].code == 1009


def test_flood_of_frames_is_cut_off() -> None:
    """More frames than any honest run has end the conversation."""
    conversation = asked()
    for number in range(MOST_ENTRIES):
        if not conversation.finished:
            conversation.on_text(1.0 + number / 1e6, '{"type":"ack"}')

    assert conversation.finished
    assert conversation.entries[-1].code == 1009
    assert len(conversation.entries) <= MOST_ENTRIES + 1

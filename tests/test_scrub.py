"""Finished data is cut once more, when every secret is known."""

from __future__ import annotations

from builders import exchange, journey, survey
from pytest_goldenpath.secrets import Redactor, Secret, scrub

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1LTEyMyJ9.c2lnbmF0dXJlLW9mLXRoaXMtdG9rZW4"


def test_secret_learnt_late_is_cut_out() -> None:
    """An answer that held a token before we knew it does not keep it, nor a part of it."""
    redactor = Redactor()
    observed = survey(health=(exchange({"status": "ok", "echo": TOKEN.rpartition(".")[2]}),))
    redactor.learn(Secret(TOKEN))

    assert TOKEN.rpartition(".")[2] not in str(scrub(observed, redactor))


def test_data_without_secrets_stays_as_it_is() -> None:
    """What holds no secret is the same data afterwards."""
    observed = survey(journey=journey())

    assert scrub(observed, Redactor()) == observed

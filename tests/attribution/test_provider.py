"""A provider's failure is told by structured fields, and by nothing that merely reads like it."""

from __future__ import annotations

import pytest

from pytest_goldenpath.contract.findings import Attribution
from pytest_goldenpath.contract.frames import Frame, Sort
from pytest_goldenpath.contract.ruling import blame_for_failure

UPSTREAM, PRODUCT = Attribution.UPSTREAM, Attribution.PRODUCT
FRAMES = {
    "429": ({"data": {"provider": "gemini", "status_code": 429}}, UPSTREAM, "E4-39"),
    "digits": ({"data": {"provider": "gemini", "status_code": "529"}}, UPSTREAM, "E4-39"),
    "500": ({"error": {"upstream": "openai", "http_status": 500}}, UPSTREAM, "E4-39"),
    "nested": (
        {"payload": {"data": {"error": {"provider": "x", "details": {"status_code": 503}}}}},
        UPSTREAM,
        "E4-39",
    ),
    "object": ({"data": {"provider": {"name": "x", "status_code": 503}}}, UPSTREAM, "E4-39"),
    "error": ({"provider": "x", "provider_error": {"provider_code": 429}}, UPSTREAM, "E4-39"),
    "401": ({"data": {"provider": "gemini", "status_code": 401}}, PRODUCT, "E4-40"),
    "403": ({"data": {"llm_provider": "gemini", "provider_status": "403"}}, PRODUCT, "E4-40"),
    "400": ({"data": {"provider": "gemini", "status_code": 400}}, PRODUCT, ""),
    "no name": ({"data": {"status_code": 429}}, PRODUCT, ""),
    "blank name": ({"data": {"provider": "", "status_code": 429}}, PRODUCT, ""),
    "no code": ({"data": {"provider": "gemini"}}, PRODUCT, ""),
    "flag": ({"data": {"provider": True, "status_code": 429}}, PRODUCT, ""),
    "own code": ({"status_code": 500, "data": {"error": {"provider": "x"}}}, PRODUCT, ""),
    "prose": ({"data": {"message": "openai said 429 rate limit", "code": 429}}, PRODUCT, ""),
    "prose in a code": ({"data": {"provider": "x", "status_code": "429 busy"}}, PRODUCT, ""),
    "strange digits": ({"data": {"provider": "x", "status_code": "٤٢٩"}}, PRODUCT, ""),
    "huge": ({"data": {"provider": "x", "status_code": 10**30}}, PRODUCT, ""),
}


@pytest.mark.parametrize(("document", "whose", "row"), FRAMES.values(), ids=FRAMES)
def test_failure_frame(document: dict[str, object], whose: Attribution, row: str) -> None:
    """Only a provider that is named beside or above a numeric code of its own is to blame."""
    decided = blame_for_failure(Frame(Sort.FAILURE, "agent_error", document))

    assert (decided.attribution, decided.row) == (whose, row)


def test_refused_load_wins() -> None:
    """Where a frame tells of several codes, the one that excuses is looked for in all of them."""
    codes = {"provider": "x", "provider_status": 401, "status_code": 429}
    decided = blame_for_failure(Frame(Sort.FAILURE, "agent_error", {"data": codes}))

    assert decided.row == "E4-39"


def test_endless_nesting_ends() -> None:
    """A frame that nests without an end is walked a few steps deep."""
    document: dict[str, object] = {"status_code": 429}
    for _ in range(500):
        document = {"data": document, "provider": "x"}

    assert blame_for_failure(Frame(Sort.FAILURE, "error", document)).attribution is PRODUCT

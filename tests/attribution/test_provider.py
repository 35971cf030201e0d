"""A provider's failure is told by structured fields, and by nothing that merely reads like it."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

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
    "code": ({"provider": "anthropic", "code": 529}, UPSTREAM, "E4-39"),
    "error code": ({"data": {"provider": "x", "error_code": "529"}}, UPSTREAM, "E4-39"),
    "status": ({"error": {"provider": "x", "status": 529}}, UPSTREAM, "E4-39"),
    "code below": ({"upstream": "x", "error": {"code": 503}}, UPSTREAM, "E4-39"),
    "words beside": (
        {"data": {"provider": "x", "status": "error", "error_code": "LLM_BUSY", "code": 429}},
        UPSTREAM,
        "E4-39",
    ),
    "401": ({"data": {"provider": "gemini", "status_code": 401}}, PRODUCT, "E4-40"),
    "403": ({"data": {"llm_provider": "gemini", "provider_status": "403"}}, PRODUCT, "E4-40"),
    "400": ({"data": {"provider": "gemini", "status_code": 400}}, PRODUCT, ""),
    "no name": ({"data": {"status_code": 429}}, PRODUCT, ""),
    "blank name": ({"data": {"provider": "", "status_code": 429}}, PRODUCT, ""),
    "no code": ({"data": {"provider": "gemini"}}, PRODUCT, ""),
    "flag": ({"data": {"provider": True, "status_code": 429}}, PRODUCT, ""),
    "code without a name": ({"error": {"code": 529, "error_code": 503}}, PRODUCT, ""),
    "code above": ({"code": 529, "status": 503, "error": {"provider": "x"}}, PRODUCT, ""),
    "code elsewhere": ({"data": {"provider": "x"}, "error": {"code": 529}}, PRODUCT, ""),
    "code of the product": ({"data": {"provider": "x", "error_code": 1529}}, PRODUCT, ""),
    "word": ({"data": {"provider": "x", "error_code": "E529", "status": "failed"}}, PRODUCT, ""),
    "share": ({"data": {"provider": "x", "status": 529.5}}, PRODUCT, ""),
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


NAMES = st.sampled_from(["provider", "upstream", "llm_provider", "upstream_provider"])
KEYS = st.sampled_from(["code", "error_code", "status", "status_code", "provider_status"])
PATHS = st.lists(st.sampled_from(["data", "payload", "details", "error"]), max_size=3)
CODES = st.one_of(st.integers(), st.integers().map(str), st.text(max_size=4), st.booleans())
KNOWN = frozenset({429, *range(500, 600)})


def below(path: list[str], inner: dict[str, object]) -> dict[str, object]:
    """Return a document with this object at the end of a path."""
    for key in reversed(path):
        inner = {key: inner}
    return inner


@given(path=PATHS, name=NAMES, key=KEYS, code=st.sampled_from(sorted(KNOWN)), text=st.booleans())
def test_known_code_beside_a_name_is_upstream(
    path: list[str], name: str, key: str, code: int, text: bool
) -> None:
    """Wherever a provider and its refusal stand together, it is to blame, in digits as well."""
    document = below(path, {name: "anthropic", key: str(code) if text else code})
    decided = blame_for_failure(Frame(Sort.FAILURE, "agent_error", document))

    assert (decided.attribution, decided.row) == (UPSTREAM, "E4-39")


@given(path=PATHS, key=KEYS, code=st.one_of(CODES, st.sampled_from(sorted(KNOWN))))
def test_code_without_a_name_is_the_products(path: list[str], key: str, code: object) -> None:
    """No code says of itself whose it is."""
    frame = Frame(Sort.FAILURE, "agent_error", below(path, {key: code, "message": "provider"}))

    assert blame_for_failure(frame).attribution is PRODUCT


@given(path=PATHS, name=NAMES, key=KEYS, code=CODES)
def test_code_of_another_kind_is_the_products(
    path: list[str], name: str, key: str, code: object
) -> None:
    """A number that no provider refuses with is one of the product's own."""
    assume(str(code) not in map(str, KNOWN))
    frame = Frame(Sort.FAILURE, "agent_error", below(path, {name: "anthropic", key: code}))

    assert blame_for_failure(frame).attribution is PRODUCT


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

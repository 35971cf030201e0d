"""The attribution table: structure decides, and the unknown depends on readiness."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_goldenpath.contract.attribution import attribute
from pytest_goldenpath.contract.findings import Attribution
from pytest_goldenpath.contract.symptom import Kind, Symptom

INFRA, PRODUCT = Attribution.INFRASTRUCTURE, Attribution.PRODUCT
HARNESS, CAPACITY = Attribution.HARNESS, Attribution.CAPACITY
TABLE = [
    (Symptom(Kind.HTTP_STATUS, "p", status=502), INFRA, INFRA, "E4-2"),
    (Symptom(Kind.HTTP_STATUS, "p", status=503), INFRA, INFRA, "E4-3"),
    (Symptom(Kind.HTTP_STATUS, "p", status=503, app_made=True), INFRA, PRODUCT, "E4-4"),
    (Symptom(Kind.HTTP_STATUS, "p", status=504), INFRA, INFRA, "E4-5"),
    (Symptom(Kind.REFUSED, "p"), INFRA, INFRA, "E4-12"),
    (Symptom(Kind.RESET, "p"), INFRA, INFRA, "E4-13"),
    (Symptom(Kind.DNS_TEMPORARY, "p"), INFRA, INFRA, "E4-14"),
    (Symptom(Kind.DNS_UNKNOWN, "p"), HARNESS, HARNESS, "E4-15"),
    (Symptom(Kind.TLS_HANDSHAKE, "p"), INFRA, INFRA, "E4-16"),
    (Symptom(Kind.TLS_CERTIFICATE, "p"), PRODUCT, PRODUCT, "E4-17"),
    (Symptom(Kind.CONNECT_TIMEOUT, "p"), INFRA, INFRA, "E4-18"),
    (Symptom(Kind.ANSWER_TIMEOUT, "p"), INFRA, PRODUCT, "E4-19"),
    (Symptom(Kind.WS_CLOSE, "p", code=1001), INFRA, INFRA, "E4-23"),
    (Symptom(Kind.WS_CLOSE, "p", code=1013), CAPACITY, CAPACITY, "E4-31"),
    (Symptom(Kind.BUDGET, "p"), HARNESS, HARNESS, "E4-46"),
    (Symptom(Kind.PROTOCOL, "p"), INFRA, PRODUCT, "unknown"),
]


@pytest.mark.parametrize(
    ("symptom", "before", "after", "row"), TABLE, ids=[f"{r[3]}-{r[0].kind}" for r in TABLE]
)
def test_each_row_decides_before_and_after_readiness(
    symptom: Symptom, before: Attribution, after: Attribution, row: str
) -> None:
    """Each symptom is attributed as the table says, and names its row."""
    from dataclasses import replace

    ready = replace(symptom, ready=True)

    assert (attribute(symptom).attribution, attribute(ready).attribution) == (before, after)
    assert attribute(symptom).row == row


@given(st.builds(Symptom, st.sampled_from(Kind), st.just("p"), ready=st.booleans()), st.text())
def test_free_text_changes_nothing(symptom: Symptom, detail: str) -> None:
    """What a symptom says in prose never changes whose trouble it is."""
    from dataclasses import replace

    assert attribute(replace(symptom, detail=detail, where=detail)) == attribute(symptom)

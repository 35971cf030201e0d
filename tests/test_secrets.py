"""A secret never shows itself, and is cut out of any text in every form in which it travels."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from dataclasses import asdict
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_goldenpath.secrets import Redactor, Secret
from pytest_goldenpath.target.model import PasswordLogin

#: No star, because the mask is made of stars; no surrogates, because no wire carries them.
VALUES = st.text(
    st.characters(codec="utf-8", exclude_characters="*", exclude_categories=["Cs"]),
    min_size=4,
    max_size=40,
)
FORMS: dict[str, Callable[[str], str]] = {
    "as-it-is": str,
    "percent-encoded": lambda value: quote(value, safe=""),
    "json": lambda value: json.dumps(value)[1:-1],
    "json-unicode": lambda value: json.dumps(value, ensure_ascii=False)[1:-1],
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64-unpadded": lambda value: base64.b64encode(value.encode()).decode().rstrip("="),
    "base64url": lambda value: base64.urlsafe_b64encode(value.encode()).decode(),
    "base64url-unpadded": lambda v: base64.urlsafe_b64encode(v.encode()).decode().rstrip("="),
}


@pytest.mark.parametrize(
    "show",
    [
        str,
        repr,
        "{}".format,
        "{!r}".format,
        "{:>12}".format,
        lambda secret: "%s %r" % (secret, secret),  # noqa: UP031  # as logging does it
        lambda secret: repr([secret]),
        lambda secret: repr(PasswordLogin("ada@example.com", secret)),
        lambda secret: repr(asdict(PasswordLogin("ada@example.com", secret))),
    ],
    ids=["str", "repr", "format", "conversion", "width", "percent", "list", "dataclass", "asdict"],
)
def test_secret_shows_a_mask(show: Callable[[Secret], str]) -> None:
    """However a secret is printed, three stars are seen."""
    shown = show(Secret("hunter22"))

    assert "***" in shown
    assert "hunter22" not in shown


def test_secret_is_revealed_on_purpose_only() -> None:
    """Revealing is a method of its own, and JSON refuses the object."""
    secret = Secret("hunter22")

    assert secret.reveal() == "hunter22"
    with pytest.raises(TypeError):
        json.dumps({"password": secret})


@given(one=st.text(), other=st.text())
def test_secrets_compare_by_value(one: str, other: str) -> None:
    """Two secrets are equal, and hash alike, when their values are equal; an empty one is false."""
    assert (Secret(one) == Secret(other)) is (one == other)
    assert hash(Secret(one)) == hash(Secret(one))
    assert bool(Secret(one)) is bool(one)
    assert Secret(one) != one


@pytest.mark.parametrize("form", list(FORMS))
@given(value=VALUES, before=st.sampled_from(["", "token=", "a b "]), after=st.just("&c"))
def test_every_form_is_cut_out(form: str, value: str, before: str, after: str) -> None:
    """A known secret is replaced in each form in which it may travel."""
    travelling = FORMS[form](value)
    redactor = Redactor()
    redactor.learn(Secret(value))

    assert redactor.redact(f"{before}{travelling}{after}") in {
        f"{before}***{after}",
        redactor.redact(before) + "***" + redactor.redact(after),
    }


def test_signature_of_a_token_is_cut_out() -> None:
    """The part of a token that makes it valid is hidden, also when it stands alone."""
    redactor = Redactor()
    redactor.learn(Secret("eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl"))

    assert redactor.redact("signed with c2lnbmF0dXJl") == "signed with ***"


def test_unknown_token_is_cut_out() -> None:
    """Whatever looks like a JWT is hidden, although nobody has told of it."""
    assert Redactor().redact("got eyJhbGciOi.eyJzdWIiOi.c2ln end") == "got *** end"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("xeyJhbGciOi.eyJzdWIiOi.c2ln", "x***"),
        ("a.b.eyJhbGciOi.eyJzdWIiOi.c2ln.rest", "a.b.***.rest"),
        ("eyJeyJhbGciOi.eyJzdWIiOi.", "***"),
        ("eyJ.eyJ.c2ln", "eyJ.eyJ.c2ln"),
    ],
)
def test_unknown_token_is_found_wherever_it_begins(text: str, shown: str) -> None:
    """What stands around a token stays, and a word that only begins like one."""
    assert Redactor().redact(text) == shown


@pytest.mark.parametrize("flood", ["eyJ", "eyJhbGci.", "eyJhbGciOi.eyJhbGciOi", "-"])
def test_no_text_makes_redacting_slow(flood: str) -> None:
    """A megabyte of what nearly is a token takes a moment, not an hour."""
    started = time.process_time()
    Redactor().redact(flood * (1_000_000 // len(flood)))

    assert time.process_time() - started < 2.0


def test_longer_secret_is_cut_out_first() -> None:
    """A secret that contains another leaves no rest behind."""
    redactor = Redactor()
    redactor.learn(Secret("hunter"))
    redactor.learn(Secret("hunter-and-more"))

    assert redactor.redact("hunter-and-more, hunter") == "***, ***"


@given(text=st.text(max_size=60))
def test_short_and_empty_secrets_blot_nothing_out(text: str) -> None:
    """A value too short to be a secret leaves ordinary text as it is."""
    plain, learned = Redactor(), Redactor()
    learned.learn(Secret(""))
    learned.learn(Secret("abc"))

    assert learned.redact(text) == plain.redact(text)


@given(values=st.lists(VALUES, max_size=4), text=st.text(max_size=80))
def test_redacting_never_leaves_a_secret(values: list[str], text: str) -> None:
    """Whatever the text and however many secrets there are, none is left in it."""
    redactor = Redactor()
    for value in values:
        redactor.learn(Secret(value))

    redacted = redactor.redact(text.join(values))

    assert not any(value in redacted for value in values)

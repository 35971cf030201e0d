"""A secret never shows itself, and is cut out of any text in every form in which it travels."""

from __future__ import annotations

import base64
import html
import json
import textwrap
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_goldenpath.secrets import Redactor, Secret, Vault
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
    "form": quote_plus,
    "repr": lambda value: repr(value)[1:-1],
    "repr-of-bytes": lambda value: repr(value.encode())[2:-1],
    "unicode-escape": lambda value: value.encode("unicode_escape").decode(),
    "html": html.escape,
    "hex": lambda value: value.encode().hex().upper(),
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


LONG = "sk-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGH"


def knowing(*values: str) -> Redactor:
    """Return a redactor that knows these values."""
    redactor = Redactor()
    for value in values:
        redactor.learn(Secret(value))
    return redactor


@pytest.mark.parametrize("before", ["", "u", "us", "ada@example.com:"])
@pytest.mark.parametrize("value", ["hunter22", "p@ss w\u00f6rd", LONG])
def test_base64_of_a_longer_text_is_cut_out(before: str, value: str) -> None:
    """A secret inside what was encoded is found at each alignment, as in basic authentication."""
    encoded = base64.b64encode(f"{before}{value}:more".encode()).decode()
    redacted = knowing(value).redact(f"Basic {encoded}")
    left = "".join(part for part in redacted.removeprefix("Basic ").split("***"))

    assert "***" in redacted
    assert len(left) <= len(encoded) - len(value)


@pytest.mark.parametrize("begin", range(0, len(LONG) - 23, 5))
def test_part_of_a_long_secret_is_cut_out(begin: int) -> None:
    """A part is cut out whole, wherever it begins; nothing of it is left."""
    assert knowing(LONG).redact(f"a {LONG[begin : begin + 23]} b") == "a *** b"


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ("{'password': 'correct hor...'}", "{'password': '***...'}"),
        ("'...se battery'", "'...***'"),
        ("wait ... done", "wait ... done"),
        (f"{LONG[:14]}...{LONG[-14:]}", "***...***"),
    ],
)
def test_what_an_ellipsis_leaves_is_cut_out(shown: str, expected: str) -> None:
    """A printer that cuts long texts leaves no telling part of a secret."""
    assert knowing("correct horse battery", LONG).redact(shown) == expected


@pytest.mark.parametrize("value", [LONG, "correct horse battery"])
@pytest.mark.parametrize("margin", ["", "    ", "E       ", "E       +     "])
def test_secret_that_goes_on_in_the_next_line_is_cut_out(value: str, margin: str) -> None:
    """Line ends and margins stay, and what stands between them does not."""
    lines = textwrap.wrap(value, 12, drop_whitespace=False)
    shown = "\n".join(["first", *(f"{margin}{line}" for line in lines), "last"])
    redacted = knowing(value).redact(shown)

    assert redacted.split("\n")[:1] + redacted.split("\n")[-1:] == ["first", "last"]
    assert redacted.count("\n") == shown.count("\n")
    assert not any(line.strip() in redacted for line in lines)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("with hunter22 in it", True),
        (f"with {LONG[3:30]} in it", True),
        (f"{LONG[:20]}\n{LONG[20:]}", True),
        ("a password is asked for", False),
        ("hunter2 2", False),
        ("got eyJhbGciOi.eyJzdWIiOi.c2ln, nobody's", False),
    ],
)
def test_only_what_is_no_ordinary_word_is_a_leak(text: str, found: bool) -> None:
    """Plain words and strangers' tokens are cut out of reports, and accuse no file."""
    assert knowing("hunter22", LONG, "password").holds(text) is found


def test_repeated_and_touching_secrets_are_cut_out() -> None:
    """One mask for each, none left over."""
    assert knowing(LONG, "hunter22").redact(f"{LONG}{LONG}hunter22") in {"*********", "***"}


def test_processes_tell_each_other_their_secrets(tmp_path: Path) -> None:
    """What one has learnt the other hears once, and no file holds it in clear."""
    one, other = Vault(tmp_path, b"key"), Vault(tmp_path, b"key")
    one._own = tmp_path / "learnt-1"
    redactor = Redactor()
    redactor.on_learn = one.tell
    redactor.learn(Secret("hunter22"))
    redactor.learn(Secret("hunter22"))
    (tmp_path / "learnt-2").write_bytes(b"in the middle of a l")
    heard = Redactor()
    heard.hear(other.hear())

    assert heard.redact("hunter22") == "***"
    assert list(other.hear()) == []
    assert b"hunter22" not in (tmp_path / "learnt-1").read_bytes()
    assert (tmp_path / "learnt-1").stat().st_mode & 0o077 == 0
    assert len((tmp_path / "learnt-1").read_text().splitlines()) == 1


@given(text=st.text())
def test_sealed_text_comes_back(text: str) -> None:
    """Whoever has the key reads what was sealed; nobody else does."""
    vault = Vault(Path("nowhere"), b"key")

    assert vault.unseal(vault.seal(text)) == text
    assert vault.seal(text) != vault.seal(text)


def test_vault_of_a_run_that_is_over_is_silent(tmp_path: Path) -> None:
    """Whoever learns a secret when the folder is gone has nobody to tell."""
    Vault(tmp_path / "gone", b"key").tell(Secret("hunter22"))

    assert list(tmp_path.iterdir()) == []

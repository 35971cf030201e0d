"""A secret is cut out however a stranger spells it, and what only looks like one stays."""

from __future__ import annotations

import base64
import html
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_goldenpath.plugin.leaks import holds_secret
from pytest_goldenpath.secrets import Redactor, Secret

#: No star, because the mask is made of them; a digit, because plain words are no secrets.
VALUES = st.builds(
    "{}7{}".format,
    st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="*"), min_size=7),
    st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="*")),
)
AROUND = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12)
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1LTEyMyIsImp0aSI6IjBmMGYwZjBmIn0.c2lnbmF0dXJlLW9m-dGhpcw"
TICKET, PASSWORD = "t7Q-x2Zk", "p@ss 'w\"ord\\ 7"

Spell = Callable[[str], str]


def each(pattern: str) -> Spell:
    """Return a spelling of every character by its number."""
    return lambda value: "".join(pattern.format(ord(character)) for character in value)


def parted(separator: str, size: int) -> Spell:
    """Return a spelling in parts."""
    return lambda v: separator.join(v[at : at + size] for at in range(0, len(v), size))


def written(text: str) -> str:
    """Write a text as JSON does, without the quotation marks."""
    return json.dumps(text)[1:-1]


def read(text: str) -> str:
    """Read the escapes of a program's or a JSON text."""
    return re.sub(
        r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([0-7]{3})|(.))",
        lambda m: (
            chr(int(m[1] or m[2] or m[3], 8 if m[3] else 16))
            if not m[4]
            else {"n": "\n", "r": "\r", "t": "\t"}.get(m[4], m[4])
        ),
        text,
    )


def dense(text: str) -> str:
    """Return a text without its white space."""
    return re.sub(r"[\s\u200b]", "", text)


class Spelling(NamedTuple):
    """How a value is spelled, how a reader who knows that reads a text, what stands around it."""

    spell: Spell
    read: Spell
    around: Spell = str


SPELLINGS = {
    "lines": Spelling(parted("\n", 6), dense),
    "lines of windows": Spelling(parted("\r\n    ", 3), dense),
    "a character a line": Spelling(parted("\n", 1), dense),
    "spelled out": Spelling(parted(" ", 1), dense),
    "lines in json": Spelling(
        lambda v: written(parted("\n", 6)(v)), lambda t: dense(read(t)), written
    ),
    "tabs in json": Spelling(
        lambda v: written(parted("\t", 2)(v)), lambda t: dense(read(t)), written
    ),
    "lines in json in json": Spelling(
        lambda v: written(written(parted("\n", 5)(v))),
        lambda t: dense(read(read(t))),
        lambda t: written(written(t)),
    ),
    "lines in percent": Spelling(
        lambda v: quote(parted("\r\n", 15)(v)), lambda t: dense(unquote(t)), quote
    ),
    "lines in entities": Spelling(
        lambda v: html.escape(parted("\n", 7)(v)).replace("\n", "&#10;"),
        lambda t: dense(html.unescape(t)),
        html.escape,
    ),
    "invisible in json": Spelling(
        lambda v: written(parted("\u200b", 8)(v)), lambda t: dense(read(t)), written
    ),
    "percent": Spelling(each("%{:02x}"), unquote),
    "percent, capitals": Spelling(each("%{:02X}"), unquote),
    "percent twice": Spelling(each("%25{:02x}"), lambda t: unquote(unquote(t))),
    "percent three times": Spelling(each("%2525{:02X}"), lambda t: unquote(unquote(unquote(t)))),
    "unicode escapes": Spelling(each("\\u{:04x}"), read),
    "unicode escapes, capitals": Spelling(each("\\u{:04X}"), read),
    "unicode escapes in json": Spelling(each("\\\\u{:04x}"), lambda t: read(read(t))),
    "byte escapes": Spelling(each("\\x{:02x}"), read),
    "octal": Spelling(each("\\{:03o}"), read),
    "entities": Spelling(each("&#{};"), html.unescape),
    "long entities": Spelling(each("&#{:05};"), html.unescape),
    "entities in hex": Spelling(each("&#x{:x};"), html.unescape),
    "entities in entities": Spelling(
        each("&amp;#x{:X};"), lambda t: html.unescape(html.unescape(t))
    ),
    "percent of escapes": Spelling(
        lambda v: quote(each("\\u{:04x}")(v)), lambda t: read(unquote(t))
    ),
    "escapes in lines": Spelling(
        lambda v: parted("\n", 6)(each("\\u{:04x}")(v)), lambda t: read(dense(t))
    ),
    "quoted-printable": Spelling(
        each("={:02X}"),
        lambda t: re.sub("=([0-9A-F]{2})", lambda m: chr(int(m[1], 16)), t),
        lambda t: t.replace("=", "=3D"),
    ),
    "lines of a mail": Spelling(
        lambda v: parted("=\r\n", 7)(v.replace("=", "=3D")),
        lambda t: t.replace("=\r\n", "").replace("=3D", "="),
        lambda t: t.replace("=", "=3D"),
    ),
    "backwards": Spelling(lambda v: v[::-1], lambda t: t[::-1]),
}


def knowing(*values: str) -> Redactor:
    """Return a redactor that knows these values."""
    redactor = Redactor()
    for value in values:
        redactor.learn(Secret(value))
    return redactor


@pytest.mark.parametrize("name", SPELLINGS)
@given(value=VALUES, before=AROUND, after=AROUND)
def test_no_spelling_of_a_secret_is_left(name: str, value: str, before: str, after: str) -> None:
    """Whoever reads what is left, knowing how it was spelled, does not find the value."""
    spelling, redactor = SPELLINGS[name], knowing(value)
    text = f"{spelling.around(before)}{spelling.spell(value)}{spelling.around(after)}"

    assert value not in spelling.read(redactor.redact(text))
    assert redactor.holds(text)


@pytest.mark.parametrize("name", SPELLINGS)
@pytest.mark.parametrize("value", [TOKEN, TICKET, PASSWORD], ids=["token", "ticket", "password"])
def test_what_stands_around_stays(name: str, value: str) -> None:
    """Nothing but the value is cut, and no line end gets lost."""
    text = f'{{"before": 1, "echo": "{SPELLINGS[name].spell(value)}", "after": 2}}'
    redacted = knowing(TOKEN, TICKET, PASSWORD).redact(text)

    assert redacted.startswith('{"before": 1, "echo": "***')
    assert redacted.endswith('***", "after": 2}')
    assert redacted.count("\n") == text.count("\n")
    assert re.sub(r"[\s*]", "", redacted[23:-14]) == ""


@given(
    values=st.lists(VALUES.filter(lambda value: len(value) < 16), min_size=1, max_size=3),
    # Each value has a seven; parts of them beside an ellipsis are another matter.
    text=st.text(
        st.characters(codec="utf-8", exclude_categories=["Cs", "Nd"], exclude_characters=".\u2026")
    ),
)
def test_text_without_a_secret_stays(values: list[str], text: str) -> None:
    """Nothing is cut from a text that spells no value."""
    assert knowing(*values).redact(text) == Redactor().redact(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("hunter22", "the hunter 22 went on"),
        ("Theropes8", "of the ropes 8 are left"),
        ("password", "the pass word of the day, \\u0070 or %70"),
        ("notebook12", "note book 12, and note  book\t12"),
        ("n0tebook", "C:\\n0te\\book, \\n0te"),
        ("discount100", "a 100% discount, 100 times"),
        ("agentstarted1", '{"type": "agent", "started": 1, "agent": "started\\n1"}'),
        (TOKEN, "eyJhbGciOiJIUzI1NiJ9 is how many of them begin"),
        ("%41%42%43%44", "ABCD, and &#65;&#66;"),
        ("it is I 7", "it isI7? no: itisI7"),
    ],
)
def test_ordinary_words_stay(value: str, text: str) -> None:
    """Words that make a value by chance, or its escapes read once too often, are not cut."""
    redactor = knowing(value)

    assert "***" not in redactor.redact(text.replace(TOKEN.partition(".")[0], ""))
    assert not redactor.holds(text.replace(TOKEN.partition(".")[0], ""))


@pytest.mark.parametrize("value", ["pässwörd-7", "schlüssel\U0001f511-77", "密码密码密码密码"])
@pytest.mark.parametrize(
    "spell",
    [
        lambda v: written(written(v)),
        lambda v: "".join(f"%{byte:02x}" for byte in v.encode()),
        lambda v: "".join(f"\\x{byte:02x}" for byte in v.encode()),
        each("&#{};"),
        each("\\u{{{:x}}}"),
        "\u200b".join,
        lambda v: "".join(f"={byte:02X}" for byte in v.encode()),
        lambda v: ", ".join(map(str, v.encode())),
    ],
    ids=["json", "percent", "bytes", "entities", "braces", "invisible", "mail", "list"],
)
def test_other_alphabets_are_spelled_too(value: str, spell: Spell) -> None:
    """Escapes are read by character, by byte and by UTF-16; invisible characters are gaps."""
    assert set(knowing(value).redact(f"a {spell(value)} b")) <= set("a *b")


@pytest.mark.parametrize("value", [TOKEN, TICKET, PASSWORD], ids=["token", "ticket", "password"])
@pytest.mark.parametrize("indent", [None, 2])
def test_bytes_of_a_list_are_read(value: str, indent: int | None) -> None:
    """A list of the bytes of a value is cut, and no other numbers are."""
    told = {"echo": list(value.encode()), "sizes": [12, 250, 7, 1024], "ends": 3}
    text = json.dumps(told, indent=indent)
    redacted = knowing(value).redact(text)

    assert re.sub(r"[\s*]", "", redacted) == '{"echo":[],"sizes":[12,250,7,1024],"ends":3}'
    assert knowing(value).holds(text)


@pytest.mark.parametrize("value", [TOKEN, TICKET, PASSWORD], ids=["token", "ticket", "password"])
@pytest.mark.parametrize("gap", ["", "\n", "\\n"])
def test_encodings_are_found_with_gaps(value: str, gap: str) -> None:
    """What is encoded as a whole is known in parts as well, in base32 and twice in base64."""
    plain = base64.b64encode(value.encode())
    for encoded in (plain, base64.b64encode(plain), base64.b32encode(value.encode())):
        text = parted(gap, 12)(encoded.decode().rstrip("="))
        assert re.sub(r"[\s*]", "", knowing(value).redact(f"a {text} b")) == "ab"


@pytest.mark.parametrize(
    "flood",
    [
        "%25",
        "%",
        "%a",
        "\\",
        "\\\\u",
        "\\n",
        "&amp;",
        "&#",
        "&amp;#97;",
        "=4c",
        "1,",
        "7",
        TOKEN,
        f"{TOKEN[:30]} ",
    ],
)
def test_no_text_makes_the_search_slow(flood: str) -> None:
    """What looks like a spelling costs in proportion to its length, however it is nested."""
    redactor = knowing(TICKET, PASSWORD, *(f"{TOKEN}{number}" for number in range(20)))

    def spent_s(length: int) -> float:
        text = flood * (length // len(flood))
        began_s = time.process_time()
        redactor.redact(text)
        return time.process_time() - began_s

    short_s, long_s = (min(spent_s(length) for _ in range(2)) for length in (40_000, 160_000))

    # Four times the length; the square of it would be sixteen.
    assert long_s < 9 * short_s + 0.05


def test_file_with_a_spelled_secret_is_found(tmp_path: Path) -> None:
    """The last look knows the spellings, also where a file is read in two parts."""
    path = tmp_path / "log"
    spelled = each("\\\\u{:04x}")(TOKEN).encode()
    path.write_bytes(b"x" * (4_194_304 - 100) + spelled + b"y" * 10)
    healthy = tmp_path / "healthy"
    healthy.write_text("\\u0061 " * 1000)

    assert holds_secret(path, knowing(TOKEN))
    assert not holds_secret(healthy, knowing(TOKEN))

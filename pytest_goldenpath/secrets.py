"""A type for secrets that never shows its value, the register that cuts them out, and the vault.

Secrets are known by their values. Nothing here writes a value to a file but sealed.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import html
import json
import os
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import quote, quote_plus

from pytest_goldenpath.spelling import TELLING, Span, Spellings, agreement, fold

MASK: Final = "***"
#: Shorter values would blot out ordinary words; such a password is refused as a setting.
SHORTEST = 4
_JWT_DOTS = 2
#: The head of a JWT is the same for all, and shorter parts would blot out ordinary words.
_SEGMENT = 24
#: How much of a long value is recognised wherever it stands, and how far apart such pieces begin.
_PIECE, _STRIDE = 16, 8
_TOKEN = re.compile(r"[A-Za-z0-9_.~+/=%-]+")
_RUN = re.compile(rf"[A-Za-z0-9_.~+/=%-]{{{_PIECE},}}")
_JWT_HEAD = "eyJ"
#: It begins at the begin of a word and gives nothing back, so that no text makes it slow.
_JWT = re.compile(r"(?<![\w-])(?=[\w-]*?(eyJ[\w-]{6}))[\w-]++\.[\w-]{6,}+\.[\w-]*+")
_ELLIPSIS = re.compile(r"\.{3}|\u2026")
#: What a printer of long values puts before each further line: pytest's margin, a bytes literal.
_LEAD = re.compile(r"""[ \t]*(?:[e>|][ \t]+)?(?:[+-][ \t]+)?(?:b?['"])?""")
_NONCE = 16


class Secret:
    """A password, token or key; it prints ``***`` wherever it is printed."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        """Take the value that must not be shown."""
        self._value = value

    def reveal(self) -> str:
        """Return the value, for the one place that puts it on the wire."""
        return self._value

    def __repr__(self) -> str:
        return MASK

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __bool__(self) -> bool:
        return bool(self._value)


class Redactor:
    """The secrets that are alive in this process, and the way to cut them out of a text."""

    def __init__(self) -> None:
        """Start with no secret known."""
        self.on_learn: Callable[[Secret], None] | None = None
        self._values: set[str] = set()
        self._clipped_forms: set[str] = set()
        self._forms: set[str] = set()
        self._telling: set[str] = set()
        self._pieces: dict[str, tuple[tuple[str, int], ...]] = {}
        self._spellings = Spellings()

    def learn(self, secret: Secret) -> Secret:
        """Remember a secret in every form in which it may travel; returns it."""
        if self._remember(secret.reveal()) and self.on_learn is not None:
            self.on_learn(secret)
        return secret

    def hear(self, secrets: Iterable[Secret]) -> None:
        """Remember secrets that another process of the run has learnt."""
        for secret in secrets:
            self._remember(secret.reveal())

    def redact(self, text: str) -> str:
        """Replace every known secret, and whatever looks like a JWT, by ``***``."""
        if len(text) < SHORTEST:
            return text
        folded = fold(text)
        spans = [*self._known(folded, self._forms), *self._clipped(folded)]
        if _JWT_HEAD in text:
            spans += [(found.start(1), found.end()) for found in _JWT.finditer(text)]
        if "\n" in text:
            spans += self._wrapped(folded, self._forms)
        spans += self._spellings.find(folded, telling=False)
        return _without(text, spans) if spans else text

    def holds(self, text: str) -> bool:
        """Tell whether a secret of this run is in a text, one that no honest text holds."""
        folded = fold(text)
        found = any(True for _ in self._known(folded, self._telling))
        found = found or ("\n" in text and any(True for _ in self._wrapped(folded, self._telling)))
        return found or any(True for _ in self._spellings.find(folded, telling=True))

    def _remember(self, value: str) -> bool:
        if len(value) < SHORTEST or value in self._values:
            return False
        self._values.add(value)
        self._clipped_forms |= set(map(fold, _escaped(value)))
        self._spellings.learn(value, _solid(value), telling=_is_telling(value))
        for form in set(map(fold, _forms(value))):
            if len(form) >= _PIECE and _TOKEN.fullmatch(form):
                last = len(form) - _PIECE
                for at in (*range(0, last, _STRIDE), last):
                    piece = form[at : at + _PIECE]
                    self._pieces[piece] = (*self._pieces.get(piece, ()), (form, at))
            elif len(form) >= SHORTEST:
                self._forms.add(form)
                if len(form) >= TELLING and _is_telling(value):
                    self._telling.add(form)
        return True

    def _known(self, folded: str, forms: AbstractSet[str]) -> Iterator[Span]:
        # Searching for each form is fast; a pattern of them all is slow, and rarely needed. The
        # set is copied, because another thread may learn meanwhile.
        present = [form for form in tuple(forms) if form in folded]
        if present:
            longest_first = sorted(present, key=len, reverse=True)
            for found in re.finditer("|".join(map(re.escape, longest_first)), folded):
                yield found.span()
        pieces, over = self._pieces, 0
        for run in _RUN.finditer(folded):
            places = range(run.start(), run.end() - _PIECE + 1)
            for at in [at for at in places if folded[at : at + _PIECE] in pieces]:
                if at < over:
                    continue
                spans = [
                    agreement(folded, at, *place, _PIECE)
                    for place in pieces[folded[at : at + _PIECE]]
                ]
                over = max(end for _, end in spans)
                yield min(start for start, _ in spans), over

    def _clipped(self, folded: str) -> Iterator[Span]:
        """Find what is left of a secret where a printer has cut a long text by an ellipsis."""
        for gap in _ELLIPSIS.finditer(folded):
            for value in tuple(self._clipped_forms):
                # What is longer has a piece in it, and is found by that.
                most = min(len(value), _PIECE + _STRIDE)
                least = max(SHORTEST, most // 3)
                start, end = max(0, gap.start() - most), gap.end() + most
                before, after = folded[start : gap.start()], folded[gap.end() : end]
                at = before.find(value[:least])
                if at >= 0 and value.startswith(before[at:]):
                    yield start + at, gap.start()
                at = after.rfind(value[-least:])
                if at >= 0 and value.endswith(after[: at + least]):
                    yield gap.end(), gap.end() + at + least

    def _wrapped(self, folded: str, forms: AbstractSet[str]) -> Iterator[Span]:
        """Find secrets that go on in the next line."""
        begins: list[int] = []
        origins: list[int] = []
        parts: list[str] = []
        length = origin = 0
        for line in folded.split("\n"):
            lead = _LEAD.match(line)
            skipped = lead.end() if lead and parts else 0
            body = line[skipped:].rstrip("\r")
            body = body.removesuffix("'") if body.endswith("'") else body.removesuffix('"')
            begins.append(length)
            origins.append(origin + skipped)
            parts.append(body)
            length += len(body)
            origin += len(line) + 1
        for start, end in self._known("".join(parts), forms):
            first, last = bisect_right(begins, start) - 1, bisect_right(begins, end - 1) - 1
            if first == last or end - start < TELLING:
                continue
            for line_at in range(first, last + 1):
                begin, origin = begins[line_at], origins[line_at]
                stop = min(end - begin, len(parts[line_at]))
                yield origin + max(0, start - begin), origin + stop


class Vault:
    """A private folder by which the processes of a run tell each other their secrets, sealed.

    The key is never in a file: it goes from the controller to its workers through their pipes. So
    a folder that a killed run leaves behind tells nobody anything.
    """

    def __init__(self, folder: Path, key: bytes) -> None:
        """Take the folder of the run, and the key that all its processes have."""
        self.folder = folder
        self.key = key
        self._own = folder / f"learnt-{os.getpid()}"
        self._heard: dict[Path, int] = {}

    def seal(self, text: str) -> str:
        """Return a text that only the run's own processes can read."""
        nonce = os.urandom(_NONCE)
        mixed = self._mixed(nonce, text.encode("utf-8", "surrogatepass"))
        return base64.b64encode(nonce + mixed).decode()

    def unseal(self, sealed: str) -> str:
        """Return what :meth:`seal` was given."""
        raw = base64.b64decode(sealed)
        return self._mixed(raw[:_NONCE], raw[_NONCE:]).decode("utf-8", "surrogatepass")

    def tell(self, secret: Secret) -> None:
        """Leave a secret for the other processes; at once, for a worker may die at any time."""
        line = f"{self.seal(secret.reveal())}\n".encode()
        # The folder is gone once the run is over, and then there is nobody left to be told.
        with contextlib.suppress(FileNotFoundError):
            handle = os.open(self._own, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(handle, "ab") as stream:
                stream.write(line)

    def hear(self) -> Iterator[Secret]:
        """Give what the other processes have told since the last time."""
        for path in sorted(self.folder.glob("learnt-*")):
            if path == self._own:
                continue
            with path.open("rb") as stream:
                stream.seek(self._heard.get(path, 0))
                # Whoever writes may be in the middle of a line.
                whole, newline, _ = stream.read().rpartition(b"\n")
            self._heard[path] = self._heard.get(path, 0) + len(whole) + len(newline)
            for line in whole.split():
                yield Secret(self.unseal(line.decode()))

    def _mixed(self, nonce: bytes, data: bytes) -> bytes:
        pad = hashlib.shake_256(self.key + nonce).digest(len(data))
        return bytes(one ^ other for one, other in zip(data, pad, strict=True))


def _is_telling(value: str) -> bool:
    """Tell whether a value would stand in no honest file; plain words do."""
    return len(value) >= 2 * TELLING or not (value.islower() and value.isalpha())


def _without(text: str, spans: Iterable[Span]) -> str:
    """Put one mask in the place of each span, or of several that overlap."""
    kept, at, masked_to = [], 0, -1
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= max(masked_to, 0):
            kept += [text[at:start], MASK]
        masked_to = at = max(at, end)
    return "".join((*kept, text[at:]))


def _forms(value: str) -> set[str]:
    """Return every form in which a value may travel: encoded, escaped, or a JWT's parts."""
    raw = value.encode("utf-8", "replace")
    plain = base64.b64encode(raw).decode()
    escaped = _escaped(value)
    quoted = quote(value, safe="", errors="replace")
    is_jwt = value.startswith("eyJ") and value.count(".") == _JWT_DOTS
    parts = value.split(".") if is_jwt else []
    # A signature is what makes a token valid; the other parts count when they are telling.
    segments = {part for part in parts if len(part) >= _SEGMENT} | set(parts[-1:])
    encoded = {plain, plain.rstrip("="), *_inside_base64(raw)}
    return {
        value,
        *encoded,
        *(form.translate({ord("+"): "-", ord("/"): "_"}) for form in encoded),
        quoted,
        quote(value, errors="replace"),
        quote_plus(value, errors="replace"),
        quote(quoted, safe=""),
        *escaped,
        *(again for once in escaped for again in _escaped(once)),
        html.escape(value),
        html.escape(value, quote=False),
        html.escape(value).replace("&#x27;", "&#39;"),
        raw.hex(),
        *segments,
    }


def _solid(value: str) -> tuple[str, ...]:
    """Return the encodings of a value in which nothing is escaped."""
    raw = value.encode("utf-8", "replace")
    plain = base64.b64encode(raw)
    encoded = (plain, base64.urlsafe_b64encode(raw), base64.b64encode(plain), base64.b32encode(raw))
    return (raw.hex(), *(form.decode().rstrip("=") for form in encoded))


def _escaped(value: str) -> set[str]:
    """Return how a value looks in JSON, and in Python's literals, whatever stands beside it."""
    escaped = {
        value,
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        repr(value)[1:-1],
        ascii(value)[1:-1],
        repr(value.encode("utf-8", "replace"))[2:-1],
        value.encode("unicode_escape").decode(),
    }
    # A literal escapes one of the two quotation marks, depending on the whole of it.
    return escaped | {form.replace(mark, f"\\{mark}") for form in escaped for mark in "'\""}


def _inside_base64(raw: bytes) -> Iterator[str]:
    """Give what base64 makes of a value that stands inside a longer text, at each alignment."""
    for shift, first in enumerate((0, 2, 3)):
        whole = (shift + len(raw)) * 8 // 6
        inside = base64.b64encode(bytes(shift) + raw).decode()[first:whole]
        if len(inside) > SHORTEST + 1:
            yield inside


T = TypeVar("T")


def scrub(value: T, redactor: Redactor) -> T:
    """Return the same data with every secret in every text replaced."""
    cleaned = _clean(value, redactor)
    if not isinstance(cleaned, type(value)):
        raise TypeError(f"{type(value)} became {type(cleaned)}")
    return cleaned


def _clean(value: object, redactor: Redactor) -> object:
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return redactor.redact(value)
    if isinstance(value, tuple | list):
        return type(value)(_clean(inner, redactor) for inner in value)
    if isinstance(value, dict):
        return {key: _clean(inner, redactor) for key, inner in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        parts = {
            field.name: _clean(getattr(value, field.name), redactor) for field in fields(value)
        }
        return replace(value, **parts)
    return value

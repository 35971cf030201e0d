"""Cut secrets out of finished data once more, when every secret of the run is known.

An answer may hold a token before we have learnt it: services run side by side, and a target may
echo what it issued to us a moment ago.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import TypeVar

from pytest_goldenpath.secrets import Redactor

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

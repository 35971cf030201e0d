"""Our reading of the verdict's schema agrees with a complete implementation of JSON Schema."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import jsonschema
from hypothesis import given
from hypothesis import strategies as st

from pytest_goldenpath.verdict.document import KNOWN, problems, schema
from pytest_goldenpath.verdict.merge import merge
from verdicts import check, documents, verdict

_COMPLETE = jsonschema.Draft202012Validator(schema())
_STRANGE = st.sampled_from([None, True, 0, -1, 256, 1.5, "", "GP-1", "GP-101", [], {}, ["x"], [1]])


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Give the path of every value within a document."""
    yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*path, key))


def replaced(document: dict[str, Any], path: tuple[Any, ...], value: object) -> Any:
    """Return a copy in which another value stands at a path."""
    if not path:
        return value
    made = copy.deepcopy(document)
    inner: Any = made
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return made


@given(documents(), st.data())
def test_agrees_on_damaged_documents(document: dict[str, Any], data: st.DataObject) -> None:
    """Whatever stands in the place of whatever, both say the same."""
    path = data.draw(st.sampled_from(list(places(document))))
    damaged = replaced(document, path, data.draw(_STRANGE))

    assert (next(problems(damaged, schema()), None) is None) == _COMPLETE.is_valid(damaged)


@given(st.data())
def test_agrees_on_missing_and_unknown_keys(data: st.DataObject) -> None:
    """A key that is taken away or put in is seen by both, or by neither."""
    document = json.loads(json.dumps(merge([verdict(check(1)), verdict(check(2))])))
    inside = [p for p in places(document) if p and isinstance(p[-1], str)]
    path = data.draw(st.sampled_from(inside))
    inner: Any = document
    for key in path[:-1]:
        inner = inner[key]
    if data.draw(st.booleans()):
        del inner[path[-1]]
    else:
        inner["surprise"] = 1

    assert (next(problems(document, schema()), None) is None) == _COMPLETE.is_valid(document)


def test_schema_uses_no_other_words() -> None:
    """A word of JSON Schema that we do not read would be a promise that nobody keeps."""

    def words(shape: object) -> Iterator[str]:
        if isinstance(shape, dict):
            for word, inner in shape.items():
                yield word
                named = inner.values() if word == "properties" else [inner]
                for one in named:
                    yield from words(one) if isinstance(one, dict) else ()

    assert set(words(schema())) <= KNOWN

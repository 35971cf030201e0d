"""Whether a document has the shape that the shipped schema describes, without a further package.

It knows the words of JSON Schema that ``verdict.schema.json`` uses, and no others; a test holds
it against a complete implementation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}
#: Words that say nothing about the shape, or that :func:`problems` reads beside another one.
KNOWN = frozenset(
    {
        "$schema",
        "additionalProperties",
        "const",
        "description",
        "enum",
        "format",
        "items",
        "maximum",
        "minimum",
        "pattern",
        "properties",
        "required",
        "title",
        "type",
    }
)


def problems(value: object, schema: Mapping[str, Any], where: str = "") -> Iterator[str]:
    """Give each place in which a value differs from a schema, as a sentence."""
    named = [schema["type"]] if isinstance(schema.get("type"), str) else schema.get("type", [])
    if named and not any(_is(value, name) for name in named):
        yield f"{where or 'the document'} is no {' or '.join(named)}"
        return
    allowed = [schema["const"]] if "const" in schema else schema.get("enum")
    if allowed is not None and value not in allowed:
        told = ", ".join("null" if one is None else str(one) for one in allowed)
        yield f"{where} is {value!r:.60}, and not one of {told}"
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        yield f"{where} is {value!r:.60}, which does not match {schema['pattern']}"
    if isinstance(value, int | float) and not _is_in_range(value, schema):
        yield f"{where} is {value}, which is out of its range"
    if isinstance(value, dict):
        yield from _of_object(value, schema, where)
    if isinstance(value, list):
        for place, inner in enumerate(value):
            yield from problems(inner, schema.get("items", {}), f"{where}[{place}]")


def _of_object(value: dict[str, Any], schema: Mapping[str, Any], where: str) -> Iterator[str]:
    described: Mapping[str, Any] = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{_inner(where, name)} is missing"
    further = schema.get("additionalProperties", {})
    for name, inner in value.items():
        shape = described.get(name, further)
        if shape is False:
            yield f"{_inner(where, name)} is unknown"
        else:
            yield from problems(inner, shape, _inner(where, name))


def _inner(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _is(value: object, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, _TYPES[name])


def _is_in_range(value: float, schema: Mapping[str, Any]) -> bool:
    return bool(schema.get("minimum", value) <= value <= schema.get("maximum", value))

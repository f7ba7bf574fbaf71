"""A check of JSON values against JSON Schema: the part of it that pydantic writes, and no more.

What it does not know it lets pass. It takes less than pydantic only where that would convert: a text is no number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, TypeAlias

from ..text import one_line

Schema: TypeAlias = Any

_DEPTH = 32
_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: (
        isinstance(value, int | float) and not isinstance(value, bool) and float(value).is_integer()
    ),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}
_WORDS = {"null": "null", "boolean": "true or false", "integer": "a whole number", "number": "a number"}
_SIZES = {"str": "Length", "list": "Items", "dict": "Properties"}
_WORDS |= {"string": "a text", "array": "a list", "object": "an object"}


def problems(value: Any, schema: Schema, *, partial: bool = False) -> list[str]:
    """Say what is wrong with a value.

    Args:
        value: A JSON value.
        schema: Its schema, from the store or the graph; untrusted.
        partial: Only names are checked, and none has to be there: the input of a graph is an update of its state, and
            its reducers take more than its schema says (messages as plain texts).

    Returns:
        Safe sentences without a full stop, each with its place: ``amount must be a number``. Empty when it fits.
    """
    return [one_line(problem, 200) for problem in _problems(value, schema, schema, "", partial, _DEPTH)]


def _problems(value: Any, schema: Schema, root: Schema, where: str, partial: bool, levels: int) -> Iterator[str]:
    if not isinstance(schema, Mapping) or not levels:
        return
    if isinstance(schema.get("$ref"), str):
        yield from _problems(value, _resolved(schema["$ref"], root), root, where, partial, levels - 1)
    for some in ("anyOf", "oneOf"):
        if isinstance(choices := schema.get(some), list) and choices:
            found = [list(_problems(value, choice, root, where, partial, levels - 1)) for choice in choices]
            if all(found):
                yield _of_all(found, value, choices, where)
    for part in _list(schema.get("allOf")):
        yield from _problems(value, part, root, where, partial, levels - 1)
    wrong = [*_wrong_kind(value, schema, where)]
    yield from wrong
    if not wrong:
        yield from _out_of_bounds(value, schema, where)
        yield from _inside(value, schema, root, where, partial, levels)


def _of_all(found: list[list[str]], value: Any, choices: list[Schema], where: str) -> str:
    """Why no choice fits: the complaint of the one that comes nearest, or the kinds that would do."""
    nearest = [wrong for wrong, choice in zip(found, choices, strict=True) if not [*_wrong_kind(value, choice, where)]]
    if len(nearest) == 1:
        return nearest[0][0]
    return _told(where, f"must be {' or '.join(dict.fromkeys(map(_kind, choices)))}")


def _kind(schema: Schema) -> str:
    if not isinstance(schema, Mapping):
        return "something else"
    if "const" in schema:
        return repr(schema["const"])
    names = schema.get("type")
    named = [names] if isinstance(names, str) else _list(names)
    if named:
        return " or ".join(_WORDS.get(str(name), str(name)) for name in named)
    return "one of the forms that are asked for"


def _wrong_kind(value: Any, schema: Schema, where: str) -> Iterator[str]:
    if not isinstance(schema, Mapping):
        return
    names = schema.get("type")
    known = [name for name in ([names] if isinstance(names, str) else _list(names)) if name in _TYPES]
    if known and not any(_TYPES[name](value) for name in known):
        yield _told(where, f"must be {_kind(schema)}")
    elif "const" in schema and not _same(value, schema["const"]):
        yield _told(where, f"must be {schema['const']!r}")
    elif isinstance(choices := schema.get("enum"), list) and not any(_same(value, choice) for choice in choices):
        yield _told(where, f"must be one of {', '.join(map(repr, choices[:12]))}")


def _out_of_bounds(value: Any, schema: Mapping[str, Any], where: str) -> Iterator[str]:
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
    size = len(value) if isinstance(value, str | list | dict) else None
    kind = _SIZES.get(type(value).__name__, "")
    rules: tuple[tuple[str, Any, Callable[[Any, Any], bool], str], ...] = (
        ("minimum", number, lambda have, bound: have >= bound, "must be at least"),
        ("maximum", number, lambda have, bound: have <= bound, "must be at most"),
        ("exclusiveMinimum", number, lambda have, bound: have > bound, "must be more than"),
        ("exclusiveMaximum", number, lambda have, bound: have < bound, "must be less than"),
        (f"min{kind}", size, lambda have, bound: have >= bound, "must have a length of at least"),
        (f"max{kind}", size, lambda have, bound: have <= bound, "must have a length of at most"),
    )
    for name, have, fits, words in rules:
        bound = schema.get(name)
        if have is not None and _TYPES["number"](bound) and not fits(have, bound):
            yield _told(where, f"{words} {bound}")


def _inside(
    value: Any, schema: Mapping[str, Any], root: Schema, where: str, partial: bool, levels: int
) -> Iterator[str]:
    if isinstance(value, list) and not partial:
        for number, item in enumerate(value):
            yield from _problems(item, schema.get("items"), root, f"{where}[{number}]", False, levels - 1)
    if not isinstance(value, dict):
        return
    known = schema.get("properties")
    known = known if isinstance(known, Mapping) else {}
    if not partial:
        for name in _list(schema.get("required")):
            if name not in value:
                yield _told(_join(where, str(name)), "is missing")
    strict = schema.get("additionalProperties") is False or (partial and known and not schema.get("patternProperties"))
    for name, item in value.items():
        if name in known:
            if not partial:
                yield from _problems(item, known[name], root, _join(where, name), False, levels - 1)
        elif strict:
            near = get_close_matches(str(name), map(str, known), n=1)
            yield _told(_join(where, str(name)), "is not known" + (f" (did you mean {near[0]}?)" if near else ""))
        else:
            yield from _problems(
                item, schema.get("additionalProperties"), root, _join(where, str(name)), False, levels - 1
            )


def _resolved(ref: str, root: Schema) -> Schema:
    """What ``#/$defs/Name`` leads to; nothing for a reference to elsewhere."""
    found = root
    for part in ref.removeprefix("#/").split("/") if ref.startswith("#/") else ():
        found = found.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(found, Mapping) else None
    return found if ref.startswith("#/") else None


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON: ``true`` is not ``1``."""
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _list(found: Any) -> list[Any]:
    return found if isinstance(found, list) else []


def _join(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _told(where: str, what: str) -> str:
    return f"{where} {what}" if where else f"it {what}"

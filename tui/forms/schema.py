"""A JSON Schema as fields to fill in, and as an example of a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from .field import UNSET, Field, Kind, Unset
from .json_text import write_line

Schema: TypeAlias = Mapping[str, Any]

_MOST_FIELDS: Final = 24
"""Fields beyond which JSON is easier to fill in than a form."""

_DEEPEST: Final = 8
"""Levels of references and of examples that are followed; a schema may be hostile, or name itself."""

_KINDS: Final = {
    "string": Kind.TEXT,
    "integer": Kind.INTEGER,
    "number": Kind.NUMBER,
    "boolean": Kind.CHOICE,
    "array": Kind.JSON,
    "object": Kind.JSON,
}

_YES_NO: Final = (("yes", True), ("no", False))

_EXAMPLES: Final[Mapping[str, Any]] = {
    "string": "",
    "integer": 0,
    "number": 0,
    "boolean": False,
    "array": [],
    "null": None,
}


@dataclass(frozen=True, slots=True)
class SchemaShape:
    """A value as a JSON Schema describes it.

    Attributes:
        fields: A field a property; a single one without a name where the value is no object.
    """

    fields: tuple[Field, ...]

    def value(self, given: Mapping[str, Any]) -> Any:
        """The value that the fields make; those that are left empty are left out."""
        if len(self.fields) == 1 and not self.fields[0].name:
            return given.get("")
        return dict(given)

    def draft(self, given: Mapping[str, Any]) -> Any:
        """The same; a form is never too empty for that."""
        return self.value(given)

    def given(self, value: Any) -> Mapping[str, Any] | None:
        """What the fields hold of a value; ``None`` where it is not one that they make."""
        if len(self.fields) == 1 and not self.fields[0].name:
            return {"": value}
        fits = isinstance(value, dict) and value.keys() <= {field.name for field in self.fields}
        return value if fits else None


def shape_of_schema(schema: Any) -> SchemaShape | None:
    """Return the fields for a schema.

    Args:
        schema: A JSON Schema as Pydantic writes them; untrusted: anything may stand in it.

    Returns:
        ``None`` where a form is no help: nothing is said about the value, or there are too many properties.
    """
    if not isinstance(schema, Mapping):
        return None
    resolved = _resolve(schema, schema)
    properties = resolved.get("properties")
    if not isinstance(properties, Mapping):
        if resolved.get("type") in ("object", None) and not _options(resolved) and not _branches(resolved):
            return None
        return SchemaShape((_field("", resolved, schema, required=True),))
    if not 0 < len(properties) <= _MOST_FIELDS or not all(isinstance(one, Mapping) for one in properties.values()):
        return None
    required = resolved.get("required")
    needed = set(map(str, required)) if isinstance(required, list) else set()
    return SchemaShape(tuple(_field(str(name), part, schema, str(name) in needed) for name, part in properties.items()))


def _field(name: str, part: Schema, root: Schema, required: bool) -> Field:
    """One property as a field."""
    resolved = _resolve(part, root)
    branches = _branches(resolved)
    nullable = any(_is_null(branch) for branch in branches) or "null" in _types(resolved)
    left = [_resolve(branch, root) for branch in branches if not _is_null(branch)]
    inner = left[0] if len(left) == 1 else resolved
    options = tuple(option for branch in left for option in _options(branch)) if len(left) > 1 else _options(inner)
    several = len(left) > 1 and not all(_options(branch) for branch in left)
    types = [kind for kind in _types(inner) if kind != "null"]
    kind = _KINDS.get(types[0], Kind.JSON) if len(types) == 1 else Kind.JSON
    if options and not several:
        kind = Kind.CHOICE
    elif kind is Kind.CHOICE:
        options = _YES_NO
    note = next((text for one in (part, resolved, inner) if isinstance(text := one.get("description"), str)), "")
    default = part.get("default", resolved.get("default", UNSET))
    return Field(name, kind, note, required, nullable, options if kind is Kind.CHOICE else (), default)


def _resolve(part: Schema, root: Schema) -> Schema:
    """Follow ``$ref``, and an ``allOf`` of one, as Pydantic writes them around a class."""
    for _ in range(_DEEPEST):
        reference, every = part.get("$ref"), part.get("allOf")
        if isinstance(reference, str) and reference.startswith("#/"):
            found = _at(root, reference)
        elif isinstance(every, list) and len(every) == 1 and isinstance(every[0], Mapping):
            found = every[0]
        else:
            return part
        if found is None:
            return {}
        part = {**found, **{key: value for key, value in part.items() if key not in ("$ref", "allOf")}}
    return {}


def _at(root: Schema, reference: str) -> Schema | None:
    """What a reference inside the schema names."""
    found: Any = root
    for key in reference[2:].split("/"):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else None


def _branches(part: Schema) -> list[Schema]:
    """The alternatives of a schema."""
    for word in ("anyOf", "oneOf"):
        if isinstance(part.get(word), list):
            return [branch for branch in part[word] if isinstance(branch, Mapping)]
    return []


def _types(part: Schema) -> list[str]:
    named = part.get("type")
    return [kind for kind in (named if isinstance(named, list) else [named]) if isinstance(kind, str)]


def _is_null(branch: Schema) -> bool:
    return branch.get("type") == "null"


def _options(part: Schema) -> tuple[tuple[str, Any], ...]:
    """What ``enum`` or ``const`` allow, with a label each; texts that look like another value keep their quotes."""
    values = part.get("enum") if isinstance(part.get("enum"), list) else [part["const"]] if "const" in part else []
    plain = {write_line(value) for value in values or () if not isinstance(value, str)}
    return tuple(
        (value if isinstance(value, str) and value and value not in plain else write_line(value), value)
        for value in values or ()
    )


def example(schema: Any) -> Any:
    """A value to begin with: the defaults of a schema, and empty values for what must be there."""
    return _example(schema, schema, _DEEPEST) if isinstance(schema, Mapping) else {}


def _example(part: Schema, root: Schema, levels: int) -> Any:
    resolved = _resolve(part, root)
    if not isinstance(resolved.get("default", UNSET), Unset):
        return resolved["default"]
    if options := _options(resolved):
        return options[0][1]
    if branches := _branches(resolved):
        return None if any(map(_is_null, branches)) else _example(branches[0], root, levels - 1) if levels else None
    properties = resolved.get("properties")
    if isinstance(properties, Mapping) and levels:
        parts = ((str(name), one) for name, one in properties.items() if isinstance(one, Mapping))
        return {name: _example(one, root, levels - 1) for name, one in parts}
    kinds = _types(resolved)
    return _EXAMPLES.get(kinds[0], {}) if kinds else None if resolved is not root else {}

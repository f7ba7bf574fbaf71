"""JSON Schemas of what a graph takes and gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_type_hints


def json_schema(graph: Any, side: Literal["input", "output"]) -> Mapping[str, Any] | None:
    """Return the JSON Schema of a graph's input or output; ``None`` where it has none.

    Pydantic refuses a whole schema for one type that it does not know, and ``typing.TypedDict`` on Python 3.11; then
    each channel is described by itself, and one that cannot be is left open.
    """
    try:
        found = getattr(graph, f"get_{side}_jsonschema")()
    except Exception:  # raised by pydantic, or by the user's own types
        return _by_channel(getattr(getattr(graph, "builder", None), f"{side}_schema", None))
    return found if isinstance(found, dict) else None


def _by_channel(schema: Any) -> Mapping[str, Any] | None:
    try:
        hints = get_type_hints(schema)
    except Exception:  # no class, or names that are not there at run time
        return None
    if not hints:
        return None
    required = sorted(getattr(schema, "__required_keys__", ()))
    properties = {name: _of_type(hint) for name, hint in hints.items()}
    return {"title": schema.__name__, "type": "object", "properties": properties, "required": required}


def _of_type(hint: Any) -> Mapping[str, Any]:
    from pydantic import TypeAdapter

    try:
        return TypeAdapter(hint).json_schema()
    except Exception:  # as above
        return {}

"""A user's Python objects as the placeholders of ``values``, so that events show them as the store would.

Bounded in depth and length, so that telling what a node returned costs nothing beside running it, and no code of the
user's classes is called but what their serialization would call.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from enum import Enum
from itertools import islice
from typing import Any

from ..values import Typed, Value

_DEPTH = 8
_ITEMS = 100
_TEXT = 16_000
_NUMBER_BITS = 1_000


def as_value(obj: Any, depth: int = _DEPTH) -> Value:
    """Return what ``present`` can show of an object; what is left out is marked with ``…``."""
    match obj:
        case None | bool() | float():
            return obj
        case Enum():
            return Typed(type(obj).__module__, type(obj).__name__, as_value(obj.value, 1), "call")
        case int():
            return int(obj) if obj.bit_length() < _NUMBER_BITS else f"an integer of {obj.bit_length()} bits"
        case str():
            return obj[:_TEXT]
        case bytes() | bytearray():
            return bytes(obj[:_TEXT])
        case _ if depth == 0:
            return "…"
        case dict():
            kept = {_key(key): as_value(item, depth - 1) for key, item in islice(obj.items(), _ITEMS)}
            return kept if len(obj) <= _ITEMS else kept | {"…": f"{len(obj) - _ITEMS} more"}
        case list() | tuple() if not hasattr(obj, "_asdict"):
            return _items(obj, depth)
        case set() | frozenset() | deque():
            return Typed("builtins", type(obj).__name__, _items(obj, depth), "call")
        case BaseException():
            return _text(repr, obj)
    fields = _fields(obj)
    data = _text(str, obj) if fields is None else as_value(fields, depth - 1)
    return Typed(type(obj).__module__, type(obj).__name__, data, "call**")


def _items(items: Any, depth: int) -> list[Value]:
    kept = [as_value(item, depth - 1) for item in islice(items, _ITEMS)]
    return kept if len(items) <= _ITEMS else [*kept, f"… {len(items) - _ITEMS} more"]


def _key(key: Any) -> Value:
    return key if type(key) in (str, int) else _text(str, key)


def _fields(obj: Any) -> dict[str, Any] | None:
    """The fields of a dataclass, a pydantic model or a named tuple; ``None`` for anything else."""
    names = getattr(type(obj), "model_fields", None) or getattr(obj, "_fields", None)
    if dataclasses.is_dataclass(obj):
        names = [field.name for field in dataclasses.fields(obj)]
    if not isinstance(names, dict | list | tuple):
        return None
    return {name: getattr(obj, name, None) for name in islice(names, _ITEMS)}


def _text(make: Any, obj: Any) -> str:
    try:
        return str(make(obj))[:_TEXT]
    except Exception as error:  # the user's own __str__
        return f"(its text cannot be made: {type(error).__name__})"

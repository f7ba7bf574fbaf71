"""What a person sees of a value: its type, one line of it, what is inside, and all of it as JSON.

Labels and previews are safe to print (see ``text``), and what they cost does not grow with the value.
"""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import overload

from .lenient import MAX_DEPTH
from .literals import is_collection, literal
from .messages import Message, as_message, is_message
from .text import one_line
from .values import DeltaValue, Encrypted, NdArray, Secret, Snapshotted, Typed, Undecodable, Value

_MASK = "••••"
_SHOWN_DEPTH = 12
_BARE_PACKAGES = frozenset(
    (
        *("langgraph", "langchain", "langchain_core", "langchain_community", "pydantic"),
        *("builtins", "collections", "datetime", "decimal", "ipaddress", "pathlib", "re", "uuid", "zoneinfo"),
    )
)
"""Packages that everyone knows: their classes are shown without the module."""


def type_label(value: Value) -> str:
    """Return what kind of value it is: ``list 12``, ``str 4.1k``, ``‹app.Order›``, ``AIMessage``, ``encrypted``."""
    match value:
        case None:
            return "None"
        case str() | bytes() | list() | tuple() | dict():
            name = "list" if isinstance(value, tuple) else type(value).__name__
            return f"{name} {_count(len(value))}"
        case bool() | int() | float():
            return type(value).__name__
        case Undecodable():
            return "not readable"
        case Encrypted():
            return "encrypted"
        case Secret(name=name):
            return one_line(name, 40)
        case NdArray():
            return f"ndarray {_array_kind(value)}"
        case Snapshotted() | DeltaValue():
            return "delta"
        case Typed() if is_collection(value):
            return f"{value.name} {_count(len(value.data))}"
        case Typed(name=name) if literal(value) is not None:
            return one_line("Pattern" if name == "compile" else name, 40)
        case Typed(name=name) if is_message(value):
            return one_line(name, 40)
        case Typed():
            return f"‹{_class_name(value)}›"
    return one_line(type(value).__name__, 40)


def _count(number: int) -> str:
    if number < 1000:
        return str(number)
    for unit in "kMG":
        number_in_unit = number / 1000
        if number_in_unit < 999.5:
            return f"{number_in_unit:.1f}{unit}" if number_in_unit < 99.5 else f"{number_in_unit:.0f}{unit}"
        number //= 1000
    return f"{number}G"


def _class_name(value: Typed) -> str:
    bare = not value.module or value.module.split(".", 1)[0] in _BARE_PACKAGES
    return one_line(value.name if bare else f"{value.module}.{value.name}", 80)


def _array_kind(array: NdArray) -> str:
    kinds = {"f": "float", "i": "int", "u": "uint", "c": "complex"}
    kind, size = array.dtype[1:2], array.dtype[2:]
    known = kind in kinds and size.isascii() and size.isdigit() and len(size) < 4
    name = f"{kinds[kind]}{int(size) * 8}" if known else one_line(array.dtype, 20)
    return f"{name} {'×'.join(str(size) for size in array.shape[:8])}".rstrip()


def preview(value: Value, limit: int = 200) -> str:
    """Return one safe line that shows as much of a value as fits.

    Args:
        value: Any decoded value, of any size.
        limit: The most characters to return.

    Returns:
        E.g. ``{id: 7, tags: ["a", "b"]}``, ``ai: Hello``, ``‹app.Order› {id: 7}``, ``‹SecretStr› ••••``.
    """
    return one_line("".join(_upto(_pieces(value, limit, 0), limit)), limit)


def _upto(pieces: Iterable[str], limit: int) -> Iterator[str]:
    """Yield pieces until they are longer than ``limit`` together."""
    length = 0
    for piece in pieces:
        yield piece
        length += len(piece)
        if length > limit:
            return


def _pieces(value: Value, limit: int, depth: int) -> Iterator[str]:
    """Yield the parts of a preview, in order, each cut to about ``limit`` characters; may be stopped at any time."""
    if depth > _SHOWN_DEPTH:
        yield "…"
        return
    message = as_message(value, limit)
    if message is not None:
        yield from _message_pieces(message, limit, depth)
        return
    match value:
        case str():
            yield f'"{value}"' if len(value) <= limit else f'"{value[:limit]}…'
        case bytes():
            yield f"‹bytes {_count(len(value))}› {value[: min(limit, 32)].hex()}"
            yield "…" if len(value) > 32 else ""
        case dict():
            yield from _joined("{", _entries(value, limit, depth), "}")
        case list() | tuple():
            yield from _joined("[", (_pieces(item, limit, depth + 1) for item in value), "]")
        case Typed():
            yield from _typed_pieces(value, limit, depth)
        case Undecodable(reason=reason):
            yield f"‹not readable: {reason}›"
        case Encrypted(reason=reason):
            yield f"‹encrypted: {reason}›"
        case Secret(name=name):
            yield f"‹{name}› {_MASK}"
        case NdArray():
            yield f"‹ndarray› {_array_kind(value)}"
        case Snapshotted(value=inner):
            yield "‹delta› "
            yield from _pieces(inner, limit, depth + 1)
        case DeltaValue():
            yield from _delta_pieces(value, limit, depth)
        case _:
            yield str(value)


def _joined(opening: str, entries: Iterable[Iterator[str]], closing: str, separator: str = ", ") -> Iterator[str]:
    yield opening
    for number, entry in enumerate(entries):
        if number:
            yield separator
        yield from entry
    yield closing


def _entries(mapping: dict[Value, Value], limit: int, depth: int) -> Iterator[Iterator[str]]:
    for key, item in mapping.items():
        yield chain([f"{_key(key, limit)}: "], _pieces(item, limit, depth + 1))


def _key(key: Value, limit: int) -> str:
    return key[: limit + 1] if isinstance(key, str) else preview(key, limit)


def _typed_pieces(value: Typed, limit: int, depth: int) -> Iterator[str]:
    written = literal(value)
    if written is not None:
        yield written[: limit + 1]
        return
    yield f"‹{_class_name(value)}› "
    match value:
        case Typed("langgraph.types" | "langgraph.constants", "Send", [node, argument, *_]):
            yield from _pieces(node, limit, depth + 1)
            yield " ← "
            yield from _pieces(argument, limit, depth + 1)
        case Typed("langgraph.types", "Interrupt", dict(fields)) if "value" in fields:
            yield from _pieces(fields["value"], limit, depth + 1)
        case _:
            yield from _pieces(value.data, limit, depth + 1)


def _message_pieces(message: Message, limit: int, depth: int) -> Iterator[str]:
    yield f"{message.role}:"
    if message.text or not message.tool_calls:
        yield f" {message.text[: limit + 1]}"
    for call in message.tool_calls:
        yield from _joined(f" → {call.name[:limit]}(", [_pieces(call.args, limit, depth + 1)], ")")


def _delta_pieces(value: DeltaValue, limit: int, depth: int) -> Iterator[str]:
    if value.has_seed and not value.writes:
        yield "‹delta› "
        yield from _pieces(value.seed, limit, depth + 1)
        return
    count = len(value.writes)
    seed = "seed + " if value.has_seed else ""
    gap = "" if value.complete else " (ancestors are missing)"
    parts = chain([value.seed] if value.has_seed else [], value.writes)
    shown = (_pieces(part, limit, depth + 1) for part in parts)
    yield from _joined(f"‹delta› {seed}{count} write{'' if count == 1 else 's'}{gap}: ", shown, "", " + ")


class _Numbered(Sequence[tuple[str | int, Value]]):
    """The items of a list with their indices, without a copy of the list."""

    __slots__ = ("_items",)

    def __init__(self, items: Sequence[Value]) -> None:
        self._items = items

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, index: int) -> tuple[str | int, Value]: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[tuple[str | int, Value]]: ...
    def __getitem__(self, index: int | slice) -> tuple[str | int, Value] | Sequence[tuple[str | int, Value]]:
        if isinstance(index, slice):
            numbers = range(len(self._items))[index]
            return [(number, self._items[number]) for number in numbers]
        number = range(len(self._items))[index]
        return number, self._items[number]


def children(value: Value) -> Sequence[tuple[str | int, Value]] | None:
    """Return what is inside a value.

    Args:
        value: Any decoded value.

    Returns:
        Keys and values in stored order: fields of a ``Typed``, items of a list by index, entries of a mapping (keys
        that are not text by their preview). ``None`` for a leaf. Keys are untrusted text.
    """
    match value:
        case list() | tuple():
            return _Numbered(value)
        case dict():
            return [(key if type(key) in (str, int) else preview(key), item) for key, item in value.items()]
        case Typed(data=data):
            return None if literal(value) is not None else _inside(data)
        case Snapshotted(value=inner):
            return [("snapshot", inner)]
        case DeltaValue():
            seed: list[tuple[str | int, Value]] = [("seed", value.seed)] if value.has_seed else []
            return [*seed, ("writes", value.writes)]
    return None


def _inside(data: Value) -> Sequence[tuple[str | int, Value]] | None:
    if isinstance(data, list | tuple | dict):
        return children(data)
    return [("value", data)] if isinstance(data, Typed | Snapshotted | DeltaValue) else None


def to_json(value: Value) -> Value:
    """Return a value as JSON can hold it, with nothing lost but what was masked.

    Args:
        value: Any decoded value.

    Returns:
        Something for ``json.dumps`` (strings may hold lone surrogates). What JSON does not have is a mapping with one
        key that begins with ``$``: ``$type``, ``$bytes`` (base64), ``$float``, ``$map``, ``$undecodable``,
        ``$encrypted``, ``$secret``, ``$ndarray``, ``$snapshot``, ``$delta``, ``$deep``. A mapping that has such keys
        itself is a ``$map``.
    """
    return _json(value, MAX_DEPTH + 8)


def _json(value: Value, levels: int) -> Value:
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$float": str(value)}
    if not levels:
        return {"$deep": preview(value)}
    match value:
        case bytes():
            return {"$bytes": _base64(value)}
        case list() | tuple():
            return [_json(item, levels - 1) for item in value]
        case dict():
            if all(type(key) is str and not key.startswith("$") for key in value):
                return {key: _json(item, levels - 1) for key, item in value.items()}
            return {"$map": [[_json(key, levels - 1), _json(item, levels - 1)] for key, item in value.items()]}
        case Typed(module=module, name=name, data=data):
            return {"$type": f"{module}.{name}", "value": _json(data, levels - 1)}
        case Undecodable(reason=reason, raw=raw):
            return {"$undecodable": reason, "raw": _base64(raw)}
        case Encrypted(tag=tag, reason=reason, raw=raw):
            return {"$encrypted": tag, "reason": reason, "raw": _base64(raw)}
        case Secret(name=name):
            return {"$secret": name}
        case NdArray():
            return {
                "$ndarray": _base64(value.data),
                "dtype": value.dtype,
                "shape": [*value.shape],
                "order": value.order,
            }
        case Snapshotted(value=inner):
            return {"$snapshot": _json(inner, levels - 1)}
        case DeltaValue():
            writes = [_json(write, levels - 1) for write in value.writes]
            seed = {"seed": _json(value.seed, levels - 1)} if value.has_seed else {}
            return {"$delta": {**seed, "writes": writes, "complete": value.complete}}
    return {"$deep": preview(value)}


def _base64(data: bytes) -> str:
    return b64encode(data).decode()


_SAMPLE = 64


def approx_size(value: Value) -> int:
    """Estimate how many bytes a value takes when stored; long containers are sampled, so that it stays cheap."""
    return _size(value, _SHOWN_DEPTH)


def _size(value: Value, levels: int) -> int:
    match value:
        case str() | bytes():
            return len(value) + 2
        case list() | tuple() | dict():
            if not value or not levels:
                return 1 + len(value)
            parts: Sequence[Value] = value if not isinstance(value, dict) else [*chain.from_iterable(value.items())]
            step = max(1, len(parts) // _SAMPLE)
            sample = parts[::step] if step % 2 or not isinstance(value, dict) else parts[:: step + 1]
            return 3 + sum(_size(part, levels - 1) for part in sample) * len(parts) // len(sample)
        case Typed(module=module, name=name, data=data):
            return len(module) + len(name) + 8 + _size(data, levels - 1 if levels else 0)
        case NdArray(data=data):
            return len(data) + 16
        case Undecodable(raw=raw) | Encrypted(raw=raw):
            return len(raw)
        case Snapshotted(value=inner):
            return 6 + _size(inner, levels)
        case DeltaValue(seed=seed, writes=writes):
            return _size(seed, levels) + _size(writes, levels)
        case Secret(length=length):
            return length + 40
        case float():
            return 9
        case int():
            return 1 if -33 < value < 128 else 5
    return 1

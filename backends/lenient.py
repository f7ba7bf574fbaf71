"""A MessagePack reader that goes on where the fast one gives up.

It is slow and used only on bytes that ``ormsgpack`` refuses, or that are nested too deeply for the rest of the
program. As long as the framing is sound, what is wrong stays local: a string that is not UTF-8, a key that cannot be
one, a reserved byte or a branch that is too deep becomes ``Undecodable`` beside its good siblings. It never recurses,
except through extensions.

Format: https://github.com/msgpack/msgpack/blob/master/spec.md
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from .values import Typed, Undecodable, Value

MAX_DEPTH = 128
"""Containers inside containers: the deepest that a decoded value may be, so that ``==``, ``repr``, ``json.dumps`` and
recursive functions are safe on every value."""

Extension = Callable[[int, bytes, int], Value]
"""Makes a value of an extension: code, payload, and the depth at which it stands."""


class Broken(ValueError):
    """The framing is damaged: where values begin and end can no longer be told."""


@dataclass(slots=True)
class _Open:
    """A container that is being filled.

    Attributes:
        items: What was read: elements, or keys and values in turn.
        missing: How many more belong to it.
        is_map: Whether ``items`` are keys and values.
        start: Where it begins.
        starts: Where each item begins.
    """

    items: list[Value]
    missing: int
    is_map: bool
    start: int
    starts: list[int]


_NUMBERS = {
    0xCA: struct.Struct(">f"),
    0xCB: struct.Struct(">d"),
    0xCC: struct.Struct(">B"),
    0xCD: struct.Struct(">H"),
    0xCE: struct.Struct(">I"),
    0xCF: struct.Struct(">Q"),
    0xD0: struct.Struct(">b"),
    0xD1: struct.Struct(">h"),
    0xD2: struct.Struct(">i"),
    0xD3: struct.Struct(">q"),
}
_CONSTANTS = {0xC0: None, 0xC2: False, 0xC3: True}
_SIZED = {  # head -> kind, bytes of the length
    0xC4: ("bin", 1),
    0xC5: ("bin", 2),
    0xC6: ("bin", 4),
    0xC7: ("ext", 1),
    0xC8: ("ext", 2),
    0xC9: ("ext", 4),
    0xD9: ("str", 1),
    0xDA: ("str", 2),
    0xDB: ("str", 4),
    0xDC: ("array", 2),
    0xDD: ("array", 4),
    0xDE: ("map", 2),
    0xDF: ("map", 4),
}
_FIXED_EXT = {0xD4: 1, 0xD5: 2, 0xD6: 4, 0xD7: 8, 0xD8: 16}


def read(data: bytes, extension: Extension, depth: int = 0) -> Value:
    """Read one value.

    Args:
        data: MessagePack; bytes after the value are ignored, as LangGraph's reader does.
        extension: Called for every extension; must not raise.
        depth: How many containers the value stands in already.

    Raises:
        Broken: The framing is damaged, e.g. a length that the bytes do not hold.
    """
    return _Reader(data, extension, depth).value()


class _Reader:
    def __init__(self, data: bytes, extension: Extension, depth: int) -> None:
        self.data = data
        self.at = 0
        self.extension = extension
        self.depth = depth

    def value(self) -> Value:
        """Read one value with everything in it."""
        stack: list[_Open] = []
        while True:
            start = self.at
            kind, size = self.head()
            if kind not in ("array", "map"):
                value = self.leaf(kind, size, start, self.depth + len(stack))
            elif self.depth + len(stack) >= MAX_DEPTH:
                self.skip(size * 2 if kind == "map" else size)
                value = Undecodable(f"nested deeper than {MAX_DEPTH} levels", self.data[start : self.at])
            elif size:
                stack.append(_Open([], size * 2 if kind == "map" else size, kind == "map", start, []))
                continue
            else:
                value = {} if kind == "map" else []
            while stack:  # give the value to its container, and that to its own, as far as they are complete
                parent = stack[-1]
                parent.items.append(value)
                parent.starts.append(start)
                parent.missing -= 1
                if parent.missing:
                    break
                stack.pop()
                value = self.close(parent)
                start = parent.start
            else:
                return value

    def head(self) -> tuple[str, int]:
        """Read the head of a value: what it is, and its length, count, or head byte."""
        head = self.take(1)[0]
        if head <= 0x7F or head >= 0xE0:
            return "fixint", head
        if head <= 0x8F:
            return "map", head & 0x0F
        if head <= 0x9F:
            return "array", head & 0x0F
        if head <= 0xBF:
            return "str", head & 0x1F
        if head in _SIZED:
            kind, width = _SIZED[head]
            return kind, int.from_bytes(self.take(width), "big")
        if head in _FIXED_EXT:
            return "ext", _FIXED_EXT[head]
        return "other", head

    def leaf(self, kind: str, size: int, start: int, depth: int) -> Value:
        """Read the rest of a value that is not a container."""
        if kind == "str":
            raw = self.take(size)
            try:
                return raw.decode()
            except UnicodeDecodeError:
                return Undecodable("not UTF-8", raw)
        if kind == "bin":
            return self.take(size)
        if kind == "ext":
            code = int.from_bytes(self.take(1), "big", signed=True)
            payload = self.take(size)
            if depth >= MAX_DEPTH:
                return Undecodable(f"nested deeper than {MAX_DEPTH} levels", self.data[start : self.at])
            return self.extension(code, payload, depth + 1)
        if kind == "fixint":
            return size if size <= 0x7F else size - 0x100
        if size in _CONSTANTS:
            return _CONSTANTS[size]
        if size in _NUMBERS:
            number = _NUMBERS[size]
            return number.unpack(self.take(number.size))[0]
        return Undecodable("reserved byte 0xc1", self.data[start : self.at])

    def skip(self, count: int) -> None:
        """Move past so many values without keeping them."""
        while count:
            count -= 1
            kind, size = self.head()
            if kind == "map":
                count += size * 2
            elif kind == "array":
                count += size
            elif kind in ("str", "bin"):
                self.take(size)
            elif kind == "ext":
                self.take(size + 1)
            elif size in _NUMBERS and kind == "other":
                self.take(_NUMBERS[size].size)

    def take(self, size: int) -> bytes:
        """Read so many bytes."""
        end = self.at + size
        if end > len(self.data):
            raise Broken(f"ends at byte {len(self.data)}, in the middle of a value")
        part = self.data[self.at : end]
        self.at = end
        return part

    def close(self, done: _Open) -> Value:
        """Make the value of a container that is complete."""
        if not done.is_map:
            return done.items
        ends = [*done.starts[1:], self.at]
        keys = (
            hashable(key, self.data[begin:end])
            for key, begin, end in zip(done.items[::2], done.starts[::2], ends[::2], strict=True)
        )
        return dict(zip(keys, done.items[1::2], strict=True))


def hashable(key: Value, raw: bytes) -> Hashable:
    """Return a key that a dict accepts: lists as tuples, what cannot be a key as ``Undecodable``."""
    frozen = _frozen(key)
    try:
        hash(frozen)
    except TypeError:
        return Undecodable("a key that cannot be one", raw)
    return frozen  # type: ignore[no-any-return]


def _frozen(key: Value) -> Value:
    if isinstance(key, list):
        return tuple(_frozen(item) for item in key)
    if isinstance(key, Typed):
        return Typed(key.module, key.name, _frozen(key.data), key.form, key.method)
    return key

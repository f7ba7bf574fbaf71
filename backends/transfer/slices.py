"""MessagePack cut into pieces without decoding them, so that a value moves between layouts byte for byte.

Format: https://github.com/msgpack/msgpack/blob/master/spec.md
"""

from __future__ import annotations

from collections.abc import Iterable

import ormsgpack

_SIZED = {
    **{0xC4: (1, 0), 0xC5: (2, 0), 0xC6: (4, 0)},  # bin
    **{0xC7: (1, 1), 0xC8: (2, 1), 0xC9: (4, 1)},  # ext: a code follows the size
    **{0xD9: (1, 0), 0xDA: (2, 0), 0xDB: (4, 0)},  # str
}
"""First byte -> bytes of the size, bytes beside those it counts."""

_FIXED = {0xC0: 0, 0xC2: 0, 0xC3: 0, 0xCA: 4, 0xCB: 8, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4}
_FIXED |= {0xD3: 8, 0xD4: 2, 0xD5: 3, 0xD6: 5, 0xD7: 9, 0xD8: 17}
"""First byte -> bytes that follow."""

_COUNTED = {0xDC: (2, 1), 0xDD: (4, 1), 0xDE: (2, 2), 0xDF: (4, 2)}
"""First byte of an array or map -> bytes of the count, values for each."""


_SCALARS = frozenset(
    (*range(0x80), *range(0xA0, 0xC1), 0xC2, 0xC3, *range(0xCA, 0xD4), *range(0xD9, 0xDC), *range(0xE0, 0x100))
)


class Malformed(ValueError):
    """The bytes are no MessagePack, or not what was expected in them."""


def items(data: bytes) -> dict[str, bytes]:
    """Cut a map with text keys into its values.

    Args:
        data: A serialized map.

    Returns:
        The serialized values by key, in their order.

    Raises:
        Malformed: It is something else.
    """
    at, count = _map_header(data)
    found: dict[str, bytes] = {}
    for _ in range(count):
        middle = _after(data, at)
        end = _after(data, middle)
        try:
            key = ormsgpack.unpackb(data[at:middle])
        except ValueError as error:
            raise Malformed(f"a key that cannot be read: {error}") from error
        if not isinstance(key, str) or key in found:
            raise Malformed("a key that is no text, or stands there twice")
        found[key] = data[middle:end]
        at = end
    if at != len(data):
        raise Malformed("bytes after the end")
    return found


def a_map(parts: Iterable[tuple[str, bytes]]) -> bytes:
    """Put serialized values together to a map; the opposite of ``items``."""
    every = list(parts)
    size = len(every)
    head = bytes((0x80 | size,)) if size < 16 else b"\xdf" + size.to_bytes(4, "big")
    return b"".join([head, *(piece for key, value in every for piece in (ormsgpack.packb(key), value))])


def a_list(parts: Iterable[bytes]) -> bytes:
    """Put serialized values together to an array."""
    every = list(parts)
    size = len(every)
    head = bytes((0x90 | size,)) if size < 16 else b"\xdd" + size.to_bytes(4, "big")
    return b"".join([head, *every])


def extension_code(data: bytes) -> int | None:
    """The code of a serialized extension; ``None`` for any other value."""
    first = data[0] if data else 0
    at = {0xC7: 2, 0xC8: 3, 0xC9: 5}.get(first, 1 if 0xD4 <= first <= 0xD8 else None)
    return None if at is None or at >= len(data) else int.from_bytes(data[at : at + 1], "big", signed=True)


def is_scalar(data: bytes) -> bool:
    """Whether a serialized value is nil, a boolean, a number or text."""
    return bool(data) and data[0] in _SCALARS


def _map_header(data: bytes) -> tuple[int, int]:
    first = data[0] if data else 0xC1
    if first & 0xF0 == 0x80:
        return 1, first & 0x0F
    if first in (0xDE, 0xDF):
        width = _COUNTED[first][0]
        return 1 + width, int.from_bytes(data[1 : 1 + width], "big")
    raise Malformed("no map")


def _after(data: bytes, at: int) -> int:
    """Where the value that begins at ``at`` ends; nesting costs no stack."""
    open_values = 1
    while open_values:
        if at >= len(data):
            raise Malformed("the bytes end too early")
        first = data[at]
        at, inside = _step(data, at + 1, first)
        open_values += inside - 1
    if at > len(data):
        raise Malformed("the bytes end too early")
    return at


def _step(data: bytes, at: int, first: int) -> tuple[int, int]:
    """Pass the head of a value, and its bytes if it holds no values: where that ends, and how many values follow."""
    if first < 0x80 or first >= 0xE0:
        return at, 0
    if first < 0xA0:
        count = first & 0x0F
        return at, count * 2 if first < 0x90 else count
    if first < 0xC0:
        return at + (first & 0x1F), 0
    if first in _FIXED:
        return at + _FIXED[first], 0
    if first in _SIZED:
        width, beside = _SIZED[first]
        return at + width + beside + int.from_bytes(data[at : at + width], "big"), 0
    if first in _COUNTED:
        width, each = _COUNTED[first]
        return at + width, each * int.from_bytes(data[at : at + width], "big")
    raise Malformed(f"no value begins with 0x{first:02x}")

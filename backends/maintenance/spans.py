"""How many bytes each channel takes inside a stored checkpoint, without decoding any value.

A checkpoint is a MessagePack map; its key ``channel_values`` holds another, by channel. MessagePack says how long
everything is (https://github.com/msgpack/msgpack/blob/master/spec.md), so that values are skipped, not built.
"""

from __future__ import annotations

from collections.abc import Iterator

_SIZED = {
    **{0xC4: (1, 0), 0xC5: (2, 0), 0xC6: (4, 0)},  # bin
    **{0xC7: (1, 1), 0xC8: (2, 1), 0xC9: (4, 1)},  # ext: one byte more for its type
    **{0xD9: (1, 0), 0xDA: (2, 0), 0xDB: (4, 0)},  # str
}
"""First byte -> bytes of the length behind it, and bytes that the length does not count."""

_FIXED = {
    **{0xC0: 0, 0xC2: 0, 0xC3: 0, 0xCA: 4, 0xCB: 8},
    **{0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8},
    **{0xD4: 2, 0xD5: 3, 0xD6: 5, 0xD7: 9, 0xD8: 17},
}
"""First byte -> bytes behind it."""


def channel_spans(checkpoint: bytes) -> dict[str, int]:
    """Measure the values in a checkpoint.

    Args:
        checkpoint: As stored with type ``msgpack``.

    Returns:
        Bytes by channel, names included; empty where it is no such map.
    """
    try:
        for name, start, _ in _entries(checkpoint, 0):
            if name == "channel_values":
                return {
                    channel: end - begin + len(channel.encode()) for channel, begin, end in _entries(checkpoint, start)
                }
    except (IndexError, UnicodeDecodeError):  # cut off, or not what it says
        return {}
    return {}


def _entries(data: bytes, at: int) -> Iterator[tuple[str, int, int]]:
    """The keys of a map, and where their values begin and end; nothing where it is no map of texts."""
    count, at = _children(data, at)
    for _ in range(count // 2):
        key = _skip(data, at)
        name = _text(data[at:key])
        at = _skip(data, key)
        yield name, key, at


def _text(item: bytes) -> str:
    head = {0xD9: 2, 0xDA: 3, 0xDB: 5}.get(item[0], 1)
    return item[head:].decode()


def _skip(data: bytes, at: int) -> int:
    """Where the item that begins at a place ends; nesting is counted, not followed."""
    waiting = 1
    while waiting:
        count, at = _children(data, at)
        waiting += count - 1
    if at > len(data):
        raise IndexError("cut off")
    return at


def _children(data: bytes, at: int) -> tuple[int, int]:
    """How many items an item contains, and where they, or else what follows it, begin."""
    first = data[at]
    at += 1
    if first <= 0x7F or first >= 0xE0:
        return 0, at
    if first <= 0x8F:
        return 2 * (first & 0x0F), at
    if first <= 0x9F:
        return first & 0x0F, at
    if first <= 0xBF:
        return 0, at + (first & 0x1F)
    if first in _SIZED:
        width, more = _SIZED[first]
        return 0, at + width + more + int.from_bytes(data[at : at + width], "big")
    if first in (0xDC, 0xDD, 0xDE, 0xDF):
        width = 2 if first in (0xDC, 0xDE) else 4
        count = int.from_bytes(data[at : at + width], "big")
        return count * (2 if first >= 0xDE else 1), at + width
    if first in _FIXED:
        return 0, at + _FIXED[first]
    raise IndexError("no MessagePack")

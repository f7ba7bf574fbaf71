"""Time and step inside a checkpoint id (uuid6, RFC 9562 section 5.6; ``langgraph/checkpoint/base/id.py``)."""

from __future__ import annotations

_GREGORIAN_OFFSET = 0x01B21DD213814000
"""100 ns ticks between 1582-10-15 and 1970-01-01."""

_HYPHENS = (8, 13, 18, 23)


def unix_time(checkpoint_id: str) -> float | None:
    """Return the time inside a uuid6 checkpoint id.

    Args:
        checkpoint_id: Any stored id; hand-written ones carry no time.

    Returns:
        Seconds since 1970, or ``None`` when the id is not a version 6 UUID.
    """
    if len(checkpoint_id) != 36 or checkpoint_id[14] != "6" or any(checkpoint_id[i] != "-" for i in _HYPHENS):
        return None
    try:
        high = int(checkpoint_id[:8] + checkpoint_id[9:13], 16)
        ticks = (high << 12) | int(checkpoint_id[15:18], 16)
    except ValueError:
        return None
    return (ticks - _GREGORIAN_OFFSET) / 1e7


def checkpoint_id_at(when: float) -> str:
    """Return the smallest uuid6 text for a time; ids stored before ``when`` compare smaller."""
    ticks = max(0, int(when * 1e7) + _GREGORIAN_OFFSET)
    text = f"{ticks >> 12:012x}"
    return f"{text[:8]}-{text[8:]}-6{ticks & 0xFFF:03x}"

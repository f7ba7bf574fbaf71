"""How an age, a size and an id are written, on the screen and in plain tables alike."""

from __future__ import annotations

from typing import Final

_UNITS: Final = ((86400 * 365, "y"), (86400, "d"), (3600, "h"), (60, "m"))
_SIZES: Final = ("B", "k", "M", "G", "T")


def age(seconds: float | None) -> str:
    """A span of time in its largest unit: ``4s``, ``12m``, ``3h``, ``9d``, ``2y``; ``-`` where it is not known."""
    if seconds is None:
        return "-"
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return f"{max(0, int(seconds))}s"


def size(count: int) -> str:
    """A number of bytes with at most three figures: ``512 B``, ``2.8 k``, ``690 k``, ``4.6 G``."""
    amount, unit = float(count), _SIZES[0]
    for unit in _SIZES:
        if amount < 999.5 or unit == _SIZES[-1]:
            break
        amount /= 1000
    figures = f"{amount:.1f}" if unit != "B" and amount < 9.95 else f"{amount:.0f}"
    return f"{figures} {unit}"


def short_id(text: str, limit: int) -> str:
    """An id cut in the middle: its ends are what tells it from its neighbours."""
    if len(text) <= limit:
        return text
    tail = (limit - 1) // 2
    return f"{text[: limit - 1 - tail]}…{text[-tail:] if tail else ''}"

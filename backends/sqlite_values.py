"""Between Python and what SQLite columns hold: any column of any row may hold any type, and text may be no UTF-8."""

from __future__ import annotations

import json
import re
from sys import intern
from typing import Any

_METADATA = re.compile(rb'\{"source": "([a-z]+)", "step": (-?\d{1,9})[,}]')
"""How ``json.dumps`` writes the metadata of ``PregelLoop._put_checkpoint``: source and step come first."""


def lossless_text(raw: bytes) -> str:
    """Decode stored text; bytes that are no UTF-8 become lone surrogates, which ``bind`` turns back."""
    return raw.decode("utf-8", "surrogateescape")


def bind(text: str) -> str | bytes:
    """Make a parameter for ``cast(? as text)`` that equals the stored text, UTF-8 or not."""
    try:
        text.encode()
    except UnicodeEncodeError:
        try:
            return text.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            return text.encode("utf-8", "surrogatepass")
    return text


def as_text(value: Any) -> str:
    """Read a column that should hold text; NULL becomes empty."""
    if type(value) is str:
        return value
    if isinstance(value, bytes):
        return lossless_text(value)
    return "" if value is None else str(value)


def as_bytes(value: Any) -> bytes:
    """Read a column that should hold bytes; hand-written rows hold text there, or nothing."""
    if type(value) is bytes:
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    return b"" if value is None else str(value).encode()


def as_int(value: Any) -> int:
    """Read a column that should hold an integer; anything else becomes 0."""
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return 0


def step_and_source(metadata: bytes) -> tuple[int | None, str | None]:
    """Read step and source out of stored metadata; ``None`` where it has none, or is no JSON object."""
    if match := _METADATA.match(metadata):
        return int(match[2]), intern(str(match[1], "ascii"))
    try:
        parsed = json.loads(metadata) if metadata else None
    except (ValueError, RecursionError):
        return None, None
    if not isinstance(parsed, dict):
        return None, None
    step, source = parsed.get("step"), parsed.get("source")
    return (
        step if isinstance(step, int) and not isinstance(step, bool) else None,
        source if isinstance(source, str) else None,
    )

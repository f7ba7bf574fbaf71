"""Untrusted text -> text that a terminal can only print.

Everything that a store holds passes here before it reaches a screen, a table, a log or an error message. What is
invisible or acts on the terminal is made visible; everything else stays as it is.
"""

from __future__ import annotations

import re

_UNSAFE = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 without tab and newline, DEL, C1 (U+009B starts an escape sequence)
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u3164\uffa0"  # soft hyphen, joiners, letters without a shape
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f"  # zero width, direction marks, line separators, bidi, invisible operators
    "\ud800-\udfff"  # lone surrogates: no UTF-8 for them
    "\ufe00-\ufe0d\ufeff\ufff9-\uffff"  # variation selectors but text and emoji style, BOM, annotations, non-characters
    "\U000e0000-\U000e0fff"  # tags and variation selectors that can carry hidden text
    "]"
)


def _visible(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    return f"<U+{code:04X}>"


def clean(text: str) -> str:
    """Make untrusted text safe to print; text that is clean comes back as the same object.

    Args:
        text: Anything from a store: any length, any code points, lone surrogates included.

    Returns:
        The text with C0 controls and DEL as control pictures (``␛``), and every other character that is invisible or
        changes direction as ``<U+XXXX>``. Newlines and tabs stay. Markup is not touched: never parse the result as any.
    """
    if text.isascii() and text.isprintable():
        return text
    return _UNSAFE.sub(_visible, text)


def one_line(text: str, limit: int | None = None) -> str:
    """Make untrusted text safe to print inside one line.

    Args:
        text: As for ``clean``; what lies beyond ``limit`` is never looked at.
        limit: The most characters to return, or ``None`` for all.

    Returns:
        Cleaned text with newlines as ``⏎`` and tabs as spaces; where it was cut, the last character is ``…``.
    """
    if limit is None:
        return _flat(text)
    if limit <= 0:
        return ""
    line = _flat(text[: limit + 1])
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def _flat(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return _UNSAFE.sub(_visible, text).replace("\n", "⏎").replace("\t", " ")

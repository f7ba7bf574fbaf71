"""Values of the simple query protocol: what the server prints, read; what a statement is given, written."""

from __future__ import annotations

import re
from binascii import unhexlify
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

Reading: TypeAlias = Callable[[bytes], Any]

_ELEMENT = re.compile(r'"((?:\\.|[^"\\])*)"|([^,{}]+)', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_TO_ESCAPE = re.compile(r'(["\\])')
_BYTE = re.compile(rb"\\(\\|[0-7]{3})")
_PLACEHOLDER = re.compile(r"(%s|%%)")


def read_text(printed: bytes) -> str:
    """A text; also one of a database that promises no encoding."""
    return printed.decode(errors="backslashreplace")


def read_array(printed: bytes) -> list[str | None]:
    """An array of texts in one dimension."""
    return [
        _ESCAPED.sub(r"\1", quoted) if bare == "" else None if bare == "NULL" else bare
        for quoted, bare in _ELEMENT.findall(read_text(printed))
    ]


def _read_numeric(printed: bytes) -> Any:
    from decimal import Decimal

    return Decimal(printed.decode())


def _read_bytes(printed: bytes) -> bytes:
    """``bytea`` in either of its forms (``bytea_output``)."""
    if printed.startswith(b"\\x"):
        return unhexlify(printed[2:])
    return _BYTE.sub(lambda found: b"\\" if found[1] == b"\\" else bytes((int(found[1], 8),)), printed)


READINGS: Final[Mapping[int, Reading]] = {
    16: b"t".__eq__,
    17: _read_bytes,
    20: int,
    21: int,
    23: int,
    26: int,
    114: bytes,
    700: float,
    701: float,
    1003: read_array,
    1009: read_array,
    1700: _read_numeric,
    3802: bytes,
}
"""By the OID of a type, as psycopg reads it; JSON as the server prints it. All others are texts."""


def filled(text: str, parameters: Sequence[object], quoted: Callable[[str], bytes]) -> bytes:
    """Put parameters into a statement: ``%s``, and ``%%`` for a percent sign.

    Args:
        text: The statement.
        parameters: Texts, integers, booleans, ``None``, and lists of texts.
        quoted: Makes a literal of a text.
    """
    given = iter(parameters)
    pieces = _PLACEHOLDER.split(text)
    return b"".join(
        _literal(next(given), quoted) if piece == "%s" else b"%" if piece == "%%" else piece.encode()
        for piece in pieces
    )


def _literal(value: object, quoted: Callable[[str], bytes]) -> bytes:
    if value is None:
        return b"NULL"
    if isinstance(value, bool):
        return b"true" if value else b"false"
    if isinstance(value, int):
        return f" {value}".encode()  # without the space, a minus sign after another would begin a comment
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, list):
        return quoted("{" + ",".join(map(_element, value)) + "}")
    raise TypeError(f"{type(value).__name__} has no literal")


def _element(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} in an array of texts")
    return '"' + _TO_ESCAPE.sub(r"\\\1", value) + '"'

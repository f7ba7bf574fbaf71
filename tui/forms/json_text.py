"""JSON as a person types it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, NoReturn

MOST_TYPED: Final = 256 * 1024
"""Characters that a text area takes; longer texts go to an editor."""

_MOST_READ: Final = 64 * 1024 * 1024
"""Bytes of a file."""


class JsonError(ValueError):
    """A text is not JSON.

    Args:
        reason: What is wrong and where, in one sentence.
        line: Line of the mistake, from 0.
        column: Its column, from 0.
    """

    def __init__(self, reason: str, line: int = 0, column: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line
        self.column = column


def read_json(text: str) -> Any:
    """Read a JSON value; nothing that Python takes beyond JSON (``NaN``).

    Raises:
        JsonError: It is none.
    """
    try:
        return json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        hint = "; a text needs quotes" if text.strip()[:1].isalpha() else ""
        where = f"line {error.lineno}, column {error.colno}"
        reason = f"not JSON at {where}: {error.msg.lower()}{hint}" if text.strip() else "JSON is needed"
        raise JsonError(reason, error.lineno - 1, error.colno - 1) from None
    except (RecursionError, ValueError) as error:
        # Nested too deeply, a constant that JSON does not have, or a number with more digits than Python reads.
        raise JsonError(f"not JSON: {error}") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a JSON value")


def read_json_or_file(text: str) -> Any:
    """Read a JSON value, or that of a file where the text is ``@path``; waits for the disk.

    Raises:
        JsonError: It is none, or the file cannot be read.
    """
    if not text.lstrip().startswith("@"):
        return read_json(text)
    path = Path(text.strip()[1:]).expanduser()
    try:
        if path.stat().st_size > _MOST_READ:
            raise JsonError(f"{path} is larger than {_MOST_READ // 2**20} MB")
        return read_json(path.read_text("utf-8"))
    except OSError as error:
        raise JsonError(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise JsonError(f"{path} is not UTF-8") from None


def write_json(value: Any) -> str:
    """A JSON value as indented text, safe to print, that reads back as the same value.

    Short lists and mappings stay on one line. Characters that a terminal would act upon, or that nobody sees, are
    written as escapes.
    """
    if len(json.dumps(value)) > MOST_TYPED:
        return _printable(json.dumps(value, ensure_ascii=False, indent=2))
    return _written(value, "")


def write_line(value: Any) -> str:
    """A JSON value on one line, as safe as that of ``write_json``."""
    return _printable(json.dumps(value, ensure_ascii=False))


_SHORT: Final = 60
"""Characters up to which a list or a mapping stays on one line."""


def _written(value: Any, indent: str) -> str:
    line = write_line(value)
    if len(line) <= _SHORT or not value or not isinstance(value, dict | list):
        return line
    deeper = indent + "  "
    if isinstance(value, dict):
        parts = [f"{deeper}{write_line(key)}: {_written(item, deeper)}" for key, item in value.items()]
        return "{\n" + ",\n".join(parts) + f"\n{indent}}}"
    return "[\n" + ",\n".join(deeper + _written(item, deeper) for item in value) + f"\n{indent}]"


def _printable(text: str) -> str:
    """Escape what cannot be printed; such characters stand only inside the strings of a JSON text."""
    if text.isprintable():
        return text
    return "".join(char if char == "\n" or char.isprintable() else json.dumps(char)[1:-1] for char in text)

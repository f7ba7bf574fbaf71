"""JSON that a command is given: in the word itself, in a file, or on standard input."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from typing import Any, Final, NoReturn

FORMS: Final = "JSON, @FILE or - for standard input"

_EXCERPT = 40


def json_value(text: str) -> Any:
    """Read a value for ``argparse``.

    Args:
        text: JSON, ``@`` and the path of a file that holds JSON, or ``-`` for standard input (once a process).

    Raises:
        argparse.ArgumentTypeError: It is none, or the file cannot be read.
    """
    if text == "-":
        return _parsed(_standard_input(), "Standard input")
    if text.startswith("@"):
        return _parsed(_content(text[1:]), text[1:])
    return _parsed(text, f"{text[:_EXCERPT]!r}{'…' if len(text) > _EXCERPT else ''}")


def json_object(text: str) -> Mapping[str, Any]:
    """Read a JSON object; see ``json_value``.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    value = json_value(text)
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError(f"a JSON object is wanted: '{{\"name\": …}}', not {type(value).__name__}")
    return value


def fault_spec(text: str) -> str:
    """Read a fault for ``argparse``; see ``backends.faults``.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    from backends.errors import Refused
    from backends.faults import parse

    try:
        return str(parse(text))
    except Refused as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _standard_input() -> str:
    if sys.stdin.closed:
        raise argparse.ArgumentTypeError("standard input has been read already; only one option can be -")
    with sys.stdin as given:
        try:
            return given.read()
        except (OSError, UnicodeDecodeError) as error:
            raise argparse.ArgumentTypeError(f"standard input cannot be read: {error}") from None


def _content(path: str) -> str:
    try:
        with open(path, encoding="utf-8-sig") as file:
            return file.read()
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise argparse.ArgumentTypeError(f"{path} is not UTF-8 text") from None


def _parsed(text: str, source: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_number)
    except RecursionError:
        raise argparse.ArgumentTypeError(f"{source} is nested too deeply") from None
    except ValueError as error:
        hint = " A text needs quotes of its own, as in '\"yes\"'." if source.startswith("'") else ""
        raise argparse.ArgumentTypeError(f"{source} is not JSON: {error}.{hint}") from None


def _no_number(name: str) -> NoReturn:
    """Python reads ``NaN`` and ``Infinity``, which JSON does not have and the store would keep as something else."""
    raise ValueError(f'{name} is no JSON number; write {{"$float": "{name.lower()}"}} where the state holds one')

"""One line of a form: what may be typed into it, and what that means."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from .json_text import JsonError, read_json, write_line


class Kind(StrEnum):
    """What a field takes."""

    TEXT = "text"
    INTEGER = "whole number"
    NUMBER = "number"
    CHOICE = "one of a few"
    JSON = "JSON"


class Unset:
    """Stands for a value that is not there; ``None`` is a value."""

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset()


class FieldError(ValueError):
    """What was filled in cannot be sent.

    Args:
        name: Name of the field; empty where it is not about one.
        reason: What is wrong, in one sentence.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(reason)
        self.name = name
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Field:
    """A field.

    Attributes:
        name: Key of its value; untrusted.
        kind: See ``Kind``.
        note: What it is for; untrusted.
        required: Whether there must be a value.
        nullable: Whether ``None`` is one.
        options: CHOICE: what can be chosen, as it is shown and as it is sent.
        default: What is sent where nothing was chosen; also what the field begins with.
    """

    name: str
    kind: Kind
    note: str = ""
    required: bool = True
    nullable: bool = False
    options: tuple[tuple[str, Any], ...] = ()
    default: Any = UNSET

    def write(self, value: Any) -> str:
        """The text that stands for a value; empty for none."""
        if isinstance(value, Unset):
            return ""
        if self.kind is Kind.CHOICE:
            return next((label for label, option in self.options if _same(option, value)), "")
        if self.kind is Kind.TEXT:
            return value if isinstance(value, str) else ""
        return "" if value is None else write_line(value)

    def read(self, text: str) -> Any:
        """The value that a text stands for, ``UNSET`` for none.

        Raises:
            FieldError: It is not one that the field takes.
        """
        if self.kind is Kind.CHOICE:
            return next((option for label, option in self.options if label == text), None) if text else self._nothing()
        if self.kind is Kind.TEXT:
            return text if text or (self.required and not self.nullable) else self._nothing()
        return self._read(text.strip()) if text.strip() else self._nothing()

    def _nothing(self) -> Any:
        """What an empty field means."""
        if not self.required:
            return UNSET
        if self.nullable:
            return None
        raise FieldError(self.name, "choose one" if self.kind is Kind.CHOICE else f"a {self.kind} is needed")

    def _read(self, text: str) -> Any:
        try:
            if self.kind is Kind.INTEGER:
                return int(text)
            if self.kind is Kind.NUMBER:
                return _number(text)
            return read_json(text)
        except JsonError as error:
            raise FieldError(self.name, error.reason) from None
        except ValueError:
            raise FieldError(self.name, f"a {self.kind} is needed") from None


def _number(text: str) -> int | float:
    """A number; one without a point stays whole.

    Raises:
        ValueError: It is none, or not a finite one.
    """
    try:
        return int(text)
    except ValueError:
        number = float(text)
        if not math.isfinite(number):
            raise ValueError(text) from None
        return number


def _same(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same: ``1`` is not ``True``."""
    return type(one) is type(other) and bool(one == other)

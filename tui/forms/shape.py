"""What an answer looks like: fields to fill in, and the value that they make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from .field import Field
from .review import shape_of_review
from .schema import shape_of_schema


class Shape(Protocol):
    """A form for one value."""

    @property
    def fields(self) -> tuple[Field, ...]:
        """What to fill in."""
        ...

    def value(self, given: Mapping[str, Any]) -> Any:
        """The value that filled-in fields make, by name; empty ones are absent.

        Raises:
            FieldError: They do not go together.
        """
        ...

    def draft(self, given: Mapping[str, Any]) -> Any:
        """The value that some of the fields make, to go on with as JSON."""
        ...

    def given(self, value: Any) -> Mapping[str, Any] | None:
        """What the fields hold of a value; ``None`` where it cannot be taken apart."""
        ...


def shape_of_answer(question: Any, schema: Any) -> Shape | None:
    """The form for an answer; ``None`` where only JSON is left.

    Args:
        question: What was asked, as JSON; untrusted.
        schema: JSON Schema of the answer, where the application gave one; untrusted.
    """
    return shape_of_schema(schema) or shape_of_review(question)

"""The input of the filter; made when somebody first types one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.suggester import Suggester

from .steady_input import SteadyInput


class Completer(Suggester):
    """Ghost text behind the cursor.

    Args:
        choices: Gives whole texts that the typed text could become, most likely first.
    """

    def __init__(self, choices: Callable[[str], Sequence[str]]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._choices = choices

    async def get_suggestion(self, value: str) -> str | None:
        """The likeliest text that begins with what is typed."""
        return next((choice for choice in self._choices(value) if choice.startswith(value)), None)


class FilterInput(SteadyInput):
    """The input of the filter."""

    DEFAULT_CSS = """
    FilterInput, FilterInput:focus {
        width: 1fr;
        height: 1;
        border: none;
        padding: 0;
        background: $background;
        & > .input--suggestion { color: $faint; }
        & > .input--placeholder { color: $faint; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave(False)", "clear", key_display="esc", id="filter.clear", tooltip="Clear the filter"),
        Binding("enter,down", "leave(True)", "keep", key_display="↵", id="filter.keep", tooltip="Back to the list"),
        Binding("tab", "complete", "complete", key_display="⇥", id="filter.complete", tooltip="Complete the word"),
    ]

    @dataclass
    class Left(Message):
        """The person is done.

        Attributes:
            keep: Whether the filter stays.
            text: What was typed.
        """

        keep: bool
        text: str

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Every printable character is typed; Textual does not know that ``slash`` is one."""
        return key == "slash" or super().check_consume_key(key, character)

    def action_leave(self, keep: bool) -> None:
        """Go back to the list."""
        self.post_message(self.Left(keep, self.value))

    def action_complete(self) -> None:
        """Take the ghost text."""
        if self._suggestion:
            self.value = self._suggestion
            self.cursor_position = len(self.value)

"""A one-line input to search with, and what the typed text means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input

from .steady_input import SteadyInput


def pattern_of(text: str) -> re.Pattern[str] | None:
    """What to look for: the text itself, in any case unless it has a capital letter; ``None`` for nothing."""
    if not text:
        return None
    return re.compile(re.escape(text), 0 if text != text.lower() else re.IGNORECASE)


class SearchInput(SteadyInput):
    """``/`` opens it, enter keeps the search, escape ends it."""

    DEFAULT_CSS = """
    SearchInput, SearchInput:focus {
        display: none;
        height: 1;
        border: none;
        padding: 0 1;
        background: $surface;
        &.-open { display: block; }
        & > .input--placeholder { color: $faint; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave(False)", "end search", key_display="esc", id="search.end", tooltip="End the search"),
        Binding("enter", "leave(True)", "keep", key_display="↵", id="search.keep", tooltip="Keep the matches marked"),
    ]

    @dataclass
    class Left(Message):
        """The person is done typing.

        Attributes:
            keep: Whether the search stays.
        """

        keep: bool

    def __init__(self) -> None:
        super().__init__(placeholder="search", select_on_focus=True)

    def open(self) -> None:
        """Begin to type."""
        self.add_class("-open")
        self.focus()

    def action_leave(self, keep: bool) -> None:
        """Stop typing."""
        self.remove_class("-open")
        if not keep:
            with self.prevent(Input.Changed):
                self.value = ""
        self.post_message(self.Left(keep))

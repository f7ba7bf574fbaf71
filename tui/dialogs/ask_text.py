"""A question with one line for an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from backends.text import one_line

from ..widgets.entry import EntryNote
from ..widgets.form import FieldInput
from ..widgets.key_bar import KeyBar
from .modal import Modal


class AskText(Modal[str | None]):
    """Asks for a line; answers with it, or with ``None``.

    Args:
        title: What is asked for; untrusted.
        text: What stands there at first.
        note: What it is for; untrusted.
        wrong: Says what is wrong with a line; empty for nothing.
    """

    AUTO_FOCUS = "Input"
    BINDING_GROUP_TITLE = "Question"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "accept", "ok", key_display="↵", priority=True, id="ask.accept", tooltip="Take this"),
    ]

    def __init__(self, title: str, text: str = "", note: str = "", wrong: Callable[[str], str] = lambda _: "") -> None:
        super().__init__()
        self._heading = title
        self._text = text
        self._about = note
        self._wrong = wrong

    def compose(self) -> ComposeResult:
        """A frame with the line in it."""
        with Vertical(classes="dialog ask"):
            yield Static(one_line(self._heading, 100), classes="dialog-title", markup=False)
            yield FieldInput(self._text, select_on_focus=False)
            yield EntryNote()
            yield KeyBar()

    def on_mount(self) -> None:
        """Say what it is for."""
        self.query_one(EntryNote).say(self._about)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.query_one(EntryNote).say(self._about)

    def action_accept(self) -> None:
        """Answer, unless something is wrong with it."""
        text = self.query_one(Input).value.strip()
        if reason := self._wrong(text):
            self.query_one(EntryNote).say(reason, wrong=True)
        else:
            self.dismiss(text)

"""A question that is answered with yes or no."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from backends.text import one_line

from ..widgets.key_bar import KeyBar
from ..widgets.sheet import Paragraph, Sheet
from .modal import Modal

_CHROME: Final = 6
"""Lines of the frame, its title and its keys."""

_WIDTH: Final = 68
"""Cells of a line at most."""


class Confirm(Modal[bool]):
    """Asks before something that cannot be undone; answers ``True``, or ``None`` for no.

    Args:
        title: What would be done; untrusted.
        paragraphs: What comes of it.
    """

    AUTO_FOCUS = "Sheet"
    BINDING_GROUP_TITLE = "Question"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,y", "accept", "yes", key_display="↵", priority=True, id="confirm.accept", tooltip="Yes: do it"),
        Binding("escape,n", "close", "no", key_display="esc", id="dialog.close", tooltip="Close; change nothing"),
    ]

    def __init__(self, title: str, paragraphs: Sequence[Paragraph]) -> None:
        super().__init__()
        self._heading = one_line(title, 200)
        self._paragraphs = paragraphs

    def compose(self) -> ComposeResult:
        """A frame with the question in it."""
        with Vertical(classes="dialog"):
            yield Static(self._heading, classes="dialog-title", markup=False)
            yield Sheet(self._paragraphs)
            yield KeyBar()

    def on_resize(self) -> None:
        """Make the frame as high as what is in it."""
        width = min(_WIDTH, self.size.width - 4)
        self.query_one(".dialog").styles.height = self.query_one(Sheet).height_at(width) + _CHROME

    def action_accept(self) -> None:
        """Yes."""
        self.dismiss(True)

"""What every dialog is made of: one that answers once, and only while it is in front."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, TypeVar

from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

T = TypeVar("T")


class Modal(ModalScreen[T]):
    """A dialog.

    A key pressed twice in a hurry asks a closing dialog to close again. Textual would then take another screen off the
    stack, or raise ``ScreenStackError`` (``textual/screen.py``, ``Screen.dismiss``) and leave the dialog half gone.
    """

    CSS_PATH = Path(__file__).with_name("dialogs.tcss")

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "close", key_display="esc", id="dialog.close", tooltip="Close; change nothing"),
    ]

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        """Close the dialog with an answer, unless it is closing already."""
        if not self.is_current:
            return AwaitComplete()
        return super().dismiss(result)

    def action_close(self) -> None:
        """Close without an answer."""
        self.dismiss(None)

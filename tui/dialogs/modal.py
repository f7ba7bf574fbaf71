"""What every dialog is made of: one that answers once, and only while it is in front."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeVar, cast

from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.worker import Worker, WorkerState

if TYPE_CHECKING:
    from ..app import LgtopApp

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

    def is_busy(self, group: str) -> bool:
        """Whether a worker of this dialog is at it: a second press of the key changes nothing."""
        workers = (worker for worker in self.workers if worker.node is self and worker.group == group)
        return any(not worker.is_finished for worker in workers)  # one that has yet to begin, too

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Tell of an error that nobody foresaw; the dialog, and what was typed into it, stay."""
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            cast("LgtopApp", self.app).tell_failure(event.worker.error)

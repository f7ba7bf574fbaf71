"""An app that goes on whatever fails, says why, and lets nothing dangerous through to the terminal."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.segment import Segment, Segments
from textual.filter import LineFilter
from textual.widget import Widget

from backends.text import one_line

from .guard import AsciiGuard, ControlGuard
from .type_ahead import TypeAheadApp

if TYPE_CHECKING:
    from textual.dom import DOMNode

    from .terminal import Terminal


class SafeApp(TypeAheadApp):
    """What stands between the app and the terminal.

    Attributes:
        terminal: What the terminal can do; set by the subclass.
    """

    terminal: Terminal

    @property
    def secrets(self) -> Sequence[str]:
        """Texts that no log may contain."""
        return ()

    # What is said

    def say_at_exit(self, lines: Iterable[str]) -> None:
        """Leave some lines on the terminal when the app has gone; safe text, never markup."""
        # One for all: Textual shows the first only, and calls the others errors.
        self._exit_renderables.append(Segments([part for line in lines for part in (Segment(line), Segment.line())]))

    def notify(self, message: str, **options: Any) -> None:
        """Show a toast; never markup."""
        super().notify(one_line(message, 500), **{**options, "markup": False})

    def get_line_filters(self) -> Sequence[LineFilter]:
        """What every line passes before it reaches the terminal."""
        guards = [ControlGuard()] if self.terminal.unicode else [ControlGuard(), AsciiGuard()]
        return [*super().get_line_filters(), *guards]

    # What fails

    async def run_action(
        self,
        action: Any,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """Run what a key asks for: a failure does not end the app; a screen not made yet, or gone, hears nothing."""
        if not self._hears(default_namespace):
            return False
        try:
            return await super().run_action(action, default_namespace, namespaces)
        except Exception as error:  # the key may be Textual's own, as in a command palette that is still empty
            self.tell_failure(error)
            return False

    def _hears(self, node: DOMNode | None) -> bool:
        """Whether a key that was pressed for a node finds it on screen, and complete."""
        if not self.screen.is_mounted:
            return False
        return not isinstance(node, Widget) or (node.is_attached and node.screen is self.screen)

    def _handle_exception(self, error: Exception) -> None:
        """Stop because of an error of our own: no traceback on the terminal, no local variables anywhere."""
        self._return_code = 1
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
        self._report(error)

    def _fatal_error(self) -> None:
        """As Textual calls it from an except clause."""
        self._report(sys.exc_info()[1] or RuntimeError("unknown"))

    def thread_died(self, failure: threading.ExceptHookArgs) -> None:
        """An error of our own on another thread: say so instead of writing a traceback over the screen."""
        self.tell_failure(failure.exc_value or RuntimeError(failure.exc_type.__name__))

    def tell_failure(self, error: BaseException) -> None:
        """Say that something of our own failed, and where the details are; the app goes on."""
        from .crash import write_log

        log = write_log(error, self.secrets)
        self.notify(f"lgtop failed in the background ({type(error).__name__}). Details: {log}", severity="error")

    def _report(self, error: BaseException) -> None:
        from .crash import sentence, write_log

        line = sentence(error, write_log(error, self.secrets))
        self._exit_renderables.append(Segments([Segment(line), Segment.line()]))
        self._close_messages_no_wait()

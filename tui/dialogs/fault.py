"""Where is the next run to be struck?"""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from backends.graphs.drawing import Drawing
from backends.text import one_line

from ..lab.setup import Strike
from ..widgets.fault_pane import FAULT_KEYS, FaultKeys, FaultLine, FaultPane
from ..widgets.key_bar import KeyBar
from .modal import Modal


class ChooseFault(FaultKeys, Modal[Strike | None]):
    """Asks for a fault on the drawn graph; answers with it, which may be none at all, or with ``None``.

    Args:
        name: Name of the graph; untrusted.
        drawing: The graph.
        strike: What is chosen so far.
    """

    AUTO_FOCUS = "FaultGraph"
    BINDING_GROUP_TITLE = "Fault"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "accept", "take it", key_display="↵", priority=True, id="fault.accept", tooltip="Take it"),
        *FAULT_KEYS,
    ]

    def __init__(self, name: str, drawing: Drawing, strike: Strike) -> None:
        super().__init__()
        self._heading = f"Crash the next run of {one_line(name, 60)} at…"
        self._drawing = drawing
        self._line = FaultLine()
        self._pane = FaultPane(self._line)
        self._pane.strike = strike

    def compose(self) -> ComposeResult:
        """A frame with the graph in it."""
        with Vertical(classes="dialog"):
            yield Static(self._heading, classes="dialog-title", markup=False)
            yield self._line
            yield self._pane
            yield KeyBar()

    def on_mount(self) -> None:
        """Draw the graph."""
        self._pane.show_graph(self._drawing, self._pane.strike.node)

    @property
    def pane(self) -> FaultPane:
        """The graph."""
        return self._pane

    def action_accept(self) -> None:
        """Answer."""
        self.dismiss(self._pane.strike)

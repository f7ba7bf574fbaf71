"""Where a run is struck: a node of the drawn graph, a point in it, a way, and for the inside of it a moment."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.reactive import reactive

from backends.faults import Point
from backends.graphs.drawing import Drawing
from backends.text import one_line

from ..drawing.picture import draw
from ..lab.setup import HOWS, POINTS, Strike
from ..lab.unfolded import second, unfold
from ..tabs.graph import Mark
from .graph_view import GraphView, label
from .one_line import OneLine, Piece

_STRUCK = " !"
"""Stands behind the node that is struck."""


FAULT_KEYS: Final = (
    Binding("p", "point", "point", show=False, id="fault.point", tooltip="Before, inside, after, …, or undisturbed"),
    Binding("w", "how", "way", show=False, id="fault.how", tooltip="Kill, exit, raise, hang or lose the store"),
    Binding("plus", "later(1)", "later", show=False, key_display="+", id="fault.later", tooltip="100 ms later"),
    Binding("minus", "later(-1)", "earlier", show=False, key_display="-", id="fault.earlier", tooltip="100 ms earlier"),
)
"""Keys of a screen with a pane on it, whatever has the focus."""


class FaultKeys:
    """What the keys do; mixed into a screen."""

    @property
    def pane(self) -> FaultPane:
        """The pane."""
        raise NotImplementedError

    def action_point(self) -> None:
        """Strike at another point."""
        self.pane.change(self.pane.strike.next_point())

    def action_how(self) -> None:
        """Strike in another way."""
        self.pane.change(self.pane.strike.next_how())

    def action_later(self, steps: int) -> None:
        """Strike later or earlier."""
        self.pane.change(self.pane.strike.later(steps))


class FaultGraph(GraphView):
    """The graph; its cursor is the node that is struck, as long as that can be chosen."""

    LEGEND = (*GraphView.LEGEND, ("!", "Where the fault strikes"))

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "activate", "Take it", show=False, id="lines.activate", tooltip="Take this node"),
    ]

    def begin_at(self, node: str) -> None:
        """Put the cursor on a node, and leave it there whatever happens."""
        if node in self.picture.boxes:
            self.node, self._settled = node, True
            self.rows_changed(self.picture.boxes[node].row)


class FaultLine(OneLine):
    """``p inside  sentiment  +- 300 ms  w kill``: the fault, and the keys that change it."""

    DEFAULT_CSS = "FaultLine { padding: 0 1; }"

    strike: reactive[Strike] = reactive(Strike())
    """The fault."""

    fixed: reactive[bool] = reactive(False)
    """Whether it cannot be changed at the moment."""

    def pieces(self, width: int) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """Point, node, moment and way, each behind its key; what the point means where there is room."""
        strike, key, action = self.strike, "faint" if self.fixed else "accent", "app.simulate_key('{}')"
        left: list[Piece] = [("crash  ", "dim"), ("p ", key, action.format("p"))]
        if strike.point is None:
            return [*left, ("undisturbed", "strong")], []
        left += [(f"{strike.point} ", "strong"), (one_line(strike.node, 40) or "no node", "bold warning")]
        if strike.point is Point.INSIDE:
            left += [("  +", key, action.format("+")), ("-", key, action.format("-")), (f" {strike.ms} ms", "strong")]
        left += [("  w ", key, action.format("w")), (f"{strike.how}", "strong")]
        meant = f"   {POINTS[strike.point]}: {HOWS[strike.how]}"
        return [*left, (meant, "dim")] if width >= 90 else left, []


class FaultPane(Vertical):
    """The graph with the node that is struck, and the keys that choose a fault.

    Args:
        line: Shows the fault; anywhere on the screen.

    Attributes:
        strike: The fault.
        editable: Whether the cursor chooses the node.
    """

    @dataclass
    class Changed(Message):
        """Another fault was chosen.

        Attributes:
            strike: Which.
        """

        strike: Strike

    def __init__(self, line: FaultLine) -> None:
        super().__init__()
        self.strike = Strike()
        self.editable = True
        self._line = line
        self._drawing: Drawing | None = None
        self._marks: Mapping[str, Mark] = {}
        self._seen: tuple[str, ...] = ()

    def compose(self) -> ComposeResult:
        """The picture; the line is elsewhere."""
        yield FaultGraph()

    @property
    def view(self) -> FaultGraph:
        """The picture."""
        return self.query_one(FaultGraph)

    @property
    def unfolded(self) -> Drawing:
        """The graph with what is inside of its nodes, and what else has run."""
        return unfold(self._drawing, self._seen) if self._drawing is not None else Drawing("")

    # What is shown

    def show_graph(self, drawing: Drawing, node: str = "") -> None:
        """Show another graph.

        Args:
            drawing: The graph.
            node: The node to begin with; empty takes the second one.
        """
        self._drawing, self._marks, self._seen = drawing, {}, ()
        self.take(replace(self.strike, node=node or second(self.unfolded)))

    def show_marks(self, marks: Mapping[str, Mark], seen: Iterable[str] = ()) -> None:
        """Show what has become of the nodes.

        Args:
            marks: By path.
            seen: Every node that has run.
        """
        seen = (*self._seen, *(path for path in seen if path not in self._seen))
        if marks != self._marks or seen != self._seen:
            self._marks, self._seen = marks, seen
            self._paint()

    def allow(self, editable: bool) -> None:
        """Let the fault be changed, or not any more; the cursor then goes where it likes."""
        if editable != self.editable:
            self.editable = editable
            self._line.fixed = not editable
            self._paint()

    def take(self, strike: Strike) -> None:
        """Take another fault."""
        self.strike = self._line.strike = strike
        self._paint()
        self.post_message(self.Changed(strike))

    @work(exclusive=True, group="paint")
    async def _paint(self) -> None:
        """Draw the graph anew."""
        drawing, marks = self.unfolded, self._marks
        struck = self.strike.node if self.strike.point is not None else ""
        labels = {
            node.name: label(node, drawing, marks.get(node.name)) + (_STRUCK if node.name == struck else "")
            for node in drawing.nodes
        }
        picture = await asyncio.to_thread(draw, list(labels), drawing.edges, labels)
        self.view.show(picture, marks)
        if self.editable:
            self.view.begin_at(self.strike.node)

    # Choosing

    @on(GraphView.Chosen)
    def _chosen(self, event: GraphView.Chosen) -> None:
        event.stop()
        node = self.view.node
        if self.editable and node and node != self.strike.node and not node.startswith("__"):
            self.take(replace(self.strike, node=node, exact=True))

    def change(self, strike: Strike) -> None:
        """Take another fault, if that can be chosen at the moment."""
        if self.editable:
            self.take(strike)
        else:
            self.app.notify("This experiment has begun: reset it to crash it elsewhere.", severity="warning")

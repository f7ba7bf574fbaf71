"""A graph on the screen: its nodes in layers, each with what has become of it, and a cursor that goes among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.message import Message

from backends.graphs.drawing import Drawing, Node
from backends.text import one_line

from ..drawing.picture import Box, Picture
from ..tabs.graph import Mark, NodeState
from .lines import Lines
from .one_line import clip

_MARGIN: Final = 2
"""Cells before the picture."""

_LONGEST: Final = 28
"""Cells of a node's name."""

SIGNS: Final[Mapping[NodeState | None, tuple[str, str]]] = {
    NodeState.FAILED: ("✖", "failed"),
    NodeState.WAITING: ("?", "waiting"),
    NodeState.RUNNING: ("●", "running"),
    NodeState.CRASHED: ("†", "crashed"),
    NodeState.NEXT: ("○", "strong"),
    NodeState.FINISHED: ("✓", "done"),
    NodeState.EARLIER: ("✓", "dim"),
    None: ("·", "dim"),
}
"""Glyph and colour by state; ``None`` for a node that has not run."""

_CURRENT: Final = (NodeState.FAILED, NodeState.WAITING, NodeState.RUNNING, NodeState.CRASHED, NodeState.NEXT)
"""States of a node that a person wants to see first."""


def label(node: Node, drawing: Drawing, mark: Mark | None) -> str:
    """What stands for a node in the picture.

    ``✓ extract ×3 ▸``: state, name, tasks, and ``▸`` where there is a graph inside, ``↺`` where an edge leads back to
    itself, ``‖`` at the side on which the graph pauses.
    """
    name = clip(one_line(node.name, 100), _LONGEST)
    if not node.written:
        return name
    sign, _ = SIGNS[mark.state if mark is not None else None]
    parts = [sign, name]
    if node.name in drawing.interrupt_before:
        parts.insert(1, "‖")
    if mark is not None and mark.tasks > 1:
        parts.append(f"×{mark.tasks}")
    if any(edge.source == edge.target == node.name for edge in drawing.edges):
        parts.append("↺")
    if node.subgraph is not None:
        parts.append("▸")
    if node.name in drawing.interrupt_after:
        parts.append("‖")
    return " ".join(parts)


def _is_end(name: str) -> bool:
    return name in ("__start__", "__end__")


class GraphView(Lines):
    """Shows a picture."""

    DEFAULT_CSS = "GraphView { overflow-x: auto; scrollbar-gutter: stable; }"

    LEGEND: ClassVar[Sequence[tuple[str, str]]] = (
        ("✓ ✖ ? ●", "Finished, failed, waiting for an answer, running"),
        ("○ · †", "Next; not run since the last input; ran when its process went"),
        ("×3", "Three tasks in this step, or three steps"),
        ("▸ ↺", "A graph inside; an edge that leads back to itself"),
        ("‖ ↑", "Pauses on this side of it; an edge that leads back up"),
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "activate", "look inside", key_display="↵", id="lines.activate", tooltip="Look inside a node"),
        Binding("h,left", "aside(-1)", "Left", show=False, id="graph.left", tooltip="The node to the left"),
        Binding("l,right", "aside(1)", "Right", show=False, id="graph.right", tooltip="The node to the right"),
    ]

    @dataclass
    class Chosen(Message):
        """The cursor is on another node.

        Attributes:
            node: Its name; empty where there is none.
        """

        node: str

    def __init__(self) -> None:
        super().__init__(id="graph")
        self.picture = Picture()
        self.node = ""
        self._settled = False
        self._marks: Mapping[str, Mark] = {}

    def show(self, picture: Picture, marks: Mapping[str, Mark]) -> None:
        """Show a picture; the cursor goes to the node that matters most, or stays where the person has put it."""
        self.picture, self._marks = picture, marks
        before = self.node
        self._settled = self._settled and before in picture.boxes
        if not self._settled:
            self.node = self._first()
        if self.node != before:
            self.post_message(self.Chosen(self.node))
        box = self._box
        self.rows_changed(box.row if box is not None else 0)
        self._scroll_aside()

    def _first(self) -> str:
        """The node that matters most; the first one where none does."""
        names = [name for layer in self.picture.layers for name in layer]
        for state in _CURRENT:
            for name in names:
                if (mark := self._marks.get(name)) is not None and mark.state is state:
                    return name
        return next((name for name in names if not _is_end(name)), next(iter(names), ""))

    @property
    def _box(self) -> Box | None:
        return self.picture.boxes.get(self.node)

    def choose(self, node: str) -> None:
        """Put the cursor on a node."""
        box = self.picture.boxes.get(node)
        if box is None or node == self.node:
            return
        self.node, self._settled = node, True
        self.redraw()
        self.cursor = box.row
        self._scroll_aside()
        self.post_message(self.Chosen(node))

    def _scroll_aside(self) -> None:
        """Bring the whole label into view."""
        box = self._box
        if box is None or not self.view.width:
            return
        left, right = box.left, box.left + box.width + 2 * _MARGIN
        if left < self.scroll_offset.x:
            self.scroll_to(x=left, force=True)
        elif right > self.scroll_offset.x + self.view.width:
            self.scroll_to(x=right - self.view.width, force=True)

    # Moving

    def action_move(self, rows: int) -> None:
        """Go to the nearest node of another layer."""
        layers = self.picture.layers
        here = next((number for number, layer in enumerate(layers) if self.node in layer), None)
        if here is not None:
            self._go_to_layer(max(0, min(here + rows, len(layers) - 1)))

    def _go_to_layer(self, number: int) -> None:
        boxes, here = self.picture.boxes, self._box
        middle = here.left + here.width // 2 if here is not None else 0
        self.choose(
            min(self.picture.layers[number], key=lambda name: abs(boxes[name].left + boxes[name].width // 2 - middle))
        )

    def action_aside(self, nodes: int) -> None:
        """Go to the next node of the layer."""
        layer = next((layer for layer in self.picture.layers if self.node in layer), ())
        place = layer.index(self.node) + nodes if layer else -1
        if 0 <= place < len(layer):
            self.choose(layer[place])

    def action_page(self, pages: float) -> None:
        """Move by so many pages."""
        self.action_move(int(self.view.height * pages) // 2 or (1 if pages > 0 else -1))

    def action_first(self) -> None:
        """Go to the first layer."""
        if self.picture.layers:
            self._go_to_layer(0)

    def action_last(self) -> None:
        """Go to the last layer."""
        if self.picture.layers:
            self._go_to_layer(len(self.picture.layers) - 1)

    def row_clicked(self, y: int, x: int, times: int) -> None:
        """A click chooses a node; a double click does what enter does."""
        for name, box in self.picture.boxes.items():
            if box.row == y and box.left <= x - _MARGIN < box.left + box.width:
                self.choose(name)
                if times == 2:
                    self.action_activate()

    # Drawing

    @property
    def line_count(self) -> int:
        """Number of rows."""
        return len(self.picture.rows)

    @property
    def content_width(self) -> int:
        """Cells of the widest row."""
        return self.picture.width + 2 * _MARGIN

    def render_row(self, y: int, width: int, selected: bool) -> list[Segment]:
        """Draw a row: labels and lines."""
        segments = [Segment(" " * _MARGIN)]
        for text, name in self.picture.rows[y]:
            if name and name == self.node:
                blank = segments.pop().text
                segments += [Segment(blank[:-1]), Segment("▌", self.ink("accent" if self.has_focus else "faint"))]
                segments.append(Segment(text, self._label_style(name) + self.ink("on cursor")))
            else:
                segments.append(Segment(text, self._label_style(name) if name else self.ink("dim")))
        return segments

    def _label_style(self, name: str) -> Style:
        mark = self._marks.get(name)
        _, colour = SIGNS[mark.state if mark is not None else None]
        return self.ink(f"bold {colour}" if mark is not None and mark.state in _CURRENT else colour)

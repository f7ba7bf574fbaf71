"""The lines around a graph: which it is, and what there is to say about the node under the cursor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from textual.reactive import reactive

from backends.graphs.drawing import Drawing
from backends.text import one_line

from ..tabs.graph import Mark, NodeState
from .graph_view import SIGNS
from .one_line import OneLine, Piece

_WORDS: Mapping[NodeState, str] = {
    NodeState.EARLIER: "ran in an earlier step",
    NodeState.FINISHED: "finished in this step",
}
"""Words for states whose name alone does not say it."""


class GraphTitle(OneLine):
    """``documents › review      ./documents.py:graph``."""

    DEFAULT_CSS = "GraphTitle { padding: 0 1; }"

    crumbs: reactive[tuple[str, ...]] = reactive(())
    """The graph, and the nodes that we are inside of; untrusted."""

    note: reactive[str] = reactive("")
    """What is to be said about it; untrusted."""

    def pieces(self, width: int) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """Where we are, and the note behind it."""
        left: list[Piece] = []
        for number, crumb in enumerate(self.crumbs, 1):
            left += [(" › ", "dim")] if number > 1 else []
            left.append((one_line(crumb, 60), "strong" if number == len(self.crumbs) else ""))
        return [*left, (f"  {one_line(self.note, 200)}", "dim")], []


class NodeLine(OneLine):
    """One line about a node."""

    DEFAULT_CSS = "NodeLine { padding: 0 1; }"

    said: reactive[tuple[Piece, ...]] = reactive(())
    """What to say."""

    def pieces(self, width: int) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """All of it at the left."""
        return list(self.said), []


def state_pieces(node: str, mark: Mark | None, marked: bool) -> Iterator[Piece]:
    """``review  ? waiting  "Approve?"``.

    Args:
        node: Its name; untrusted.
        mark: What has become of it.
        marked: Whether the checkpoint says anything about this graph.
    """
    yield one_line(node, 100), "bold strong"
    if mark is None:
        yield ("  not run since the last input" if marked else "  the checkpoint belongs to another graph"), "dim"
        return
    sign, colour = SIGNS[mark.state]
    times = f" ×{mark.tasks}" if mark.tasks > 1 else ""
    yield f"  {sign} {_WORDS.get(mark.state, mark.state.value)}{times}", colour
    yield f"  {mark.said}", ""


def way_pieces(node: str, drawing: Drawing) -> Iterator[Piece]:
    """``→ approve (yes), reject (no) · a router decides · pauses before it``."""
    ways = [edge for edge in drawing.edges if edge.source == node]
    names = [f"{edge.target} ({edge.label})" if edge.label not in ("", edge.target) else edge.target for edge in ways]
    yield "→ ", "dim"
    yield one_line(", ".join(dict.fromkeys(names)), 300) or "no edge leads on", "" if ways else "dim"
    if any(edge.conditional for edge in ways):
        yield " · a router decides", "dim"
    found = next((known for known in drawing.nodes if known.name == node), None)
    facts = (
        ("pauses before it", node in drawing.interrupt_before),
        ("pauses after it", node in drawing.interrupt_after),
        ("waits for all others", found is not None and found.deferred),
        ("a graph inside", found is not None and found.subgraph is not None),
    )
    yield from ((f" · {text}", "dim") for text, so in facts if so)

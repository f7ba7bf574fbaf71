"""The graph of a thread: its picture, marked with what a checkpoint says, and the graphs inside it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, cast

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical

from backends.errors import NotFound, Refused, StoreError
from backends.graphs.drawing import Drawing
from backends.model import CheckpointKey
from backends.runs.run import Run
from backends.text import one_line

from ..drawing.picture import Picture, draw
from ..tabs.graph import Mark, with_running
from .graph_lines import GraphTitle, NodeLine, state_pieces, way_pieces
from .graph_view import GraphView, label
from .lines import Lines

if TYPE_CHECKING:
    from backends.runs.spec import GraphRef

    from ..app import LgtopApp

_LOADING: Final = ("loading the graph…", "a process of its own imports its code")

_ALL: Final = ("*",)
"""Breakpoints at every node."""


class GraphPane(Vertical):
    """Shows the graph of one thread."""

    DEFAULT_CSS = "GraphPane #way { margin-bottom: 0; }"

    def __init__(self) -> None:
        super().__init__(id="graph-pane")
        self._key: CheckpointKey | None = None
        self._marks: Mapping[str, Mark] = {}
        self._graph: GraphRef | None = None
        self._others = 0
        self._drawing: Drawing | None = None
        self._path: tuple[str, ...] = ()
        self._shown = Drawing("")

    def compose(self) -> ComposeResult:
        """Which graph, its picture, two lines about the node."""
        yield GraphTitle()
        yield GraphView()
        yield NodeLine(id="node")
        yield NodeLine(id="way")

    def on_mount(self) -> None:
        """Follow the runs: they tell which nodes run."""
        self.view.placeholder = _LOADING
        self._lgtop.control.runs_changed.subscribe(self, self._run_changed)

    @property
    def view(self) -> GraphView:
        """The picture."""
        return self.query_one(GraphView)

    @property
    def _lgtop(self) -> LgtopApp:
        return cast("LgtopApp", self.app)

    # What to show

    def begin(self) -> None:
        """Ask anew which graph it is: a person may have chosen another since."""
        self._graph = None

    def look(self, key: CheckpointKey, marks: Mapping[str, Mark]) -> None:
        """Show what a checkpoint says.

        Args:
            key: The checkpoint.
            marks: What has become of the nodes of the graph that it is a checkpoint of.
        """
        if self._key is None or self._key.ns != key.ns:
            self._path = nodes_of(key.ns)
        self._key, self._marks = key, marks
        self._load(key.thread_id)

    @work(exclusive=True, group="drawing", exit_on_error=False)
    async def _load(self, thread_id: str) -> None:
        """Get the drawing; it is made anew where the code has changed, and kept otherwise."""
        control = self._lgtop.control
        try:
            if self._graph is None:
                fitting = await control.fitting(thread_id)
                if not fitting:
                    raise Refused("No graph of the project fits this thread.", "Name its graph with --graph.")
                self._graph, self._others = fitting[0], len(fitting) - 1
            self._drawing = await control.drawing(self._graph)
        except (Refused, StoreError) as error:
            self._fail(error.reason, error.advice)
        except NotFound as error:
            self._fail(str(error))
        except Exception as error:
            # A graph that nobody foresaw costs this tab its picture, not the app its life.
            self._fail(f"The graph cannot be shown: {type(error).__name__}: {error}")
        else:
            await self._paint()

    def _fail(self, reason: str, advice: str = "") -> None:
        """Say why there is no picture."""
        self._drawing, self._shown = None, Drawing("")
        self.view.placeholder = (one_line(reason, 400), one_line(advice, 400))
        self.view.show(Picture(), {})
        self.query_one(GraphTitle).crumbs = (self._graph.name,) if self._graph is not None else ()
        self.query_one(GraphTitle).note = self._graph.target if self._graph is not None else ""

    def _run_changed(self, runs: tuple[Run, ...]) -> None:
        if self.display and self._drawing is not None:
            self.run_worker(self._paint(), exclusive=True, group="paint", exit_on_error=False)

    async def _paint(self) -> None:
        """Draw the graph that we are in, with its marks."""
        graph, drawing, key = self._graph, self._drawing, self._key
        if graph is None or drawing is None or key is None:
            return
        here = inside(drawing, self._path)
        if here is None:
            self._path, here = (), drawing
        marks = self._current_marks()
        labels = {node.name: label(node, here, marks.get(node.name)) for node in here.nodes}
        picture = await asyncio.to_thread(draw, list(labels), here.edges, labels)
        self._shown = here
        title = self.query_one(GraphTitle)
        title.crumbs, title.note = (graph.name, *self._path), self._note(graph, here)
        self.view.show(picture, marks)
        self._say()

    def _current_marks(self) -> dict[str, Mark]:
        """Marks of the graph that we are in; none where the checkpoint is of another one."""
        if self._key is None or nodes_of(self._key.ns) != self._path:
            return {}
        run = self._lgtop.control.run_of(self._key.thread_id)
        return with_running(self._marks, run.nodes if run is not None and run.live else {})

    def _note(self, graph: GraphRef, here: Drawing) -> str:
        facts = (
            graph.target if graph.target != graph.name else "",
            f"perhaps: {self._others} more fit{'s' if self._others == 1 else ''}" if self._others else "",
            "pauses before every node" if here.interrupt_before == _ALL else "",
            "pauses after every node" if here.interrupt_after == _ALL else "",
            "an @entrypoint: Tasks shows what it calls" if here.functional else "",
        )
        return " · ".join(filter(None, facts))

    # The node under the cursor

    @on(GraphView.Chosen)
    def _chosen(self, event: GraphView.Chosen) -> None:
        event.stop()
        self._say()

    def _say(self) -> None:
        """Say what there is to say about the node under the cursor."""
        node, marks = self.view.node, self._current_marks()
        marked = self._key is not None and nodes_of(self._key.ns) == self._path
        known = bool(node) and self._drawing is not None
        self.query_one("#node", NodeLine).said = tuple(state_pieces(node, marks.get(node), marked)) if known else ()
        self.query_one("#way", NodeLine).said = tuple(way_pieces(node, self._shown)) if known else ()

    @on(Lines.Activated)
    def _enter(self, event: Lines.Activated) -> None:
        """Look inside a node."""
        event.stop()
        if inside(self._shown, (self.view.node,)) is not None:
            self._path = (*self._path, self.view.node)
            self.run_worker(self._paint(), exclusive=True, group="paint", exit_on_error=False)
        else:
            self.app.notify(f"There is no graph inside {self.view.node}.")

    def leave(self) -> bool:
        """Go out of the node that we are inside of; False when we are in the outermost graph."""
        if not self._path:
            return False
        node, self._path = self._path[-1], self._path[:-1]
        self.view.node = node
        self.run_worker(self._paint(), exclusive=True, group="paint", exit_on_error=False)
        return True


def nodes_of(ns: str) -> tuple[str, ...]:
    """Names of the nodes in a namespace: ``review:1f2e|ask:77`` is ``("review", "ask")``."""
    return tuple(part.partition(":")[0] for part in ns.split("|") if part)


def inside(drawing: Drawing, path: tuple[str, ...]) -> Drawing | None:
    """The graph inside a node of a node …; ``None`` where there is none."""
    for name in path:
        found = next((node.subgraph for node in drawing.nodes if node.name == name), None)
        if found is None:
            return None
        drawing = found
    return drawing

"""What the screens ask for when something is to be done: a plan, then its execution; and the runs that came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from textual.signal import Signal

from backends.control.gate import Gate
from backends.control.plan import Intent, Plan
from backends.errors import NotFound, Refused

if TYPE_CHECKING:
    from textual.app import App

    from backends.address import Address
    from backends.control.copy import Copied
    from backends.graphs.drawing import Drawing
    from backends.graphs.known import Known
    from backends.reader import Reader
    from backends.runs.ledger import Ledger
    from backends.runs.run import Run
    from backends.runs.spec import GraphRef

    from .work import StoreThread

_PACE: Final = 0.25
"""Seconds between two looks at the records of the runs."""

NO_GRAPH: Final = (
    "No graph is known here. Start lgtop in the project, where langgraph.json is, or name one with --graph."
)


@dataclass(frozen=True, slots=True)
class Project:
    """Where the graphs are.

    Attributes:
        folder: Where to look for ``langgraph.json``, and above it.
        graph: A graph named on the command line; empty where none is.
        python: The project's interpreter; empty means the one that runs lgtop.
    """

    folder: Path
    graph: str = ""
    python: str = ""


class Control:
    """Plans and carries out verbs for the screens; never waits on the event loop.

    Args:
        app: Owner of timers and signals.
        address: The store.
        store_thread: Reads it.
        project: Where the graphs are.
        readonly: Whether every verb is refused.

    Attributes:
        gate: Says whether writing is allowed.
        runs: Runs of this store, newest first.
        runs_changed: Published with the runs when one of them changes.
    """

    def __init__(
        self, app: App[Any], address: Address, store_thread: StoreThread, project: Project, readonly: bool
    ) -> None:
        self.gate = Gate(address, readonly)
        self.runs: tuple[Run, ...] = ()
        self.runs_changed: Signal[tuple[Run, ...]] = Signal(app, "runs")
        self._app = app
        self._address = address
        self._store_thread = store_thread
        self._project = project
        self._ledger: Ledger | None = None
        self._known: Known | None = None

    # Runs

    async def follow_runs(self) -> None:
        """Keep ``runs`` fresh for as long as the app lives."""
        while True:
            runs = tuple(await asyncio.to_thread(self._read_runs))
            if runs != self.runs:
                self.runs = runs
                self.runs_changed.publish(runs)
            await asyncio.sleep(_PACE)

    def _read_runs(self) -> Sequence[Run]:
        if self._ledger is None:
            from backends.locks.key import store_key
            from backends.runs.ledger import Ledger

            self._ledger = Ledger(store_key(self.target))
        return self._ledger.refresh()

    @property
    def live_runs(self) -> tuple[Run, ...]:
        """Runs whose processes are there."""
        return tuple(run for run in self.runs if run.live)

    def run_of(self, thread_id: str) -> Run | None:
        """The newest run of a thread."""
        return next((run for run in self.runs if run.thread_id == thread_id), None)

    @property
    def target(self) -> str:
        """The store as a child opens it; may hold a password."""
        return self._address.dsn or self._address.path or self._address.raw

    # Graphs

    async def graphs(self) -> list[GraphRef]:
        """Every graph that the project offers.

        Raises:
            Refused: Its configuration cannot be read.
        """
        return list(await asyncio.to_thread(lambda: self.known.refs()))

    @property
    def known(self) -> Known:
        """What is known about graphs; made on first use, off the event loop."""
        if self._known is None:
            from backends.graphs.known import Known
            from backends.locks.key import store_key

            self._known = Known(
                store_key(self.target),
                cwd=self._project.folder,
                graph=self._project.graph,
                python=self._project.python,
            )
        return self._known

    async def drawing(self, graph: GraphRef) -> Drawing:
        """What a graph looks like; a child imports it, which takes a second or two the first time.

        Raises:
            Refused: It cannot be loaded; says why.
        """
        return await asyncio.to_thread(lambda: self.known.drawing(graph))

    async def fitting(self, thread_id: str) -> list[GraphRef]:
        """Graphs that a thread may belong to, the likeliest first; one where it is decided, none where none fits.

        Raises:
            Refused: No graph is known at all; says why.
        """
        refs = await self.graphs()
        if not refs:
            raise Refused(NO_GRAPH)
        from backends.graphs.traces import traces

        try:
            found = await self._store_thread.run(partial(traces, thread_id=thread_id))
        except NotFound:
            return refs
        return list(await asyncio.to_thread(lambda: self.known.of_thread(thread_id, *found)))

    def remember(self, thread_id: str, graph: GraphRef) -> None:
        """Take a person's choice for the thread from now on."""
        self.known.remember(thread_id, graph)

    # Verbs

    async def plan(self, intent: Intent, graph: GraphRef | None = None) -> Plan:
        """Say what a verb would do; a plan that cannot be carried out says why (``Plan.refusal``).

        Raises:
            StoreError: The store cannot be read.
        """
        drawing, problem = None, ""
        if graph is not None:
            try:
                drawing = await self.drawing(graph)
            except Refused as error:
                problem = str(error)
        return await self._store_thread.run(
            partial(_plan, intent=intent, graph=graph, drawing=drawing, gate=self.gate, problem=problem, at=self.target)
        )

    async def execute(self, plan: Plan) -> Run | Copied:
        """Carry out a plan.

        Raises:
            Refused: It cannot be done.
            AlreadyRunning: Someone else holds the thread.
            StoreError: The store cannot be written.
        """
        from backends.control.execute import execute

        return await asyncio.to_thread(execute, plan, self.gate)


def _plan(
    reader: Reader, intent: Intent, graph: GraphRef | None, drawing: Drawing | None, gate: Gate, problem: str, at: str
) -> Plan:
    """Make a plan; called on the thread of the connection."""
    from backends.control.planning import make_plan
    from backends.locks.board import LockBoard

    board = LockBoard(at)
    try:
        holder = board.holders(lambda: [intent.thread_id]).get(intent.thread_id)
    finally:
        board.close()
    return make_plan(reader, intent, graph, drawing, gate, holder, problem)

"""From an intent to what came of it: plan, preview, execution, a line that says so."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from backends.control.plan import Intent, Plan
from backends.errors import AlreadyRunning, NotFound, Refused, StoreError
from backends.runs.run import Run, RunState
from backends.text import one_line

if TYPE_CHECKING:
    from backends.graphs.drawing import Drawing
    from backends.runs.spec import GraphRef

    from ..app import LgtopApp

ROWS = ("copy", "branch")
"""Verbs that copy rows and need no graph."""

_PACE: Final = 0.2
"""Seconds between two looks at whether a run has ended."""


async def carry_out(app: LgtopApp, intent: Intent, graph: GraphRef | None = None) -> bool:
    """Show what a verb would do, and do it if the person wants it.

    Called in a worker: it waits for the preview.

    Args:
        app: The app.
        intent: What is wanted.
        graph: With which graph; where it is ``None`` and the verb needs one, it is found, or asked for.

    Returns:
        Whether it was begun.
    """
    from ..dialogs.preview import Preview

    try:
        if graph is None and intent.verb not in ROWS and (graph := await graph_for(app, intent.thread_id)) is None:
            return False

        async def make(wanted: Intent) -> Plan:
            return await app.control.plan(wanted, graph)

        with said_after(app, f"Working out what {intent.verb} would do…"):
            first = await make(intent)
        plan = await app.push_screen_wait(Preview(first, make))
        if plan is None:
            return False
        begun = await app.control.execute(plan)
    except (Refused, AlreadyRunning, StoreError, NotFound) as error:
        complain(app, error)
        return False
    if isinstance(begun, Run):
        app.notify(f"{plan.summary} · run {begun.run_id}")
        app.run_worker(tell_end(app, begun), group="ends", exit_on_error=False)
    else:
        app.notify(f"{begun.checkpoints:,} checkpoints copied to {begun.thread_id}")
    return True


def complain(app: LgtopApp, error: Exception) -> None:
    """Say why something was not done."""
    app.notify(str(error), severity="error", timeout=10)


async def graph_for(app: LgtopApp, thread_id: str) -> GraphRef | None:
    """The graph that a thread belongs to; the person is asked where that is not certain, and the choice is kept.

    Returns:
        ``None`` where the person chose none.

    Raises:
        Refused: No graph is known.
        StoreError: The store cannot be read.
    """
    control = app.control
    with said_after(app, f"Looking for the graph of {one_line(thread_id, 60)}…"):
        fitting = await control.fitting(thread_id)
    if len(fitting) == 1:
        return fitting[0]
    from ..dialogs.graph_choice import choose_graph

    every = await control.graphs()
    chosen = await choose_graph(app, thread_id, [*fitting, *(ref for ref in every if ref not in fitting)], len(fitting))
    if chosen is None:
        return None
    control.remember(thread_id, chosen)
    return next(iter(await control.fitting(thread_id)), chosen)


async def drawing_for(app: LgtopApp, graph: GraphRef) -> Drawing | None:
    """What a graph looks like; ``None``, and a line that says why, where it cannot be loaded."""
    try:
        with said_after(app, f"Reading the graph {one_line(graph.name, 60)}…"):
            return await app.control.drawing(graph)
    except Refused as error:
        complain(app, error)
        return None


@contextmanager
def said_after(app: LgtopApp, text: str, seconds: float = 0.5) -> Iterator[None]:
    """Say what takes so long, if it does: a graph is imported by a child, which can take seconds the first time."""
    timer = app.set_timer(seconds, lambda: app.notify(text))
    try:
        yield
    finally:
        timer.stop()


async def tell_end(app: LgtopApp, begun: Run) -> None:
    """Wait for the end of a run and say how it ended."""
    run = begun
    while run.live:
        await asyncio.sleep(_PACE)
        run = next((known for known in app.control.runs if known.run_id == begun.run_id), run)
    calm = run.state in (RunState.DONE, RunState.WAITING, RunState.PAUSED, RunState.DRAINED)
    reason = f": {one_line(run.reason, 300)}" if run.reason else ""
    app.notify(
        f"{one_line(run.thread_id, 60)} {run.state.value}{reason} · run {run.run_id}",
        severity="information" if calm else "error",
        timeout=5 if calm else 10,
    )

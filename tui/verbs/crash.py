"""Crashing runs on purpose: what is asked before, what the lab begins with, and a fault for a thread that exists."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from backends.channels import START
from backends.control.plan import Intent
from backends.errors import NotFound, Refused
from backends.graphs.inputs import proposed_input
from backends.model import StatusName
from backends.runs.spec import GraphRef, Verb
from backends.text import one_line

from ..control import NO_GRAPH
from ..forms.schema import example
from ..lab.setup import Setup, Strike
from ..lab.unfolded import second, unfold
from ..widgets.sheet import Paragraph
from .carry import carry_out, drawing_for, graph_for
from .spot import Spot

if TYPE_CHECKING:
    from backends.reader import Reader

    from ..app import LgtopApp

_DUE = (StatusName.FAILED, StatusName.CRASHED, StatusName.STALLED, StatusName.PAUSED, StatusName.CANCELLED)
"""Statuses of a thread with work left that needs no answer."""


async def allowed(app: LgtopApp) -> bool:
    """Whether runs may be crashed on this store; asked once where it was not opened for that."""
    if not app.crashes:
        from ..dialogs.confirm import Confirm

        paragraphs = [
            Paragraph(
                "lgtop crashes its own runs only, at the point that you choose. What such a run has not saved is lost, "
                "and what its nodes do outside is done: mails are sent, money is moved.",
            ),
            Paragraph(),
            Paragraph("The threads of the crash lab are new ones, and stay in this store."),
        ]
        title = f"Crash runs on {app.address.label}?"
        app.crashes = await app.push_screen_wait(Confirm(title, paragraphs)) is True
    return app.crashes


async def crash(app: LgtopApp, spot: Spot | None) -> None:
    """Crash the next run of a thread, or go to the lab with its graph and its input."""
    from ..dialogs.choose import Choice, Choose
    from ..screens.lab import LabScreen

    status = spot.summary.status if spot is not None and spot.summary is not None else None
    if spot is None or status not in _DUE or app.experiment.has(spot.thread_id):
        app.push_screen(LabScreen("" if spot is None else spot.thread_id))
        return
    choices = [
        Choice("resume", "resume, and crash", "this thread, at a node that you choose"),
        Choice("lab", "crash lab", "new threads, with its graph and its input"),
    ]
    chosen = await app.push_screen_wait(Choose(f"Crash {one_line(spot.thread_id, 50)}", choices))
    if chosen == "lab":
        app.push_screen(LabScreen(spot.thread_id))
    elif chosen == "resume" and await allowed(app):
        await _resume(app, spot)


async def _resume(app: LgtopApp, spot: Spot) -> None:
    """Resume a thread with a fault on the way."""
    if (graph := await graph_for(app, spot.thread_id)) is None:
        return
    nodes = spot.summary.next if spot.summary is not None else ()
    strike = await choose_strike(app, graph, (), nodes)
    if strike is not None:
        intent = Intent(Verb.RESUME.value, spot.thread_id, seen_head=spot.head, faults=strike.specs)
        await carry_out(app, intent, graph)


async def choose_strike(
    app: LgtopApp, graph: GraphRef, faults: tuple[str, ...], nodes: tuple[str, ...] = ()
) -> Strike | None:
    """Ask where a run is to be struck; called in a worker.

    Args:
        app: The app.
        graph: The graph that runs.
        faults: What has been chosen so far.
        nodes: Nodes that run next, the likeliest to be meant.

    Returns:
        ``None`` where the person chose nothing.
    """
    from ..dialogs.fault import ChooseFault

    drawing = await drawing_for(app, graph)
    if drawing is None:
        return None
    return await app.push_screen_wait(ChooseFault(graph.name, drawing, Strike.of(faults, nodes)))


# What the lab begins with


async def propose(app: LgtopApp, thread_id: str) -> Setup | None:
    """Graph and input of a thread, or those that the project offers first.

    Returns:
        ``None`` where a graph was asked for and none chosen, or cannot be loaded.

    Raises:
        Refused: No graph is known.
        StoreError: The store cannot be read.
    """
    given = None
    if thread_id:
        graph = await graph_for(app, thread_id)
        given = await app.store_thread.run(lambda reader: read_input(reader, thread_id))
    else:
        graphs = await app.control.graphs()
        if not graphs:
            raise Refused(NO_GRAPH)
        graph = graphs[0]
    return None if graph is None else await _setup(app, graph, given)


async def choose(app: LgtopApp, now: Setup | None) -> Setup | None:
    """Ask for another graph; how it is saved and struck stays as it is."""
    from ..dialogs.graph_choice import choose_graph

    present = now.graph if now is not None else None
    graph = await choose_graph(app, "the crash lab", await app.control.graphs(), now=present)
    found = None if graph is None else await _setup(app, graph, None)
    if found is None or now is None:
        return found
    node = now.strike.node if found.drawing is now.drawing else found.strike.node
    return replace(found, durability=now.durability, compare=now.compare, strike=replace(now.strike, node=node))


async def _setup(app: LgtopApp, graph: GraphRef, given: Any) -> Setup | None:
    drawing = await drawing_for(app, graph)
    if drawing is None:
        return None
    if given is None:
        given = proposed_input(graph)
    strike = Strike(second(unfold(drawing)))
    return Setup(graph, drawing, example(drawing.input_schema) if given is None else given, strike=strike)


def read_input(reader: Reader, thread_id: str) -> Any:
    """Read the first input of a thread; ``None`` where it cannot be given again as JSON.

    Called on the thread of the connection.
    """
    from backends.present import to_json

    rows = [row for row in reader.store.history(thread_id, "") if row.source == "input"]
    if not rows:
        return None
    try:
        values = reader.snapshot(rows[-1].key).values
    except NotFound:
        return None
    found = to_json(values[START]) if START in values else None
    return None if found is None or '"$' in json.dumps(found) else found

"""Which graph drives a thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from backends.errors import Refused

from .output import narrated_if_slow

if TYPE_CHECKING:
    from backends.graphs.drawing import Drawing
    from backends.graphs.known import Known
    from backends.runs.spec import GraphRef

    from .planning import Desk


class Choice(NamedTuple):
    """A graph as a plan needs it.

    Attributes:
        ref: The graph.
        drawing: What its child says about it; ``None`` where it cannot be imported.
        problem: Why not; empty where it can.
    """

    ref: GraphRef
    drawing: Drawing | None
    problem: str


def choose(desk: Desk, thread_id: str | None) -> Choice:
    """Choose the graph that ``--graph`` names; without it, the one that the thread belongs to.

    Args:
        desk: The store and the command line.
        thread_id: The thread; ``None``, or one that does not exist, for a new one.

    Raises:
        Refused: There is no graph, or it is not clear which one is meant.
    """
    from backends.graphs.known import Known
    from backends.locks.key import store_key

    known = Known(store_key(desk.gate.target), graph=desk.options.graph or "", python=desk.options.python)
    with narrated_if_slow("lgtop: importing the project's graphs, to see which one fits …"):
        ref = _one(_candidates(desk, known, thread_id), thread_id)
    if thread_id is not None and desk.holder(thread_id):
        return Choice(ref, None, "")  # nothing can be run now, whatever the graph looks like
    try:
        with narrated_if_slow(f"lgtop: importing {ref.name} …"):
            return Choice(ref, known.drawing(ref), "")
    except Refused as error:
        return Choice(ref, None, str(error))


def _candidates(desk: Desk, known: Known, thread_id: str | None) -> list[GraphRef]:
    from backends.graphs.traces import traces

    if desk.options.graph:
        return known.refs()[:1]
    if thread_id is None or thread_id not in desk:
        return known.refs()
    return known.of_thread(thread_id, *traces(desk.reader, thread_id))


def _one(refs: list[GraphRef], thread_id: str | None) -> GraphRef:
    if not refs:
        known = "No graph is known here" if thread_id is None else f"No graph known here fits thread {thread_id!r}"
        raise Refused(f"{known}.", "Go to the directory of the project's langgraph.json, or name one with --graph.")
    if len(refs) > 1:
        whose = "can be run" if thread_id is None else f"may be the one of thread {thread_id!r}"
        raise Refused(f"{len(refs)} graphs {whose}: {', '.join(ref.name for ref in refs)}.", "Name one with --graph.")
    return refs[0]

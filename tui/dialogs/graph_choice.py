"""Which graph does a thread belong to?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from backends.errors import Refused
from backends.text import one_line

from .ask_text import AskText
from .choose import Choice, Choose

if TYPE_CHECKING:
    from backends.runs.spec import GraphRef

    from ..app import LgtopApp

_OTHER: Final = "other"


async def choose_graph(
    app: LgtopApp, thread_id: str, graphs: Sequence[GraphRef], fitting: int = 0, now: GraphRef | None = None
) -> GraphRef | None:
    """Ask for a graph; called in a worker.

    Args:
        app: The app.
        thread_id: The thread that it is for; untrusted.
        graphs: What there is, the likeliest first.
        fitting: How many of them have nodes that fit the thread's rows.
        now: The present choice.

    Returns:
        ``None`` where the person chose none.
    """
    choices = [
        Choice(str(number), one_line(graph.name, 30), _note(graph, number < fitting < len(graphs)))
        for number, graph in enumerate(graphs)
    ]
    choices.append(Choice(_OTHER, "another…", "path/file.py:variable or package.module:attribute"))
    present = str(graphs.index(now)) if now in graphs else None
    chosen = await app.push_screen_wait(Choose(f"Graph of {one_line(thread_id, 40)}", choices, present))
    if chosen is None:
        return None
    return await _other(app) if chosen == _OTHER else graphs[int(chosen)]


def _note(graph: GraphRef, fits: bool) -> str:
    target = "" if graph.target == graph.name else one_line(graph.target, 60)
    return "  ".join(filter(None, ("fits" if fits else "", target)))


async def _other(app: LgtopApp) -> GraphRef | None:
    """Ask where it is."""
    found: list[GraphRef] = []

    def wrong(text: str) -> str:
        try:
            found[:] = [app.control.known.named(text)]
        except Refused as error:
            return str(error)
        return ""

    text = await app.push_screen_wait(
        AskText("Graph", note="path/file.py:variable or package.module:attribute", wrong=wrong)
    )
    return found[0] if text is not None and found else None

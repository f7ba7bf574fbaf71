"""What a person should know of the faults that a run takes along."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from ..faults import parse
from ..graphs.drawing import Drawing
from .scene import name_of


def fault_warnings(faults: Iterable[str], drawing: Drawing | None) -> Iterator[str]:
    """Name the nodes of faults that the graph does not have.

    What a node calls for itself, such as a ``@task`` or a graph that it makes, is not in the drawing, so it is no
    reason to refuse.

    Args:
        faults: Each ``POINT:NODE[+ms]=HOW``.
        drawing: The graph; ``None`` where it is not known.
    """
    if drawing is None or drawing.functional:
        return
    paths = tuple(path for path, node in drawing.walk() if node.written)
    known = {*paths, *(path.rpartition("/")[2] for path in paths)}
    for node in dict.fromkeys(fault.node for fault in map(parse, faults)):
        if node not in known:
            near = "".join(f" Is {name_of(other)} meant?" for other in get_close_matches(node, known, 1))
            yield f"The drawing of the graph has no node {name_of(node)} to crash.{near}"

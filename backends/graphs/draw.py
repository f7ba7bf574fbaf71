"""What graphs look like, asked of a child that imports them."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from ..errors import Refused
from ..runs.events import Event, Kind
from ..runs.read import EventTail, read_run
from ..runs.record import write_request
from ..runs.spawn import launch
from ..runs.spec import GraphRef, RunSpec, Verb
from ..text import one_line
from .drawing import Drawing

_LOOK = 0.05
"""Seconds between two looks at what a child has told."""


def draw(ref: GraphRef, timeout: float = 20.0) -> Drawing:
    """Import a graph in a child and return what it is; blocks for as long as that takes.

    Args:
        ref: Which graph.
        timeout: Seconds after which the import counts as one that hangs; the child is killed.

    Raises:
        Refused: It cannot be imported or is no graph; the reason is the error's last line.
    """
    (found,) = draw_each([ref], timeout)
    if isinstance(found, Refused):
        raise found
    return found


def draw_each(refs: Sequence[GraphRef], timeout: float = 20.0) -> list[Drawing | Refused]:
    """Import graphs and return what they are; those of one project in one child, as LangGraph's server does it.

    A graph that cannot be imported after others is tried again as the first of a new child: only there the failure is
    its own. The others go on in that child, or in a further one.

    Args:
        refs: Which graphs.
        timeout: Seconds for each.

    Returns:
        For each graph its drawing, or why there is none.
    """
    found: dict[int, Drawing | Refused] = {}
    while waiting := [number for number in range(len(refs)) if number not in found]:
        home = _home(refs[waiting[0]])
        together = [number for number in waiting if _home(refs[number]) == home]
        found.update(zip(together, _drawn([refs[number] for number in together], timeout), strict=False))
    return [found[number] for number in range(len(refs))]


def _home(ref: GraphRef) -> GraphRef:
    """What graphs have in common that one process can import."""
    return replace(ref, target="", name="")


def _drawn(refs: Sequence[GraphRef], timeout: float) -> list[Drawing | Refused]:
    """The drawings of as many graphs as one child can import, and a failure that is the own one of the next."""
    with tempfile.TemporaryDirectory(prefix="lgtop-draw-", ignore_cleanup_errors=True) as record:
        first, *others = refs
        names = tuple((ref.target, ref.name) for ref in others)
        spec = RunSpec("draw", record, Verb.DRAW, first, store="", thread_id="", operator="", others=names)
        write_request(spec, "")
        try:
            child, tended = launch(spec)
        except Refused as refused:
            return [refused]
        found: list[Drawing | Refused] = []
        tail, deadline, late = EventTail(record), time.monotonic() + timeout, False
        while tended.is_alive():
            tended.join(_LOOK)
            if news := _told(tail):
                found += news
                deadline = time.monotonic() + timeout
            elif late := time.monotonic() > deadline and child.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
                tended.join()
        found += _told(tail)
        if late and len(found) < len(refs):
            found.append(_hangs(refs[len(found)], timeout))
        return found or [_fails(first, record)]


def _told(tail: EventTail) -> list[Drawing | Refused]:
    return [_drawing(event) for event in tail.news() if event.kind is Kind.GRAPH]


def _drawing(event: Event) -> Drawing | Refused:
    try:
        return Drawing.from_json(event.data["drawing"])
    except (KeyError, TypeError, AttributeError):
        return Refused("The graph's description cannot be understood.", "Is another version of lgtop at work?")


def _hangs(ref: GraphRef, timeout: float) -> Refused:
    return Refused(
        f"{one_line(ref.name, 80)}: The graph was not there {timeout:g} s after its import began.",
        "Something runs at import, or waits for input or a network.",
    )


def _fails(ref: GraphRef, record: str) -> Refused:
    """Why the child failed, without saying once more that it did."""
    reason = read_run(record).reason.removeprefix("The graph cannot be loaded: ")
    return Refused(f"Graph {one_line(ref.name, 80)} cannot be loaded: {reason}")

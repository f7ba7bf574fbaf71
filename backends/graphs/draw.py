"""What a graph looks like, asked of a child that imports it."""

from __future__ import annotations

import os
import signal
import tempfile
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


def draw(ref: GraphRef, timeout: float = 20.0) -> Drawing:
    """Import a graph in a child and return what it is; blocks for as long as that takes.

    Args:
        ref: Which graph.
        timeout: Seconds after which the import counts as one that hangs; the child is killed.

    Raises:
        Refused: It cannot be imported or is no graph; the reason is the error's last line.
    """
    with tempfile.TemporaryDirectory(prefix="lgtop-draw-", ignore_cleanup_errors=True) as record:
        spec = RunSpec("draw", record, Verb.DRAW, ref, store="", thread_id="", operator="")
        write_request(spec, "")
        child, tended = launch(spec)
        tended.join(timeout)
        late = child.returncode is None
        if late:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            tended.join()
        events = list(EventTail(record).news())
        if (drawing := _drawing(events)) is not None:
            return drawing if drawing.name else replace(drawing, name=ref.name)
        if late:
            raise Refused(
                f"{one_line(ref.name, 80)}: The graph was not there {timeout:g} s after its import began.",
                "Something runs at import, or waits for input or a network.",
            )
        raise Refused(f"Graph {one_line(ref.name, 80)} cannot be loaded: {_reason(record)}")


def _reason(record: str) -> str:
    """Why the child failed, without saying once more that it did."""
    return read_run(record).reason.removeprefix("The graph cannot be loaded: ")


def _drawing(events: list[Event]) -> Drawing | None:
    found = next((event.data.get("drawing") for event in reversed(events) if event.kind is Kind.GRAPH), None)
    try:
        return None if found is None else Drawing.from_json(found)
    except (KeyError, TypeError, AttributeError) as error:
        raise Refused(
            "The graph's description cannot be understood.", "Is another version of lgtop at work?"
        ) from error

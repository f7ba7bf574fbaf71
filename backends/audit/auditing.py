"""The audit itself: two undisturbed runs, then one thread for each cell, several at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from ..faults import Fault, Point
from .answering import Actor
from .course import Thread
from .order import Cell, Order
from .scratch import Scratch, scratch
from .undisturbed import Undisturbed, chosen, leave_alone, milliseconds
from .verdict import BAD, Kind, Verdict, judge

_ATTEMPTS = 3
"""Times that a strike inside a node is tried: a node may be over before it comes."""


@dataclass(frozen=True, slots=True)
class Report:
    """What came out of an audit.

    Attributes:
        order: What was asked.
        base: The undisturbed runs.
        nodes: Nodes that were struck at, in the order in which they began.
        verdicts: One for each cell, in the order of the table.
    """

    order: Order
    base: Undisturbed
    nodes: tuple[str, ...]
    verdicts: tuple[Verdict, ...]

    @property
    def passed(self) -> bool:
        """Whether every thread that was struck came to the same result."""
        return not any(verdict.kind in BAD for verdict in self.verdicts)


class Progress:
    """Is told how far an audit is; override what is of interest. Called from one thread."""

    def begun(self, base: Undisturbed, cells: int) -> None:
        """The undisturbed runs are over."""

    def judged(self, verdict: Verdict, number: int, cells: int) -> None:
        """One more cell is known; ``number`` are."""


def audit(order: Order, progress: Progress) -> Report:
    """Find out what of a graph's work survives; blocks until it is known.

    An exception in the calling thread, such as ``KeyboardInterrupt``, ends every process and removes every trace.

    Raises:
        Refused: The graph cannot be run, does not end by itself, or has no such node.
        StoreError: The database cannot be reached.
    """
    stopping = threading.Event()
    with scratch(order.address) as place:
        with ThreadPoolExecutor(order.jobs, thread_name_prefix="lgtop-audit") as pool:
            try:
                base = pool.submit(leave_alone, order, place, stopping.is_set).result()
                nodes = chosen(order.nodes, base.course)
                cells = list(_cells(order, nodes, base))
                progress.begun(base, len(cells))
                running = [pool.submit(_fill, order, place, cell, base, stopping.is_set) for cell in cells]
                found: dict[Cell, Verdict] = {}
                for done in as_completed(running):
                    verdict = done.result()
                    found[verdict.cell] = verdict
                    progress.judged(verdict, len(found), len(cells))
            except BaseException:
                stopping.set()
                pool.shutdown(cancel_futures=True)
                raise
        return Report(order, base, nodes, tuple(found[cell] for cell in cells))


def _fill(order: Order, place: Scratch, cell: Cell, base: Undisturbed, stopping: Callable[[], bool]) -> Verdict:
    """Find out what a cell holds."""
    for _ in range(_ATTEMPTS):
        thread = Thread(order, place, cell.durability, Actor(base.script), stopping, cell.fault)
        verdict = judge(cell, thread.run(), base)
        if verdict.kind is not Kind.MISSED or cell.fault.point is not Point.INSIDE:
            break
    return verdict


def _cells(order: Order, nodes: Sequence[str], base: Undisturbed) -> Iterator[Cell]:
    for node in nodes:
        for point in order.points:
            for how in order.hows:
                for durability in order.durabilities:
                    yield Cell(durability, Fault(point, node, how, milliseconds(base, node, point), exact=True))

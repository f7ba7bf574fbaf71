"""What the lab is about to do: which graph, with what input, how it is saved, and where it is struck."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from backends.faults import Fault, How, Point, parse
from backends.graphs.drawing import Drawing
from backends.runs.spec import GraphRef

DURABILITIES: Final = ("sync", "async", "exit")

POINTS: Final[Mapping[Point, str]] = {
    Point.BEFORE: "before it runs",
    Point.INSIDE: "while it runs",
    Point.AFTER: "when it is done, before that is saved",
    Point.WRITTEN: "when its writes are saved, before the checkpoint",
    Point.COMMITTED: "right after the checkpoint",
}
"""What a point means."""

HOWS: Final[Mapping[How, str]] = {
    How.KILL: "SIGKILL",
    How.EXIT: "the process leaves",
    How.RAISE: "an exception",
    How.HANG: "it never goes on",
    How.LOST: "the store is gone",
}
"""What a way means."""

PAUSE: Final = 100
"""Milliseconds by which the moment of a fault is moved."""

FIRST: Final = 300
"""Milliseconds after which a node is struck, unless something else is chosen."""


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault that is being chosen.

    Attributes:
        node: Name or path of the node; empty while there is none.
        point: Where; ``None`` for no fault at all.
        how: What happens.
        ms: Milliseconds after the beginning of the node, for ``inside``.
        exact: Whether ``node`` is a whole path, as in the picture.
    """

    node: str = ""
    point: Point | None = Point.INSIDE
    how: How = How.KILL
    ms: int = FIRST
    exact: bool = True

    @classmethod
    def of(cls, faults: Iterable[str], nodes: Iterable[str] = ()) -> Strike:
        """The first of some faults; without any, the inside of the first of some nodes."""
        for text in faults:
            fault = parse(text)
            return cls(fault.node, fault.point, fault.how, fault.ms, fault.exact)
        return cls(next(iter(nodes), ""))

    @property
    def fault(self) -> Fault | None:
        """The fault; ``None`` where there is none."""
        if self.point is None or not self.node:
            return None
        return Fault(self.point, self.node, self.how, self.ms if self.point is Point.INSIDE else 0, self.exact)

    @property
    def specs(self) -> tuple[str, ...]:
        """As a run is told."""
        return () if self.fault is None else (str(self.fault),)

    def next_point(self) -> Strike:
        """The next point; after the last one none."""
        points = [*Point, None]
        return replace(self, point=points[(points.index(self.point) + 1) % len(points)])

    def next_how(self) -> Strike:
        """The next way."""
        hows = list(How)
        return replace(self, how=hows[(hows.index(self.how) + 1) % len(hows)])

    def later(self, steps: int) -> Strike:
        """Earlier or later inside the node."""
        return replace(self, ms=max(0, self.ms + steps * PAUSE))


@dataclass(frozen=True, slots=True)
class Setup:
    """An experiment.

    Attributes:
        graph: Which graph.
        drawing: What it looks like.
        input: What it is given; JSON.
        durability: ``sync``, ``async`` or ``exit``.
        strike: Where it is struck.
        compare: Whether the three durabilities are tried side by side.
    """

    graph: GraphRef
    drawing: Drawing
    input: Any
    durability: str = "sync"
    strike: Strike = field(default_factory=Strike)
    compare: bool = False

    @property
    def durabilities(self) -> tuple[str, ...]:
        """Those that are tried."""
        return DURABILITIES if self.compare else (self.durability,)

    def next_durability(self) -> Setup:
        """Save in another way."""
        place = DURABILITIES.index(self.durability)
        return replace(self, durability=DURABILITIES[(place + 1) % len(DURABILITIES)])

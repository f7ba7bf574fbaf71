"""Faults that a run injects into itself: ``POINT:NODE[+ms]=HOW``, e.g. ``inside:analyze+250=kill``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from .errors import Refused


class Point(StrEnum):
    """Where it strikes."""

    BEFORE = "before"
    """Before the node runs."""
    INSIDE = "inside"
    """While it runs, ``ms`` after it began."""
    AFTER = "after"
    """After it, before its writes are saved."""
    WRITTEN = "written"
    """After its writes are saved, before the checkpoint of the superstep."""
    COMMITTED = "committed"
    """Right after that checkpoint."""


class How(StrEnum):
    """What happens."""

    KILL = "kill"
    """SIGKILL."""
    EXIT = "exit"
    """The process leaves at once (``os._exit``)."""
    RAISE = "raise"
    """An exception."""
    HANG = "hang"
    """It never goes on."""
    LOST = "lost"
    """The connection to the store is gone."""


_FORM = re.compile(r"(?P<point>[a-z]+):(?P<node>.+)=(?P<how>[a-z]+)", re.DOTALL)
_MOMENT = re.compile(r"(?P<node>.+)\+(?P<ms>\d+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault; it strikes once.

    Attributes:
        point: Where.
        node: Name of a node or a ``@task`` at any depth, or its path: ``research/search``.
        how: What happens.
        ms: Milliseconds after the beginning of the node, for ``inside``.
        exact: Whether ``node`` is a whole path, so that ``search`` is only the one at the top; written ``/search``.
    """

    point: Point
    node: str
    how: How
    ms: int = 0
    exact: bool = False

    def __str__(self) -> str:
        """The form that ``parse`` reads."""
        moment = self.point is Point.INSIDE and (self.ms or _MOMENT.fullmatch(self.node))
        return f"{self.point}:{'/' * self.exact}{self.node}{f'+{self.ms}' if moment else ''}={self.how}"

    def strikes(self, name: str, ns: str) -> bool:
        """Whether it is meant for a task.

        Args:
            name: Name of the task's node.
            ns: Namespace of the graph that the node belongs to, ``research:<task id>|…``.
        """
        outer = [part.partition(":")[0] for part in ns.split("|") if part and not part.isdigit()]
        path = "/".join([*outer, name])
        return self.node == path or (self.node == name and not self.exact)


def parse(text: str) -> Fault:
    """Read a fault; a name that itself ends with ``+250`` is followed by the milliseconds, if only ``+0``.

    Raises:
        Refused: It is none; says what it must look like.
    """
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise Refused(f"{text!r} is not a fault.", "Write POINT:NODE[+ms]=HOW, e.g. inside:analyze+250=kill.")
    point, node, how = found.groups()
    if point not in tuple(Point):
        raise Refused(f"There is no point {point!r}.", f"Points: {', '.join(Point)}.")
    if how not in tuple(How):
        raise Refused(f"There is no way {how!r}.", f"Ways: {', '.join(How)}.")
    moment = _MOMENT.fullmatch(node) if point == Point.INSIDE else None
    name, ms = (moment["node"], int(moment["ms"])) if moment else (node, 0)
    exact = len(name) > 1 and name.startswith("/")
    return Fault(Point(point), name[exact:], How(how), ms, exact)

"""The runs that nothing strikes: what the others are compared with, and what can be compared at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ..errors import Refused
from ..faults import Fault, How, Point
from ..text import one_line
from .answering import Actor, Dealer, Script
from .asking import Doubled, beginnings, doubled
from .course import Course, Thread
from .effects import Doing, Effect
from .final import Path
from .order import Order
from .samples import Samples
from .scratch import Scratch
from .varying import Varying, like


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """Runs that were left alone.

    Attributes:
        course: The first of them.
        script: Which question got which answer.
        samples: What the others show.
        doubled: Effects that are done before a question and again with its answer, with the nodes that ask.
        unasked: Answers that nobody asked for.
    """

    course: Course
    script: Script
    samples: Samples
    doubled: Doubled = field(default_factory=dict)
    unasked: int = 0

    @property
    def observed(self) -> bool:
        """Whether effects were seen outside; otherwise beginnings of nodes are counted."""
        return bool(self.course.deeds.outside)

    @property
    def effects(self) -> Counter[Effect]:
        """What the undisturbed run did, and how often."""
        return self.course.deeds.effects(self.observed)

    @property
    def varying(self) -> tuple[Path, ...]:
        """Places that say nothing about a crash."""
        return tuple(one.path for one in self.samples.varying.differing)

    @property
    def begun_again(self) -> dict[str, int]:
        """Nodes that asked and began again, with how often they did for the same questions."""
        return beginnings(self.course.doings)

    def times(self, shape: Effect) -> int:
        """How often it did something, of which perhaps only the shape is known."""
        return sum(n for effect, n in self.effects.items() if like(effect, shape))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the undisturbed runs show by themselves, in sentences."""
        found = [*self.samples.varying.warnings()]
        found += [
            f"{effect} is done by {', '.join(asked)} before interrupt(), and again when the question is answered: "
            f"{self.times(effect)}× in the undisturbed run."
            for effect, asked in self.doubled.items()
        ]
        if not self.observed:
            found += [
                f"{node} begins again when its question is answered: what it does before its first interrupt() is "
                f"done {n}× in every run. Nothing shows whether it does anything."
                for node, n in sorted(self.begun_again.items())
            ]
        if self.unasked:
            found.append(f"{self.unasked} of the answers were not asked for.")
        return tuple(found)


def leave_alone(order: Order, scratch: Scratch, stopping: Callable[[], bool]) -> Undisturbed:
    """Run the graph twice without a fault, in the first of the modes.

    Raises:
        Refused: It does not come to an end by itself, or does not pass a node that is to be struck.
        StoreError: The store cannot be read.
        Stopped: The audit is to end.
    """
    dealer = Dealer(order.answers)
    first = _ended(Thread(order, scratch, order.durabilities[0], dealer, stopping).run())
    chosen(order.nodes, first)

    def once_more(durability: str) -> Course:
        return Thread(order, scratch, durability, Actor(dealer.script), stopping).run()

    def struck(node: str) -> Sequence[Doing]:
        blow = Fault(Point.BEFORE, node, How.KILL, exact=True)
        doings = Thread(order, scratch, "sync", Actor(dealer.script), stopping, blow).run().doings
        number = next((number for number, doing in enumerate(doings) if doing.trace.struck), len(doings))
        return _counted(doings[number + 1 :], samples.varying)

    samples = Samples((first, _ended(once_more(order.durabilities[0]))), once_more)
    twice = doubled(_counted(first.doings, samples.varying), struck)
    return Undisturbed(first, dealer.script, samples, twice, dealer.left)


def _counted(doings: Sequence[Doing], varying: Varying) -> Sequence[Doing]:
    """Processes with effects that can be told to be the same."""
    return [Doing(doing.trace, varying.counted(doing.effects)) for doing in doings]


def chosen(wanted: Sequence[str], course: Course) -> tuple[str, ...]:
    """The nodes to strike at, in the order in which they began.

    Args:
        wanted: Those that were asked for; none means all.
        course: The undisturbed run.

    Raises:
        Refused: It does not pass one of them.
    """
    for name in wanted:
        if name not in course.nodes:
            passed = one_line(", ".join(course.nodes), 300)
            raise Refused(f"The undisturbed run does not pass a node {one_line(name, 80)!r}.", f"It passes: {passed}.")
    return tuple(node for node in course.nodes if not wanted or node in wanted)


def milliseconds(base: Undisturbed, node: str, point: Point) -> int:
    """When to strike inside a node: in the middle of what it took; at once where that is too short to be met."""
    took = base.course.seconds.get(node, 0.0)
    return int(took * 500) if point is Point.INSIDE and took >= _SHORT else 0


_SHORT = 0.1
"""Seconds that a node takes at least for its middle to be aimed at."""


def _ended(course: Course) -> Course:
    if course.problem:
        raise Refused(
            f"The undisturbed run does not come to an end: {one_line(course.problem, 300)}",
            "An audit needs an input with which the graph ends, or waits.",
        )
    return course

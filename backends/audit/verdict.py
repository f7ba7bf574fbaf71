"""What a crash did to a thread, told by comparing it with one that was left alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ..text import one_line
from .course import Course
from .effects import Effect
from .final import Difference, differences
from .order import Cell
from .samples import Doubt
from .undisturbed import Undisturbed
from .varying import Varying

_LISTED = 4
"""Items of a sentence; more are counted."""


class Kind(StrEnum):
    """Kinds of verdicts, from harmless to bad."""

    MISSED = "did not strike"
    """The node was not passed in this way, so nothing is known."""
    SURVIVED = "survived"
    """The same result, and every effect as often as undisturbed."""
    REPEATED = "repeated work"
    """The same result; effects happened more often."""
    LOST = "lost work"
    """The same result; tasks that had finished ran once more, because what they had done was not saved."""
    DIFFERENT = "different result"
    """Another state, another status, or an effect that is missing."""
    STUCK = "cannot resume"
    """It was not brought to its end."""


BAD = (Kind.DIFFERENT, Kind.STUCK)
"""Verdicts that make an audit fail."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came out of a cell.

    Attributes:
        kind: See ``Kind``.
        cell: Which.
        reason: Why, in sentences; empty where it survived and nothing ran twice.
        repeated: Effects that happened more often than undisturbed, by how often more.
        missing: Effects that happened less often, by how often less.
        lost: Finished work that ran again, by node and how often; of nodes that work themselves.
        reran: Nodes that began more often than undisturbed, by how often more.
        differences: Where the final state is another one.
        vanished: Whether nothing had been saved, so that the thread was started again with its input.
        processes: Processes that it took.
    """

    kind: Kind
    cell: Cell
    reason: str = ""
    repeated: Mapping[Effect, int] = field(default_factory=dict)
    missing: Mapping[Effect, int] = field(default_factory=dict)
    lost: Mapping[str, int] = field(default_factory=dict)
    reran: Mapping[str, int] = field(default_factory=dict)
    differences: tuple[Difference, ...] = ()
    vanished: bool = False
    processes: int = 1


def judge(cell: Cell, course: Course, base: Undisturbed) -> Verdict:
    """Compare a thread that was struck with the undisturbed one.

    Nothing is called different before it is known that the graph, left alone, still comes to what it came to at first.

    Args:
        cell: What was to strike.
        course: What became of it.
        base: The undisturbed one; what differs between two of its kind is not compared.

    Raises:
        Refused: No process can be started.
        StoreError: The store cannot be read.
        Stopped: The audit is to end.
    """
    while True:
        known = base.samples.varying
        verdict = _judged(cell, course, base, known)
        if verdict.kind is not Kind.DIFFERENT or not base.samples.look_again(known, cell.durability, _doubts(verdict)):
            return verdict


def _judged(cell: Cell, course: Course, base: Undisturbed, varying: Varying) -> Verdict:
    if not course.struck:
        return Verdict(Kind.MISSED, cell, course.problem, processes=course.processes)
    mine, theirs = course.deeds, base.course.deeds
    expected = varying.counted(base.effects)
    repeated = _more(varying.counted(mine.effects(base.observed)), expected, varying.effects)
    # Of how often a node began, less proves nothing: a killed process may not have told it.
    missing = _more(expected, varying.counted(mine.outside), varying.effects) if base.observed else {}
    lost = _more(mine.finished, theirs.finished, varying.nodes | base.course.containers)
    reran = _more(mine.starts, theirs.starts, varying.nodes)
    found = tuple(one for one in _compared(course, base) if not varying.covers(one))
    kind = Kind.SURVIVED
    if course.problem:
        kind = Kind.STUCK
    elif found or missing:
        kind = Kind.DIFFERENT
    elif lost or course.vanished:
        kind = Kind.LOST
    elif repeated:
        kind = Kind.REPEATED
    return Verdict(kind, cell, course.problem, repeated, missing, lost, reran, found, course.vanished, course.processes)


def _doubts(verdict: Verdict) -> set[Doubt]:
    return {one.path[:2] for one in verdict.differences} | {effect.where for effect in verdict.missing}


def sentences(verdict: Verdict, base: Undisturbed) -> str:
    """Say in words what a verdict rests on."""
    parts = [
        verdict.reason,
        _listed(map(str, verdict.differences)),
        _listed(f"{effect} {_times(-n, base.times(effect))}" for effect, n in verdict.missing.items()),
        "nothing was saved, so it was started again with its input" if verdict.vanished else "",
        f"finished and done again: {_listed(verdict.lost)}" if verdict.lost else "",
        _listed(f"{effect} {_times(n, base.times(effect))}" for effect, n in verdict.repeated.items()),
    ]
    if base.observed and verdict.reran:
        parts.append(f"ran again: {_listed(verdict.reran)}")
    return "; ".join(part.rstrip(".") for part in parts if part)


def _times(more: int, before: int) -> str:
    return f"{before + more}× (undisturbed {before}×)"


def _listed(items: Iterable[str]) -> str:
    every = [one_line(item, 160) for item in items]
    more = f", and {len(every) - _LISTED} more" if len(every) > _LISTED else ""
    return ", ".join(every[:_LISTED]) + more


def _more(mine: Counter, theirs: Counter, varying: Iterable) -> dict:  # type: ignore[type-arg]
    """By how much the first has more than the second."""
    return {what: n for what, n in (mine - theirs).items() if what not in set(varying)}


def _compared(course: Course, base: Undisturbed) -> Iterable[Difference]:
    mine = None if course.final is None else course.final.content
    theirs = None if base.course.final is None else base.course.final.content
    return differences(theirs, mine)

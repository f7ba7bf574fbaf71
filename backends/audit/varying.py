"""What undisturbed runs do not agree on: it says nothing about a crash."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from .course import Course
from .effects import Effect
from .final import MISSING, Difference, differences, place

_T = TypeVar("_T")

_GAP = "‹…›"

_UUID = r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
_STAMP = re.compile(rf"{_UUID}|[0-9A-Za-z]*[0-9][0-9A-Za-z]*")
"""Ids, times and numbers in a text."""

_LONG_STAMP = re.compile(rf"{_UUID}|(?<![0-9A-Za-z])(?:(?=[a-f]*[0-9])[0-9a-f]{{6,}}|[0-9]{{4,}})(?![0-9A-Za-z])")
"""Those that stand in a name: ``step2`` is not ``step1``."""


@dataclass(frozen=True, slots=True)
class Varying:
    """What is not compared.

    Attributes:
        differing: Where results differ: time, chance, or something kept outside the state.
        shapes: Effects that each run writes with another id, time or number, with a gap where that stands.
        effects: Effects, or shapes of them, that there are in different numbers.
        nodes: Nodes that are passed in different numbers.
    """

    differing: tuple[Difference, ...] = ()
    shapes: frozenset[Effect] = frozenset()
    effects: frozenset[Effect] = frozenset()
    nodes: frozenset[str] = frozenset()

    def covers(self, found: Difference) -> bool:
        """Whether a difference is at such a place, or is one more key or item where their set varies."""
        if any(found.path[: len(one.path)] == one.path for one in self.differing):
            return True
        *outer, last = found.path or ("",)
        more = found.old is MISSING or (found.new is MISSING and isinstance(last, int))
        return more and any(one.path[:-1] == tuple(outer) for one in self.differing if _partial(one))

    def counted(self, effects: Counter[Effect]) -> Counter[Effect]:
        """The same effects, those of a varying shape as that shape."""
        return _counted(effects, self.shapes)

    def warnings(self) -> Iterator[str]:
        """What varies, in sentences."""
        why = "time, chance, or something kept outside the state."
        for path in dict.fromkeys(one.path for one in self.differing if not _partial(one)):
            yield f"{place(path)} differs between two undisturbed runs and is not compared: {why}"
        for path in dict.fromkeys(one.path[:-1] for one in self.differing if _partial(one)):
            yield f"{place(path)} has other keys or items in two undisturbed runs, which are not compared: {why}"
        for shape in sorted(self.shapes - self.effects):
            yield f"{shape} has something else in its place in two undisturbed runs: the rest is compared."
        for effect in sorted(self.effects):
            yield f"{effect} happens in different numbers in two undisturbed runs and is not compared."


def varying(courses: Sequence[Course]) -> Varying:
    """Compare the first of some undisturbed runs with the others."""
    first, *others = courses
    observed = bool(first.deeds.outside)
    effects = [course.deeds.effects(observed) for course in courses]
    shapes: set[Effect] = set()
    for mould in (_worded, _named):
        uneven = _uneven([_counted(one, shapes) for one in effects])
        shapes |= {mould(effect) for effect in uneven if mould(effect) != effect}
    found = {one.path: one for other in others for one in differences(_content(first), _content(other))}
    return Varying(
        tuple(found.values()),
        frozenset(shapes),
        _uneven([_counted(one, shapes) for one in effects]),
        _uneven([course.deeds.starts for course in courses]) | _uneven([course.deeds.finished for course in courses]),
    )


def like(effect: Effect, shape: Effect) -> bool:
    """Whether an effect is another one, or has its shape."""
    return shape in (effect, _worded(effect), _named(effect))


def _worded(effect: Effect) -> Effect:
    return Effect(effect.where, _STAMP.sub(_GAP, effect.what), _STAMP.sub(_GAP, effect.key))


def _named(effect: Effect) -> Effect:
    return _worded(effect)._replace(where=_LONG_STAMP.sub(_GAP, effect.where))


def _counted(effects: Counter[Effect], shapes: set[Effect] | frozenset[Effect]) -> Counter[Effect]:
    found: Counter[Effect] = Counter()
    for effect, n in effects.items():
        found[next((shape for shape in (_named(effect), _worded(effect)) if shape in shapes), effect)] += n
    return found


def _partial(one: Difference) -> bool:
    return MISSING in (one.old, one.new)


def _content(course: Course) -> dict[str, Any] | None:
    return None if course.final is None else course.final.content


def _uneven(counters: Sequence[Counter[_T]]) -> frozenset[_T]:
    """What the first has in another number than one of the others."""
    first, *others = counters
    return frozenset(what for other in others for what in {*first, *other} if first[what] != other[what])

"""Undisturbed runs: two at first, and more where a thread that was struck looks different."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from threading import Lock
from typing import TypeAlias

from .course import Course
from .final import Path
from .varying import Varying, varying

Doubt: TypeAlias = Path | str
"""A channel, as the beginning of a path, or where effects are, that looks different."""

_ENOUGH = 2
"""Runs that one doubt is worth: two values that are left to chance may well be the same in a few."""


class Samples:
    """What is known of undisturbed runs.

    An audit takes its time. A minute, or a day, ends meanwhile, and what its first runs agreed on is another then.

    Args:
        courses: The runs that there are.
        run: Makes another one, in a durability.

    Attributes:
        varying: What they do not agree on; another object once there are more of them.
    """

    def __init__(self, courses: Sequence[Course], run: Callable[[str], Course] | None = None) -> None:
        self._courses = list(courses)
        self._run = run
        self._looked: Counter[Doubt] = Counter()
        self._lock = Lock()
        self.varying = varying(courses)

    def look_again(self, known: Varying, durability: str, doubts: Iterable[Doubt]) -> bool:
        """See whether an undisturbed run looks different by now, unless that has been seen often enough.

        Args:
            known: What the doubts come from.
            durability: Mode of the thread that looks different.
            doubts: What does.

        Returns:
            Whether more is known than that.

        Raises:
            Refused: No process can be started.
            StoreError: The store cannot be read.
            Stopped: The audit is to end.
        """
        with self._lock:
            if self.varying is not known:  # another thread had doubts
                return True
            worth = [doubt for doubt in doubts if self._looked[doubt] < _ENOUGH]
            if self._run is None or not worth:
                return False
            self._looked.update(worth)
            course = self._run(durability)
            if not course.problem:
                self._courses.append(course)
            self.varying = varying(self._courses)
            return True

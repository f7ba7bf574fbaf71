"""Answers to the questions of a thread: the same ones to the same questions, however often a crash makes it ask."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from .final import Question

Script: TypeAlias = Mapping[str, Sequence[Any]]
"""Answers by the node that asks, in order."""


class Dealer:
    """Gives the answers out in the order in which the undisturbed run asks.

    Args:
        answers: As the person listed them.

    Attributes:
        script: Who got which.
    """

    def __init__(self, answers: Sequence[Any]) -> None:
        self._left = list(answers)
        self._said: dict[str, Any] = {}
        self.script: dict[str, list[Any]] = {}

    @property
    def left(self) -> int:
        """How many answers nobody has asked for."""
        return len(self._left)

    def answers(self, questions: Iterable[Question]) -> dict[str, Any]:
        """Answers by interrupt id; nothing for questions behind the last answer."""
        for question in questions:
            if self._left and question.id not in self._said:
                self._said[question.id] = self._left.pop(0)
                self.script.setdefault(question.node, []).append(self._said[question.id])
        return {question.id: self._said[question.id] for question in questions if question.id in self._said}

    def will(self, node: str) -> bool:
        """Not known before it asks."""
        return bool(self._left)

    def restart(self) -> None:
        """Nothing is undone: an undisturbed thread does not begin twice."""


class Actor:
    """Answers as the script says.

    Args:
        script: From the undisturbed run.
    """

    def __init__(self, script: Script) -> None:
        self._script = script
        self._said: dict[str, Any] = {}
        self._used: Counter[str] = Counter()

    def answers(self, questions: Iterable[Question]) -> dict[str, Any]:
        """Answers by interrupt id; a question that is asked again, which has the same id, gets the same one."""
        for question in questions:
            lines = self._script.get(question.node, ())
            if question.id not in self._said and self._used[question.node] < len(lines):
                self._said[question.id] = lines[self._used[question.node]]
                self._used[question.node] += 1
        return {question.id: self._said[question.id] for question in questions if question.id in self._said}

    def will(self, node: str) -> bool:
        """Whether there is an answer to what a node asks."""
        return bool(self._script.get(node))

    def restart(self) -> None:
        """The thread begins from nothing: so do the answers."""
        self._said.clear()
        self._used.clear()

"""Answers of tabs that were read already, up to a number of bytes."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from .request import Answer, Request

_BUDGET: Final = 32_000_000
"""Bytes of stored values; decoded ones take a few times as much memory."""


class Cache:
    """The answers used last."""

    def __init__(self, budget: int = _BUDGET) -> None:
        self._budget = budget
        self._answers: OrderedDict[tuple[str, Request], Answer] = OrderedDict()

    def get(self, tab: str, request: Request) -> Answer | None:
        """Return a kept answer."""
        answer = self._answers.get((tab, request))
        if answer is not None:
            self._answers.move_to_end((tab, request))
        return answer

    def put(self, tab: str, request: Request, answer: Answer) -> None:
        """Keep an answer, the last one in any case."""
        self._answers[tab, request] = answer
        size = sum(kept.size for kept in self._answers.values())
        while size > self._budget and len(self._answers) > 1:
            _, dropped = self._answers.popitem(last=False)
            size -= dropped.size

    def forget(self, *tabs: str) -> None:
        """Drop the answers of some tabs, because the rows that they were made of may have changed."""
        for tab, request in list(self._answers):
            if tab in tabs:
                del self._answers[tab, request]

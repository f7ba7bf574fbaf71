"""What is to be done to which threads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ..maintenance.policy import Policy
from ..runs.stop import How


class Action(StrEnum):
    """A verb that works on many threads."""

    RESUME = "resume"
    """Each thread goes on where it stopped; one that waits for an answer is left alone."""
    ANSWER = "answer"
    """Every question that a thread waits with gets the same answer."""
    STOP = "stop"
    """The run that drives a thread is ended."""
    COPY = "copy"
    """Each thread once more, under its id with a suffix."""
    DELETE = "delete"
    """The thread, whole."""
    PRUNE = "prune"
    """The history that nothing needs any more."""
    EXPORT = "export"
    """All threads as one file."""


DELETING = (Action.DELETE, Action.PRUNE)
"""What cannot be taken back."""

RUNNING = (Action.RESUME, Action.ANSWER)
"""What runs a graph."""


@dataclass(frozen=True, slots=True)
class BulkRequest:
    """One verb on many threads.

    Attributes:
        action: See ``Action``.
        thread_ids: The threads, each once, in the order in which they are taken.
        answer: ANSWER: a JSON value.
        answer_given: ANSWER: whether ``answer`` is one; ``None`` may be.
        durability: RESUME, ANSWER: ``sync``, ``async`` or ``exit``.
        how: STOP: ``drain``, ``cancel`` or ``kill``.
        suffix: COPY: what the id of a copy ends with.
        policy: PRUNE: what is to stay.
        path: EXPORT: the file; appears under this name when it is complete.
        replace: EXPORT: whether a file of that name may be replaced.
        concurrency: How many threads are worked on at once; EXPORT writes one after the other.
        retries: How often a thread that failed is tried again, by itself.
        backoff: Seconds before the first retry; doubled for each further one.
        expected: DELETE: by thread, the newest checkpoint that it was chosen for; one that has gone on is left alone.
        again: ANSWER: a thread whose question has been answered, and that failed after that, is resumed.
    """

    action: Action
    thread_ids: tuple[str, ...]
    answer: Any = None
    answer_given: bool = False
    durability: str = "sync"
    how: How = "drain"
    suffix: str = "-copy"
    policy: Policy | None = None
    path: str = ""
    replace: bool = False
    concurrency: int = 2
    retries: int = 0
    backoff: float = 1.0
    expected: Mapping[str, str] = field(default_factory=dict)
    again: bool = False

    def problem(self) -> str:
        """Say what keeps the request from making sense, whatever the threads; empty where nothing does."""
        if not self.thread_ids:
            return "No thread is chosen."
        if self.concurrency < 1 or self.retries < 0 or self.backoff < 0:
            return "The concurrency must be at least 1; retries and back-off cannot be negative."
        if self.action is Action.ANSWER and not self.answer_given:
            return "There is no answer."
        if self.action is Action.COPY and not self.suffix:
            return "A copy needs a suffix: its id cannot be that of the thread."
        if self.action is Action.PRUNE and self.policy is None:
            return "It is not said what is to stay."
        if self.action is Action.EXPORT and not self.path:
            return "The export needs a file."
        return ""

    def pause_before(self, attempt: int) -> float:
        """Seconds to wait before the attempt of this number, from 1: nothing, back-off, twice that, ..."""
        return 0.0 if attempt < 2 else self.backoff * 2.0 ** (attempt - 2)

"""What became of each thread, and how far all of them are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ..maintenance.deletion import Deletion


class State(StrEnum):
    """Where a thread stands in a job; in a preview ``pending`` is what would be done."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    """It was tried and came to nothing, or to a part of it; only these are tried again."""
    REFUSED = "refused"
    """A precondition does not hold, or somebody else has the thread; nothing was written."""
    SKIPPED = "skipped"
    """There is nothing to do to it, or it is gone."""
    STOPPED = "stopped"
    """The job was stopped: it was not begun, or ended at a whole checkpoint from which it can be resumed."""


OVER = (State.DONE, State.FAILED, State.REFUSED, State.SKIPPED, State.STOPPED)
"""States that do not change any more."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one thread.

    Attributes:
        thread_id: The thread; untrusted.
        state: See ``State``.
        reason: Why, or how it stands now, in one safe line; may be empty for ``done``.
        run_id: The run, for actions that run a graph or stop one.
        tries: How often it was tried.
        seconds: From the beginning of the first try to the end of the last.
        busy: REFUSED: somebody holds the thread.
        deletion: DELETE, PRUNE: what has gone, or would go.
        made: COPY: the thread that was made.
    """

    thread_id: str
    state: State
    reason: str = ""
    run_id: str = ""
    tries: int = 0
    seconds: float = 0.0
    busy: bool = False
    deletion: Deletion | None = None
    made: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is.

    Attributes:
        total: Threads; the states are counted in the other attributes, and add up to it.
        elapsed: Seconds since the start, to the end where it has come.
    """

    total: int
    pending: int = 0
    running: int = 0
    done: int = 0
    failed: int = 0
    refused: int = 0
    skipped: int = 0
    stopped: int = 0
    elapsed: float = 0.0

    @property
    def over(self) -> bool:
        """Whether nothing changes any more."""
        return not self.pending and not self.running


def progress_of(outcomes: Iterable[Outcome], elapsed: float) -> Progress:
    """Count outcomes by state."""
    counts = Counter(one.state.value for one in outcomes)
    return Progress(counts.total(), **counts, elapsed=elapsed)


def outcome_record(one: Outcome) -> dict[str, Any]:
    """An outcome as JSON."""
    gone = one.deletion
    deleted = None
    if gone is not None:
        deleted = {name: getattr(gone, name) for name in ("checkpoints", "writes", "blobs", "bytes", "kept")}
    return {
        "thread_id": one.thread_id,
        "state": one.state.value,
        "reason": one.reason or None,
        "run": one.run_id or None,
        "tries": one.tries,
        "seconds": round(one.seconds, 3),
        "copy": one.made or None,
        "deleted": deleted,
    }

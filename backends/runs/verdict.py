"""What the record of a thread's last run says about its head, where the rows alone cannot tell."""

from __future__ import annotations

from dataclasses import dataclass

from ..ids import unix_time
from ..model import StatusName
from .run import Run, RunState
from .spec import Verb

_LAG = 1.5
"""Seconds by which a killed run's last commit may be later than its last line: it writes a heartbeat each second."""

_WORDS = {
    RunState.PAUSED: (StatusName.PAUSED, "Paused"),
    RunState.DRAINED: (StatusName.PAUSED, "Drained"),
    RunState.CANCELLED: (StatusName.PAUSED, "Cancelled"),
    RunState.FAILED: (StatusName.FAILED, "Failed"),
    RunState.CRASHED: (StatusName.CRASHED, "Crashed"),
}

_WRITTEN = {Verb.EDIT: "Edited", Verb.FORK: "Forked"}
"""Verbs that may end with work to do, because nothing was to run."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A status that a run's record gives to a thread that has tasks due and no lock.

    Attributes:
        status: PAUSED, FAILED or CRASHED.
        reason: Why, in one line; untrusted.
        head: The root head that it is about.
        run_id: The run that says so.
    """

    status: StatusName
    reason: str
    head: str
    run_id: str = ""


def verdict(run: Run, head_id: str) -> Verdict | None:
    """Return what a run's record explains about a head.

    Ask it only about a thread with due tasks, no interrupt or error among its rows, and no lock held.

    Args:
        run: The newest run that has worked on the thread (``ledger.Ledger.latest``).
        head_id: The root head's checkpoint id now.

    Returns:
        ``None`` where the run lives, has left nothing to explain, or the head is not of its making.
    """
    if run.state is RunState.DONE and run.verb in _WRITTEN and head_id == run.head:
        return Verdict(
            StatusName.PAUSED, f"{_WRITTEN[Verb(run.verb)]} by {run.operator}, not resumed since.", head_id, run.run_id
        )
    found = _WORDS.get(run.state)
    if found is None or not _made(run, head_id):
        return None
    status, word = found
    where = f" before {', '.join(run.next)}" if run.next and status is StatusName.PAUSED else ""
    return Verdict(status, run.reason or f"{word}{where}.", head_id, run.run_id)


def _made(run: Run, head_id: str) -> bool:
    """Whether a run left this head: it named it, or the id's time lies within its life.

    A killed run may have committed a checkpoint that it could not tell of any more. One that died before its first
    checkpoint has left the head that it found.
    """
    if head_id and head_id == (run.head or run.head_before):
        return True
    made = unix_time(head_id)
    return made is not None and run.started_at <= made <= (run.ended_at or run.started_at) + _LAG

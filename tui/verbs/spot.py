"""What a verb is about, and whether it makes sense there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from backends.model import CheckpointKey, StatusName, Summary

if TYPE_CHECKING:
    from backends.runs.run import Run

VERBS: Final = ("resume", "answer", "fork", "edit", "start", "stop", "crash", "delete", "prune", "export")
"""Names of the actions."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where the person is.

    Attributes:
        thread_id: The thread; untrusted.
        head: Root head that is on screen; ``None`` where the thread has no root namespace.
        summary: Its status, as far as it has been worked out.
        checkpoint: The checkpoint under the cursor, where it is not the head.
        question: Id of the question under the cursor; empty for none.
    """

    thread_id: str
    head: str | None
    summary: Summary | None = None
    checkpoint: CheckpointKey | None = None
    question: str = ""


def why_not(verb: str, spot: Spot | None, run: Run | None, refusal: str) -> str:
    """Say why a verb cannot be done now.

    Args:
        verb: See ``VERBS``.
        spot: Where the person is; ``None`` where no thread is under the cursor.
        run: The newest run of the thread that we know.
        refusal: Why nothing may be written at all.

    Returns:
        A sentence; empty where it can be done, as far as can be told without asking the store.
    """
    if verb == "export":
        return "" if spot is not None else "No thread is selected."
    if refusal:
        return refusal
    if verb == "crash":
        return ""
    if spot is None:
        return "" if verb == "start" else "No thread is selected."
    live = run is not None and run.live
    status = spot.summary.status if spot.summary is not None else None
    running = status is StatusName.RUNNING or (live and status is not StatusName.CRASHED)  # records are read later
    if verb == "stop":
        return "" if live else _not_ours(spot) if running else "No run of this thread is alive."
    if running and verb != "fork":
        who = run.label if run is not None and live else spot.summary.reason if spot.summary is not None else ""
        return f"The thread is already running: {who}."
    if verb == "resume" and status is StatusName.DONE:
        return "Nothing to resume: the thread is done."
    if verb == "answer" and spot.summary is not None and not spot.summary.interrupts:
        return "No question of this thread waits for an answer."
    return ""


def _not_ours(spot: Spot) -> str:
    """Why a thread that runs cannot be stopped from here."""
    who = f" ({spot.summary.reason})" if spot.summary is not None and spot.summary.reason else ""
    return f"The thread is run by another program{who}: stop it there."

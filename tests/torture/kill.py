"""A run is killed at a random moment in the middle of its work; another one goes on from there."""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from backends.control.plan import Intent
from backends.errors import Refused
from backends.runs.run import Run, RunState
from backends.runs.stop import stop

from .lab import Lab, Note

GRAPH = "loop"
PACE = 0.1
"""Seconds that a task takes, about."""


@dataclass(frozen=True)
class Undisturbed:
    """What a run comes to that nobody kills.

    Attributes:
        state: Its final state.
        tasks: Nodes, with the number of their tasks.
        notes: How many notes they made.
    """

    state: dict[str, Any]
    tasks: Counter[str]
    notes: int


@dataclass(frozen=True)
class Killed:
    """One trial.

    Attributes:
        thread_id: The thread.
        at: Seconds from the beginning of the first task to the kill.
        busy: Nodes that were in the middle of their work.
        saved: Tasks whose output was in the store.
        again: Tasks that had begun, were not saved, and ran once more.
        shown_running: Seconds from the beginning of the first task to ``running`` in the list; ``None`` where the run
            was killed before.
        shown_crashed: Seconds from the kill to ``crashed`` in the list.
        shown: Every status that the list showed, in order.
    """

    thread_id: str
    at: float
    busy: tuple[str, ...]
    saved: int
    again: int
    shown_running: float | None
    shown_crashed: float
    shown: tuple[str, ...]


def undisturbed(lab: Lab) -> Undisturbed:
    """Run the graph once and leave it alone."""
    ended = lab.finish(_started(lab, "undisturbed"))
    assert ended.state is RunState.DONE, ended
    notes = lab.notes.of("undisturbed")
    begun = Counter(note.node for note in notes if note.what == "begin")
    assert begun == Counter(note.node for note in notes if note.what == "end")
    return Undisturbed(lab.state("undisturbed"), begun, len(notes))


def trial(lab: Lab, thread_id: str, expected: Undisturbed, chance: random.Random) -> Killed | None:
    """Start, kill, resume, compare.

    The moment is counted in what the run has done, and then some: a busy machine is not killed any later.

    Returns:
        What happened; ``None`` where the run was faster than the killer.

    Raises:
        AssertionError: Something was lost, ran again, or was shown wrongly.
    """
    run = _started(lab, thread_id)
    lab.notes.wait_for(thread_id)
    began = time.time()
    lab.notes.wait_for(thread_id, chance.randrange(1, expected.notes))
    time.sleep(chance.uniform(0.0, PACE))
    killed_at = time.time()
    if not _killed(run) or lab.state(thread_id) == expected.state:
        return None
    at_death, saved = lab.notes.of(thread_id), lab.saved_tasks(thread_id)
    crashed = lab.seen.when(thread_id, "crashed", killed_at)
    before_death = lab.seen.of(thread_id)
    died = lab.buried(run)
    assert died.state is RunState.CRASHED, died
    assert "SIGKILL" in died.reason, died.reason

    resumed_at = time.time()
    ended = lab.finish(lab.do(Intent("resume", thread_id, durability="sync"), GRAPH))
    assert ended.state is RunState.DONE, ended
    lab.seen.when(thread_id, "done", resumed_at)
    after = lab.notes.of(thread_id)[len(at_death) :]
    _compare(lab, thread_id, expected, at_death, after, saved)
    shown = tuple(lab.seen.of(thread_id))
    assert shown[-3:] == ("crashed", "running", "done"), lab.seen.rows[thread_id]
    assert shown[:-3] in ((), ("running",)), lab.seen.rows[thread_id]
    return Killed(
        thread_id=thread_id,
        at=killed_at - began,
        busy=tuple(sorted(_unfinished(at_death).values())),
        saved=len(saved),
        again=len(_begun(at_death) & _begun(after)),
        shown_running=lab.seen.when(thread_id, "running", began) if "running" in before_death else None,
        shown_crashed=crashed,
        shown=shown,
    )


def _started(lab: Lab, thread_id: str) -> Run:
    given = {"notes": str(lab.notes.path), "pace": PACE, "log": []}
    return lab.do(Intent("start", thread_id, seen_head="", input=given, durability="sync"), GRAPH)


def _killed(run: Run) -> bool:
    """Kill it; false where it has ended already."""
    try:
        stop(run, "kill")
    except Refused:
        return False
    return True


def _compare(
    lab: Lab, thread_id: str, expected: Undisturbed, at_death: list[Note], after: list[Note], saved: set[str]
) -> None:
    """Nothing lost, nothing that was saved done again, one branch."""
    assert lab.state(thread_id) == expected.state
    assert not saved & _begun(after), f"saved, and ran again: {saved & _begun(after)}"
    ended = Counter(note.node for note in {n.task_id: n for n in (*at_death, *after) if n.what == "end"}.values())
    assert ended == expected.tasks, f"{ended} instead of {expected.tasks}"
    assert lab.branches(thread_id) == 1


def _begun(notes: list[Note]) -> set[str]:
    return {note.task_id for note in notes if note.what == "begin"}


def _unfinished(notes: list[Note]) -> dict[str, str]:
    """Nodes by task that had begun and not ended."""
    ended = {note.task_id for note in notes if note.what == "end"}
    return {note.task_id: note.node for note in notes if note.task_id not in ended}

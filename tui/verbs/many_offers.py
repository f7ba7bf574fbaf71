"""Which verbs make sense for some threads, as far as one can tell without asking the store."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from backends.bulk.request import RUNNING, Action
from backends.errors import Refused
from backends.model import StatusName, Summary, ThreadRow

from ..bulk_words import MEANINGS

if TYPE_CHECKING:
    from ..app import LgtopApp
    from ..dialogs.bulk_choose import Offer

_CALM: Final = frozenset({StatusName.DONE, StatusName.WAITING, StatusName.RUNNING})
"""Statuses of threads that resuming does nothing for."""

_NOBODY: Final = {
    Action.RESUME: "there is nothing to resume in any of them",
    Action.ANSWER: "none of them waits for an answer",
    Action.STOP: "no run of lgtop is alive on any of them",
}
"""What is said where a verb fits none."""


async def offers(app: LgtopApp, thread_ids: Sequence[str]) -> list[Offer]:
    """Say of every verb how many of the threads it fits, and why it cannot be done where it cannot."""
    from ..dialogs.bulk_choose import Offer

    rows = app.index.rows
    chosen = [rows[thread_id] for thread_id in thread_ids if thread_id in rows]
    live = {run.thread_id for run in app.control.live_runs}
    fits = await asyncio.to_thread(fitting, chosen, live)
    refusal = app.control.gate.refusal(app.live.info)
    graphless = "" if refusal else await _graphless(app)
    found = []
    for action in MEANINGS:
        why = "" if action is Action.EXPORT else refusal
        if not why and not fits[action]:
            why = _NOBODY.get(action, "none of these threads is there any more")
        found.append(Offer(action, fits[action], why or (graphless if action in RUNNING else "")))
    return found


def fitting(rows: Sequence[ThreadRow], live: set[str]) -> Counter[Action]:
    """How many threads each verb fits.

    Args:
        rows: The threads.
        live: Threads of runs that go on.
    """
    found: Counter[Action] = Counter(dict.fromkeys(Action, 0))
    for row in rows:
        found.update(_fitting(row.summary, row.head.thread_id in live))
    return found


def _fitting(summary: Summary | None, live: bool) -> list[Action]:
    running = live or (summary is not None and summary.status is StatusName.RUNNING)
    found = [Action.COPY, Action.EXPORT]
    if live:
        found.append(Action.STOP)
    if running:
        return found
    found += [Action.DELETE, Action.PRUNE]
    if summary is None or summary.status not in _CALM:
        found.append(Action.RESUME)
    if summary is None or summary.interrupts:
        found.append(Action.ANSWER)
    return found


async def _graphless(app: LgtopApp) -> str:
    """Why nothing can be run; empty where there are graphs."""
    try:
        return "" if await app.control.graphs() else "no graph is known here: --graph, or the project's directory"
    except Refused as error:
        return str(error)

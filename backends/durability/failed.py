"""Workflows that came to grief, for whoever resumes them: a cron job, a runbook, an application that starts."""

from __future__ import annotations

import time
from collections.abc import Collection

from ..model import StatusName, ThreadHead
from .standing import CheckpointStatus, analysed, described, reading

FAILED = (StatusName.FAILED, StatusName.CRASHED, StatusName.STALLED, StatusName.CANCELLED)
"""What stopped before its end, and not on purpose."""


def find_failed_workflows(
    connection_string: str,
    min_age_minutes: float | None = 5,
    max_age_hours: float | None = 24,
    *,
    statuses: Collection[str] = FAILED,
) -> list[CheckpointStatus]:
    """Find workflows that stopped before their end and that nobody runs.

    Those that wait for an answer, were paused on purpose or are held by a process are not among them. A graph that
    stopped at a static breakpoint (``interrupt_before``) looks in its rows like one that crashed: unless lgtop ran it,
    it is ``stalled``. An application with such graphs leaves ``stalled`` out, or asks with ``interrupt()`` instead.

    Args:
        connection_string: The store.
        min_age_minutes: Only those whose newest checkpoint is at least so old: a process that takes no lock may still
            be at work on a younger one. ``None`` for any age.
        max_age_hours: Only those whose first checkpoint is at most so old. ``None`` for any age.
        statuses: Which statuses count (see ``CheckpointStatus.status``).

    Returns:
        The newest first. Threads whose checkpoint ids carry no time are among them only where neither age is asked
        for.

    Raises:
        StoreError: The store cannot be read. One that was not made yet is one without threads.
    """
    now = time.time()
    latest = None if min_age_minutes is None else now - min_age_minutes * 60
    earliest = None if max_age_hours is None else now - max_age_hours * 3600
    found: list[CheckpointStatus] = []
    with reading(connection_string, witnessed=True) as reader:
        if reader is None:
            return []
        for batch in reader.store.heads():
            likely = analysed(reader, [head for head in batch if _is_between(head, earliest, latest)])
            found += described(reader, [one for one in likely if one[1].status in statuses])
    if earliest is not None:
        found = [one for one in found if one.created_at is not None and one.created_at.timestamp() >= earliest]
    return sorted(found, key=_last_active, reverse=True)


def _is_between(head: ThreadHead, earliest: float | None, latest: float | None) -> bool:
    """Whether the age of a head allows for the ages that are asked for; what was begun later was also changed later."""
    at = head.updated_at
    if at is None:
        return earliest is None and latest is None
    return (latest is None or at <= latest) and (earliest is None or at >= earliest)


def _last_active(found: CheckpointStatus) -> float:
    return 0.0 if found.updated_at is None else found.updated_at.timestamp()

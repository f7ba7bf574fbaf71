"""Resuming a workflow again and again until it goes on."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from .lock_managers import LockManager
from .resume import R, ResumeResult, resume_workflow

_log = logging.getLogger("lgtop")


class ResumeFailed(Exception):
    """A workflow could not be resumed.

    Args:
        attempts: How often it was tried.
        outcome: What came of the last attempt.
    """

    def __init__(self, attempts: int, outcome: ResumeResult[Any]) -> None:
        times = f"{attempts} attempt{'s' if attempts > 1 else ''}"
        super().__init__(f"Failed to resume after {times}: {outcome.get('error', '')}")
        self.attempts = attempts
        self.outcome = outcome


def resume_with_retry(
    thread_id: str,
    connection_string: str,
    resume_function: Callable[[str], R],
    max_retries: int = 3,
    *,
    lock_manager: LockManager | None = None,
    backoff_seconds: float = 2.0,
    max_backoff_seconds: float = 60.0,
) -> ResumeResult[R]:
    """Resume a workflow; where it fails, or someone else runs it, wait and try again: 2 s, then 4 s, 8 s, ...

    What was saved before an attempt failed is not done again by the next one.

    Args:
        thread_id: The thread.
        connection_string: The store.
        resume_function: As for ``resume_workflow``.
        max_retries: How often to try.
        lock_manager: As for ``resume_workflow``.
        backoff_seconds: How long to wait after the first attempt; doubles with each.
        max_backoff_seconds: How long to wait at most.

    Returns:
        The result of the attempt that succeeded, as of ``resume_workflow``.

    Raises:
        ResumeFailed: None did, or there is no such thread.
        ValueError: ``max_retries`` is not positive.
    """
    if max_retries < 1:
        raise ValueError(f"max_retries must be 1 or more: {max_retries}")
    pause = backoff_seconds
    for attempt in range(1, max_retries + 1):
        outcome = resume_workflow(thread_id, connection_string, resume_function, lock_manager)
        if outcome["status"] == "success":
            return outcome
        if outcome["status"] == "not_found" or attempt == max_retries:
            break
        pause = min(pause, max_backoff_seconds)
        _log.info("Thread %r is tried again in %g s: %s", thread_id, pause, outcome["error"])
        time.sleep(pause)
        pause *= 2
    raise ResumeFailed(attempt, outcome)

"""Resuming a workflow that failed, under its lock."""

from __future__ import annotations

import inspect
import logging
import os
from collections.abc import Callable
from typing import Generic, Literal, NotRequired, TypedDict, TypeVar

from ..address import mask_dsn, parse_address
from ..errors import AlreadyRunning, Refused, StoreError
from ..locks.public import ThreadLock
from ..model import Analysis, StatusName
from ..text import one_line
from .lock_managers import LockManager, lock_manager_of
from .standing import analysed, is_made, reading, skipped_after

R = TypeVar("R")

_ERROR_LENGTH = 500

_log = logging.getLogger("lgtop")


class ResumeResult(TypedDict, Generic[R]):
    """What came of resuming a workflow.

    Attributes:
        status: ``success``: the resume function returned, or there was nothing left to do. ``already_running``: someone
            else holds the thread, nothing was done. ``not_found``: there is no such thread. ``error``: see ``error``.
        thread_id: The thread.
        result: What the resume function returned; ``None`` where it was not called or raised.
        before_checkpoint: The newest checkpoint before; ``None`` where it was not looked up.
        after_checkpoint: The newest checkpoint after.
        completed: Whether nothing is left to do, by what the store holds afterwards: a workflow that stopped at a
            question was resumed with success, and is not complete.
        error: Why there was no success, in one line.
    """

    status: Literal["success", "already_running", "not_found", "error"]
    thread_id: str
    result: R | None
    before_checkpoint: str | None
    after_checkpoint: str | None
    completed: bool
    error: NotRequired[str]


def resume_workflow(
    thread_id: str,
    connection_string: str,
    resume_function: Callable[[str], R],
    lock_manager: LockManager | None = None,
    blocking: bool = False,
    timeout_seconds: float | None = None,
) -> ResumeResult[R]:
    """Run a workflow on from its newest checkpoint, while nobody else can.

    A workflow that is complete is not run again. Neither is one whose last step a plain resume would cut short, because
    a conditional edge raised: that is an ``error`` which says how to repair it.

    It blocks until the workflow stops. An asynchronous application awaits ``asyncio.to_thread(resume_workflow, ...)``
    with a resume function that hands ``ainvoke`` to its loop: ``asyncio.run_coroutine_threadsafe(..., loop).result()``.

    Args:
        thread_id: The thread.
        connection_string: The store: path of the SQLite file, or PostgreSQL address.
        resume_function: Called with the thread's id while the lock is held: ``graph.invoke(None, config)``, where
            ``None`` instead of an input means to go on.
        lock_manager: A lock manager of the same store, to share its limits; one is made where it is left out.
        blocking: Whether to wait for whoever holds the thread.
        timeout_seconds: How long to wait, where ``blocking``; ``None`` waits for ever.

    Returns:
        What came of it. What the resume function or the store raise is told there, and logged with its traceback under
        ``lgtop``; nothing is raised but what is no ``Exception``, such as ``KeyboardInterrupt``.
    """
    outcome: ResumeResult[R] = {
        "status": "success",
        "thread_id": thread_id,
        "result": None,
        "before_checkpoint": None,
        "after_checkpoint": None,
        "completed": False,
    }
    try:
        if not is_made(parse_address(connection_string, os.environ)):
            return _not_found(outcome)
        manager = lock_manager or lock_manager_of(connection_string)
        with manager.lock(thread_id, blocking=blocking, timeout_seconds=timeout_seconds) as lock:
            return _resumed(outcome, connection_string, resume_function, lock)
    except AlreadyRunning as error:
        outcome["status"] = "already_running"
        outcome["error"] = str(error)
    except (StoreError, Refused) as error:
        _failed(outcome, error)
    return outcome


def _resumed(
    outcome: ResumeResult[R],
    connection_string: str,
    resume_function: Callable[[str], R],
    lock: ThreadLock,
) -> ResumeResult[R]:
    """Do it, under the lock."""
    thread_id = outcome["thread_id"]
    before = _standing(thread_id, connection_string)
    if before is None:
        return _not_found(outcome)
    outcome["before_checkpoint"], analysis = before
    outcome["after_checkpoint"] = outcome["before_checkpoint"]
    if analysis.status is StatusName.DONE and not analysis.inferred:
        outcome["completed"] = True
        return outcome
    if cut := skipped_after(analysis):
        raise Refused(
            f"{cut.name} raised after its output was saved: a resume would take it for finished and skip the rest.",
            "Run the step again: lgtop resume --retry, or invoke(None) with the checkpoint_id in its configuration.",
        )
    try:
        result = resume_function(thread_id)
        _refuse_coroutine(result)
        outcome["result"] = result
    except Exception as error:  # the application's own code ran: whatever it raises is what came of it
        _failed(outcome, error)
    after = _standing(thread_id, connection_string)
    if after is not None:
        outcome["after_checkpoint"] = after[0]
        outcome["completed"] = after[1].status is StatusName.DONE
    if outcome["status"] == "success" and not lock.held():
        raise StoreError("The thread's lock was lost meanwhile: another process may have run it, too.")
    return outcome


def _standing(thread_id: str, connection_string: str) -> tuple[str, Analysis] | None:
    """The newest checkpoint and what its rows mean; who holds the thread is known: we do."""
    with reading(connection_string, witnessed=False) as reader:
        heads = [] if reader is None else list(reader.store.heads_of([thread_id]).values())
        found = [] if reader is None else analysed(reader, heads)
    return next(((head.checkpoint_id, analysis) for head, analysis in found), None)


def _refuse_coroutine(value: object) -> None:
    """What was only begun would run without the lock, if ever."""
    if inspect.iscoroutine(value):
        value.close()
        raise TypeError("the resume function is a coroutine function: let it wait for its end, e.g. by asyncio.run")


def _not_found(outcome: ResumeResult[R]) -> ResumeResult[R]:
    outcome["status"] = "not_found"
    outcome["error"] = f"There is no thread {outcome['thread_id']!r}: it never saved a checkpoint, or was deleted."
    return outcome


def _failed(outcome: ResumeResult[R], error: Exception) -> None:
    ours = isinstance(error, StoreError | Refused)
    text = str(error) if ours else f"{type(error).__name__}: {error}".rstrip(": ")
    told = one_line(mask_dsn(text), _ERROR_LENGTH)
    outcome["status"] = "error"
    outcome.setdefault("error", told)  # the first one: after it, the store may be out of reach as well
    _log.warning("Thread %r was not resumed: %s", outcome["thread_id"], told, exc_info=error)

"""An event loop that comes to its end whatever the user's nodes do to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_UNWINDING = 5.0
"""Seconds that coroutines get to leave what they have open."""


def run(main: Coroutine[Any, Any, T], patient: Callable[[], bool]) -> T:
    """Run a coroutine, and let plain functions that it has started in threads come to their end.

    Args:
        main: The coroutine.
        patient: Asked in the end whether to wait for the threads; ``asyncio.run`` always does, but a node that was
            cancelled may sleep in one for ever.

    Raises:
        BaseException: What ``main`` raises; and ``SystemExit`` or ``KeyboardInterrupt`` that any task raises, since
            those stop the loop (``asyncio/tasks.py``, ``Task.__step``).
    """
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(main)
    finally:
        _unwind(loop)
        if patient():
            loop.run_until_complete(loop.shutdown_default_executor())


def _unwind(loop: asyncio.AbstractEventLoop) -> None:
    """Let every coroutine leave its context managers, so that connections are closed."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks, timeout=_UNWINDING))

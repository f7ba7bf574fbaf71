"""Copies of the run's process that a graph makes with ``os.fork`` and lets return from its node.

In a script such a copy would go on with the rest of the graph. Here it must neither write beside the run, nor tell its
events, nor wait for ever for work that never comes to it.
"""

from __future__ import annotations

import concurrent.futures.thread as pool
import os
import sys
import threading
import time

_LOOK = 0.2
"""Seconds between two looks of a copy at itself."""

_run = os.getpid()


def watch() -> None:
    """From now on, copies end where they return from the user's code."""
    global _run
    _run = os.getpid()
    os.register_at_fork(after_in_child=_watch_thread)


def end_if_copy(code: int = 0) -> None:
    """End this process if it is a copy."""
    if os.getpid() != _run:
        os._exit(code)


def _watch_thread() -> None:
    """In a copy: a plain function ran in a thread of the pool, which is the copy's only one now."""
    forker = threading.get_ident()
    if _is_in_pool(forker):
        threading.Thread(target=_end_when_idle, args=(forker,), daemon=True).start()


def _end_when_idle(forker: int) -> None:
    while not _is_waiting(forker):
        time.sleep(_LOOK)
    os._exit(0)


def _is_waiting(forker: int) -> bool:
    """Whether a thread of the pool is back from the function that it ran (``concurrent/futures/thread.py``)."""
    frame = sys._current_frames().get(forker)
    return frame is None or (frame.f_code.co_name == "_worker" and frame.f_code.co_filename == pool.__file__)


def _is_in_pool(thread: int) -> bool:
    frame = sys._current_frames().get(thread)
    while frame is not None:
        if frame.f_code.co_name == "_worker" and frame.f_code.co_filename == pool.__file__:
            return True
        frame = frame.f_back
    return False

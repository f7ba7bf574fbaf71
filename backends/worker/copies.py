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
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

_LOOK = 0.2
"""Seconds between two looks of a copy at itself."""

_DRIVING = str(Path(__file__).with_name("driving.py"))

_NOT_THE_USERS = ("/concurrent/futures/", "/threading.py", "/contextlib.py", "/langgraph/pregel/")
"""Parts of the paths of code that a copy is in when it waits for what its lost threads were to do."""

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
    """In a copy: its only thread now is the one that a plain function runs in."""
    forker = threading.get_ident()
    for is_back, frame in ((_is_idle, _is_worker), (_is_left, _is_driving)):
        if any(map(frame, _frames(forker))):
            threading.Thread(target=_end_when, args=(is_back, forker), daemon=True).start()
            return


def _end_when(is_back: Callable[[int], bool], forker: int) -> None:
    while not is_back(forker):
        time.sleep(_LOOK)
    os._exit(0)


def _is_idle(thread: int) -> bool:
    """Whether a thread of the pool is back from the function that it ran (``concurrent/futures/thread.py``)."""
    innermost = next(_frames(thread), None)
    return innermost is None or _is_worker(innermost)


def _is_left(thread: int) -> bool:
    """Whether the main thread is back from the node that it ran, and LangGraph waits for its threads."""
    for frame in _frames(thread):
        if _is_driving(frame):
            return True
        if not any(part in frame.f_code.co_filename for part in _NOT_THE_USERS):
            return False
    return True


def _is_worker(frame: FrameType) -> bool:
    return frame.f_code.co_name == "_worker" and frame.f_code.co_filename == pool.__file__


def _is_driving(frame: FrameType) -> bool:
    return frame.f_code.co_filename == _DRIVING


def _frames(thread: int) -> Iterator[FrameType]:
    """Frames of a thread, the innermost first."""
    frame = sys._current_frames().get(thread)
    while frame is not None:
        yield frame
        frame = frame.f_back

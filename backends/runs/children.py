"""The runs that this very process has started, and whose end it will see."""

from __future__ import annotations

import threading
from pathlib import Path

_PATIENCE = 0.2
"""Seconds to wait for the exit code of a process that is gone; a core dump may take it longer to be so for good."""

_tending: dict[str, threading.Thread] = {}


def tend(record: str | Path, thread: threading.Thread) -> None:
    """Start the thread that waits for a run's process and writes its exit code into the record."""
    _tending[str(record)] = thread
    thread.start()


def tended(record: str | Path) -> None:
    """The exit code is in the record: there is nothing more to wait for."""
    _tending.pop(str(record), None)


def settle(record: str | Path) -> None:
    """Give a process of ours that is gone the moment in which its exit code is written."""
    if (thread := _tending.get(str(record))) is not None:
        thread.join(_PATIENCE)

"""Waiting for the end of a run."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from ..runs.read import RunReader
from ..runs.run import Run, RunState

_POLL = 0.025
"""Seconds between two looks at a run."""

_SETTLING = 2.0
"""Seconds in which the exit code of a process that is gone may still come."""


def ended(folder: str | Path, meanwhile: Callable[[Run], bool] = lambda run: False) -> Run:
    """Wait for the end of a run.

    Args:
        folder: Its record.
        meanwhile: Called after each look at the live run; true ends the waiting.

    Returns:
        The run as it ended, or as it is where ``meanwhile`` ended the waiting.

    Raises:
        OSError: The record cannot be read.
    """
    reader = RunReader(folder)
    while (run := reader.read()).live:
        if meanwhile(run):
            return run
        time.sleep(_POLL)
    deadline = time.monotonic() + _SETTLING
    while run.state is RunState.CRASHED and run.exit_code is None and time.monotonic() < deadline:
        time.sleep(_POLL)
        run = reader.read()
    return run

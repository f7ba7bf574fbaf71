"""The place where lgtop keeps its records of runs."""

from __future__ import annotations

import os
from collections.abc import Iterator

from ..folders import state_path
from .disk import existing, room
from .finding import Finding, State


def examine_records() -> Iterator[Finding]:
    """Whether a run can be recorded: without that, nothing is started."""
    folder = state_path()
    there = existing(folder)
    if not os.access(there, os.W_OK | os.X_OK):
        yield Finding(
            "records",
            State.FAULT,
            f"Runs cannot be recorded: {there} cannot be written to by this user.",
            "Give the directory to this user, or set XDG_STATE_HOME to another one.",
        )
        return
    yield Finding("records", State.OK, f"Runs are recorded in {folder}.")
    yield room("records", there)

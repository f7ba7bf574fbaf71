"""The runs that this very process has started, and whose end it will see."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

_PATIENCE = 0.2
"""Seconds to wait for the exit code of a process that is gone; a core dump may take it longer to be so for good."""


class Tending(Protocol):
    """Waits for a run's process, and leaves its exit code in the record: a thread, or the like."""

    def is_alive(self) -> bool:
        """Whether it still waits."""
        ...

    def join(self, timeout: float | None = None) -> None:
        """Wait until it does so no longer, or for so many seconds."""
        ...


_tending: dict[str, Tending] = {}


def tend(record: str | Path, tending: Tending) -> None:
    """Remember who waits for the process of a run."""
    _tending[str(record)] = tending


def tended(record: str | Path) -> None:
    """The exit code is in the record: there is nothing more to wait for."""
    _tending.pop(str(record), None)


def settle(record: str | Path) -> None:
    """Give a process of ours that is gone the moment in which its exit code is written."""
    if (tending := _tending.get(str(record))) is not None:
        tending.join(_PATIENCE)

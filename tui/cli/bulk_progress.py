"""Waiting for a job: a line of progress, and what ctrl+c does to it."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import TYPE_CHECKING

from . import output

if TYPE_CHECKING:
    from backends.bulk.job import Job

_PACE = 0.1
"""Seconds between two paintings of the progress."""


def carry_out(job: Job) -> bool:
    """Run a job to its end; whether ctrl+c ended it.

    Raises:
        KeyboardInterrupt: It came twice: runs that are under way are not waited for.
    """
    with _Patience() as patience, _ProgressLine() as line:
        job.start()
        while not job.wait(_PACE):
            line.paint(job)
            if patience.pressed and not job.stopping:
                job.stop()
                output.narrate("lgtop: beginning no more; ctrl+c once more does not wait for what is under way.")
            if patience.pressed > 1:
                raise KeyboardInterrupt
    return patience.pressed > 0


class _Patience:
    """While it is entered, ctrl+c is counted.

    Attributes:
        pressed: How often it came.
    """

    def __init__(self) -> None:
        self.pressed = 0
        self._before: object = None

    def __enter__(self) -> _Patience:
        self._before = signal.getsignal(signal.SIGINT)
        if self._before is not signal.SIG_IGN:  # a shell's background job, which ctrl+c is not meant for
            signal.signal(signal.SIGINT, self._heed)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)  # type: ignore[arg-type]

    def _heed(self, number: int, frame: FrameType | None) -> None:
        self.pressed += 1


class _ProgressLine:
    """One line on the terminal, painted over again and again; nothing where there is none."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty() and os.environ.get("TERM") not in (None, "", "dumb")

    def __enter__(self) -> _ProgressLine:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def paint(self, job: Job) -> None:
        """Show how far a job is."""
        if self._shown:
            from .bulk_table import told
            from .table import clip

            sys.stderr.write(f"\r{clip(f'lgtop: {told(job.progress)}', get_width() - 1)}\x1b[K")
            sys.stderr.flush()

    def clear(self) -> None:
        """Remove it."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def get_width() -> int:
    """Columns of the terminal that is told of the progress."""
    return os.get_terminal_size(sys.stderr.fileno()).columns or 80

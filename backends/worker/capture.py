"""What the user's code prints: caught where the system writes it, so that C libraries and children are caught too.

The reader is a process of its own. A thread of ours could not read while a library prints with the interpreter's lock
held, and would die with the run, taking the last words with it.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from ..runs.alive import holder_pid
from ..runs.recorder import Recorder
from .output import Output

STREAMS = {1: "stdout", 2: "stderr"}
"""What is caught, by descriptor."""

_CHUNK = 1 << 16
_PATIENCE = 2.0
"""Seconds that the end of a run waits for its last output to be read."""
_LOOK = 0.5
"""Seconds between two looks at whether the run's process is still there."""


class Capture:
    """The reader of this process's output; made by ``begin``.

    Args:
        bell: Writing to it asks the reader to finish.
        done: Ends when the reader has.
        nothing: The null device, open already: at the end there may be no descriptor left to open it with.
    """

    def __init__(self, bell: int, done: int, nothing: int) -> None:
        self._bell = bell
        self._done = done
        self._nothing = nothing
        self._files = {name: getattr(sys, name) for name in STREAMS.values()}

    def finish(self) -> None:
        """Wait until what was printed so far has been read; what is printed later is dropped."""
        for name, ours in self._files.items():
            try:
                getattr(sys, name).flush()
            except BaseException:  # the user's code closed or replaced it; Python flushes once more when it ends
                setattr(sys, name, ours)
        with contextlib.suppress(OSError):  # closed by the user's code
            for number in STREAMS:
                os.dup2(self._nothing, number)
        with contextlib.suppress(OSError):  # the reader was killed
            os.write(self._bell, b".")
            select.select([self._done], [], [], _PATIENCE)


def begin(folder: Path) -> Capture:
    """Redirect standard output and error into a record whose ``alive`` we hold; before any thread is started.

    Lines become ``LOG`` events and stand in ``output.log``, both up to a limit (see ``output``).

    Raises:
        OSError: No pipe or no process can be made.
    """
    pipes = {number: os.pipe() for number in STREAMS}
    ears, bell = os.pipe()
    done, end = os.pipe()
    nothing = os.open(os.devnull, os.O_WRONLY)
    child = os.fork()
    if not child:
        if os.fork():  # a grandchild, so that the user's code does not wait for it among its own children
            os._exit(0)
        for handle in (bell, done, nothing, *(writer for _, writer in pipes.values())):
            os.close(handle)
        _read_and_leave(folder, {pipes[number][0]: name for number, name in STREAMS.items()}, ears)
    os.waitpid(child, 0)
    for handle in (ears, end, *(ear for ear, _ in pipes.values())):
        os.close(handle)
    for number, (_, writer) in pipes.items():
        os.dup2(writer, number)
        os.close(writer)
    # New files, since the old ones remember that they were files on disk; lines are told as they are printed.
    sys.stdout = sys.__stdout__ = open(1, "w", 1, "utf-8", "backslashreplace", closefd=False)  # type: ignore[misc]  # noqa: SIM115
    sys.stderr = sys.__stderr__ = open(2, "w", 1, "utf-8", "backslashreplace", closefd=False)  # type: ignore[misc]  # noqa: SIM115
    return Capture(bell, done, nothing)


def _read_and_leave(folder: Path, ears: dict[int, str], bell: int) -> None:
    """The reader's whole life; does not return."""
    code = 1
    try:
        os.setpgid(0, 0)  # killing the run's group leaves us to write down its last words
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        _read(Output(folder, Recorder(folder)), ears, bell, lambda: holder_pid(folder) is None)
        code = 0
    finally:
        os._exit(code)


def _read(output: Output, ears: dict[int, str], bell: int, orphaned: Callable[[], bool]) -> None:
    """Read until every writer is gone, the bell rings, or the run is gone and what it left behind is silent."""
    for ear in ears:
        os.set_blocking(ear, False)
    open_ears = dict(ears)
    while open_ears:
        ready, _, _ = select.select([*open_ears, bell], [], [], _LOOK)
        for ear in ready:
            if ear != bell and not _take(output, ear, open_ears[ear]):
                del open_ears[ear]
        output.breathe()
        if bell in ready or (not ready and orphaned()):
            break
    for ear, name in open_ears.items():
        while _take(output, ear, name, patient=False):
            pass
    output.close()


def _take(output: Output, ear: int, name: str, *, patient: bool = True) -> bool:
    """Read once; return whether there may be more."""
    try:
        data = os.read(ear, _CHUNK)
    except BlockingIOError:
        return patient
    output.add(name, data)
    return bool(data)

"""Waiting for a run: its events are told as they come, ctrl+c is passed on to it, its end becomes an exit code."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Final, Self

from backends.errors import Refused

from . import output
from .exits import Exit

if TYPE_CHECKING:
    from backends.runs.events import Event
    from backends.runs.run import Run
    from backends.runs.stop import How

Tell = Callable[[Sequence["Event"]], None]
"""Is given the events of a run, in order, as many at a time as there are."""

_SETTLING: Final = 5.0
"""Seconds that a process gets to go after its last word."""

_WAYS: Final[tuple[How, ...]] = ("drain", "cancel", "kill")
_TOLD: Final = (
    "Stopping before the next step; ctrl+c once more cancels the step.",
    "Cancelling; ctrl+c once more kills the process.",
    "Killing the process.",
)
_EXITS: Final = {
    "done": Exit.DONE,
    "waiting": Exit.DONE,
    "paused": Exit.DONE,
    "drained": Exit.DONE,
    "refused": Exit.REFUSED,
    "busy": Exit.BUSY,
}


class PassedOn:
    """While it is entered, ctrl+c stops a run instead of this process: first gently, then less so.

    Attributes:
        run: The run, once there is one.
        pressed: How often ctrl+c came.
    """

    def __init__(self) -> None:
        self.run: Run | None = None
        self.pressed = 0
        self._heeded = 0
        self._before: object = None

    def __enter__(self) -> Self:
        self._before = signal.getsignal(signal.SIGINT)
        if self._before is not signal.SIG_IGN:  # a shell's background job, which ctrl+c is not meant for
            signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.signal(signal.SIGINT, self._before)  # type: ignore[arg-type]

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.pressed += 1

    def heed(self) -> bool:
        """Do what ctrl+c asked for since the last call; never says that waiting should end."""
        from backends.runs.stop import stop

        while self.run is not None and self._heeded < min(self.pressed, len(_WAYS)):
            way = self._heeded
            self._heeded += 1
            output.narrate(f"lgtop: {_TOLD[way]}")
            with suppress(Refused):  # it has just ended by itself
                stop(self.run, _WAYS[way])
        return False


def wait(run: Run, tell: Tell, keys: PassedOn) -> tuple[Run, Exit]:
    """Follow a run that we started, to its end.

    Args:
        run: The run.
        tell: Is given its events.
        keys: Knows of ctrl+c; entered before the run was started, so that none is missed.

    Returns:
        The run as it ended, and the exit code; 130 if ctrl+c stopped it.
    """
    keys.run = run
    watch(run, tell, keys.heed)
    ended = read_again(run, _SETTLING)
    code = exit_of(ended)
    stopped = keys.pressed and ended.state.value in ("drained", "cancelled", "crashed")
    return ended, Exit.INTERRUPTED if stopped else code


def watch(run: Run, tell: Tell, leave: Callable[[], bool] = lambda: False) -> None:
    """Follow a run to its end, or until ``leave``, which is asked many times a second, says so."""
    from backends.runs.follow import follow_in_batches

    for events in follow_in_batches(Path(run.folder), stop=leave):
        tell(events)


def until_under_way(run: Run, tell: Tell, keys: PassedOn) -> tuple[Run, Exit]:
    """Follow a run until the graph is being driven, so that what keeps it from starting can still be told.

    Ctrl+c ends the waiting and not the run.
    """
    from backends.runs.follow import follow

    for event in follow(Path(run.folder), stop=lambda: keys.pressed > 0):
        tell([event])
        if event.kind.value == "running":
            break
    begun = read_again(run)
    if begun.live:
        return begun, Exit.INTERRUPTED if keys.pressed else Exit.DONE
    begun = read_again(run, _SETTLING)
    return begun, exit_of(begun)


def read_again(run: Run, settling: float = 0.0) -> Run:
    """The run as its record shows it now.

    Args:
        run: The run.
        settling: Seconds in which its exit code may still come: that of a crash is known only while we are there.
    """
    from backends.runs.read import read_run

    deadline = time.monotonic() + settling
    while (found := read_run(Path(run.folder))).exit_code is None and time.monotonic() < deadline:
        time.sleep(0.01)
    return found


def exit_of(run: Run) -> Exit:
    """What the end of a run means for a script."""
    if run.exit_code == Exit.STORE:
        return Exit.STORE
    return _EXITS.get(run.state.value, Exit.FAILED)

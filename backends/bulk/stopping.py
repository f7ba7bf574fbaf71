"""STOP: ending the runs that drive threads."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ..control.gate import Gate
from ..errors import Refused
from ..locks.board import LockBoard
from ..runs.record import runs_folder
from ..runs.run import Run, RunState
from ..runs.stop import stop
from .await_end import ended
from .outcome import Outcome, State
from .preview import unstoppable
from .request import BulkRequest


class Stopping:
    """Makes hands that stop runs.

    Args:
        request: How to stop them.
        gate: The store.
    """

    def __init__(self, request: BulkRequest, gate: Gate) -> None:
        self._request = request
        self._gate = gate

    def hand(self, stopping: Callable[[], bool]) -> StoppingHand:
        """See ``deed.Deed``."""
        return StoppingHand(self._request, LockBoard(self._gate.target), stopping)

    def finish(self, complete: bool) -> str:
        """See ``deed.Deed``."""
        return ""


class StoppingHand:
    """Stops the run of one thread after the other, and waits for its end; see ``deed.Hand``."""

    def __init__(self, request: BulkRequest, board: LockBoard, stopping: Callable[[], bool]) -> None:
        self._request = request
        self._board = board
        self._stopping = stopping

    def do(self, thread_id: str, attempt: int) -> Outcome:
        """See ``deed.Hand``."""
        holder = self._board.holders(lambda: [thread_id]).get(thread_id)
        if (found := unstoppable(thread_id, holder)) is not None:
            return found
        assert holder is not None
        folder = Path(runs_folder(), holder.run_id or "")
        if not folder.is_dir():
            raise Refused(f"It is driven by {holder}, of which there is no record here.", "Stop it where it was begun.")
        return self._stop(thread_id, folder)

    def close(self) -> None:
        """See ``deed.Hand``."""
        self._board.close()

    def _stop(self, thread_id: str, folder: Path) -> Outcome:
        asked = False

        def ask(run: Run) -> bool:
            """Ask once; leave the run to itself where the job is to stop meanwhile."""
            nonlocal asked
            if not asked:
                with suppress(_Ended):
                    _stop(run, self._request)
                asked = True
            return self._stopping()

        run = ended(folder, ask)
        if run.live:
            return Outcome(thread_id, State.STOPPED, "Asked to end, and not waited for.", run.run_id)
        killed = run.state is RunState.CRASHED and self._request.how == "kill"
        reason = "Killed." if killed else run.reason or f"It was {run.state.value}."
        return Outcome(thread_id, State.DONE, reason, run.run_id)


class _Ended(Exception):
    """A run had ended before it could be stopped."""


def _stop(run: Run, request: BulkRequest) -> None:
    try:
        stop(run, request.how)
    except Refused:
        from ..runs.read import alive

        if alive(run.folder):
            raise
        raise _Ended from None

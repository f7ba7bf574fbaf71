"""What no row can tell of a thread: who runs it now, by its lock, and how its last run ended, by that run's record."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from .errors import StoreError
from .model import Analysis, StatusName
from .text import one_line

if TYPE_CHECKING:
    from .address import Address
    from .locks.board import LockBoard
    from .locks.holder import Holder
    from .runs.ledger import Ledger
    from .runs.run import Run
    from .runs.verdict import Verdict
    from .store import Store

GLANCE_SECONDS: Final = 0.25
"""Between two looks at the locks of a file, and at the records of the runs: neither asks a server."""

_REMOTE_SECONDS: Final = 1.0
"""Between two looks at a server's locks while nobody is known to run anything."""

_AFTER_FAILURE: Final = 5.0
"""Before locks that could not be read are read again."""

_PROBLEM_LENGTH: Final = 200


class Witness:
    """Follows the locks and the runs of a store.

    It may be shared between threads: the answers are values that are replaced as a whole. Nothing is opened before the
    first look.

    Args:
        board: Makes the board of locks.
        ledger: Makes the ledger of runs.
        recorded: Whether there are records of runs at all: most who look have none, and need nothing loaded for them.
        local: Whether a look at the locks asks no server.
        clock: Monotonic seconds.

    Attributes:
        holders: Who holds which thread, as of the last look.
        threads: Every thread there is, where somebody keeps looking: a lock may have no name but a hash of its
            thread's. ``None``: every question looks anew, for the threads that it is about.
    """

    def __init__(
        self,
        board: Callable[[], LockBoard],
        ledger: Callable[[], Ledger],
        recorded: Callable[[], bool],
        local: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.holders: Mapping[str, Holder] = {}
        self.threads: Callable[[], Iterable[str]] | None = None
        self._make_board = board
        self._make_ledger = ledger
        self._recorded = recorded
        self._local = local
        self._clock = clock
        self._board: LockBoard | None = None
        self._ledger: Ledger | None = None
        self._listed: list[Run] = []
        self._runs: Mapping[str, Run] = {}
        self._moved: set[str] = set()
        self._blind = ""
        self._forgetful = ""
        self._asked_at = float("-inf")
        self._guard = threading.RLock()

    @classmethod
    def of(cls, address: Address, beside: Store | None = None) -> Witness:
        """The witness of a store; nothing is opened yet.

        Args:
            address: The store.
            beside: See ``LockBoard``.
        """
        target = address.dsn or address.path or address.raw
        return cls(
            lambda: _board(target, beside), lambda: _ledger(target), _are_runs_recorded, local=address.dsn is None
        )

    def look(self, threads: Callable[[], Iterable[str]] = tuple) -> None:
        """Read the locks as they are now.

        Args:
            threads: The threads that are asked about, where nobody keeps looking at all of them.
        """
        with self._guard:
            before, self._asked_at = self.holders, self._clock()
            try:
                self._board = self._board or self._make_board()
                self.holders, self._blind = self._board.holders(self.threads or threads), ""
            except (StoreError, OSError) as error:
                self._drop_board()
                self.holders, self._blind = {}, one_line(str(error), _PROBLEM_LENGTH)
            self._moved |= _different(before, self.holders)

    def glance(self) -> frozenset[str]:
        """Look where it is time to: at the runs always, at locks behind a server when there may be something to see.

        Returns:
            The threads of which something has changed since this was last asked.
        """
        with self._guard:
            news = self.review()
            urgent = self._local or bool(news) or bool(self.holders)
            if self._sees and (urgent or self._clock() - self._asked_at >= _REMOTE_SECONDS):
                self.look()
            moved, self._moved = frozenset(self._moved), set()
            return moved

    def review(self) -> Collection[str]:
        """Read how runs went; the threads of which that has changed."""
        with self._guard:
            before = self._runs
            if self._ledger is None and not self._recorded():
                return ()
            try:
                self._ledger = self._ledger or self._make_ledger()
                listed, self._forgetful = self._ledger.refresh(), ""
            except (StoreError, OSError) as error:
                self._forgetful = one_line(f"How runs ended cannot be told: {error}", _PROBLEM_LENGTH)
                return ()
            if listed is self._listed:
                return ()
            self._listed, self._runs = listed, self._ledger.latest()
            news = _different(_signs(before), _signs(self._runs))
            self._moved |= news
            return news

    def recorded(self) -> Collection[str]:
        """The threads that some run's record tells of."""
        with self._guard:
            self.review()
            return self._runs.keys()

    def holding(self, threads: Collection[str]) -> Mapping[str, Holder]:
        """Who holds which of these threads; to be asked before their rows are read."""
        if self.threads is None:
            self.look(lambda: threads)
        return self.holders

    def testify(
        self, heads: Mapping[str, str], found: Mapping[str, Analysis], held: Mapping[str, Holder]
    ) -> dict[str, Analysis]:
        """Add to what rows say what only locks and runs can tell.

        A thread whose lock was free before its rows were read, and whose rows show work to do, is looked at once more:
        somebody may have begun in between. If a run has ended in between, those rows are of its time: the next look
        tells that the thread has moved.

        Args:
            heads: Checkpoint id of the head, by thread id.
            found: What the rows of those heads say.
            held: What ``holding`` said before those rows were read.
        """
        before = self._runs
        if any(one.status is StatusName.STALLED and thread_id not in held for thread_id, one in found.items()):
            with self._guard:
                if self._sees:
                    self.look(found.keys)
                self.review()
            held = {**held, **self.holders}
        lately = {key for key in found if (run := before.get(key)) is not None and run.live}
        return {
            key: self._concluded(key, heads.get(key, ""), one, held.get(key), key in lately)
            for key, one in found.items()
        }

    def renew(self) -> None:
        """Forget what was open: the store may be another one now."""
        with self._guard:
            self._drop_board()
            self._ledger = None

    def close(self) -> None:
        """Let go of what is open; another look opens it again."""
        with self._guard:
            self._drop_board()

    def _concluded(self, thread_id: str, head: str, found: Analysis, holder: Holder | None, lately: bool) -> Analysis:
        if holder is not None:
            return replace(found, status=StatusName.RUNNING, reason=str(holder), inferred=False)
        run = self._runs.get(thread_id)
        if found.status is StatusName.STALLED:
            return self._explained(found, run, head, lately)
        if found.status is StatusName.DONE and run is not None and run.head is None:
            said = _verdict(run, head)
            return found if said is None else replace(found, reason=f"the last run left nothing: {said.reason}")
        return found

    def _explained(self, found: Analysis, run: Run | None, head: str, lately: bool) -> Analysis:
        """Why there is work to do and nobody holds the thread."""
        said = None if run is None or run.live else _verdict(run, head)
        if said is not None:
            return replace(found, status=said.status, reason=said.reason)
        if run is not None and (run.live or lately):  # it has only just taken the lock, or let go of it
            return replace(found, status=StatusName.RUNNING, reason=run.label, inferred=False)
        unknown = "; ".join(filter(None, (self._blind, self._forgetful)))
        return replace(found, reason=f"{found.reason}; {unknown}") if unknown else found

    @property
    def _sees(self) -> bool:
        """Whether the locks could be read when they were last looked at, or it is time to try again."""
        return not self._blind or self._clock() - self._asked_at >= _AFTER_FAILURE

    def _drop_board(self) -> None:
        board, self._board = self._board, None
        if board is not None:
            board.close()


def _board(target: str, beside: Store | None) -> LockBoard:
    from .locks.board import LockBoard

    return LockBoard(target, beside)


def _ledger(target: str) -> Ledger:
    from .locks.key import store_key
    from .runs.ledger import Ledger

    return Ledger(store_key(target))


def _are_runs_recorded() -> bool:
    from .folders import state_path

    return os.path.isdir(os.path.join(state_path(), "runs"))


def _verdict(run: Run, head: str) -> Verdict | None:
    from .runs.verdict import verdict

    return verdict(run, head)


def _signs(runs: Mapping[str, Run]) -> dict[str, tuple[object, ...]]:
    """What of each run decides about its thread's status; the progress of a live one does not."""
    return {
        thread_id: (run.run_id,) if run.live else (run.run_id, run.state, run.head, run.reason)
        for thread_id, run in runs.items()
    }


def _different(before: Mapping[str, object], after: Mapping[str, object]) -> set[str]:
    return {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}

"""SIGTERM drains, SIGINT cancels; what a signal means depends on how far the run has come."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from queue import SimpleQueue
from types import FrameType
from typing import Any, Final

from .ending import Stopped

DRAIN, CANCEL = "drain", "cancel"

_HOW = {signal.SIGTERM: DRAIN, signal.SIGINT: CANCEL}

_NUDGE = signal.SIGURG
"""Means nothing to anybody; it ends what the main thread waits for in the system."""

_OF_ANY: Final[Mapping[signal.Signals, Any]] = {
    signal.SIGTERM: signal.SIG_DFL,
    signal.SIGINT: signal.default_int_handler,
    _NUDGE: signal.SIG_DFL,
}
"""What they mean to a process of Python."""

_PATIENCE, _NUDGES = 0.05, 20
"""Seconds until a signal that came must have been handled, or the main thread is nudged; so often at most."""


def hold_back() -> set[int | signal.Signals]:
    """Let signals wait until ``Stop.listen``: one that came earlier would kill the run without a word.

    Returns:
        Those that waited before.
    """
    return signal.pthread_sigmask(signal.SIG_BLOCK, _HOW)


def let_through() -> None:
    """The contrary."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _HOW)


class Stop:
    """Listens for signals in the main thread.

    Python handles a signal when the main thread gets to its next instruction. One that comes when the main thread has
    looked for the last time and is about to wait, or that the system gives to another thread, would be handled when
    that wait is over, which may be never. So the number that Python writes for each signal (``set_wakeup_fd``) is read
    by a thread, which nudges the main one.

    Before ``driving`` a signal raises ``Stopped`` where the code stands. After it SIGTERM asks LangGraph to stop at the
    next superstep, and SIGINT interrupts the call.

    Args:
        news: Takes ``drain`` or ``cancel`` for each signal, to be told by another thread: a handler must not write
            events, since it may have interrupted just that.

    Attributes:
        how: The last demand; ``None`` while there is none.
    """

    def __init__(self, news: SimpleQueue[str | None]) -> None:
        self._news = news
        self._control: Any = None
        self._interrupt: Callable[[bool], None] | None = None
        self._over = False
        self._handled = 0
        self._bell: int | None = None
        self.how: str | None = None

    def listen(self) -> None:
        """Install the handlers; again after the user's modules, which may have brought handlers of their own."""
        if self._bell is None:
            ear, self._bell = os.pipe()
            os.set_blocking(self._bell, False)
            threading.Thread(target=self._nudge, args=(ear,), name="lgtop-nudge", daemon=True).start()
            self._watch_forks()
        for number in _HOW:
            signal.signal(number, self._handle)
        signal.signal(_NUDGE, _nothing)
        signal.set_wakeup_fd(self._bell, warn_on_full_buffer=False)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        let_through()

    def driving(self, interrupt: Callable[[bool], None], control: Any) -> None:
        """From now on the graph runs.

        Args:
            interrupt: Stops it, told whether it has been called before.
            control: Its ``RunControl``; ``None`` where LangGraph has none.

        Raises:
            Stopped: A signal came before, and the user's code swallowed what it raised.
        """
        if self.how is not None:
            raise Stopped(self.how)
        self._interrupt, self._control = interrupt, control

    def ignore(self) -> None:
        """The graph has ended: signals come too late."""
        self._over = True

    def _watch_forks(self) -> None:
        """Hold signals back while the graph forks: the new process gets them when it knows what they mean."""
        mask = threading.local()
        os.register_at_fork(
            before=lambda: setattr(mask, "before", hold_back()),
            after_in_child=lambda: self._forget(mask.before),
            after_in_parent=lambda: signal.pthread_sigmask(signal.SIG_SETMASK, mask.before),
        )

    def _forget(self, mask: set[int | signal.Signals]) -> None:
        """In the new process signals mean what they mean to any, so that ``terminate`` ends it."""
        signal.set_wakeup_fd(-1)
        for number, meaning in _OF_ANY.items():
            if signal.getsignal(number) in (self._handle, _nothing):
                signal.signal(number, meaning)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def _nudge(self, ear: int) -> None:
        main, known = threading.main_thread().ident or 0, 0
        while came := os.read(ear, 64):
            if _HOW.keys().isdisjoint(came):
                continue
            for _ in range(_NUDGES):
                time.sleep(_PATIENCE)
                if self._handled > known:
                    break
                signal.pthread_kill(main, _NUDGE)
            known = self._handled

    def _handle(self, number: int, _: FrameType | None) -> None:
        self._handled += 1  # nothing with a lock: another signal may come in the middle of this
        if self._over:
            return
        again, self.how = self.how == CANCEL, _HOW[signal.Signals(number)]
        self._news.put(self.how)
        if self._interrupt is None:
            raise Stopped(self.how)
        if self.how == DRAIN and self._control is not None:
            self._control.request_drain("lgtop was asked to stop this run")
        else:
            self._interrupt(again)


def _nothing(number: int, _: FrameType | None) -> None:
    """A nudge."""

"""SIGTERM drains, SIGINT cancels; what a signal means depends on how far the run has come."""

from __future__ import annotations

import signal
from collections.abc import Callable
from queue import SimpleQueue
from types import FrameType
from typing import Any

from .ending import Stopped

DRAIN, CANCEL = "drain", "cancel"

_HOW = {signal.SIGTERM: DRAIN, signal.SIGINT: CANCEL}


def hold_back() -> None:
    """Let signals wait until ``Stop.listen``: one that came earlier would kill the run without a word."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _HOW)


def let_through() -> None:
    """The contrary."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _HOW)


class Stop:
    """Listens for signals in the main thread.

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
        self.how: str | None = None

    def listen(self) -> None:
        """Install the handlers; again after the user's modules, which may have brought handlers of their own."""
        for number in _HOW:
            signal.signal(number, self._handle)
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

    def _handle(self, number: int, _: FrameType | None) -> None:
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

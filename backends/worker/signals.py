"""SIGTERM drains, SIGINT cancels; what a signal means depends on how far the run has come."""

from __future__ import annotations

import asyncio
import signal
from queue import SimpleQueue
from types import FrameType
from typing import Any

from .ending import Stopped

DRAIN, CANCEL = "drain", "cancel"

_HOW = {signal.SIGTERM: DRAIN, signal.SIGINT: CANCEL}


class Stop:
    """Listens for signals in the main thread.

    Before ``driving`` a signal raises ``Stopped`` where the code stands. After it SIGTERM asks LangGraph to stop at the
    next superstep, SIGINT cancels the task, and a second SIGINT, or one when only threads are still at work, raises
    ``KeyboardInterrupt`` in code that does not give way.

    Args:
        news: Takes ``drain`` or ``cancel`` for each signal, to be told by another thread: a handler must not write
            events, since it may have interrupted just that.

    Attributes:
        how: The last demand; ``None`` while there is none.
    """

    def __init__(self, news: SimpleQueue[str | None]) -> None:
        self._news = news
        self._control: Any = None
        self._task: asyncio.Task[Any] | None = None
        self._over = False
        self.how: str | None = None

    def listen(self) -> None:
        """Install the handlers; again after the user's modules, which may have brought handlers of their own."""
        for number in _HOW:
            signal.signal(number, self._handle)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def driving(self, task: asyncio.Task[Any], control: Any) -> None:
        """From now on the graph runs in ``task``; ``control`` is its ``RunControl``, ``None`` where LangGraph has none.

        Raises:
            Stopped: A signal came before, and the user's code swallowed what it raised.
        """
        if self.how is not None:
            raise Stopped(self.how)
        self._task, self._control = task, control

    def ignore(self) -> None:
        """The graph has ended: signals come too late."""
        self._over = True

    def _handle(self, number: int, _: FrameType | None) -> None:
        if self._over:
            return
        again, self.how = self.how == CANCEL, _HOW[signal.Signals(number)]
        self._news.put(self.how)
        if self._task is None:
            raise Stopped(self.how)
        if self.how == DRAIN and self._control is not None:
            self._control.request_drain("lgtop was asked to stop this run")
        elif again or self._task.done():
            raise KeyboardInterrupt
        else:
            self._task.cancel()
            self._task.get_loop().call_soon_threadsafe(lambda: None)  # wakes a loop that waits

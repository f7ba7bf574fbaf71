"""A thread's lock for applications: their own runs then show as running, and nobody runs the thread beside them."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self, TypeVar

from ..errors import AlreadyRunning
from .holder import this_user
from .key import store_key
from .lock import Lock
from .process import this_process
from .take import take

_Result = TypeVar("_Result")


def thread_lock(store: str, thread_id: str, *, timeout: float = 0.0, who: str | None = None) -> ThreadLock:
    """Hold a thread while a block runs, entered by ``with`` or, without blocking the event loop, by ``async with``.

    The lock is freed at the end of the block, and when the process ends, however it ends. Inside a run of lgtop, the
    run's own thread is held already: asking for it there succeeds and does nothing.

    Args:
        store: The checkpoint store that the thread is in: the path of the SQLite file or the PostgreSQL address.
        thread_id: The thread; a number or a UUID is the text that LangGraph's savers make of it.
        timeout: Seconds to wait for whoever holds it.
        who: What others are told about the holder; the name of the program and ``user@host`` by default.

    Returns:
        What to enter, once at a time; entering raises:

        * ``AlreadyRunning``: someone else still holds it after ``timeout`` seconds; the message says who.
        * ``Refused``: it cannot be locked here, e.g. for lack of permission.
        * ``StoreError``: the address leads nowhere.
    """
    return ThreadLock(store, str(thread_id), timeout, f"{_program()} {this_user()}" if who is None else who)


def adopt(thread_id: str, store: str) -> None:
    """Say that this process as a whole stands for a lock it has taken, so that ``thread_lock`` inside it succeeds."""
    this_process().adopted.add((store_key(store), thread_id))


class ThreadLock:
    """A thread's lock that can be entered, by ``with`` or ``async with``, which never blocks the event loop."""

    __slots__ = ("_lock", "_store", "_timeout", "_who", "thread_id")

    def __init__(self, store: str, thread_id: str, timeout: float, who: str) -> None:
        self.thread_id = thread_id
        self._store = store
        self._timeout = timeout
        self._who = who
        self._lock: Lock | None = None

    def held(self) -> bool:
        """Whether it is ours now: false before, after, and when the connection that holds it was lost."""
        return self._lock is not None and self._lock.held()

    def __enter__(self) -> Self:
        for pause in self._pauses():
            try:
                self._lock = self._take()
                break
            except AlreadyRunning:
                if pause is None:
                    raise
            time.sleep(pause)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.release()

    async def __aenter__(self) -> Self:
        for pause in self._pauses():
            try:
                self._lock = await self._taken_apart()
                break
            except AlreadyRunning:
                if pause is None:
                    raise
            await asyncio.sleep(pause)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        lock, self._lock = self._lock, None
        if lock is not None:
            await asyncio.shield(asyncio.wrap_future(_apart(lock.release)))

    def _take(self) -> Lock:
        if (store_key(self._store), self.thread_id) in this_process().adopted:
            return _Adopted(self.thread_id)
        return take(self._store, self.thread_id, who=self._who)

    async def _taken_apart(self) -> Lock:
        """Take it without blocking the loop; one that arrives after we were cancelled is given back."""
        taking = _apart(self._take)
        try:
            return await asyncio.wrap_future(taking)
        except asyncio.CancelledError:
            taking.add_done_callback(_give_back)
            raise

    def _pauses(self) -> Iterator[float | None]:
        """Seconds to wait before each further attempt; ``None`` when there is none."""
        deadline = time.monotonic() + self._timeout
        pause = 0.02
        while (left := deadline - time.monotonic()) > 0:
            yield min(pause, left)
            pause = min(2 * pause, 0.5)
        yield None


class _Adopted(Lock):
    """The lock that the process holds already."""

    __slots__ = ()

    def held(self) -> bool:
        return True

    def release(self) -> None:
        """It is not ours to release."""


def _apart(work: Callable[[], _Result]) -> Future[_Result]:
    """Run something on a thread of its own: the loop's threads may all be busy, and end with the loop."""
    executor = ThreadPoolExecutor(1, "lgtop-lock")
    try:
        return executor.submit(work)
    finally:
        executor.shutdown(wait=False)


def _give_back(taking: Future[Lock]) -> None:
    if not taking.cancelled() and taking.exception() is None:
        taking.result().release()


def _program() -> str:
    name = os.path.basename(sys.argv[0]) if sys.argv else ""
    return "python" if name in ("", "-c", "-m") else name

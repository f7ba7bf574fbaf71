"""An event loop that comes to its end whatever the user's nodes do to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from types import TracebackType
from typing import Any, TypeVar

from .copies import end_if_copy

T = TypeVar("T")

_UNWINDING = 5.0
"""Seconds that coroutines get to leave what they have open."""


class Loop:
    """The event loop of a run; there is none until something is awaited, and it stands still between two calls.

    A context manager: in the end every coroutine may leave what it has open, and plain functions that coroutines have
    started in threads come to their end.

    Args:
        patient: Asked in the end whether to wait for the threads; ``asyncio.run`` always does, but a node that was
            cancelled may sleep in one for ever.
    """

    def __init__(self, patient: Callable[[], bool]) -> None:
        self._patient = patient
        self._loop: asyncio.AbstractEventLoop | None = None
        self._main: asyncio.Task[Any] | None = None

    def __enter__(self) -> Loop:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._loop is None:
            return
        _unwind(self._loop, asyncio.all_tasks(self._loop))
        if self._patient():
            self._loop.run_until_complete(self._loop.shutdown_default_executor())

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end.

        Raises:
            BaseException: What it raises; and ``SystemExit`` or ``KeyboardInterrupt`` that any task raises, since
                those stop the loop (``asyncio/tasks.py``, ``Task.__step``).
        """
        loop = self._opened()
        task: asyncio.Task[T] = loop.create_task(main)
        self._main = task
        try:
            return loop.run_until_complete(task)
        finally:
            end_if_copy()  # which has left the loop by ``sys.exit``; its connections wait for threads that it has not
            if not task.done():
                _unwind(loop, {task})

    @contextmanager
    def held(self, context: AbstractAsyncContextManager[T]) -> Iterator[T]:
        """Enter and leave an asynchronous context manager in one task, as it may demand, from plain code."""
        left = asyncio.Event()
        entered: asyncio.Future[T] = self._opened().create_future()

        async def hold() -> None:
            async with context as value:
                entered.set_result(value)
                await left.wait()

        holding = self._opened().create_task(hold())

        async def enter() -> T:
            await asyncio.wait((holding, entered), return_when=asyncio.FIRST_COMPLETED)
            if not entered.done():
                await holding  # raises what kept it from entering
            return entered.result()

        async def leave() -> None:
            left.set()
            await holding

        value = self.run(enter())
        try:
            yield value
        finally:
            self.run(leave())

    def interrupt(self, again: bool) -> None:
        """Cancel what runs; to be called by a signal handler.

        Args:
            again: Whether that has been done before.

        Raises:
            KeyboardInterrupt: Code that does not give way must, or only threads are still at work.
        """
        if again or self._main is None or self._main.done():
            raise KeyboardInterrupt
        self._main.cancel()
        self._main.get_loop().call_soon_threadsafe(lambda: None)  # wakes a loop that waits

    def _opened(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            asyncio.set_event_loop(self._loop)
        return self._loop


def _unwind(loop: asyncio.AbstractEventLoop, tasks: set[asyncio.Task[Any]]) -> None:
    """Let coroutines leave their context managers, so that connections are closed."""
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks, timeout=_UNWINDING))

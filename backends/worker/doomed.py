"""A task with faults that are meant for it: they strike before it runs, while it runs, and after it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from ..faults import Fault, How, Point
from .striking import Hanging, InjectedFault, end_process, hang, hang_here

if TYPE_CHECKING:
    from .injecting import Injection

_ENDS: Final = (How.KILL, How.EXIT)
"""Ways that end the process: from a thread of their own, since the node may hold up the event loop."""


class Doomed:
    """What a task runs, with the faults that are meant for it.

    Args:
        task: The task (``PregelExecutableTask``).
        faults: Those for this task.
        injection: Strikes them.
    """

    def __init__(self, task: Any, faults: Sequence[Fault], injection: Injection) -> None:
        self._proc = task.proc
        self._writes = task.writes
        self._faults = faults
        self._injection = injection

    def __getattr__(self, name: str) -> Any:
        """Everything else is as it was."""
        return getattr(self._proc, name)

    def invoke(self, given: Any, config: Any = None, **options: Any) -> Any:
        """Run it; strike before, inside and after."""
        if self._hangs(Point.BEFORE):
            hang_here()
        try:
            with self._struck_from_beside():
                result = self._proc.invoke(given, config, **options)
        except Hanging:
            hang_here()
        except InjectedFault:
            self._writes.clear()  # it may have come when the node had just returned
            raise
        if self._hangs_after():
            hang_here()
        return result

    async def ainvoke(self, given: Any, config: Any = None, **options: Any) -> Any:
        """Run it; strike before, inside and after."""
        if self._hangs(Point.BEFORE):
            await hang()
        result = await self._struck_inside(given, config, options)
        if self._hangs_after():
            await hang()
        return result

    async def astream(self, given: Any, config: Any = None, **options: Any) -> AsyncIterator[Any]:
        """Run it; its pieces come at once."""
        yield await self.ainvoke(given, config, **options)

    def _of(self, point: Point) -> list[Fault]:
        return [fault for fault in self._faults if fault.point is point]

    def _hangs(self, point: Point) -> bool:
        return any(map(self._injection.strike, self._of(point)))

    def _hangs_after(self) -> bool:
        try:
            return self._hangs(Point.AFTER)
        except InjectedFault:
            self._writes.clear()  # LangGraph would save them beside the error
            raise

    @contextmanager
    def _struck_from_beside(self) -> Iterator[None]:
        """Have what strikes inside come from timers, while the node has this thread.

        What raises or hangs does so at the next line of Python that the thread comes to (``Python/pystate.c``), as a
        real one would.
        """
        thread, turn, over = threading.get_ident(), threading.Lock(), threading.Event()

        def strike(fault: Fault) -> None:
            with turn:
                if over.is_set() or not self._injection.take(fault):
                    return
                match fault.how:
                    case How.KILL | How.EXIT:
                        end_process(fault.how)
                    case How.LOST:
                        self._injection.lose()
                    case How.RAISE:
                        _raise_in(thread, InjectedFault)
                    case How.HANG:
                        _raise_in(thread, Hanging)

        timers = [_timer(fault, strike) for fault in self._of(Point.INSIDE)]
        try:
            yield
        finally:
            with turn:
                over.set()
            for timer in timers:
                timer.cancel()

    async def _struck_inside(self, given: Any, config: Any, options: Mapping[str, Any]) -> Any:
        """Strike from the event loop: a coroutine is cancelled, and what it was cancelled for comes in its place."""
        ends = [_timer(fault, self._end) for fault in self._of(Point.INSIDE) if fault.how in _ENDS]
        running = asyncio.ensure_future(self._proc.ainvoke(given, config, **options))
        strikes = [
            asyncio.ensure_future(self._inside(fault, running))
            for fault in self._of(Point.INSIDE)
            if fault.how not in _ENDS
        ]
        try:
            return await running
        except asyncio.CancelledError:
            for fault in (strike.result() for strike in strikes if strike.done() and not strike.cancelled()):
                if fault is not None and fault.how is How.HANG:
                    await hang()
                if fault is not None:
                    self._writes.clear()
                    raise InjectedFault from None
            raise
        finally:
            running.cancel()
            for end in ends:
                end.cancel()
            for strike in strikes:
                strike.cancel()

    async def _inside(self, fault: Fault, running: asyncio.Future[Any]) -> Fault | None:
        """Strike when it is time; gives the fault that the node was cancelled for."""
        await asyncio.sleep(fault.ms / 1000)
        if running.done() or not self._injection.take(fault):
            return None
        if fault.how is How.LOST:
            self._injection.lose()
            return None
        running.cancel()
        return fault

    def _end(self, fault: Fault) -> None:
        if self._injection.take(fault):
            end_process(fault.how)


def _timer(fault: Fault, strike: Callable[[Fault], None]) -> threading.Timer:
    timer = threading.Timer(fault.ms / 1000, strike, (fault,))
    timer.daemon = True
    timer.start()
    return timer


def _raise_in(thread: int, what: type[BaseException]) -> None:
    import ctypes  # not for every run

    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(what))

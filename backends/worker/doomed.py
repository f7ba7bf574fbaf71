"""A task with faults that are meant for it: they strike before it runs, while it runs, and after it."""

from __future__ import annotations

import asyncio
import copy
import ctypes
import threading
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from ..faults import Fault, How, Point
from .striking import InjectedFault, end_process, fail, go_on, hang

if TYPE_CHECKING:
    from .injecting import Injection

_ENDS: Final = (How.KILL, How.EXIT)
"""Ways that end the process: from a thread of their own."""


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

    async def ainvoke(self, given: Any, config: Any = None, **options: Any) -> Any:
        """Run it; strike before, inside and after."""
        await self._at(Point.BEFORE)
        result = await self._struck_inside(given, config, options)
        try:
            await self._at(Point.AFTER)
        except InjectedFault:
            self._writes.clear()  # LangGraph would save them beside the error
            raise
        return result

    async def _struck_inside(self, given: Any, config: Any, options: Mapping[str, Any]) -> Any:
        ends = [_timer(fault, self._injection) for fault in self._of(Point.INSIDE) if fault.how in _ENDS]
        threads: list[int] = []
        running = asyncio.ensure_future(_watched(self._proc, threads).ainvoke(given, config, **options))
        strikes = [
            asyncio.ensure_future(self._inside(fault, running, threads))
            for fault in self._of(Point.INSIDE)
            if fault.how not in _ENDS
        ]
        try:
            return await running
        except asyncio.CancelledError:
            for strike in strikes:
                if strike.done() and not strike.cancelled():
                    await strike.result()
            raise
        finally:
            running.cancel()
            for end in ends:
                end.cancel()
            for strike in strikes:
                strike.cancel()

    async def astream(self, given: Any, config: Any = None, **options: Any) -> AsyncIterator[Any]:
        """Run it; its pieces come at once."""
        yield await self.ainvoke(given, config, **options)

    def _of(self, point: Point) -> list[Fault]:
        return [fault for fault in self._faults if fault.point is point]

    async def _at(self, point: Point) -> None:
        for fault in self._of(point):
            await self._injection.strike(fault)

    async def _inside(self, fault: Fault, running: asyncio.Future[Any], threads: list[int]) -> Awaitable[None]:
        """Strike when it is time; what a node that was cancelled for it does instead is the result."""
        await asyncio.sleep(fault.ms / 1000)
        if running.done() or not self._injection.take(fault):
            return go_on()
        if fault.how is How.LOST:
            await self._injection.lose()
        elif fault.how is How.RAISE and threads:
            # Raised at the next line of the node's own code, as a real one (``Python/pystate.c``).
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(threads[0]), ctypes.py_object(InjectedFault))
        else:
            running.cancel()
            return fail(fault) if fault.how is How.RAISE else hang()
        return go_on()


def _timer(fault: Fault, injection: Injection) -> threading.Timer:
    """End the process after a while, from a thread: the node may hold up the event loop."""
    timer = threading.Timer(fault.ms / 1000, lambda: injection.take(fault) and end_process(fault.how))
    timer.daemon = True
    timer.start()
    return timer


def _watched(proc: Any, threads: list[int]) -> Any:
    """The same runnable, which notes the thread that a plain function of the user's runs on.

    A node is a ``RunnableSeq`` that begins with the function (``langgraph/_internal/_runnable.py``); anything else is
    left as it is.
    """
    steps = list(getattr(proc, "steps", ()))
    function = getattr(steps[0], "func", None) if steps else None
    if function is None or getattr(steps[0], "afunc", None) is not None:
        return proc

    def noted(*args: Any, **options: Any) -> Any:
        threads.append(threading.get_ident())
        return function(*args, **options)

    first, found = copy.copy(steps[0]), copy.copy(proc)
    first.func, found.steps = noted, [first, *steps[1:]]
    return found

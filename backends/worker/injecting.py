"""Faults in a run: they strike where LangGraph runs a task, and where our saver has saved what came of it."""

from __future__ import annotations

import asyncio
import copy
import ctypes
import dataclasses
import importlib
import os
import signal
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, NoReturn, Protocol

from ..errors import Refused
from ..faults import Fault, How, Point, parse
from ..runs.events import Kind
from ..runs.recorder import Recorder

EXIT_CODE: Final = 70
"""Of a process that an injected fault makes leave (``EX_SOFTWARE``)."""

_RUNNERS: Final = ("langgraph.pregel._runner", "langgraph.pregel.runner")
"""Modules that call ``arun_with_retry`` for every task: nodes, Sends, ``@task`` calls, those of subgraphs too."""

_SAVED: Final = (Point.WRITTEN, Point.COMMITTED)
_ENDS: Final = (How.KILL, How.EXIT)


class InjectedFault(RuntimeError):
    """The exception of a fault that raises."""

    def __init__(self, text: str = "injected while the node ran") -> None:
        super().__init__(text)


class Losable(Protocol):
    """A store that can be lost."""

    async def lose(self) -> None:
        """Break the connection, so that every later call fails."""


class Injection:
    """The faults of one run.

    Args:
        faults: As given, each ``POINT:NODE[+ms]=HOW``.
        recorder: Told before each strikes.

    Raises:
        Refused: One of them is none.
    """

    def __init__(self, faults: Sequence[str], recorder: Recorder) -> None:
        self._armed: list[Fault] = [parse(text) for text in faults]
        self._recorder = recorder
        self._tasks: dict[str, tuple[str, str]] = {}
        self._finished: dict[str, set[Fault]] = {}
        self.store: Losable | None = None

    @property
    def left(self) -> tuple[Fault, ...]:
        """Faults that have not struck."""
        return tuple(self._armed)

    def install(self) -> None:
        """Have every task of this process pass by here.

        Raises:
            Refused: This LangGraph runs tasks in another way.
        """
        if not self._armed:
            return
        for name in _RUNNERS:
            try:
                module = importlib.import_module(name)
            except ImportError:
                continue
            if (run := getattr(module, "arun_with_retry", None)) is not None:
                module.arun_with_retry = self._passing(run)  # type: ignore[attr-defined]
                return
        raise Refused("Faults cannot be injected into runs of this LangGraph.", "Use langgraph 1.0 or newer.")

    def _passing(self, run: Callable[..., Any]) -> Callable[..., Any]:
        async def passing(task: Any, *args: Any, **options: Any) -> Any:
            ns = _graph_namespace(task.config)
            meant = [fault for fault in self._armed if fault.strikes(task.name, ns)]
            if not meant:
                return await run(task, *args, **options)
            self._tasks[task.id] = task.name, ns
            return await run(dataclasses.replace(task, proc=Doomed(task.proc, meant, self)), *args, **options)

        return passing

    def take(self, fault: Fault) -> bool:
        """Whether a fault is still to strike; it does not twice."""
        if fault not in self._armed:
            return False
        self._armed.remove(fault)
        self._recorder.write(Kind.FAULT, point=fault.point, node=fault.node, how=fault.how, ms=fault.ms)
        return True

    async def strike(self, fault: Fault) -> None:
        """Do what the fault says, on the event loop."""
        if not self.take(fault):
            return
        match fault.how:
            case How.KILL | How.EXIT:
                _end_process(fault.how)
            case How.RAISE:
                await _raise(fault)
            case How.HANG:
                await _hang()
            case How.LOST:
                await self.lose()

    async def lose(self) -> None:
        """Lose the store."""
        if self.store is not None:
            await self.store.lose()

    async def wrote(self, task_id: str) -> None:
        """The saver has saved the writes of a task."""
        name, ns = self._tasks.get(task_id, ("", ""))
        for fault in [f for f in self._armed if name and f.point in _SAVED and f.strikes(name, ns)]:
            if fault.point is Point.WRITTEN:
                await self.strike(fault)
            else:
                self._finished.setdefault(ns, set()).add(fault)

    async def committed(self, ns: str, metadata: Mapping[str, Any]) -> None:
        """The saver has saved a checkpoint."""
        if metadata.get("source") != "loop":
            return
        for fault in self._finished.pop(ns, set()):
            await self.strike(fault)


class Doomed:
    """What a task runs, with the faults that are meant for it.

    Args:
        proc: The task's runnable.
        faults: Those for this task.
        injection: Strikes them.
    """

    def __init__(self, proc: Any, faults: Sequence[Fault], injection: Injection) -> None:
        self._proc = proc
        self._faults = faults
        self._injection = injection

    def __getattr__(self, name: str) -> Any:
        """Everything else is as it was."""
        return getattr(self._proc, name)

    async def ainvoke(self, given: Any, config: Any = None, **options: Any) -> Any:
        """Run it; strike before, inside and after."""
        await self._at(Point.BEFORE)
        result = await self._struck_inside(given, config, options)
        await self._at(Point.AFTER)
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
            return _nothing()
        if fault.how is How.LOST:
            await self._injection.lose()
        elif fault.how is How.RAISE and threads:
            # Raised at the next line of the node's own code, as a real one (``Python/pystate.c``).
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(threads[0]), ctypes.py_object(InjectedFault))
        else:
            running.cancel()
            return _raise(fault) if fault.how is How.RAISE else _hang()
        return _nothing()


async def _nothing() -> None:
    """The node goes on."""


async def _hang() -> None:
    await asyncio.Event().wait()


async def _raise(fault: Fault) -> None:
    raise InjectedFault(f"injected: {fault}")


def _timer(fault: Fault, injection: Injection) -> threading.Timer:
    """End the process after a while, from a thread: the node may hold up the event loop."""
    timer = threading.Timer(fault.ms / 1000, lambda: injection.take(fault) and _end_process(fault.how))
    timer.daemon = True
    timer.start()
    return timer


def _end_process(how: How) -> NoReturn:
    if how is How.KILL:
        os.kill(os.getpid(), signal.SIGKILL)
        threading.Event().wait()
    os._exit(EXIT_CODE)


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


def _graph_namespace(config: Mapping[str, Any]) -> str:
    """Namespace of the graph that a task belongs to: the task's own without its last part."""
    ns: str = config.get("configurable", {}).get("checkpoint_ns", "")
    return ns.rpartition("|")[0]

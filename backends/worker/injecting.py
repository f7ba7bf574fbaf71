"""Faults in a run: they strike where LangGraph runs a task, and where our saver has saved what came of it."""

from __future__ import annotations

import asyncio
import dataclasses
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ..errors import Refused
from ..faults import Fault, How, Point, parse
from ..runs.events import Kind
from ..runs.recorder import Recorder
from .doomed import Doomed
from .ending import LostStore
from .passing import pass_by
from .striking import InjectedFault, end_process, hang, hang_here


class Injection:
    """The faults of one run.

    Args:
        faults: As given, each ``POINT:NODE[+ms]=HOW``.
        recorder: Told before each strikes.
        durability: Of the run; with ``exit`` writes are not saved by themselves.

    Raises:
        Refused: One of them is none.
    """

    def __init__(self, faults: Sequence[str], recorder: Recorder, durability: str = "sync") -> None:
        self._armed: list[Fault] = [parse(text) for text in faults]
        self._recorder = recorder
        self._tasks: dict[str, list[Fault]] = {}
        self._unwritten: dict[str, asyncio.Event | threading.Event] = {}
        self._writes = durability != "exit"
        self._ripe: list[tuple[str, int, Fault]] = []
        self._lost = False

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
        if not pass_by(self._passing, self._async_passing):
            raise Refused("Faults cannot be injected into runs of this LangGraph.", "Use langgraph 1.0 or newer.")

    def _passing(self, run: Callable[..., Any]) -> Callable[..., Any]:
        def passing(task: Any, *args: Any, **options: Any) -> Any:
            if not (meant := self._meant(task)):
                return run(task, *args, **options)
            result = run(dataclasses.replace(task, proc=Doomed(task, meant, self)), *args, **options)
            self._ran(task, meant, threading.Event())
            return result

        return passing

    def _async_passing(self, run: Callable[..., Any]) -> Callable[..., Any]:
        async def passing(task: Any, *args: Any, **options: Any) -> Any:
            if not (meant := self._meant(task)):
                return await run(task, *args, **options)
            result = await run(dataclasses.replace(task, proc=Doomed(task, meant, self)), *args, **options)
            self._ran(task, meant, asyncio.Event())
            return result

        return passing

    def _meant(self, task: Any) -> Sequence[Fault]:
        """Faults for a task that is about to run."""
        # A ``@task`` goes by two: that of its graph, as events have it, and that of the task that calls it.
        places = {_graph_namespace(task), _parent_namespace(task.config)}
        meant = [fault for fault in self._armed if any(fault.strikes(task.name, ns) for ns in places)]
        if meant:
            self._tasks[task.id] = meant
        return meant

    def _ran(self, task: Any, meant: Sequence[Fault], unwritten: asyncio.Event | threading.Event) -> None:
        """A task has run, and its writes are about to be handed to the saver."""
        if self._writes and any(fault.point is Point.WRITTEN for fault in meant):
            self._unwritten[task.id] = unwritten
        step = task.config.get("metadata", {}).get("langgraph_step", 0)
        self._ripe += [(_graph_namespace(task), step, fault) for fault in meant if fault.point is Point.COMMITTED]

    def take(self, fault: Fault) -> bool:
        """Whether a fault is still to strike; it does not twice."""
        if fault not in self._armed:
            return False
        self._armed.remove(fault)
        self._recorder.write(Kind.FAULT, point=fault.point, node=fault.node, how=fault.how, ms=fault.ms)
        return True

    def strike(self, fault: Fault) -> bool:
        """Do what the fault says.

        Returns:
            Whether the caller is to hang, each in its way: a thread, or a task of the event loop.

        Raises:
            InjectedFault: That is what it says.
        """
        if not self.take(fault):
            return False
        match fault.how:
            case How.KILL | How.EXIT:
                end_process(fault.how)
            case How.RAISE:
                raise InjectedFault(f"injected: {fault}")
            case How.LOST:
                self.lose()
        return fault.how is How.HANG

    def lose(self) -> None:
        """Lose the store: every later call of the saver fails."""
        self._lost = True

    def struck(self, base: Any) -> Any:
        """A saver class that passes by here whenever it has saved something.

        Args:
            base: The class of a plain saver.
        """
        if not self._armed:
            return base
        injection = self

        class Struck(base):  # type: ignore[misc]
            def get_tuple(self, config: Any) -> Any:
                injection.reach()
                return super().get_tuple(config)

            def put(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
                injection.reach()
                for event in injection.writes_first():
                    event.wait()
                saved = super().put(config, checkpoint, metadata, new_versions)
                if any(map(injection.strike, injection.committed(saved, metadata))):
                    hang_here()
                return saved

            def put_writes(self, config: Any, writes: Any, task_id: str, task_path: str = "") -> None:
                injection.reach()
                super().put_writes(config, writes, task_id, task_path)
                with injection.wrote(task_id) as faults:
                    if any(map(injection.strike, faults)):
                        hang_here()

        return Struck

    def async_struck(self, base: Any) -> Any:
        """As ``struck``, for an asynchronous saver."""
        if not self._armed:
            return base
        injection = self

        class Struck(base):  # type: ignore[misc]
            async def aget_tuple(self, config: Any) -> Any:
                injection.reach()
                return await super().aget_tuple(config)

            async def aput(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
                injection.reach()
                for event in injection.writes_first():
                    await event.wait()
                saved = await super().aput(config, checkpoint, metadata, new_versions)
                if any(map(injection.strike, injection.committed(saved, metadata))):
                    await hang()
                return saved

            async def aput_writes(self, config: Any, writes: Any, task_id: str, task_path: str = "") -> None:
                injection.reach()
                await super().aput_writes(config, writes, task_id, task_path)
                with injection.wrote(task_id) as faults:
                    if any(map(injection.strike, faults)):
                        await hang()

        return Struck

    def reach(self) -> None:
        """Go through to the store.

        Raises:
            LostStore: An injected fault has cut it off.
        """
        if self._lost:
            raise LostStore(ConnectionError("injected: the connection to the store is gone"))

    @contextmanager
    def wrote(self, task_id: str) -> Iterator[Sequence[Fault]]:
        """The saver has saved the writes of a task: gives what strikes now, before the checkpoint may go on."""
        try:
            yield [fault for fault in self._tasks.get(task_id, ()) if fault.point is Point.WRITTEN]
        finally:
            if (event := self._unwritten.pop(task_id, None)) is not None:
                event.set()

    def writes_first(self) -> Sequence[Any]:
        """What holds a checkpoint back until the writes of a doomed task are saved.

        LangGraph hands both to the saver without waiting for the first; on Postgres the checkpoint may overtake, and
        there would be no moment between them.
        """
        return list(self._unwritten.values())

    def committed(self, saved: Mapping[str, Any], metadata: Mapping[str, Any]) -> Sequence[Fault]:
        """The saver has saved a checkpoint: what strikes now."""
        if metadata.get("source") != "loop":
            return ()
        ns = saved["configurable"].get("checkpoint_ns", "")
        return [fault for place, step, fault in self._ripe if place == ns and metadata.get("step", 0) >= step]


def _parent_namespace(config: Mapping[str, Any]) -> str:
    """Where a task runs: its own namespace without the last part; for a ``@task`` that is the task that calls it."""
    ns: str = config.get("configurable", {}).get("checkpoint_ns", "")
    return ns.rpartition("|")[0]


def _graph_namespace(task: Any) -> str:
    """Namespace of the checkpoint that commits a task: a ``@task`` shares that of the task that calls it.

    The path of a call holds its caller's and ends with ``True`` (``langgraph/pregel/_algo.py:prepare_single_task``).
    """
    ns, path = _parent_namespace(task.config), task.path
    while len(path) == 4 and path[-1] is True:
        ns, path = ns.rpartition("|")[0], path[1]
    return ns

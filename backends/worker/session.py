"""A run from its request to its end: lock, graph, saver, verb, and one ``END`` event whatever happens."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import os
import platform
import socket
import sys
import threading
from collections.abc import Mapping
from contextlib import ExitStack, closing
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from ..control.call import python_call, without_secrets
from ..control.plan import Intent
from ..errors import Refused
from ..locks.lock import Lock
from ..locks.public import adopt
from ..locks.take import take
from ..model import ThreadHead
from ..reader import Reader
from ..runs import alive
from ..runs.events import Kind, Outcome
from ..runs.recorder import Recorder
from ..runs.spec import GraphRef, RunSpec, Verb
from . import capture, checks, copies, ending, logs
from .drawing import draw
from .driving import Awaited, Drive, Plain, waits
from .ending import Ending
from .injecting import Injection
from .loading import attach, load_target, open_graph, prepare_path
from .loop import Loop
from .narrator import Narrator
from .opening import open_or_create
from .passing import tell_entered
from .pulse import Pulse
from .saver import Fence, serializer
from .signals import CANCEL, Stop
from .standing import place, standing
from .verbs import CALLS, Work

_FAREWELL = 5.0
"""Seconds that threads and exit handlers of the user's code get after the end of a run."""


def main(request: str) -> int:
    """Run what is asked; return the exit code (``ending.Ending.exit_code``)."""
    spec = RunSpec.from_json(request)
    folder = Path(spec.record)
    alive.hold(folder)
    caught = capture.begin(folder)
    session = Session(spec, Recorder(folder), caught)
    end = session.run()
    if end.outcome is Outcome.CANCELLED:
        ending.exit_now(end.exit_code)  # a thread that still runs a cancelled node must not go on
    farewell = threading.Timer(_FAREWELL, ending.exit_now, (end.exit_code,))
    farewell.daemon = True
    farewell.start()
    return end.exit_code


class Session:
    """One run.

    Args:
        spec: What is asked.
        recorder: Takes the events.
        caught: What the user's code prints.
    """

    def __init__(self, spec: RunSpec, recorder: Recorder, caught: capture.Capture) -> None:
        self._spec = spec
        self._recorder = recorder
        self._caught = caught
        self._news: SimpleQueue[str | None] = SimpleQueue()
        self._narrator = Narrator(recorder)
        self._stop = Stop(self._news)
        self._lock: Lock | None = None
        self._last_word = threading.Lock()
        self._begun = False
        self._injection = Injection((), recorder)
        self._pulse = Pulse(
            recorder, self._news, self._narrator.running, self._held, lost=self._abandon, overdue=self._leave
        )

    def run(self) -> Ending:
        """Do it, and write the end down."""
        copies.watch()
        try:
            self._stop.listen()  # from here on a signal may raise
            logs.listen(self._recorder)
            self._recorder.write(Kind.STARTED, pid=os.getpid(), host=socket.gethostname(), **_versions())
            self._pulse.start()
            end = self._guarded()
            self._stop.ignore()
        except BaseException as error:  # whatever the user's code raises is the end of the run, and must be told
            copies.end_if_copy(1)
            self._stop.ignore()
            head, after = place(self._spec)
            end = dataclasses.replace(self._failed(error), head=head, next=after)
        try:
            self._wind_up()
        finally:  # whatever fails here, the run is over, and as it was
            self._tell(end)
        return end

    def _wind_up(self) -> None:
        """Free the thread, and write down what was still to come."""
        self._narrator.finish()
        self._pulse.stop()
        if self._lock is not None:
            self._lock.release()
        self._caught.finish()
        logs.end()
        for fault in self._injection.left:
            self._recorder.write(Kind.LOG, stream="lgtop", level="warning", text=f"The fault {fault} did not strike.")

    def _guarded(self) -> Ending:
        spec = self._spec
        self._injection = Injection(spec.faults, self._recorder, spec.durability)
        prepare_path(spec.graph)
        self._injection.install()
        if spec.verb is Verb.DRAW:
            return self._draw()
        self._narrator.hears_entering = tell_entered(self._narrator.entered)
        self._lock = take(spec.store, spec.thread_id, who=spec.operator, run_id=spec.run_id)
        self._recorder.write(Kind.LOCKED)
        return self._work()

    def _draw(self) -> Ending:
        others = [dataclasses.replace(self._spec.graph, target=each, name=name) for each, name in self._spec.others]
        for ref in (self._spec.graph, *others):
            with ExitStack() as stack:
                graph, drive = self._open_graph(stack, ref, {})
                self._tell_graph(graph, ref.name, drive)
        return Ending(Outcome.DONE)

    def _work(self) -> Ending:
        spec = self._spec
        with ExitStack() as stack:
            store = stack.enter_context(closing(open_or_create(spec)))
            adopt(spec.thread_id, spec.store)
            head = checks.head_of(Reader(store), spec)
            made, drive = self._open_graph(stack, spec.graph, {**spec.config, "thread_id": spec.thread_id})
            self._tell_graph(made, spec.graph.name, drive)
            serde = serializer(made.checkpointer, store, head)
            fence = Fence(self._held, self._narrator.saved, self._narrator.loaded)
            saver = stack.enter_context(drive.saver(spec.store, serde, fence, self._injection))
            control = _control()
            reader, graph = Reader(store), attach(made, saver)
            begin = partial(self._begin, head, drive)
            work = Work(spec, graph, drive, reader, serde, head, control, self._narrator, begin)
            try:
                return self._drive(work)
            finally:
                store.close()  # before the saver: the last connection of an SQLite file empties its WAL

    def _open_graph(self, stack: ExitStack, ref: GraphRef, configurable: Mapping[str, Any]) -> tuple[Any, Drive]:
        """Import and make the graph, and see how it is to be driven.

        Raises:
            Refused: The project's code did not get that far.
        """
        loop = stack.enter_context(Loop(self._patient))
        try:
            config = {"configurable": {**configurable}}
            graph, held = stack.enter_context(open_graph(load_target(ref), ref, config, loop))
            return graph, Awaited(loop) if held or waits(graph) else Plain()
        except (Refused, ending.Stopped):
            raise
        except BaseException as error:  # sys.exit at import, too
            raise Refused(f"The graph cannot be loaded: {ending.ending_of(error).reason}") from error
        finally:
            self._stop.listen()  # again: the project's code may have brought handlers of its own

    def _drive(self, work: Work) -> Ending:
        """Call LangGraph, and look where the thread stands then."""
        gc.freeze()  # what has been imported stays: the collector need not walk through it while the graph runs
        self._pulse.grace = work.drive.grace
        self._stop.driving(work.drive.interrupt, work.control)
        CALLS[work.spec.verb](work)
        return standing(work)

    def _begin(self, head: ThreadHead | None, drive: Drive) -> None:
        """Say once that from here on the store may change."""
        if not self._begun:
            call = python_call(without_secrets(_intent(self._spec)), drive.awaited)
            self._recorder.write(Kind.RUNNING, call=call, head=None if head is None else head.checkpoint_id)
        self._begun = True

    def _failed(self, error: BaseException) -> Ending:
        """Tell an error, and what it makes of the run."""
        if self._stop.how == CANCEL or (isinstance(error, asyncio.CancelledError) and self._stop.how is not None):
            return Ending(Outcome.CANCELLED, "Cancelled.")  # whatever the user's code has made of the interruption
        if type(error).__name__ == "GraphDrained":
            return Ending(Outcome.DRAINED, "Stopped at the end of a superstep.")
        end = ending.ending_of(error)
        if end.outcome is Outcome.FAILED:
            if (node := ending.node_of(error)) is not None:
                self._narrator.failed(node[1], error)
            self._recorder.write(Kind.ERROR, **ending.error_event(error))
        elif isinstance(error, Refused) and error.__cause__ is not None:
            self._recorder.write(Kind.ERROR, **ending.error_event(error.__cause__))
        return end

    def _tell_graph(self, graph: Any, name: str, drive: Drive) -> None:
        drawing = dataclasses.replace(draw(graph, name), awaited=drive.awaited)
        self._recorder.write(Kind.GRAPH, drawing=dataclasses.asdict(drawing))

    def _tell(self, end: Ending) -> None:
        if not self._last_word.acquire(blocking=False):
            return
        self._recorder.write(
            Kind.END, outcome=end.outcome, reason=end.reason, head=end.head, next=list(end.next), exit=end.exit_code
        )

    def _patient(self) -> bool:
        """Whether nodes that still run in threads, beside one that failed, may come to their end."""
        return self._stop.how != CANCEL

    def _held(self) -> bool:
        return self._lock is None or self._lock.held()

    def _leave(self) -> None:
        """A cancelled run does not end: leave it as it stands."""
        head, after = place(self._spec)
        self._tell(Ending(Outcome.CANCELLED, "Cancelled.", head, after))
        ending.exit_now(ending.FAILED)

    def _abandon(self) -> None:
        """The lock is lost: stop at once, since even cancelling would write."""
        self._tell(ending.ending_of(ending.LostLock()))
        ending.exit_now(ending.FAILED)


def _control() -> Any:
    """A ``RunControl`` where this LangGraph has one."""
    try:
        from langgraph.runtime import RunControl
    except ImportError:
        return None
    return RunControl()


def _intent(spec: RunSpec) -> Intent:
    """The request as the preview wrote it, to say the call in the same words."""
    return Intent(spec.verb, spec.thread_id, checkpoint=spec.checkpoint_id, seen_head=spec.expected_head, **spec.call())


def _versions() -> dict[str, Any]:
    try:
        langgraph = version("langgraph")
    except PackageNotFoundError:
        langgraph = ""
    return {"python": platform.python_version(), "langgraph": langgraph, "executable": sys.executable}

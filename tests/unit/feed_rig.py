"""What the tests of the feed share: stores written by the real saver, a recorder of events, a store with gates."""

from __future__ import annotations

import operator
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TypedDict

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt

from backends.address import parse_address
from backends.decode import Decoder
from backends.feed import Event, Feed
from backends.feed_events import Analysed, Changed, Counted, HeadsLoaded
from backends.index import ThreadIndex
from backends.model import ThreadHead
from backends.store import Store

PATIENCE = 20.0
"""Seconds to wait for what must come; nothing waits that long unless the test fails."""


class State(TypedDict):
    log: Annotated[list[str], operator.add]
    ask: bool


def review(state: State) -> dict[str, Any]:
    return {"log": [interrupt("Go on?")]} if state["ask"] else {"log": ["reviewed"]}


def graph(saver: BaseCheckpointSaver) -> Any:
    builder = StateGraph(State)
    builder.add_node("draft", lambda state: {"log": ["drafted"]})
    builder.add_node("review", review)
    builder.add_edge(START, "draft")
    builder.add_edge("draft", "review")
    builder.add_edge("review", END)
    return builder.compile(checkpointer=saver)


def run(saver: BaseCheckpointSaver, thread_id: str, ask: bool = False) -> None:
    """Run a thread to its end, or to its question."""
    graph(saver).invoke({"log": [], "ask": ask}, {"configurable": {"thread_id": thread_id}})


@contextmanager
def writer(path: Path) -> Iterator[SqliteSaver]:
    """The real saver on a file."""
    with SqliteSaver.from_conn_string(str(path)) as saver:
        saver.setup()
        yield saver


class Recorder:
    """Takes a feed's events, applies them to an index as the app does, and lets a test wait for what they bring."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.times: list[float] = []
        self.index = ThreadIndex()
        self._news = threading.Condition()

    def __call__(self, event: Event) -> None:
        with self._news:
            self.events.append(event)
            self.times.append(time.monotonic())
            match event:
                case HeadsLoaded(heads, complete):
                    self.index.upsert(heads)
                    self.index.complete |= complete
                case Changed(heads, removed):
                    self.index.upsert(heads)
                    self.index.remove(removed)
                case Counted(counts):
                    self.index.set_counts(counts)
                case Analysed(summaries):
                    self.index.set_summaries(summaries)
            self._news.notify_all()

    def wait(self, arrived: Callable[[], Any]) -> Any:
        """Block until ``arrived`` says something true; fails after ``PATIENCE``."""
        with self._news:
            done = self._news.wait_for(arrived, PATIENCE)
            assert done, f"still waiting after {PATIENCE} s; events: {[type(e).__name__ for e in self.events][-12:]}"
            return done

    def of(self, kind: type, since: int = 0) -> list[Any]:
        """Events of a kind, from number ``since`` on."""
        return [event for event in self.events[since:] if isinstance(event, kind)]

    def settled(self) -> bool:
        """Whether everything that the store holds is known."""
        rows = self.index.rows.values()
        return self.index.counts.exact and all(row.checkpoints is not None for row in rows)

    def status(self, thread_id: str) -> str | None:
        row = self.index.rows.get(thread_id)
        return None if row is None or row.summary is None else row.summary.status.value

    def steps(self) -> dict[str, int | None]:
        return {thread_id: row.head.step for thread_id, row in self.index.rows.items()}


@contextmanager
def following(address: str | Path, opener: Callable[[], Store] | None = None) -> Iterator[tuple[Feed, Recorder]]:
    """A running feed and what it tells; stopped at the end, in any case within a second."""
    recorder = Recorder()
    feed = Feed(parse_address(str(address), {}), recorder, Decoder(), opener)
    feed.start()
    try:
        yield feed, recorder
    finally:
        assert feed.stop()


class Gated:
    """A real store whose calls can be made to wait, or to fail."""

    def __init__(self, store: Store, gates: Gates) -> None:
        self._store = store
        self._gates = gates

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        return self._gates.passed(name, found) if callable(found) and name not in ("close", "interrupt") else found

    def heads(self, cancelled: Callable[[], bool]) -> Iterator[list[ThreadHead]]:
        """The first batch, then whatever the gates let through."""
        self._gates.passed("heads", lambda: None)()
        batches = self._store.heads(cancelled)
        yield next(batches, [])
        while not self._gates.may_read_on():
            yield []
        yield from batches

    def close(self) -> None:
        self._store.close()

    def interrupt(self) -> None:
        self._gates.interrupted.set()
        self._store.interrupt()


class Gates:
    """What the calls of ``Gated`` stores do, decided by a test while they run.

    Attributes:
        closed: Method -> an event to wait for before the call.
        failing: Method -> what to raise instead.
        calls: Names of the calls made.
        may_read_on: Asked after the first batch of heads, until it says yes.
        waiting: Set when a call has begun to wait.
        interrupted: Set when the store was interrupted.
    """

    def __init__(self) -> None:
        self.closed: dict[str, Any] = {}
        self.failing: dict[str, Callable[[], Exception]] = {}
        self.calls: list[str] = []
        self.may_read_on: Callable[[], bool] = lambda: True
        self.waiting = threading.Event()
        self.interrupted = threading.Event()

    def passed(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def gated(*args: Any, **kwargs: Any) -> Any:
            self.calls.append(name)
            gate = self.closed.get(name)
            if gate is not None:
                self.waiting.set()
                assert gate.wait(PATIENCE)
            failure = self.failing.get(name)
            if failure is not None:
                raise failure()
            return call(*args, **kwargs)

        return gated


def checkpoints_in(path: Path) -> dict[str, int]:
    """Checkpoints per thread, asked of the file itself."""
    connection = sqlite3.connect(path)
    try:
        return dict(connection.execute("select thread_id, count(*) from checkpoints group by 1"))
    finally:
        connection.close()

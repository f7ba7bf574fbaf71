"""The oracle of retention: what LangGraph says of a thread and of each of its checkpoints, and how it goes on."""

from __future__ import annotations

import os
import re
import threading
from asyncio import CancelledError
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

from langgraph.checkpoint.base import empty_checkpoint
from langgraph.types import Command

from backends.address import parse_address
from backends.control.gate import Gate
from backends.decode import Decoder
from backends.maintenance.size import Sizes, open_sizes
from backends.model import CheckpointKey
from backends.reader import Reader
from backends.store import open_store
from tests.conformance.places import Place
from tests.generated_graphs import build
from tests.oracle.play import RECURSION_LIMIT, Story, play, saver_at
from tests.rows import state_of


@contextmanager
def opened(address: str) -> Iterator[tuple[Gate, Reader, Sizes]]:
    """A store as the commands open it."""
    where = parse_address(address, os.environ)
    with closing(open_store(address)) as store, closing(open_sizes(where)) as sizes:
        yield Gate(where), Reader(store, Decoder()), sizes


def played(seed: int, address: str, saver: Any, thread: str) -> Story:
    """The story of a generated graph, to its end."""
    story = None
    for story in play(seed, address, saver, thread):  # noqa: B007
        pass
    assert story is not None
    return story


def told(story: Story, keys: list[CheckpointKey]) -> dict[CheckpointKey, str]:
    """What LangGraph says of checkpoints: state, what is next, tasks with questions and results, subgraphs, parent."""
    found = {}
    for key in keys:
        if key.ns:
            config = {"thread_id": key.thread_id, "checkpoint_ns": key.ns, "checkpoint_id": key.checkpoint_id}
            saved = story.graph.checkpointer.get_tuple({"configurable": config})
            found[key] = _plain(saved)
            continue
        config = {"thread_id": key.thread_id, "checkpoint_id": key.checkpoint_id}
        found[key] = _plain(story.graph.get_state({"configurable": config}, subgraphs=True))
    return found


def _plain(answer: Any) -> str:
    """As text; messages without an id get another one each time that they are read."""
    return re.sub(r"\b[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b", "ID", repr(answer))


def gone_on(seed: int, saver: Any, thread: str, checkpoint: str | None, phase: int = 99) -> Any:
    """Resume a thread, answering what it asks, or fork it from a checkpoint; the state that it comes to."""
    graph, plan = build(seed, saver)
    where = {"configurable": {"thread_id": thread}}
    state = graph.get_state(where)
    argument: Any = None
    if checkpoint is None and state.interrupts:
        argument = Command(resume={one.id: 5 for one in state.interrupts})
    settings = {"thread_id": thread, "phase": phase} | ({"checkpoint_id": checkpoint} if checkpoint else {})
    with suppress(Exception, CancelledError):  # what it raises is in the state
        config: Any = {"configurable": settings, "recursion_limit": RECURSION_LIMIT}
        if not plan.functional:  # where the workflow itself would keep its tasks from running
            config["max_concurrency"] = 1  # of several nodes that fail together, another may be the first each time
        graph.invoke(argument, config, durability="sync")
    return state_of(graph, thread)


class Writer:
    """A thread of an application: it saves checkpoints of a thread, one after the other.

    Attributes:
        saved: How many.
        problem: What the store refused.
    """

    def __init__(self, address: str) -> None:
        self.saved = 0
        self.problem: str | None = None
        self._address = address
        self._stopped = threading.Event()
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._save)

    def wait_for(self, count: int) -> None:
        """Until so many are saved."""
        with self._news:
            assert self._news.wait_for(lambda: self.saved >= count or self.problem, timeout=30)

    def _save(self) -> None:
        try:
            with saver_at(self._address) as saver:
                if not self._address.startswith("postgresql"):
                    saver.conn.execute("pragma busy_timeout = 500")
                while not self._stopped.is_set():
                    checkpoint = {**empty_checkpoint(), "channel_values": {"text": "y" * 2_000}}
                    where: Any = {"configurable": {"thread_id": "busy", "checkpoint_ns": ""}}
                    saver.put(where, checkpoint, {"source": "loop", "step": self.saved}, {})
                    with self._news:
                        self.saved += 1
                        self._news.notify_all()
        except Exception as error:
            with self._news:
                self.problem = repr(error)
                self._news.notify_all()

    def __enter__(self) -> Writer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()


def busy_writer(place: Place) -> Writer:
    """A writer on the same store, with a connection of its own and half a second of patience."""
    return Writer(place.address)

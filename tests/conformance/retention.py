"""The oracle of retention: what LangGraph says of a thread and of each of its checkpoints, and how it goes on."""

from __future__ import annotations

import os
import random
import re
import threading
from asyncio import CancelledError
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any, NamedTuple

from langgraph.checkpoint.base import empty_checkpoint
from langgraph.types import Command

from backends.address import parse_address
from backends.control.copy import copy_thread
from backends.control.gate import Gate
from backends.decode import Decoder
from backends.maintenance.policy import Policy
from backends.maintenance.prune import plan_prune, prune_thread
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


class Pruned(NamedTuple):
    """A generated thread that was pruned, and is what it was.

    Attributes:
        story: How it came about; after it was gone on with, the thread is as its copy.
        before: Checkpoints before.
        after: Checkpoints after.
    """

    story: Story
    before: int
    after: int


def pruned(place: Place, seed: int) -> Pruned:
    """Prune a generated thread and hold it against a copy of what it was, then let both go on."""
    rng, thread, copy = random.Random(f"retention {seed}"), f"pruned-{seed}", f"whole-{seed}"
    story = played(seed, place.address, place.saver, thread)
    with opened(place.address) as (gate, reader, sizes):
        before = [row.key for row in reader.store.history(thread)]
        if not before:
            return Pruned(story, 0, 0)
        copy_thread(gate, thread, copy)
        policy = Policy(keep=rng.choice([1, 1, 1, 2, 3]))
        was = told(story, before)
        state = state_of(story.graph, thread)
        status = reader.analyse_heads([reader.head(thread)])
        planned = plan_prune(reader, sizes, thread, policy)
        gone = prune_thread(gate, reader, sizes, thread, policy)
        assert gone == planned
        after = [row.key for row in reader.store.history(thread)]
        assert set(after) == set(before) - set(gone.keys)
        assert len(after) == gone.kept
        assert told(story, after) == {key: was[key] for key in after}
        assert state_of(story.graph, thread) == state
        assert reader.analyse_heads([reader.head(thread)]) == status
        assert not plan_prune(reader, sizes, thread, policy), "a second time there is nothing to do"
        assert no_orphans(place, thread)
        roots = [key.checkpoint_id for key in after if not key.ns]
    fork = rng.choice([None, None, *roots]) if roots and not story.plan.functional else None
    ends = [gone_on(seed, place.saver, each, fork) for each in (thread, copy)]
    assert ends[0] == ends[1], f"seed {seed}"
    return Pruned(story, len(before), len(after))


def no_orphans(place: Place, thread: str) -> bool:
    """Whether every blob is named by a checkpoint."""
    if place.kind != "postgres":
        return True
    connection: Any = place.saver.conn  # type: ignore[attr-defined]
    found = connection.execute(
        "select count(*) as n from checkpoint_blobs b where thread_id = %s and not exists (select 1 from checkpoints c"
        " where (c.thread_id, c.checkpoint_ns) = (b.thread_id, b.checkpoint_ns)"
        " and c.checkpoint->'channel_versions'->>b.channel = b.version)",
        (thread,),
    ).fetchone()
    return bool(found["n"] == 0)


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

"""Play a generated graph: a few runs of one thread, some of which die by a real SIGKILL at a random moment."""

from __future__ import annotations

import functools
import multiprocessing
import os
import random
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerContext
from typing import Any

import psycopg
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END
from langgraph.types import Command
from psycopg.rows import dict_row

from ..generated_graphs import PHASES, Plan, build

RECURSION_LIMIT = 25


@dataclass(frozen=True)
class Moment:
    """When a run dies.

    Attributes:
        call: ``put``, ``put_writes``, or ``""`` for a time.
        count: Which call of it.
        after: Whether the call is still done.
        seconds: After so many seconds.
    """

    call: str = ""
    count: int = 0
    after: bool = False
    seconds: float = 0.0


@dataclass
class Run:
    """One call of a graph: everything that a child process needs to make it.

    Attributes:
        seed: Seed of the graph.
        address: SQLite path or Postgres URL.
        thread: Thread id.
        phase: Number of the run.
        argument: Input, ``None`` or a ``Command``.
        durability: ``sync``, ``async`` or ``exit``.
        checkpoint: Checkpoint to fork from.
        single: True for a single step.
        moment: When it dies.
    """

    seed: int
    address: str
    thread: str
    phase: int
    argument: Any
    durability: str
    checkpoint: str | None = None
    single: bool = False
    moment: Moment | None = None


@dataclass
class Story:
    """What was played.

    Attributes:
        plan: The graph's plan.
        graph: The graph, with a saver of this process.
        thread: Thread id.
        events: What happened, for the table and for messages.
    """

    plan: Plan
    graph: Any
    thread: str
    events: list[str] = field(default_factory=list)


@contextmanager
def saver_at(address: str, name: str = "oracle") -> Iterator[Any]:
    """A saver for an address, as an application makes it; ``name`` is what PostgreSQL knows the connection by."""
    if address.startswith("postgresql"):
        with psycopg.connect(
            address, autocommit=True, prepare_threshold=0, row_factory=dict_row, application_name=name
        ) as connection:
            yield PostgresSaver(connection)
        return
    connection = sqlite3.connect(address, check_same_thread=False)
    connection.execute("PRAGMA synchronous=OFF")
    try:
        yield SqliteSaver(connection)
    finally:
        connection.close()


def forkserver() -> ForkServerContext:
    """A context whose children start with langgraph imported."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.oracle.play"])
    return context


def play(seed: int, address: str, saver: Any, thread: str) -> Iterator[Story]:
    """Play a graph, yielding after every run so that the store can be looked at.

    Args:
        seed: Seed of the graph and of what is done with it.
        address: Where ``saver`` writes, for child processes.
        saver: Saver of this process.
        thread: Thread id.
    """
    rng = random.Random(f"play {seed}")
    graph, plan = build(seed, saver)
    story = Story(plan, graph, thread)
    context = forkserver()
    for phase in range(rng.randint(1, PHASES)):
        run = _choose(rng, story, Run(seed, address, thread, phase, None, rng.choice(["sync", "async", "exit"])))
        if run is None:
            story.events.append("update_state")
        elif run.moment is not None:
            story.events.append(f"{run.durability} killed")
            child = context.Process(target=_die, args=(run,))
            child.start()
            child.join(30)
            assert child.exitcode is not None, "the child hangs"
            _let_the_server_finish(address, thread)
        else:
            story.events.append(f"{run.durability} {_kind(run)}")
            perform(graph, run)
        yield story


def perform(graph: Any, run: Run) -> None:
    """Make the call; what the graph raises is what the store must show."""
    config: dict[str, Any] = {"configurable": {"thread_id": run.thread, "phase": run.phase}}
    if run.checkpoint is not None:
        config["configurable"]["checkpoint_id"] = run.checkpoint
    config["recursion_limit"] = RECURSION_LIMIT
    options = {"interrupt_before": "*"} if run.single else {}
    try:
        graph.invoke(run.argument, config, durability=run.durability, **options)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise


def _kind(run: Run) -> str:
    if run.checkpoint is not None:
        return "fork"
    if isinstance(run.argument, Command):
        return "answer"
    return "resume" if run.argument is None else "input"


def _choose(rng: random.Random, story: Story, run: Run) -> Run | None:
    """Choose the next run by what the thread is doing; ``None`` after an ``update_state``, which is no run."""
    state = story.graph.get_state({"configurable": {"thread_id": run.thread}})
    if rng.random() < 0.35:
        run.moment = _moment(rng)
    if state.metadata is None or (not state.tasks and rng.random() < 0.8):
        run.argument = _input(rng, story.plan)
        run.single = rng.random() < 0.1
    elif state.interrupts and rng.random() < 0.8:
        run.argument = _answer(rng, story.plan, state.interrupts)
    elif rng.random() < 0.12 and not story.plan.functional:
        return _update(rng, story, state)
    elif rng.random() < 0.15:
        history = list(story.graph.get_state_history({"configurable": {"thread_id": run.thread}}))
        run.checkpoint = rng.choice(history).config["configurable"]["checkpoint_id"]
    elif rng.random() < 0.12:
        run.argument = _input(rng, story.plan)
    else:
        run.single = rng.random() < 0.15
    return run


def _input(rng: random.Random, plan: Plan) -> Any:
    if plan.functional:
        return rng.choice(["go", 7, {"a": [1, 2]}])
    update: dict[str, Any] = {"log": ["input"], "flag": "input"}
    return {**update, "deltas": ["input"]} if plan.delta else update


def _answer(rng: random.Random, plan: Plan, interrupts: Any) -> Command:
    ids = list(dict.fromkeys(one.id for one in interrupts))
    if len(ids) == 1 and rng.random() < 0.3:
        resume: Any = rng.choice(["yes", 5])
    else:
        resume = {one: rng.choice(["yes", 5, 6]) for one in rng.sample(ids, rng.randint(1, len(ids)))}
    extra: dict[str, Any] = {}
    if not plan.functional and rng.random() < 0.12:
        plan.features.add("answer with update")
        extra["update"] = {"log": ["commanded"]}
    if not plan.functional and rng.random() < 0.1:
        plan.features.add("answer with goto")
        extra["goto"] = rng.choice(plan.order)
    return Command(resume=resume, **extra)


def _update(rng: random.Random, story: Story, state: Any) -> None:
    story.plan.features.add("update_state")
    as_node = rng.choice([*story.plan.order, END])
    values = None if as_node == END else {"log": ["edited"], "flag": "edited"}
    try:
        story.graph.update_state({"configurable": {"thread_id": story.thread}}, values, as_node=as_node)
    except Exception as error:
        story.events.append(f"update_state refused: {type(error).__name__}")


# --- dying -------------------------------------------------------------------------------------------------------


def _moment(rng: random.Random) -> Moment:
    if rng.random() < 0.25:
        return Moment(seconds=rng.random() * 0.05)
    return Moment(rng.choice(["put", "put_writes"]), rng.randint(1, 7), rng.random() < 0.5)


def _die(run: Run) -> None:
    """In a child: make the call, and be killed at the moment, or at the end if it never comes."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    moment = run.moment
    assert moment is not None
    with saver_at(run.address, _dying(run.thread)) as saver:
        if moment.call:
            _arm(saver, moment)
        else:
            threading.Timer(moment.seconds, _kill).start()
        graph, _ = build(run.seed, saver)
        perform(graph, run)
        _kill()


def _dying(thread: str) -> str:
    return f"dying {thread}"[:63]


def _let_the_server_finish(address: str, thread: str) -> None:
    """Wait until PostgreSQL has noticed that a client is dead: until then it may still commit its last statement."""
    if not address.startswith("postgresql"):
        return
    deadline = time.monotonic() + 30
    with psycopg.connect(address, autocommit=True) as connection:
        query = "select 1 from pg_stat_activity where application_name = %s and datname = current_database()"
        while connection.execute(query, (_dying(thread),)).fetchone():
            assert time.monotonic() < deadline, "the connection of a dead client stays open"


def _arm(saver: Any, moment: Moment) -> None:
    original = getattr(saver, moment.call)
    calls = iter(range(1, 10**6))

    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        due = next(calls) == moment.count
        if due and not moment.after:
            _kill()
        result = original(*args, **kwargs)
        if due:
            _kill()
        return result

    setattr(saver, moment.call, call)


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)

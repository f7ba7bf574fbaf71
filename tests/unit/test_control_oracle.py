"""What a plan says of random graphs, against what LangGraph then does."""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.pregel import _runner
from langgraph.types import Command

from backends.address import parse_address
from backends.control.copy import copy_thread
from backends.control.gate import Gate
from backends.control.plan import Intent, Plan
from backends.control.planning import make_plan
from backends.graphs.drawing import Drawing
from backends.model import CheckpointKey
from backends.reader import Reader
from backends.runs.spec import GraphRef
from backends.store import open_store
from backends.worker.drawing import draw
from tests.generated_graphs import build

SEEDS = (*range(14), 33, 45, 67, 149)
REF = GraphRef("./graph.py:graph", "/nowhere", "graph")
HANDLER = "error handler of "


@dataclass
class World:
    """A thread of a generated graph.

    Attributes:
        graph: The graph.
        drawing: The same as data.
        reader: Our view of its store.
        gate: The way to write there.
        rng: What is done with it.
        started: (step, node) of every root task that LangGraph starts.
    """

    graph: Any
    drawing: Drawing
    reader: Reader
    gate: Gate
    rng: random.Random
    started: list[tuple[int, str]] = field(default_factory=list)
    copies: int = 0

    def plan(self, verb: str, **more: Any) -> Plan:
        return make_plan(self.reader, Intent(verb, "t", **more), REF, self.drawing, self.gate)

    def copy(self) -> str:
        """A thread to try things on; ids of tasks and questions are the same in it."""
        self.copies += 1
        return copy_thread(self.gate, "t", f"t{self.copies}").thread_id

    def config(self, thread_id: str, **more: Any) -> Any:
        return {"configurable": {"thread_id": thread_id, "phase": 1, **more}, "recursion_limit": 25}

    def first_step(self, given: Any, thread_id: str, **more: Any) -> Counter[str]:
        """Let LangGraph run, and return the tasks that it started in the first superstep."""
        self.started.clear()
        with suppress(Exception):
            self.graph.invoke(given, self.config(thread_id, **more), durability="sync")
        first = min((step for step, _ in self.started), default=0)
        names = [name for step, name in self.started if step == first]
        return early(Counter(names))


@pytest.fixture(params=SEEDS)
def world(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    seed = request.param
    path = tmp_path / "store.db"
    with closing(sqlite3.connect(path, check_same_thread=False)) as connection:
        connection.execute("pragma synchronous = off")
        graph, plan = build(seed, SqliteSaver(connection))
        given = "go" if plan.functional else {"log": ["input"], "flag": "input"}
        with suppress(Exception):
            config = {"configurable": {"thread_id": "t", "phase": 0}, "recursion_limit": 25}
            graph.invoke(given, config, durability="sync")
        with closing(open_store(str(path))) as store:
            made = World(
                graph, draw(graph, "graph"), Reader(store), Gate(parse_address(str(path), {})), random.Random(seed)
            )
            monkeypatch.setattr(_runner, "run_with_retry", _watched(made.started, _runner.run_with_retry))
            yield made


def _watched(started: list[tuple[int, str]], run: Callable[..., Any]) -> Callable[..., Any]:
    def watched(task: Any, *args: Any, **kwargs: Any) -> Any:
        handler = task.name.startswith("__error_handler__")
        if task.config["configurable"]["checkpoint_ns"].count("|") == handler and (handler or len(task.path) <= 3):
            name = task.name.replace("__error_handler__", HANDLER)
            started.append((task.config["metadata"]["langgraph_step"], name))
        return run(task, *args, **kwargs)

    return watched


def early(names: Counter[str]) -> Counter[str]:
    """Without handlers of nodes that run themselves: those of the tasks that fail come in the same superstep."""
    late = {HANDLER + name for name in names}
    return Counter({name: n for name, n in names.items() if name not in late})


def counted(names: tuple[str, ...]) -> Counter[str]:
    """``("a", "b ×3")`` as a counter."""
    found: Counter[str] = Counter()
    for name in names:
        plain, times, count = name.rpartition(" ×")
        found[plain if times else name] += int(count) if times else 1
    return early(found)


def test_resume_runs_what_the_plan_says(world: World) -> None:
    plan = world.plan("resume")
    if plan.refusal:
        assert not world.graph.get_state(world.config("t")).tasks
        assert world.first_step(None, world.copy()) == Counter()
        return
    begun = world.first_step(None, world.copy())
    if plan.runs:
        assert begun == counted(plan.runs)
    else:
        assert plan.reuses
        assert all(step > (world.reader.head("t").step or 0) + 1 for step, _ in world.started)


def test_retry_runs_the_whole_step(world: World) -> None:
    plan = world.plan("retry")
    state = world.graph.get_state(world.config("t"))
    assert bool(plan.refusal) == (not state.tasks)
    if not plan.refusal:
        begun = world.first_step(None, world.copy(), checkpoint_id=plan.intent.checkpoint)
        assert begun == counted(plan.runs)


def test_answers_reach_their_questions_in_any_subset(world: World) -> None:
    pending = list(dict.fromkeys(one.id for one in world.graph.get_state(world.config("t")).interrupts))
    chosen = world.rng.sample(pending, world.rng.randint(1, len(pending))) if pending else []
    plan = world.plan("answer", answers=dict.fromkeys(chosen, 5))
    if plan.refusal:
        assert not pending or "does not fit" in plan.refusal
        return
    assert set(plan.asks) == set(pending) - set(chosen)
    copy = world.copy()
    assert world.first_step(Command(resume=dict.fromkeys(chosen, 5)), copy) == counted(plan.runs)
    head = world.reader.head(copy)
    assert not {one.id for one in world.reader.analyse_heads([head])[copy].interrupts} & set(chosen)


def test_forks_run_what_the_plan_says(world: World) -> None:
    rows = world.reader.store.history("t", "")
    for row in world.rng.sample(rows, min(3, len(rows))):
        plan = world.plan("fork", checkpoint=row.key.checkpoint_id)
        begun = world.first_step(None, world.copy(), checkpoint_id=row.key.checkpoint_id)
        assert begun == (Counter() if plan.refusal else counted(plan.runs)), row.step


def test_a_branch_is_ready_to_do_what_a_fork_would(world: World) -> None:
    rows = world.reader.store.history("t", "")
    for number, row in enumerate(world.rng.sample(rows, min(3, len(rows)))):
        key = CheckpointKey("t", "", row.key.checkpoint_id)
        plan = world.plan("branch", checkpoint=key.checkpoint_id, target=f"b{number}")
        assert not plan.refusal
        copy_thread(world.gate, "t", f"b{number}", key)
        if number and row.key != world.reader.head("t").key:
            fork = world.plan("fork", checkpoint=key.checkpoint_id)
            assert world.first_step(None, f"b{number}") == counted(fork.runs)


def test_an_edit_leads_where_the_plan_says(world: World) -> None:
    if world.drawing.functional:
        return
    for as_node in world.drawing.next_after:
        plan = world.plan("edit", values={"log": ["edited"]}, as_node=as_node)
        assert not plan.refusal
        copy = world.copy()
        with suppress(Exception):  # a router that raises
            world.graph.update_state(world.config(copy), {"log": ["edited"]}, as_node=as_node)
            then = world.graph.get_state(world.config(copy)).next
            after = world.drawing.next_after[as_node]
            if after is not None:
                assert sorted(then) == sorted(name for name in after if name != "__end__"), as_node
                assert f"next: {', '.join(after)}".removesuffix("__end__").strip() in plan.summary
            lost = [one for one in plan.warnings if "will not run" in one]
            if lost:
                assert not set(then) & set(
                    lost[0].split(" is pending")[0].replace(" and its questions", "").split(", ")
                )

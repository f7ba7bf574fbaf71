"""Random LangGraph graphs from a seed: the same seed makes the same graph in every process.

``build(seed, saver)`` makes a compiled graph of 2 to 7 nodes in some order, with joins, deferred nodes, loops, Sends,
``Command(goto)``, questions (several in a node, several in a step, nested in subgraphs, with a response schema),
errors, routers that raise, error handlers, retries, breakpoints, a DeltaChannel, or a functional graph of tasks.
A node that misbehaves does so in some phases (numbered runs) of a thread only, so that later runs get further.
"""

from __future__ import annotations

import asyncio
import operator
import random
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, TypedDict

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.channels.delta import DeltaChannel
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import Command, RetryPolicy, Send, interrupt
from pydantic import BaseModel

PHASES = 4
"""Runs of a thread that a node may misbehave in."""


class Order(BaseModel):
    """A state value of a class of the application."""

    number: int
    note: str = ""


@dataclass
class Point:
    """Another one."""

    x: int
    y: float


def keep(old: str, new: str) -> str:
    """Reducer: the last writer wins, several in a step are allowed."""
    return new or old


def extend(state: list[Any], writes: Sequence[list[Any]]) -> list[Any]:
    """Reducer of the DeltaChannel."""
    return [*(state or []), *(item for write in writes for item in write)]


class State(TypedDict, total=False):
    log: Annotated[list[Any], operator.add]
    flag: Annotated[str, keep]
    count: Annotated[int, operator.add]
    messages: Annotated[list[AnyMessage], add_messages]


class DeltaState(State, total=False):
    deltas: Annotated[list[Any], DeltaChannel(extend, snapshot_frequency=3)]


@dataclass
class Node:
    """What a generated node does.

    Attributes:
        name: Its name.
        acts: In order; each ``(verb, argument)``.
        phases: Phases in which ``fail``, ``cancel`` and ``router_fail`` happen.
    """

    name: str
    acts: list[tuple[str, Any]] = field(default_factory=list)
    phases: frozenset[int] = frozenset()


@dataclass
class Plan:
    """A generated graph and what is in it.

    Attributes:
        seed: Where it comes from.
        features: Names of what it contains.
        breakpoints: ``interrupt_before`` and ``interrupt_after`` for compiling.
        functional: True for a functional graph.
        delta: True where the state has a DeltaChannel.
        order: Names of the nodes.
    """

    seed: int
    features: set[str] = field(default_factory=set)
    breakpoints: dict[str, list[str]] = field(default_factory=dict)
    functional: bool = False
    delta: bool = False
    order: list[str] = field(default_factory=list)


def some_value(rng: random.Random) -> Any:
    """A value of one of the many kinds that applications store."""
    kinds: list[Callable[[], Any]] = [
        lambda: rng.randint(-5, 10**12),
        lambda: rng.random(),
        lambda: f"text {rng.randint(0, 99)} ✓\x1b[31m",
        lambda: None,
        lambda: rng.random() < 0.5,
        lambda: bytes([rng.randint(0, 255) for _ in range(3)]),
        lambda: datetime(2026, 1, rng.randint(1, 28), tzinfo=UTC),
        lambda: date(2025, 2, rng.randint(1, 28)),
        lambda: uuid.UUID(int=rng.getrandbits(128)),
        lambda: Decimal(rng.randint(0, 999)) / 7,
        lambda: {"k": [rng.randint(0, 9), {"deep": (1, 2)}], 3: "three"},
        lambda: {rng.randint(0, 9)},
        lambda: Order(number=rng.randint(0, 9)),
        lambda: Point(rng.randint(0, 9), rng.random()),
        lambda: Path("/a/b"),
    ]
    return rng.choice(kinds)()


def build(seed: int, saver: Any = None) -> tuple[Any, Plan]:
    """Make the graph of a seed.

    Args:
        seed: Any number.
        saver: Checkpointer to compile with.

    Returns:
        The compiled graph and its plan.
    """
    rng = random.Random(seed)
    plan = Plan(seed)
    if rng.random() < 0.12:
        plan.functional = True
        plan.features.add("functional")
        return _functional(rng, plan, saver), plan
    plan.delta = rng.random() < 0.12
    if plan.delta:
        plan.features.add("delta channel")
    builder = StateGraph(DeltaState if plan.delta else State)
    plan.order = [f"{letter}{rng.choice(['', '', '+', ' x', '-é'])}" for letter in "abcdefg"[: rng.randint(2, 7)]]
    for name in plan.order:
        _add_node(builder, rng, plan, name)
    _connect(builder, rng, plan)
    if rng.random() < 0.25:
        plan.features.add("breakpoints")
        where = rng.choice(["interrupt_before", "interrupt_after"])
        plan.breakpoints = {where: rng.sample(plan.order, rng.randint(1, 2))}
    return builder.compile(checkpointer=saver, **plan.breakpoints), plan


# --- nodes -------------------------------------------------------------------------------------------------------


def _add_node(builder: StateGraph, rng: random.Random, plan: Plan, name: str) -> None:
    options: dict[str, Any] = {}
    if rng.random() < 0.12:
        plan.features.add("defer")
        options["defer"] = True
    if rng.random() < 0.16:
        plan.features.add("subgraph")
        builder.add_node(name, _subgraph(rng, plan, depth=1), **options)
        return
    node = _node(rng, plan, name)
    if any(verb == "handled" for verb, _ in node.acts):
        plan.features.add("error handler")
        options["error_handler"] = _handler(rng, plan)
    if any(verb == "flaky" for verb, _ in node.acts):
        plan.features.add("retry")
        options["retry_policy"] = RetryPolicy(initial_interval=0.001, max_attempts=2, jitter=False)
    builder.add_node(name, _function(node, plan.delta), **options)


def _node(rng: random.Random, plan: Plan, name: str, inner: bool = False) -> Node:
    """Choose what a node does; most do little, so that graphs get somewhere."""
    node = Node(name, phases=frozenset(phase for phase in range(PHASES) if rng.random() < 0.45))
    verb = rng.choices(
        ["write", "nothing", "ask", "fail", "cancel", "handled", "flaky", "ask then fail"],
        [40, 7, 20, 11, 2, 0 if inner else 5, 4, 6],
    )[0]
    if rng.random() < 0.3:
        node.acts.append(("sleep", rng.choice([0.0, 0.001, 0.004])))
    if verb in ("ask", "ask then fail"):
        plan.features.add("nested interrupt" if inner else "interrupt")
        for _ in range(rng.choice([1, 1, 1, 2])):
            node.acts.append(("ask", (some_value(rng), rng.random() < 0.15)))
    if verb in ("fail", "ask then fail", "cancel"):
        plan.features.add({"fail": "error", "cancel": "cancelled"}.get(verb, "answered then failed"))
        node.acts.append(("cancel" if verb == "cancel" else "fail", some_value(rng)))
    if verb in ("handled", "flaky"):
        node.acts.append((verb, None))
    if verb != "nothing":
        node.acts.append(("write", [some_value(rng) for _ in range(rng.randint(0, 2))]))
    return node


def _function(node: Node, delta: bool = False) -> Callable[..., Any]:
    failures: dict[str, int] = {}

    def run(state: Any, config: RunnableConfig) -> Any:
        phase = config["configurable"].get("phase", 0)
        update: dict[str, Any] | None = None
        for verb, argument in node.acts:
            if verb == "sleep":
                time.sleep(argument)
            elif verb == "ask":
                value, strict = argument
                answer = interrupt(value, response_schema=int) if strict else interrupt(value)
                update = {"log": [node.name, answer]}
            elif verb == "fail" and phase in node.phases:
                raise ValueError(f"{node.name}: {argument!r}")
            elif verb == "cancel" and phase in node.phases:
                raise asyncio.CancelledError
            elif verb == "handled" and phase in node.phases:
                raise KeyError(node.name)
            elif verb == "flaky":
                key = f"{config['configurable'].get('thread_id')} {phase}"
                failures[key] = failures.get(key, 0) + 1
                if failures[key] == 1 or (failures[key] == 2 and phase in node.phases):
                    raise ConnectionError(node.name)
            elif verb == "write":
                update = {**(update or {}), "flag": node.name, "count": 1}
                update["log"] = [*update.get("log", []), *argument]
                if delta:
                    update["deltas"] = [node.name, *argument]
                elif len(argument) == 2:
                    update["messages"] = [HumanMessage("q", id=f"{node.name}-q"), AIMessage("r")]
        return update

    run.__name__ = "run"
    return run


def _handler(rng: random.Random, plan: Plan) -> Callable[..., Any]:
    kind, target = rng.choice(["write", "write", "fail", "ask", "goto"]), rng.choice(plan.order)
    phases = frozenset(phase for phase in range(PHASES) if rng.random() < 0.5)

    def handle(state: Any, config: RunnableConfig) -> Any:
        if kind == "fail" and config["configurable"].get("phase", 0) in phases:
            raise RuntimeError("the handler failed too")
        if kind == "ask":
            return {"log": [interrupt("what now?")]}
        return Command(update={"log": ["handled"]}, goto=target) if kind == "goto" else {"log": ["handled"]}

    return handle


def _subgraph(rng: random.Random, plan: Plan, depth: int) -> Any:
    """A small graph as a node: compiled in, with its own checkpointer, or called by a function."""
    builder = StateGraph(State)
    names = [f"{letter}{depth}" for letter in "uvw"[: rng.randint(1, 3)]]
    for name in names:
        if depth < 2 and rng.random() < 0.25:
            plan.features.add("nested subgraph")
            builder.add_node(name, _subgraph(rng, plan, depth + 1))
        else:
            builder.add_node(name, _function(_node(rng, plan, name, inner=True)))
    builder.add_edge(START, names[0])
    for one, other in pairwise(names):
        builder.add_edge(START if rng.random() < 0.3 else one, other)
    own = rng.random()
    compiled = builder.compile(checkpointer=True if own < 0.2 else False if own < 0.3 else None)
    if own < 0.3:
        plan.features.add("subgraph with its own checkpointer" if own < 0.2 else "subgraph without checkpointer")
    if rng.random() < 0.25:
        plan.features.add("subgraph called by a function")
        times = rng.choice([1, 1, 2])

        def call(state: Any) -> Any:
            for _ in range(times):
                result = compiled.invoke({"log": [], "flag": "in"})
            return {"log": [len(result.get("log", []))]}

        return call
    return compiled


# --- edges -------------------------------------------------------------------------------------------------------


def _connect(builder: StateGraph, rng: random.Random, plan: Plan) -> None:
    names = plan.order
    entries = rng.sample(names[:3], rng.choice([1, 1, min(2, len(names[:3]))]))
    for name in entries:
        builder.add_edge(START, name)
    for position, name in enumerate(names):
        later = names[position + 1 :]
        kind = rng.choices(["edge", "fan", "router", "loop", "send", "bad router", "end"], [34, 16, 14, 10, 10, 6, 10])[
            0
        ]
        if kind == "loop":
            plan.features.add("loop")
            builder.add_conditional_edges(name, _loop(rng.choice(names[: position + 1]), rng.randint(1, 3), later[:1]))
        elif not later or kind == "end":
            builder.add_edge(name, END)
        elif kind in ("edge", "fan"):
            targets = rng.sample(later, min(len(later), 1 if kind == "edge" else rng.randint(2, 3)))
            if len(targets) > 1:
                plan.features.add("parallel")
            for target in targets:
                builder.add_edge(name, target)
        elif kind == "router":
            plan.features.add("router")
            chosen = rng.sample(later, min(len(later), rng.randint(1, 2)))
            builder.add_conditional_edges(name, _always(chosen), later)
        elif kind == "send":
            plan.features.add("Send")
            sends = [(rng.choice(later), {"log": [some_value(rng)], "flag": f"s{i}"}) for i in range(rng.randint(1, 4))]
            builder.add_conditional_edges(name, _sending(sends), later)
        else:
            plan.features.add("router error")
            phases = frozenset(phase for phase in range(PHASES) if rng.random() < 0.5)
            builder.add_conditional_edges(name, _raising(phases, later[0]), later)
    for _ in range(rng.choice([0, 0, 1, 1, 2])):
        if len(names) > 2:
            end = rng.randint(2, len(names) - 1)
            plan.features.add("join")
            builder.add_edge(rng.sample(names[:end], 2), names[end])


def _always(targets: list[str]) -> Callable[[Any], list[str]]:
    return lambda state: targets


def _loop(back: str, times: int, onwards: list[str]) -> Callable[[Any], Any]:
    return lambda state: back if state.get("count", 0) < times * 2 else onwards or END


def _sending(sends: list[tuple[str, Any]]) -> Callable[[Any], list[Send]]:
    return lambda state: [Send(name, argument) for name, argument in sends]


def _raising(phases: frozenset[int], target: str) -> Callable[..., Any]:
    def route(state: Any, config: RunnableConfig) -> str:
        if config["configurable"].get("phase", 0) in phases:
            raise LookupError("no route")
        return target

    return route


# --- functional --------------------------------------------------------------------------------------------------


def _functional(rng: random.Random, plan: Plan, saver: Any) -> Any:
    nodes = [_node(rng, plan, f"t{i}") for i in range(rng.randint(1, 4))]
    parallel = rng.random() < 0.4
    functions = []
    for node in nodes:

        def run(value: Any, phase: int, node: Node = node) -> Any:
            return _function(node)(value, {"configurable": {"phase": phase}})

        run.__name__ = f"task_{node.name}"
        functions.append(task(run))

    def workflow(value: Any, config: RunnableConfig, *, previous: Any = None) -> Any:
        phase = config["configurable"].get("phase", 0)
        if parallel:
            results = [future.result() for future in [function(value, phase) for function in functions]]
        else:
            results = [function(value, phase).result() for function in functions]
        if asks:
            results.append(interrupt("sure?"))
        result = {"results": len(results), "had": previous is not None}
        return entrypoint.final(value=result, save=results) if saves else result

    asks, saves = rng.random() < 0.3, rng.random() < 0.4
    if asks:
        plan.features.add("interrupt")
    return entrypoint(checkpointer=saver)(workflow)

"""Which graphs are driven by LangGraph's plain loop, and that both ways tell the same."""

from __future__ import annotations

import asyncio
import functools
import re
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.func import entrypoint, task
from langgraph.graph import START, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.store.memory import InMemoryStore
from langgraph.types import CachePolicy, RetryPolicy
from typing_extensions import TypedDict

from backends.worker.driving import Awaited, Plain, waits
from backends.worker.hearing import Task, TaskEnd
from backends.worker.loop import Loop


class State(TypedDict, total=False):
    log: str
    messages: list[Any]


def plain(state: State) -> State:
    return {"log": "plain"}


async def awaited(state: State) -> State:
    return {"log": "awaited"}


class Called:
    def __call__(self, state: State) -> State:
        return {"log": "called"}


class Coroutine:
    async def __call__(self, state: State) -> State:
        return {"log": "called"}


def graph(node: Any, route: Any = None, **how: Any) -> Any:
    builder = StateGraph(State)
    builder.add_node("node", node, retry_policy=RetryPolicy(), cache_policy=CachePolicy())
    builder.add_edge(START, "node")
    if route is not None:
        builder.add_conditional_edges("node", route)
    return builder.compile(**how)


def calls(inner: Any) -> Callable[[State], State]:
    return lambda state: inner.invoke(state)


@tool
def look(what: str) -> str:
    """Look something up."""
    return what


def to_the_end(state: State) -> str:
    return "__end__"


async def in_the_end(state: State) -> str:
    return "__end__"


def with_async_saver() -> Any:
    async def made() -> Any:
        return graph(plain, checkpointer=AsyncSqliteSaver(None))  # type: ignore[arg-type]

    return asyncio.run(made())


def itself() -> Any:
    """A graph whose node calls the graph."""
    found: list[Any] = []
    found.append(graph(lambda state: found[0].invoke(state)))
    return found[0]


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (lambda: graph(plain), False),
        (lambda: graph(plain, to_the_end), False),
        (lambda: graph(Called()), False),
        (lambda: graph(functools.partial(plain)), False),
        (lambda: graph(graph(plain)), False),
        (lambda: graph(calls(graph(plain))), False),
        (lambda: graph(plain, store=InMemoryStore(), checkpointer=InMemorySaver()), False),
        (lambda: graph(graph(plain, checkpointer=SqliteSaver(None))), False),  # type: ignore[arg-type]
        (lambda: entrypoint()(plain), False),
        (itself, False),
        (lambda: graph(awaited), True),
        (lambda: graph(Coroutine()), True),
        (lambda: graph(plain, in_the_end), True),
        (lambda: graph(RunnableLambda(plain)), True),
        (lambda: graph(RunnableLambda(awaited)), True),
        (lambda: graph(ToolNode([look])), True),
        (lambda: graph(graph(awaited)), True),
        (lambda: graph(calls(graph(awaited))), True),
        (lambda: graph(with_async_saver()), True),
        (lambda: entrypoint()(awaited), True),
    ],
)
def test_what_is_awaited(made: Callable[[], Any], expected: bool) -> None:
    assert waits(made()) is expected


def test_one_asynchronous_task_is_enough() -> None:
    plainly = entrypoint()(plain)
    assert not waits(plainly)
    one = task(awaited)
    assert waits(plainly)
    del one
    assert not waits(plainly)


@pytest.mark.parametrize("way", ["plain", "awaited"])
def test_both_ways_tell_what_happens_at_every_depth(way: str) -> None:
    told: list[tuple[str, str]] = []

    class Notes:
        def announced(self, task: Task) -> None:
            self.note(task.ns, f"announced {task.name}")

        def ended(self, task: Task, end: TaskEnd) -> None:
            self.note(task.ns, f"ended {task.name}")

        def described(self, ns: str, *place: Any) -> None:
            self.note(ns, "described")

        def custom(self, ns: str, value: str) -> None:
            self.note(ns, value)

        def note(self, ns: str, said: str) -> None:
            told.append((re.sub(r":[^|]*", "", ns), said))

    def tells(state: State, runtime: Any) -> State:
        runtime.stream_writer("half")
        return {"log": "told"}

    from langgraph.runtime import Runtime

    tells.__annotations__["runtime"] = Runtime
    made = graph(graph(tells), store=InMemoryStore())
    made.checkpointer = InMemorySaver()
    config = {"configurable": {"thread_id": "t"}}
    with Loop(lambda: True) as loop:
        drive = Plain() if way == "plain" else Awaited(loop)
        drive.stream(made, {"log": ""}, config, Notes(), {"durability": "sync", "control": None, "unheard_of": 1})
        assert drive.state(made, config).values == {"log": "told"}
        drive.update(made, config, {"log": "edited"}, "node")
        assert drive.state(made, config).values == {"log": "edited"}
    assert [each for each in told if each[1] != "described"] == [
        ("", "announced node"),
        ("node", "announced node"),
        ("node", "half"),
        ("node", "ended node"),
        ("", "ended node"),
    ]
    assert told.count(("", "described")) == 3
    assert told.count(("node", "described")) == 3

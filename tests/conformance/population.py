"""Threads of every shape, made by real graphs."""

from __future__ import annotations

import operator
from typing import Annotated, Any, TypedDict

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command, Send, interrupt

Saver = BaseCheckpointSaver[Any]
Graph = CompiledStateGraph[Any, Any, Any, Any]


class State(TypedDict, total=False):
    """State of all the graphs here."""

    n: int
    log: Annotated[list[str], operator.add]
    messages: Annotated[list[AnyMessage], add_messages]
    nothing: None


def config(thread_id: str, **more: Any) -> Any:
    """What names a thread to LangGraph."""
    return {"configurable": {"thread_id": thread_id, **more}, "metadata": {"tenant": "t1"}}


def loop(saver: Saver) -> Graph:
    """Counts to three, with messages."""

    def work(state: State) -> State:
        n = state.get("n", 0) + 1
        return {"n": n, "log": [f"work {n}"], "messages": [AIMessage(f"did {n} ✓")], "nothing": None}

    builder = StateGraph(State)
    builder.add_node("work", work)
    builder.add_edge(START, "work")
    builder.add_conditional_edges("work", lambda state: "work" if state["n"] < 3 else END)
    return builder.compile(checkpointer=saver)


def nested(saver: Saver) -> Graph:
    """A subgraph in a subgraph, which asks; the outer head is older than the inner one."""

    def ask(_: State) -> State:
        return {"log": [f"answered {interrupt('Go on?')}"]}

    inner = StateGraph(State)
    inner.add_node("before", lambda _: {"log": ["before"]})
    inner.add_node("ask", ask)
    inner.add_edge(START, "before")
    inner.add_edge("before", "ask")
    middle = StateGraph(State)
    middle.add_node("inner", inner.compile())
    middle.add_edge(START, "inner")
    outer = StateGraph(State)
    outer.add_node("middle", middle.compile())
    outer.add_node("after", lambda _: {"log": ["after"]})
    outer.add_edge(START, "middle")
    outer.add_edge("middle", "after")
    return outer.compile(checkpointer=saver)


def fan_out(saver: Saver) -> Graph:
    """Three Sends at once, one of which fails."""

    def one(state: State) -> State:
        if state["n"] == 2:
            raise ValueError("not two")
        return {"log": [f"one {state['n']}"]}

    builder = StateGraph(State)
    builder.add_node("one", one)
    builder.add_conditional_edges(START, lambda _: [Send("one", {"n": n}) for n in (1, 2, 3)])
    return builder.compile(checkpointer=saver)


def functional(saver: Saver) -> Any:
    """Two tasks of the functional API, then a question."""

    @task
    def double(n: int) -> int:
        return 2 * n

    @entrypoint(checkpointer=saver)
    def flow(n: int) -> int:
        results = [double(k).result() for k in range(n)]
        return sum(results) + int(interrupt("How many more?"))

    return flow


def populate(saver: Saver) -> None:
    """Make a store with threads that are done, waiting, failed, forked, updated, answered and nested."""
    counting = loop(saver)
    counting.invoke({"messages": [HumanMessage("hello")]}, config("done"))
    for n in range(3):
        counting.invoke({"n": 0, "log": [str(n)]}, config("again"))
    counting.invoke({"n": 1}, config("forked"))
    history = list(counting.get_state_history(config("forked")))
    counting.invoke(None, history[1].config)
    counting.update_state(history[2].config, {"n": 40}, as_node="work")
    counting.invoke({"n": 2}, config("exit"), durability="exit")
    for thread_id in ("asking", "answered"):
        nested(saver).invoke({"n": 1}, config(thread_id))
    nested(saver).invoke(Command(resume="yes"), config("answered"))
    for durability in ("sync", "exit"):
        try:
            fan_out(saver).invoke({"n": 0}, config(f"failed {durability}"), durability=durability)
        except ValueError:
            continue
    functional(saver).invoke(3, config("functional"))

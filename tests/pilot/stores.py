"""Small real stores for the screens, written by LangGraph itself."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import TypedDict

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt


class State(TypedDict, total=False):
    amount: int
    verdict: str


def _graph(fail: bool) -> StateGraph:
    def load(state: State) -> State:
        if fail:
            raise ConnectionError("refused")
        return {"amount": state["amount"] + 1}

    def review(state: State) -> State:
        return {"verdict": interrupt(f"Approve {state['amount']} €?")}

    builder = StateGraph(State)
    builder.add_node("load", load)
    builder.add_node("review", review)
    builder.add_edge(START, "load")
    builder.add_conditional_edges("load", lambda state: "review" if state["amount"] > 100 else END)
    builder.add_edge("review", END)
    return builder


def add_thread(path: Path, thread_id: str, amount: int = 1, *, fail: bool = False, stop: bool = False) -> None:
    """Run a graph once: done, or waiting above 100, failed with `fail`, stalled with `stop` (stopped after a step)."""
    config = {"configurable": {"thread_id": thread_id}, "metadata": {"tenant": f"t{amount % 3}"}}
    with closing(sqlite3.connect(path, check_same_thread=False)) as connection, suppress(ConnectionError):
        saver = SqliteSaver(connection)
        graph = _graph(fail).compile(checkpointer=saver, interrupt_after=["load"] if stop else None)
        graph.invoke({"amount": amount}, config)


def make_store(path: Path) -> Path:
    """A store with a thread of every kind."""
    for number in range(8):
        add_thread(path, f"doc-{number:04d}", number)
    add_thread(path, "loan-0042", 12_000)
    add_thread(path, "loan-0043", 500)
    add_thread(path, "etl-2026-11-20", 1, fail=True)
    add_thread(path, "0b7e9c1a-51d2-4d0f-9c3e-7a1f6f3a9d21", 200, stop=True)
    return path

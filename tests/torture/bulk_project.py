"""The graph of many threads: three steps, the second of which is where its first process dies.

Stands alone, as a user's file does. The state names a folder with a file ``notes`` to which each step appends a line
``NODE THREAD`` when it has done its work; ``hold`` there makes the second step wait for ever, and ``mended`` lets
threads pass that fail on purpose.
"""

import asyncio
import operator
import os
from typing import Annotated, Any, TypedDict

from langchain_core.runnables import RunnableConfig
from langgraph.graph import START, StateGraph


class State(TypedDict, total=False):
    folder: str
    fails: bool
    log: Annotated[list[str], operator.add]


def note(state: State, config: RunnableConfig, node: str) -> State:
    """Write a line that no death can tear or take back."""
    descriptor = os.open(os.path.join(state["folder"], "notes"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, f"{node} {config['configurable']['thread_id']}\n".encode())
    os.close(descriptor)
    return {"log": [node]}


def is_there(state: State, name: str) -> bool:
    return os.path.exists(os.path.join(state["folder"], name))


def first(state: State, config: RunnableConfig) -> State:
    return note(state, config, "first")


async def work(state: State, config: RunnableConfig) -> State:
    if is_there(state, "hold"):
        note(state, config, "held")
        await asyncio.Event().wait()
    if state["fails"] and not is_there(state, "mended"):
        raise RuntimeError("on purpose")
    return note(state, config, "work")


def last(state: State, config: RunnableConfig) -> State:
    return note(state, config, "last")


def three() -> Any:
    """First, work, last."""
    builder = StateGraph(State)
    builder.add_sequence([("first", first), ("work", work), ("last", last)])
    builder.add_edge(START, "first")
    return builder


graph = three()

"""A project with a graph, and threads of it in every state, for tests that control them from the screens."""

from __future__ import annotations

import importlib.util
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver

Place = TypeVar("Place", Path, str)

SOURCE = '''
"""Two people are asked at once; before that, a node fails while there is a file ``broken`` beside this one."""

import operator
import time
from pathlib import Path
from typing import Annotated, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt
from pydantic import BaseModel, Field

HERE = Path(__file__).parent


class Decision(BaseModel):
    approved: bool = Field(description="May the money be spent?")
    comment: str = ""


class Request(TypedDict):
    purpose: str
    amount: int


class State(Request, total=False):
    log: Annotated[list[str], operator.add]
    verdicts: Annotated[dict, operator.or_]
    outcome: str


def load(state: State) -> dict:
    if (HERE / "broken").exists():
        raise ConnectionError("refused")
    return {"log": ["loaded"]}


def hold(state: State) -> dict:
    while (HERE / "held").exists():
        time.sleep(0.02)
    return {"log": ["held"]}


def finance(state: State) -> dict:
    said = interrupt({"question": f"Does the budget allow {state['amount']} €?"}, response_schema=Decision)
    return {"verdicts": {"finance": said.approved}}


def legal(state: State) -> dict:
    said = interrupt({"question": f"Is {state['purpose']} in order?"}, response_schema=Decision)
    return {"verdicts": {"legal": said.approved}}


def decide(state: State) -> dict:
    return {"outcome": "approved" if all(state["verdicts"].values()) else "refused", "log": ["decided"]}


builder = StateGraph(State, input_schema=Request)
for node in (load, hold, finance, legal, decide):
    builder.add_node(node)
builder.add_edge(START, "load")
builder.add_edge("load", "hold")
builder.add_edge("hold", "finance")
builder.add_edge("hold", "legal")
builder.add_edge(["finance", "legal"], "decide")
builder.add_edge("decide", END)
graph = builder.compile(name="spending")


def note(state: State) -> dict:
    return {"log": ["noted"]}


other = StateGraph(State).add_node(note).add_edge(START, "note").compile(name="notes")
'''

DONE, WAITING, FAILED = "team-dinner", "fair-stand", "new-server"
"""Threads of the store."""


def make_project(folder: Path) -> Path:
    """Write the project."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "spending.py").write_text(SOURCE)
    graphs = {"spending": "./spending.py:graph", "notes": "./spending.py:other"}
    (folder / "langgraph.json").write_text(json.dumps({"dependencies": ["."], "graphs": graphs}))
    return folder


def module_of(project: Path) -> ModuleType:
    """The project's module, as its application would import it."""
    spec = importlib.util.spec_from_file_location("spending", project / "spending.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def opened_graph(project: Path, store: Path | str) -> Iterator[Any]:
    """The compiled graph on the store, an SQLite file or the URL of a PostgreSQL database."""
    builder = module_of(project).builder
    if isinstance(store, str):
        with PostgresSaver.from_conn_string(store) as saver:
            yield builder.compile(checkpointer=saver)
        return
    with closing(sqlite3.connect(store, check_same_thread=False)) as connection:
        yield builder.compile(checkpointer=SqliteSaver(connection))


def config(thread_id: str, **more: object) -> dict[str, Any]:
    return {"configurable": {"thread_id": thread_id, **more}}


def make_threads(project: Path, store: Place) -> Place:
    """Run the graph: one thread done, one that waits for two answers, one that failed."""
    from langgraph.types import Command

    with opened_graph(project, store) as graph:
        graph.invoke({"purpose": "a dinner", "amount": 80}, config(DONE))
        asked = graph.get_state(config(DONE)).interrupts
        graph.invoke(Command(resume={one.id: {"approved": True} for one in asked}), config(DONE))
        (project / "broken").touch()
        with suppress(ConnectionError):
            graph.invoke({"purpose": "a server", "amount": 900}, config(FAILED))
        (project / "broken").unlink()
        graph.invoke({"purpose": "a stand", "amount": 12_000}, config(WAITING))
    return store


def state_of(project: Path, store: Path | str, thread_id: str) -> Any:
    """What LangGraph says about a thread."""
    with opened_graph(project, store) as graph:
        return graph.get_state(config(thread_id))

"""A store that an application writes, the graphs that it runs, and plans on its threads."""

from __future__ import annotations

import operator
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypedDict

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt

from backends.address import parse_address
from backends.control.gate import Gate
from backends.control.plan import Intent, Plan
from backends.control.planning import make_plan
from backends.graphs.drawing import Drawing
from backends.reader import Reader
from backends.runs.spec import GraphRef
from backends.store import open_store
from backends.worker.drawing import draw

REF = GraphRef("./graph.py:graph", "/nowhere", "graph")
T: Any = {"configurable": {"thread_id": "t"}}


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]
    x: int


@dataclass
class Rig:
    """A store that an application writes, and plans on it.

    Attributes:
        saver: The application's saver.
        path: The file.
        reader: Ours.
        drawing: How the graph looks that plans know; ``None`` where it is not known.
    """

    saver: SqliteSaver
    path: Path
    reader: Reader
    drawing: Drawing | None = None

    @property
    def gate(self) -> Gate:
        return Gate(parse_address(str(self.path), {}))

    def compile(self, builder: StateGraph[Any], **options: Any) -> Any:
        graph = builder.compile(checkpointer=self.saver, **options)
        self.drawing = draw(graph, "graph")
        return graph

    def plan(self, verb: str, thread_id: str = "t", **more: Any) -> Plan:
        known = {name: more.pop(name) for name in ("holder", "graph_problem", "gate") if name in more}
        given: dict[str, Any] = {"gate": self.gate, **known}
        return make_plan(self.reader, Intent(verb, thread_id, **more), REF, self.drawing, **given)

    def question(self) -> str:
        (one,) = self.reader.analyse_heads([self.reader.head("t")])["t"].interrupts
        return one.id


@contextmanager
def opened(path: Path) -> Iterator[Rig]:
    """A new store."""
    with closing(sqlite3.connect(path, check_same_thread=False)) as connection:
        saver = SqliteSaver(connection)
        saver.setup()
        with closing(open_store(str(path))) as store:
            yield Rig(saver, path, Reader(store))


def say(name: str) -> Callable[[State], State]:
    def node(state: State) -> State:
        return {"log": [name]}

    return node


def fan(**nodes: Callable[[State], Any]) -> StateGraph[Any]:
    """``first``, then the given nodes side by side, then ``last`` after all of them."""
    builder = StateGraph(State).add_node("first", say("first")).add_node("last", say("last"))
    builder.add_edge(START, "first")
    for name, node in nodes.items():
        builder.add_node(name, node).add_edge("first", name)
    return builder.add_edge([*nodes], "last").add_edge("last", END)


def ask(state: State) -> State:
    return {"log": [interrupt("first?"), interrupt("second?")]}


def fail(state: State) -> State:
    raise ConnectionError("refused")


def ask_then_fail(state: State) -> State:
    raise ConnectionError(interrupt("?"))

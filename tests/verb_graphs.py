"""Graphs that the verbs are tried on; imported by the test's own calls of LangGraph and by the child alike."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

from langchain_core.messages import AnyMessage
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import Command, Send, interrupt
from pydantic import BaseModel
from typing_extensions import TypedDict


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Point:
    x: int
    y: int


class Order(BaseModel):
    number: int
    colour: Colour = Colour.RED


class Decision(BaseModel):
    approved: bool


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]
    messages: Annotated[list[AnyMessage], add_messages]
    order: Order
    point: Point
    gate: str
    note: str


def passing(name: str) -> Any:
    """A node that writes its name."""
    return lambda state: {"log": [name]}


def gated(state: State) -> State:
    """Fails until a file is there."""
    if not Path(state["gate"]).exists():
        raise ValueError("the gate is shut")
    return {"log": ["gated"], "order": Order(number=8, colour=Colour.BLUE)}


def steps_builder() -> StateGraph[Any]:
    """first -> gated and beside -> last"""
    builder = StateGraph(State)
    builder.add_node("first", lambda state: {"log": ["first"], "point": Point(1, 2), "order": Order(number=7)})
    builder.add_node("gated", gated)
    builder.add_node("beside", passing("beside"))
    builder.add_node("last", passing("last"))
    builder.add_edge(START, "first")
    builder.add_edge("first", "gated")
    builder.add_edge("first", "beside")
    builder.add_edge(["gated", "beside"], "last")
    builder.add_edge("last", END)
    return builder


steps = steps_builder().compile()
paused = steps_builder().compile(interrupt_before=["last"], interrupt_after=["first"])


def asking(name: str, count: int = 1) -> Any:
    """A node that asks so many questions, one after the other."""

    def node(state: State) -> State:
        answers = [interrupt({"ask": name, "number": n}) for n in range(count)]
        return {"log": [f"{name}:{answers}"]}

    return node


def deciding(state: State) -> State:
    """Asks with a schema."""
    return {"log": [f"decided:{interrupt('approve?', response_schema=Decision)}"]}


def questions_builder() -> StateGraph[Any]:
    """Questions in parallel, two in a row, inside a subgraph, and with a schema."""
    inner = StateGraph(State)
    inner.add_node("left", asking("left"))
    inner.add_node("right", asking("right"))
    inner.add_node("inside", passing("inside"))
    inner.add_edge(START, "left")
    inner.add_edge(START, "right")
    inner.add_edge(["left", "right"], "inside")
    builder = StateGraph(State)
    builder.add_node("twice", asking("twice", 2))
    builder.add_node("decide", deciding)
    builder.add_node("nested", inner.compile())
    builder.add_node("after", passing("after"))
    for name in ("twice", "decide", "nested"):
        builder.add_edge(START, name)
    builder.add_edge(["twice", "decide", "nested"], "after")
    return builder


questions = questions_builder().compile()


def routed_builder() -> StateGraph[Any]:
    """Sends, a Command that goes somewhere, and a loop."""
    builder = StateGraph(State)
    builder.add_node("fan", passing("fan"))
    builder.add_node("work", lambda state: {"log": [f"work {state['note']}"]})
    builder.add_node("turn", lambda state: Command(update={"log": ["turn"]}, goto="done"), destinations=("done",))
    builder.add_node("done", passing("done"))
    builder.add_edge(START, "fan")
    builder.add_conditional_edges("fan", lambda state: [Send("work", {"note": n}) for n in "abc"], ["work"])
    builder.add_edge("work", "turn")
    return builder


routed = routed_builder().compile()


@task
def double(number: int) -> int:
    return 2 * number


@entrypoint()
def functional(number: int, *, previous: int | None = None) -> int:
    """Two tasks and a question."""
    twice = double(number).result()
    more = interrupt({"double": twice, "before": previous})
    return double(twice + more).result()


def fallible(state: State) -> State:
    """Asks, then fails on one of the answers, then asks again."""
    answer = interrupt("first?")
    if answer == "bad":
        raise ValueError("bad answer")
    return {"log": [f"{answer}, {interrupt('second?')}"]}


def fallible_builder() -> StateGraph[Any]:
    builder = StateGraph(State)
    builder.add_node("fallible", fallible)
    builder.add_edge(START, "fallible")
    return builder


failing_answer = fallible_builder().compile()

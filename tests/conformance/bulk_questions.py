"""A graph that asks one question or several at once, and may fail after it was answered; stands alone."""

import operator
import os
from typing import Annotated, Any, TypedDict

from langgraph.graph import START, StateGraph
from langgraph.types import Send, interrupt


class State(TypedDict, total=False):
    who: list[str]
    schema: dict[str, Any]
    mended: str
    said: Annotated[list[str], operator.add]


def ask(state: State) -> State:
    answer = interrupt(f"{state['who']}?", response_schema=state["schema"] or None)
    if state["mended"] and not os.path.exists(state["mended"]):
        raise RuntimeError("on purpose")
    return {"said": [f"{state['who']}: {answer}"]}


def after(state: State) -> State:
    return {"said": ["after"]}


def _each(state: State) -> Any:
    return [Send("ask", {**state, "who": who}) for who in state["who"]] or "after"


builder = StateGraph(State)
builder.add_node("ask", ask)
builder.add_node("after", after)
builder.add_conditional_edges(START, _each, ["ask", "after"])
builder.add_edge("ask", "after")
graph = builder

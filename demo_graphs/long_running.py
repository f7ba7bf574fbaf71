"""A loop over what is left to do: minutes long at stage speed, and never further back than one item.

    take ──> finish
     ^ └─ more

Watch ``left`` shrink and ``done`` grow by one a step; kill the run anywhere, resume it, and it goes on with the item
that it was at.
"""

from __future__ import annotations

import operator
from typing import Annotated, Literal, TypedDict

from langgraph.graph import END, START, StateGraph

from demo_graphs.ledger import begin, effect


class Batch(TypedDict):
    """What is asked for.

    Attributes:
        left: Items that are still to be done.
        pace: Seconds that an item takes.
    """

    left: list[str]
    pace: float


class BatchState(Batch, total=False):
    """The batch and what has been done of it."""

    done: Annotated[list[str], operator.add]
    outcome: str


def take(state: BatchState) -> dict[str, object]:
    """Do one item."""
    begin(state["pace"])
    item, *left = state["left"]
    effect(f"did {item}")
    return {"left": left, "done": [item]}


def finish(state: BatchState) -> dict[str, object]:
    """Count."""
    begin(state["pace"])
    return {"outcome": f"{len(state['done'])} items"}


def more(state: BatchState) -> Literal["take", "finish"]:
    """Go round while anything is left."""
    return "take" if state["left"] else "finish"


builder = StateGraph(BatchState, input_schema=Batch)
builder.add_node(take)
builder.add_node(finish)
builder.add_edge(START, "take")
builder.add_conditional_edges("take", more)
builder.add_edge("finish", END)

graph = builder.compile(name="long_running")

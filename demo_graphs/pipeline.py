"""Three steps in a row, each adding to the progress: the plainest thing that can be resumed.

    fetch ──> transform ──> load

Watch ``progress`` in the *Diff* from step to step. Name a step in ``down`` and what it depends on is unreachable: it
raises, the thread is *failed*, and what the steps before it did is still in the store.
"""

from __future__ import annotations

import operator
from typing import Annotated, TypedDict

from langgraph.graph import END, START, StateGraph

from demo_graphs.ledger import begin, effect


class Job(TypedDict):
    """What is asked for.

    Attributes:
        rows: Rows to move.
        pace: Seconds that each step takes.
        down: Steps whose outside world is not there.
    """

    rows: int
    pace: float
    down: list[str]


class PipelineState(Job, total=False):
    """The job and how far it has come."""

    progress: int
    moved: int
    log: Annotated[list[str], operator.add]


def fetch(state: PipelineState) -> dict[str, object]:
    """Read the rows from where they are."""
    _reach("fetch", "orders.example", state)
    return {"progress": 33, "log": [f"fetched {state['rows']} rows"]}


def transform(state: PipelineState) -> dict[str, object]:
    """Drop every tenth row, as a duplicate."""
    _reach("transform", "currency.example", state)
    kept = state["rows"] - state["rows"] // 10
    return {"progress": 66, "moved": kept, "log": [f"kept {kept} rows"]}


def load(state: PipelineState) -> dict[str, object]:
    """Write the rows to where they belong."""
    _reach("load", "warehouse.example", state)
    return {"progress": 100, "log": [f"loaded {state['moved']} rows"]}


def _reach(step: str, host: str, state: PipelineState) -> None:
    begin(state["pace"])
    if step in state["down"]:
        raise ConnectionError(f"{host} refused the connection")
    effect(f"{step} reached {host}")


builder = StateGraph(PipelineState, input_schema=Job)
builder.add_node(fetch)
builder.add_node(transform)
builder.add_node(load)
builder.add_edge(START, "fetch")
builder.add_edge("fetch", "transform")
builder.add_edge("transform", "load")
builder.add_edge("load", END)

graph = builder.compile(name="pipeline")

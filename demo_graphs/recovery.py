"""An error is not raised but written into the state, where the graph itself decides: try again, or give up.

    check ──> attempt ──> settle
      │        ^   └──> give_up       (too many errors)
      │        └─ again
      └──> reject                     (the state is not valid)

Watch ``errors`` grow in the *Diff* from step to step: unlike a retry policy's, every attempt is a checkpoint of its
own, so that a killed run goes on with the attempt that it was at.
"""

from __future__ import annotations

import operator
from typing import Annotated, Literal, TypedDict

from langgraph.graph import END, START, StateGraph

from demo_graphs.ledger import begin, effect


class Transfer(TypedDict):
    """What is asked for.

    Attributes:
        amount: Euros; not valid below one.
        failures: Attempts that fail.
        limit: Errors after which it is given up.
        pace: Seconds that each step takes.
    """

    amount: int
    failures: int
    limit: int
    pace: float


class TransferState(Transfer, total=False):
    """The transfer, its errors so far and its outcome."""

    errors: Annotated[list[str], operator.add]
    booked: bool
    outcome: str


def check(state: TransferState) -> dict[str, object]:
    """Look whether the state makes sense before anything is done with it."""
    begin(state["pace"])
    return {"errors": [] if state["amount"] > 0 else [f"{state['amount']} € cannot be transferred"]}


def attempt(state: TransferState) -> dict[str, object]:
    """Try to book; what goes wrong is kept, not raised."""
    begin(state["pace"])
    try:
        return {"booked": _book(state)}
    except ConnectionError as error:
        return {"errors": [str(error)]}


def settle(state: TransferState) -> dict[str, object]:
    """Close the books."""
    begin(state["pace"])
    effect("settled")
    return {"outcome": f"booked after {len(state['errors'])} errors"}


def give_up(state: TransferState) -> dict[str, object]:
    """Tell a person."""
    begin(state["pace"])
    effect("told a person")
    return {"outcome": f"given up after {len(state['errors'])} errors: {state['errors'][-1]}"}


def reject(state: TransferState) -> dict[str, object]:
    """Refuse what cannot be right."""
    begin(state["pace"])
    return {"outcome": f"rejected: {state['errors'][-1]}"}


def valid(state: TransferState) -> Literal["attempt", "reject"]:
    """Choose the route after ``check``."""
    return "reject" if state["errors"] else "attempt"


def again(state: TransferState) -> Literal["attempt", "settle", "give_up"]:
    """Choose the route after ``attempt``."""
    if state.get("booked"):
        return "settle"
    return "give_up" if len(state["errors"]) >= state["limit"] else "attempt"


def _book(state: TransferState) -> bool:
    if len(state["errors"]) < state["failures"]:
        raise ConnectionError(f"bank.example hung up ({len(state['errors']) + 1})")
    effect(f"booked {state['amount']} €")
    return True


builder = StateGraph(TransferState, input_schema=Transfer)
for node in (check, attempt, settle, give_up, reject):
    builder.add_node(node)
builder.add_edge(START, "check")
builder.add_conditional_edges("check", valid)
builder.add_conditional_edges("attempt", again)
for last in ("settle", "give_up", "reject"):
    builder.add_edge(last, END)

graph = builder.compile(name="recovery")

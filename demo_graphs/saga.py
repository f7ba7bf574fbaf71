"""Steps that cannot be rolled back together: when one fails, those before it are compensated, the last one first.

    hotel ──> flight ──> car ──> confirm
      └─────────┴────────┴─────> compensate ──┐      (a step failed)
                                     ^────────┘ one step each time

Watch ``done`` shrink in the *Diff* while ``compensate`` runs once for each step that was done. Every compensation is a
checkpoint of its own: a run that is killed between two of them compensates the rest, and none twice.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Annotated, Any, Literal, TypedDict

from langgraph.graph import END, START, StateGraph

from demo_graphs.ledger import begin, effect_once

STEPS = ("hotel", "flight", "car")


class Journey(TypedDict):
    """What is asked for.

    Attributes:
        journey_id: Names the journey.
        fails_at: The step that cannot be booked; empty when all can.
        pace: Seconds that each step takes.
    """

    journey_id: str
    fails_at: str
    pace: float


class JourneyState(Journey, total=False):
    """The journey, what is booked, and what was taken back.

    Attributes:
        done: Steps that are booked, in their order.
        undone: Steps that were taken back, in the order of taking back.
        error: Why it is taken back.
        outcome: How it ended.
    """

    done: list[str]
    undone: Annotated[list[str], operator.add]
    error: str
    outcome: str


def _booking(step: str) -> Any:
    """Make the node that books a step."""

    def book(state: JourneyState) -> dict[str, object]:
        begin(state["pace"])
        if state["fails_at"] == step:
            return {"error": f"no {step} is free"}
        effect_once(f"booked the {step}", f"{state['journey_id']}/book/{step}")
        return {"done": [*state.get("done", []), step]}

    book.__doc__ = f"Book the {step}."
    return book


def compensate(state: JourneyState) -> dict[str, object]:
    """Take back the step that was booked last."""
    begin(state["pace"])
    *rest, last = state["done"]
    effect_once(f"cancelled the {last}", f"{state['journey_id']}/cancel/{last}")
    return {"done": rest, "undone": [last]} | ({} if rest else {"outcome": f"taken back: {state['error']}"})


def confirm(state: JourneyState) -> dict[str, object]:
    """Send the tickets."""
    begin(state["pace"])
    effect_once("sent the tickets", f"{state['journey_id']}/confirm")
    return {"outcome": "booked"}


def after_booking(follower: str) -> Callable[[JourneyState], str]:
    """Make the router behind a step: on to the next one, or back."""

    def route(state: JourneyState) -> str:
        if not state.get("error"):
            return follower
        return "compensate" if state.get("done") else END

    return route


def more(state: JourneyState) -> Literal["compensate", "__end__"]:
    """Go on taking back while anything is booked."""
    return "compensate" if state["done"] else "__end__"


builder = StateGraph(JourneyState, input_schema=Journey)
for step in STEPS:
    builder.add_node(step, _booking(step))
builder.add_node(confirm)
builder.add_node(compensate)
builder.add_edge(START, STEPS[0])
for step, follower in zip(STEPS, (*STEPS[1:], "confirm"), strict=True):
    builder.add_conditional_edges(step, after_booking(follower), [follower, "compensate", END])
builder.add_edge("confirm", END)
builder.add_conditional_edges("compensate", more)

graph = builder.compile(name="saga")

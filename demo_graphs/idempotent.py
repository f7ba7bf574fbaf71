"""Work that must not be done twice: every charge and letter has a key, and the world outside knows it again.

    reserve ──> charge ──> confirm

Watch the ledger after the process was killed behind ``charge`` and before its checkpoint: the resumed run comes to
``charge`` again, but the card is charged once, because the second charge has the key of the first.
"""

from __future__ import annotations

from typing import TypedDict

from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, StateGraph

from demo_graphs.ledger import begin, effect_once


class Booking(TypedDict):
    """What is asked for.

    Attributes:
        booking_id: Names the booking, and with it every key.
        seats: How many.
        pace: Seconds that each step takes.
    """

    booking_id: str
    seats: int
    pace: float


class BookingState(Booking, total=False):
    """The booking and what has been done for it."""

    reservation: str
    receipt: str
    confirmed: bool


def reserve(state: BookingState, config: RunnableConfig) -> dict[str, object]:
    """Hold the seats."""
    begin(state["pace"])
    key = _key(state, config, "reserve")
    effect_once(f"{state['seats']} seats held", key)
    return {"reservation": key}


def charge(state: BookingState, config: RunnableConfig) -> dict[str, object]:
    """Take the money."""
    begin(state["pace"])
    key = _key(state, config, "charge")
    effect_once(f"{state['seats'] * 20} € charged", key)
    return {"receipt": key}


def confirm(state: BookingState, config: RunnableConfig) -> dict[str, object]:
    """Write to the customer."""
    begin(state["pace"])
    effect_once("letter sent", _key(state, config, "confirm"))
    return {"confirmed": True}


def _key(state: BookingState, config: RunnableConfig, step: str) -> str:
    """The same for every attempt of a step; from the state, never from a clock or a random number."""
    return f"{config['configurable'].get('thread_id')}/{state['booking_id']}/{step}"


builder = StateGraph(BookingState, input_schema=Booking)
builder.add_node(reserve)
builder.add_node(charge)
builder.add_node(confirm)
builder.add_edge(START, "reserve")
builder.add_edge("reserve", "charge")
builder.add_edge("charge", "confirm")
builder.add_edge("confirm", END)

graph = builder.compile(name="idempotent")

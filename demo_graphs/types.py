"""State that is more than strings: models, dataclasses, enums, messages, and a secret.

    receive ──> enrich ──> answer

Watch *State*: every value keeps its type (``‹demo_graphs.types.Order›``) although the viewer never imports this
module, and the secret stays covered. The store itself holds it in clear text, as LangGraph writes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, TypedDict
from uuid import NAMESPACE_URL, UUID, uuid5

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from pydantic import BaseModel, SecretStr

from demo_graphs.ledger import begin, effect


class Priority(Enum):
    """How urgent an order is."""

    NORMAL = "normal"
    EXPRESS = "express"


@dataclass(frozen=True)
class Address:
    """Where an order goes."""

    street: str
    city: str


class Line(BaseModel):
    """One article of an order."""

    article: str
    pieces: int
    price: Decimal


class Order(BaseModel):
    """What a customer wants."""

    number: int
    lines: list[Line]
    wanted_by: date | None = None


class Question(TypedDict):
    """What is asked for.

    Attributes:
        text: What the customer wrote.
        pace: Seconds that each step takes.
    """

    text: str
    pace: float


class OrderState(Question, total=False):
    """An order on its way, every field of another type."""

    order: Order
    ship_to: Address
    priority: Priority
    api_key: SecretStr
    received: datetime
    ticket: UUID
    tags: set[str]
    photo: bytes
    messages: Annotated[list[AnyMessage], add_messages]


def receive(state: OrderState) -> dict[str, object]:
    """Make an order of what the customer wrote."""
    begin(state["pace"])
    effect("took the order")
    return {
        "order": Order(number=7, lines=[Line(article="lamp", pieces=2, price=Decimal("19.90"))]),
        "priority": Priority.NORMAL,
        "received": datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC),
        "ticket": uuid5(NAMESPACE_URL, "https://shop.example/orders/7"),
        "messages": [HumanMessage(state["text"])],
    }


def enrich(state: OrderState) -> dict[str, object]:
    """Look up the customer, with a key that nobody should read over a shoulder."""
    begin(state["pace"])
    effect("looked the customer up")
    call = {"name": "find_customer", "args": {"order": state["order"].number}, "id": "call-1"}
    found = ToolMessage('{"city": "Lyon"}', tool_call_id="call-1", name="find_customer")
    return {
        "ship_to": Address(street="4 rue des Lilas", city="Lyon"),
        "api_key": SecretStr("not-a-real-key"),
        "tags": {"fragile", "gift"},
        "photo": bytes(range(32)),
        "messages": [AIMessage("", tool_calls=[call]), found],
    }


def answer(state: OrderState) -> dict[str, object]:
    """Tell the customer, and hurry."""
    begin(state["pace"])
    effect("told the customer")
    reply = f"Two lamps are on their way to {state['ship_to'].city}."
    return {"priority": Priority.EXPRESS, "messages": [AIMessage(reply)]}


builder = StateGraph(OrderState, input_schema=Question)
builder.add_node(receive)
builder.add_node(enrich)
builder.add_node(answer)
builder.add_edge(START, "receive")
builder.add_edge("receive", "enrich")
builder.add_edge("enrich", "answer")
builder.add_edge("answer", END)

graph = builder.compile(name="types")

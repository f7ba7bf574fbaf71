"""Two people are asked at once before money is spent, and it stops once more before the decision.

             ┌──> finance ──┐
    draft ───┤              ├──‖ decide
             └──> legal ────┘

Watch a thread *waiting* on two questions with different ids, each of which says what an answer must look like.
Answering one leaves the other open: the answered task keeps its answer as a pending write until both are there and the
step can be saved. Then the thread is *paused*: ``decide`` has a static breakpoint, which asks nothing. Look at the
state, change it if need be, and resume.
"""

from __future__ import annotations

from typing import Annotated, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt
from pydantic import BaseModel, Field

from demo_graphs.ledger import begin, effect


class Decision(BaseModel):
    """The answer that both questions want; stored with the question as JSON Schema."""

    approved: bool = Field(description="May the money be spent?")
    comment: str = Field(default="", description="For the person who asked")


class Request(TypedDict):
    """What is asked for.

    Attributes:
        purpose: What the money is for.
        amount: How much, in whole euros.
        pace: Seconds that drafting and deciding take.
    """

    purpose: str
    amount: int
    pace: float


def _merge(old: dict[str, object], new: dict[str, object]) -> dict[str, object]:
    return {**old, **new}


class ApprovalState(Request, total=False):
    """The request and who said what."""

    letter: str
    decisions: Annotated[dict[str, object], _merge]
    outcome: str


def draft(state: ApprovalState) -> dict[str, object]:
    """Write the letter that both will read."""
    begin(state["pace"])
    effect("wrote the letter")
    return {"letter": f"Request for {state['amount']:,} € for {state['purpose']}."}


def finance(state: ApprovalState) -> dict[str, object]:
    """Ask whether the budget allows it."""
    begin(0)
    question = {"question": f"Does the budget allow {state['amount']:,} €?", "letter": state["letter"]}
    answer = interrupt(question, response_schema=Decision)
    effect("finance was asked")
    return {"decisions": {"finance": answer.model_dump()}}


def legal(state: ApprovalState) -> dict[str, object]:
    """Ask whether the contract allows it."""
    begin(0)
    question = {"question": f"Is a contract for {state['purpose']} in order?", "letter": state["letter"]}
    answer = interrupt(question, response_schema=Decision)
    effect("legal was asked")
    return {"decisions": {"legal": answer.model_dump()}}


def decide(state: ApprovalState) -> dict[str, object]:
    """Spend only what both allowed."""
    begin(state["pace"])
    refused = sorted(who for who, said in state["decisions"].items() if not said["approved"])  # type: ignore[index]
    effect("decided")
    return {"outcome": f"refused by {' and '.join(refused)}" if refused else "approved"}


builder = StateGraph(ApprovalState, input_schema=Request)
builder.add_node(draft)
builder.add_node(finance)
builder.add_node(legal)
builder.add_node(decide)
builder.add_edge(START, "draft")
builder.add_edge("draft", "finance")
builder.add_edge("draft", "legal")
builder.add_edge(["finance", "legal"], "decide")
builder.add_edge("decide", END)

graph = builder.compile(name="approval", interrupt_before=["decide"])

"""A coroutine that may take too long: LangGraph cancels it, and the error says which limit it broke.

    ask ──> answer

Watch a thread with ``delay`` beyond the limit of ``ask``: it is *failed* with a ``NodeTimeoutError``. Resuming gives
the node the whole time again; editing ``delay`` first lets it succeed.
"""

from __future__ import annotations

from typing import TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.types import TimeoutPolicy

from demo_graphs.ledger import begin_async, effect

LIMIT = 1.0
"""Seconds that ``ask`` may take."""


class Question(TypedDict):
    """What is asked for.

    Attributes:
        question: The question.
        delay: Seconds that the oracle takes.
        pace: Seconds that the answer takes.
    """

    question: str
    delay: float
    pace: float


class QuestionState(Question, total=False):
    """The question and its answer."""

    oracle: str
    answer: str


async def ask(state: QuestionState) -> dict[str, object]:
    """Wait for the oracle."""
    await begin_async(state["delay"])
    effect("the oracle spoke")
    return {"oracle": "yes"}


async def answer(state: QuestionState) -> dict[str, object]:
    """Pass it on."""
    await begin_async(state["pace"])
    effect("answered")
    return {"answer": f"{state['question']} {state['oracle']}"}


builder = StateGraph(QuestionState, input_schema=Question)
builder.add_node(ask, timeout=TimeoutPolicy(run_timeout=LIMIT))
builder.add_node(answer)
builder.add_edge(START, "ask")
builder.add_edge("ask", "answer")
builder.add_edge("answer", END)

graph = builder.compile(name="timeout")

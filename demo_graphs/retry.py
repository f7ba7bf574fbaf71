"""A service that answers only after some attempts: LangGraph tries again by itself, and gives up after its limit.

    call ──> report

Watch the *Tasks* of a thread whose ``failures`` are more than the policy's three attempts: only the last error is in
the store, the attempts before it left no row. A resumed run begins with a new first attempt.
"""

from __future__ import annotations

from typing import TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import RetryPolicy

from demo_graphs.ledger import begin, effect

ATTEMPTS = 3


class Call(TypedDict):
    """What is asked for.

    Attributes:
        host: Who is called.
        failures: Attempts of one run that the service refuses.
        pace: Seconds that an attempt takes.
    """

    host: str
    failures: int
    pace: float


class CallState(Call, total=False):
    """The call and its answer."""

    attempts: int
    answer: str
    report: str


def call(state: CallState, runtime: Runtime[None]) -> dict[str, object]:
    """Call the service once; the policy calls again."""
    begin(state["pace"])
    attempt = runtime.execution_info.node_attempt if runtime.execution_info else 1
    if attempt <= state["failures"]:
        raise ConnectionError(f"{state['host']} is overloaded (attempt {attempt} of {ATTEMPTS})")
    effect(f"{state['host']} answered")
    return {"attempts": attempt, "answer": "42"}


def report(state: CallState) -> dict[str, object]:
    """Say how it went."""
    begin(state["pace"])
    effect("reported")
    return {"report": f"{state['host']} said {state['answer']} at attempt {state['attempts']}"}


policy = RetryPolicy(initial_interval=0.05, backoff_factor=2, max_attempts=ATTEMPTS, jitter=False)

builder = StateGraph(CallState, input_schema=Call)
builder.add_node(call, retry_policy=policy)
builder.add_node(report)
builder.add_edge(START, "call")
builder.add_edge("call", "report")
builder.add_edge("report", END)

graph = builder.compile(name="retry")

"""A graph inside a graph, which stops to ask: the inner one keeps checkpoints of its own.

    plan ──> research ──> write
                │
                └── search ──> review ──> digest

Watch the namespace ``research:…`` beside the root in *History*: while the question of ``review`` is open, the newest
checkpoint of the thread is in there, and the root still stands before ``research``.
"""

from __future__ import annotations

import operator
from typing import Annotated, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt

from demo_graphs.ledger import begin, effect


class Topic(TypedDict):
    """What is asked for.

    Attributes:
        topic: What to write about.
        pace: Seconds that each step takes.
    """

    topic: str
    pace: float


class ArticleState(Topic, total=False):
    """The article, as both graphs know it."""

    outline: list[str]
    findings: str
    article: str


class ResearchState(Topic, total=False):
    """What only the inner graph knows, beside the topic and its findings."""

    outline: list[str]
    sources: Annotated[list[str], operator.add]
    findings: str


def plan(state: ArticleState) -> dict[str, object]:
    """Decide on the chapters."""
    begin(state["pace"])
    effect("planned")
    return {"outline": [f"What {state['topic']} is", f"Where {state['topic']} helps", "What is left to do"]}


def search(state: ResearchState) -> dict[str, object]:
    """Find one source a chapter."""
    begin(state["pace"])
    effect("searched")
    return {"sources": [f"https://library.example/{number}" for number, _ in enumerate(state["outline"], 1)]}


def review(state: ResearchState) -> dict[str, object]:
    """Ask which of the sources to trust."""
    begin(0)
    trusted = interrupt({"question": "Which sources may be used?", "sources": state["sources"]})
    effect("asked")
    return {"findings": f"{len(trusted)} of {len(state['sources'])} sources hold."}


def digest(state: ResearchState) -> dict[str, object]:
    """Boil the sources down."""
    begin(state["pace"])
    effect("digested")
    return {"findings": f"{state['findings']} They agree on {state['topic']}."}


def write(state: ArticleState) -> dict[str, object]:
    """Write it up."""
    begin(state["pace"])
    effect("wrote")
    return {"article": "\n\n".join([*state["outline"], state["findings"]])}


inner = StateGraph(ResearchState)
inner.add_node(search)
inner.add_node(review)
inner.add_node(digest)
inner.add_edge(START, "search")
inner.add_edge("search", "review")
inner.add_edge("review", "digest")
inner.add_edge("digest", END)

builder = StateGraph(ArticleState, input_schema=Topic)
builder.add_node(plan)
builder.add_node("research", inner.compile(name="research"))
builder.add_node(write)
builder.add_edge(START, "plan")
builder.add_edge("plan", "research")
builder.add_edge("research", "write")
builder.add_edge("write", END)

graph = builder.compile(name="subgraph")

"""Read a document, judge its mood, sum it up; a document that cannot be read takes the error route.

    extract ──> sentiment ──> summary
       └──────> report_error            (nothing readable)

Watch the *State* of a thread grow by one field a step, and compare ``doc-unreadable`` with a thread that failed: an
error that the graph foresees is written into the state and the thread ends as *done*; only an exception that nobody
handles makes it *failed*.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from langchain_core.messages import AIMessage, AnyMessage
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages

from demo_graphs.ledger import begin, effect


class Document(TypedDict):
    """What is asked for.

    Attributes:
        document_id: Name of the document.
        content: Its text.
        pace: Seconds that each step takes.
    """

    document_id: str
    content: str
    pace: float


class DocumentState(Document, total=False):
    """The document and what has been found out about it."""

    text: str
    sentiment: Literal["positive", "neutral", "negative"]
    summary: str
    error: str
    messages: Annotated[list[AnyMessage], add_messages]


GOOD = frozenset({"excellent", "good", "happy", "thanks", "well"})
BAD = frozenset({"angry", "bad", "broken", "late", "refund"})


def extract(state: DocumentState) -> dict[str, object]:
    """Pull the text out; a document without any is reported, not raised."""
    begin(state["pace"])
    text = " ".join(state["content"].split())
    if not text:
        return {"error": "no text on any page", "messages": [AIMessage("There is nothing to read.")]}
    effect(f"read {len(text.split())} words")
    return {"text": text, "messages": [AIMessage(f"Read {len(text.split())} words.")]}


def sentiment(state: DocumentState) -> dict[str, object]:
    """Count kind and unkind words."""
    begin(state["pace"])
    words = {word.strip(".,!?").lower() for word in state["text"].split()}
    balance = len(words & GOOD) - len(words & BAD)
    mood = "positive" if balance > 0 else "negative" if balance < 0 else "neutral"
    effect(f"heard a {mood} mood")
    return {"sentiment": mood, "messages": [AIMessage(f"It sounds {mood}.")]}


def summary(state: DocumentState) -> dict[str, object]:
    """Keep the first sentence."""
    begin(state["pace"])
    first = state["text"].split(". ")[0].rstrip(".")
    effect("summed it up")
    return {"summary": f"{first}.", "messages": [AIMessage(f"In short: {first}.")]}


def report_error(state: DocumentState) -> dict[str, object]:
    """Say what went wrong, for whoever sent the document."""
    begin(state["pace"])
    effect("told the sender")
    return {"messages": [AIMessage(f"{state['document_id']} was not processed: {state['error']}.")]}


def readable(state: DocumentState) -> Literal["sentiment", "report_error"]:
    """Choose the route after ``extract``."""
    return "report_error" if state.get("error") else "sentiment"


builder = StateGraph(DocumentState, input_schema=Document)
builder.add_node(extract)
builder.add_node(sentiment)
builder.add_node(summary)
builder.add_node(report_error)
builder.add_edge(START, "extract")
builder.add_conditional_edges("extract", readable)
builder.add_edge("sentiment", "summary")
builder.add_edge("summary", END)
builder.add_edge("report_error", END)

graph = builder.compile(name="documents")

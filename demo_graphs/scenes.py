"""What the demo plays: runs of the graphs beside this file, as applications would leave them behind."""

from __future__ import annotations

from typing import Any, TypedDict


class Scene(TypedDict, total=False):
    """One run.

    Attributes:
        graph: Module of this package that holds the graph.
        thread: Thread id.
        input: What the graph is given.
        answers: Node to answer, for the questions that it stops at.
        metadata: What the application notes on every checkpoint.
        die_in: Node in which the process is killed.
        cancel_in: Node in which the application cancels the task that runs the graph.
        secret: Whether the application writes it encrypted, with a key that it keeps to itself.
    """

    graph: str
    thread: str
    input: dict[str, Any]
    answers: dict[str, Any]
    metadata: dict[str, str]
    die_in: str
    cancel_in: str
    secret: bool


_LETTER = "Thanks for the good advice. The lamp works well. We are happy."
_COMPLAINT = "The lamp came late and it is broken. We want a refund."


def _document(name: str, content: str, tenant: str, pace: float = 0) -> Scene:
    given = {"document_id": name, "content": content, "pace": pace}
    return {"graph": "documents", "thread": name, "input": given, "metadata": {"tenant": tenant}}


def _pipeline(name: str, rows: int, tenant: str, down: list[str] | None = None, pace: float = 0) -> Scene:
    given = {"rows": rows, "pace": pace, "down": down or []}
    return {"graph": "pipeline", "thread": name, "input": given, "metadata": {"tenant": tenant}}


def _approval(name: str, purpose: str, amount: int, answers: dict[str, Any]) -> Scene:
    given = {"purpose": purpose, "amount": amount, "pace": 0}
    return {"graph": "approval", "thread": name, "input": given, "answers": answers, "metadata": {"tenant": "globex"}}


def _report(name: str, closed: bool, pace: float = 0) -> Scene:
    given = {"pages": ["/news", "/prices", "/people"], "pace": pace, "closed": closed}
    return {"graph": "tasks", "thread": name, "input": given, "metadata": {"tenant": "initech"}}


def _article(name: str, topic: str, answers: dict[str, Any]) -> Scene:
    return {"graph": "subgraph", "thread": name, "input": {"topic": topic, "pace": 0}, "answers": answers}


SETTLED: list[Scene] = [
    _document("doc-payroll", _LETTER, "initech") | {"secret": True},
    _document("doc-letter", _LETTER, "acme"),
    _document("doc-complaint", _COMPLAINT, "acme"),
    _document("doc-unreadable", " ", "initech"),
    _pipeline("orders-monday", 1200, "acme"),
    _pipeline("orders-tuesday", 900, "acme", down=["load"]),
    _pipeline("orders-initech", 40, "initech", down=["fetch"]),
    _approval("fair-stand", "a stand at the fair", 12_000, {}),
    _approval("new-server", "a second server", 4_000, {"finance": {"approved": True}}),
    _approval(
        "team-dinner", "a dinner for the team", 300, {"finance": {"approved": True}, "legal": {"approved": True}}
    ),
    _report("report-spring", closed=False),
    _report("report-summer", closed=True),
    _article("article-solar", "solar power", {}),
    _article("article-tides", "tidal power", {"research": ["https://library.example/1", "https://library.example/3"]}),
    {"graph": "types", "thread": "order-7", "input": {"text": "Two lamps by Friday, please.", "pace": 0}},
    {"graph": "idempotent", "thread": "seats-4", "input": {"booking_id": "b4", "seats": 4, "pace": 0}},
    {"graph": "saga", "thread": "trip-oslo", "input": {"journey_id": "oslo", "fails_at": "car", "pace": 0}},
    {"graph": "recovery", "thread": "transfer-17", "input": {"amount": 50, "failures": 9, "limit": 3, "pace": 0}},
    {"graph": "retry", "thread": "quote-acme", "input": {"host": "quotes.example", "failures": 9, "pace": 0}},
    {"graph": "long_running", "thread": "batch-sunday", "input": {"left": ["north", "east", "south"], "pace": 0}},
]
"""Played one after another to their end, their error, or their first unanswered question."""

AWAITED: list[Scene] = [
    {"graph": "timeout", "thread": "oracle-rain", "input": {"question": "Rain?", "delay": 9.0, "pace": 0}},
    _report("report-autumn", closed=False, pace=0.2) | {"cancel_in": "fetch"},
]
"""Played on an event loop, all at the same time."""

KILLED: list[Scene] = [
    _pipeline("orders-wednesday", 1500, "acme", pace=0.5) | {"die_in": "transform"},
    _document("doc-offer", _LETTER, "globex", pace=0.5) | {"die_in": "sentiment"},
]
"""Played at the same time, in a process that is killed when each of them is inside its node."""

LIVE: list[Scene] = [
    _document("doc-live", _LETTER, "acme", pace=2.0),
    _pipeline("orders-live", 2000, "globex", pace=3.0),
]
"""Played at the same time, again and again, by an application that takes no lock."""

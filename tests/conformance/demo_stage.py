"""A demo graph on a store with its ledger: killed where one wants it, and brought to its end."""

from __future__ import annotations

import asyncio
import copy
import os
import signal
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import patch

from langchain_core.messages import BaseMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from backends.model import StatusName
from backends.reader import Reader
from backends.runs.spec import GraphRef, Verb
from demo_graphs import ledger
from tests.child import DEADLINE, ROOT, Bench, Child

from .places import Place

PACE = 0.3
THREAD = "t"
YES = {"approved": True}
JOURNEY = {"journey_id": "oslo", "fails_at": "car"}
BOOKING = {"booking_id": "b4", "seats": 4}


@dataclass(frozen=True)
class Case:
    """A graph, and where it is killed.

    Attributes:
        input: What it is given; ``pace`` comes on top.
        node: In the middle of which node.
        time: Which beginning of that node.
        answers: Answers by the node that asks.
        again: How often more nodes begin than undisturbed, where that is not the killed node once.
        after: Work that must be in the store before it is killed: number of write rows of the head.
    """

    input: Mapping[str, Any]
    node: str
    time: int = 1
    answers: Mapping[str, Any] = field(default_factory=dict)
    again: Mapping[str, int] | None = None
    after: int = 0


CASES: dict[str, Case] = {
    "documents": Case({"document_id": "d", "content": "Thanks. All well."}, "sentiment"),
    "pipeline": Case({"rows": 10, "down": []}, "transform"),
    "retry": Case({"host": "h", "failures": 2}, "call", 2, again={"call": 2}),
    "recovery": Case({"amount": 50, "failures": 2, "limit": 3}, "attempt", 2),
    "idempotent": Case(BOOKING, "charge"),
    "saga": Case(JOURNEY, "compensate", 2),
    "timeout": Case({"question": "Rain?", "delay": 0.4}, "ask"),
    "long_running": Case({"left": ["north", "east", "south"]}, "take", 2),
    "tasks": Case({"pages": ["/a", "/b"], "closed": False}, "publish", after=2),
    "approval": Case({"purpose": "paint", "amount": 90}, "decide", answers={"finance": YES, "legal": YES}),
    "subgraph": Case({"topic": "tides"}, "search", answers={"review": ["https://library.example/1"]}),
    "types": Case({"text": "Two lamps."}, "enrich"),
}


@dataclass(frozen=True)
class Told:
    """What a run came to.

    Attributes:
        values: The final state.
        begun: How often each node began.
        effects: What they did, in order.
    """

    values: Any
    begun: Counter[str]
    effects: list[tuple[str, str, str | None]]


def cast(graph: str, saver: Any) -> Any:
    found = copy.copy(import_module(f"demo_graphs.{graph}").graph)
    found.checkpointer = saver
    return found


def told(graph: str, saver: Any, book: Path) -> Told:
    entries = ledger.entries(str(book))
    begun = Counter(entry["node"] for entry in entries if entry["kind"] == "begin")
    effects = [(e["node"], e["what"], e.get("key")) for e in entries if e["kind"] == "effect"]
    values = cast(graph, saver).get_state(config()).values
    return Told(plain(values), begun, effects)


def plain(value: Any) -> Any:
    """A state to compare: messages without their ids, which are made by chance."""
    match value:
        case BaseMessage():
            return value.type, value.content, getattr(value, "tool_calls", None)
        case dict():
            return {key: plain(item) for key, item in value.items()}
        case list():
            return [plain(item) for item in value]
    return value


def config() -> Any:
    return {"configurable": {"thread_id": THREAD}}


def undisturbed(graph: str, folder: Path) -> Told:
    """Run it in this process, in memory."""
    case, saver, book = CASES[graph], InMemorySaver(), folder / "undisturbed.jsonl"
    cast_graph = cast(graph, saver)

    async def run() -> None:
        given: Any = {**case.input, "pace": 0}
        for _ in range(4):
            await cast_graph.ainvoke(given, config())
            left = cast_graph.get_state(config(), subgraphs=True)
            if not left.next:
                return
            given = Command(resume=answers(case, left)) if any(task.interrupts for task in left.tasks) else None

    with patch.dict(os.environ, {ledger.PLACE: str(book)}):
        asyncio.run(run())
    found = told(graph, saver, book)
    if "pace" in found.values:
        found.values["pace"] = PACE
    return found


def answers(case: Case, snapshot: Any) -> dict[str, Any]:
    """Answers by interrupt id, at every level."""
    found: dict[str, Any] = {}
    for task in snapshot.tasks:
        if hasattr(task.state, "tasks"):
            found |= answers(case, task.state)
        elif task.name in case.answers:
            found |= {question.id: case.answers[task.name] for question in task.interrupts}
    return found


class Stage:
    """A graph on a store, with its ledger.

    Args:
        place: The store.
        folder: Where records and ledger are.
        graph: Name of the graph.
    """

    def __init__(self, place: Place, folder: Path, graph: str) -> None:
        self.book = folder / "ledger.jsonl"
        ref = GraphRef(
            f"./demo_graphs/{graph}.py:graph", str(ROOT), graph, (str(ROOT),), {ledger.PLACE: str(self.book)}
        )
        self._bench = Bench(folder / "runs", place.address, ref)
        self._place = place
        self._graph = graph
        self._case = CASES[graph]

    @property
    def given(self) -> dict[str, Any]:
        return {**self._case.input, "pace": PACE}

    def until_killed(self) -> None:
        """Run until it is in the middle of the node, however many processes that takes, and kill it there."""
        child = self._bench.begin(Verb.START, THREAD, input=self.given)
        while not self.arrives(child):
            child = self.goes_on()
        child.process.kill()
        assert child.wait().process.returncode == -signal.SIGKILL, child.report()
        assert self.status() is StatusName.STALLED

    def arrives(self, child: Child) -> bool:
        """Wait until it is in the node, or has stopped before."""
        case, deadline = self._case, time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            entries = ledger.entries(str(self.book))
            begun = sum(entry["kind"] == "begin" and entry["node"] == case.node for entry in entries)
            if begun >= case.time and self.rows() >= case.after:
                assert begun == case.time, "it was over before it could be killed"
                return True
            if child.process.poll() is not None:
                assert child.end["outcome"] in ("waiting", "paused"), child.report()
                return False
            time.sleep(0.005)
        raise AssertionError(child.report())

    def rows(self) -> int:
        found = self._place.saver.get_tuple(config()) if self._case.after else None
        return len(found.pending_writes or ()) if found is not None else 0

    def goes_on(self, *faults: str) -> Child:
        """Answer what is asked, or resume."""
        left = cast(self._graph, self._place.saver).get_state(config(), subgraphs=True)
        if asked := answers(self._case, left):
            return self._bench.begin(Verb.ANSWER, THREAD, answers=asked, faults=faults)
        return self._bench.begin(Verb.RESUME, THREAD, faults=faults)

    def to_the_end(self) -> None:
        """Go on, as often as it stops."""
        for _ in range(4):
            child = self.goes_on().wait()
            assert child.end["outcome"] in ("done", "waiting", "paused"), child.report()
            if child.end["outcome"] == "done":
                return
        raise AssertionError(child.report())

    def dies(self, child: Child) -> None:
        """Wait until its fault has killed a run."""
        assert child.wait().process.returncode == -signal.SIGKILL, child.report()

    def starts(self, *faults: str) -> Child:
        return self._bench.begin(Verb.START, THREAD, input=self.given, faults=faults)

    def status(self) -> StatusName:
        with self._place.open() as store:
            reader = Reader(store)
            return reader.analysis(reader.head(THREAD).key).status

    def told(self) -> Told:
        return told(self._graph, self._place.saver, self.book)

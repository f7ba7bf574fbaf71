"""Every demo graph, killed in the middle of a node and resumed, ends as if left alone; its ledger proves what ran."""

from __future__ import annotations

import asyncio
import copy
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from langchain_core.messages import BaseMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import NodeTimeoutError
from langgraph.types import Command

from backends.model import StatusName
from backends.reader import Reader
from backends.runs.spec import GraphRef, Verb
from demo_graphs import ledger
from tests.child import DEADLINE, ROOT, Bench, Child

from .places import Place

STORES = pytest.mark.parametrize("place", ["sqlite", "postgres"], indirect=True)
"""Where SQLite keeps its journal makes no difference to a run."""

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

TYPES = {"order": "Order", "ship_to": "Address", "priority": "Priority", "api_key": "SecretStr", "tags": "set"}
"""Classes of some values in the state of the graph ``types``."""


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
        os.killpg(child.process.pid, signal.SIGKILL)
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

    def dies(self, verb: Callable[[], Child]) -> None:
        """Let a fault strike."""
        child = verb().wait()
        assert child.process.returncode == -signal.SIGKILL, child.report()

    def starts(self, *faults: str) -> Child:
        return self._bench.begin(Verb.START, THREAD, input=self.given, faults=faults)

    def status(self) -> StatusName:
        with self._place.open() as store:
            reader = Reader(store)
            return reader.analysis(reader.head(THREAD).key).status

    def told(self) -> Told:
        return told(self._graph, self._place.saver, self.book)


@STORES
@pytest.mark.parametrize("graph", [name for name in CASES if name != "idempotent"])
def test_killed_in_the_middle_of_a_node_it_ends_as_if_nobody_had(place: Place, tmp_path: Path, graph: str) -> None:
    case, expected, stage = CASES[graph], undisturbed(graph, tmp_path), Stage(place, tmp_path, graph)
    stage.until_killed()
    stage.to_the_end()
    found = stage.told()
    assert found.values == expected.values
    assert found.begun - expected.begun == Counter(case.again or {case.node: 1})
    assert sorted(found.effects, key=str) == sorted(expected.effects, key=str)
    if graph == "saga":
        assert found.effects == expected.effects, "in another order"
    if graph == "types":
        assert {name: type(found.values[name]).__name__ for name in TYPES} == TYPES


@STORES
def test_idempotent_work_is_done_once_wherever_it_is_killed(place: Place, tmp_path: Path) -> None:
    expected, stage = undisturbed("idempotent", tmp_path), Stage(place, tmp_path, "idempotent")
    stage.dies(lambda: stage.starts("after:reserve=kill"))
    for fault in ("written:reserve", "inside:charge+100", "after:charge", "committed:charge", "after:confirm"):
        stage.dies(lambda fault=fault: stage.goes_on(f"{fault}=kill"))  # type: ignore[misc]
    stage.to_the_end()
    found = stage.told()
    assert found.values == expected.values
    assert found.begun == Counter(reserve=2, charge=3, confirm=2)
    assert found.effects == expected.effects


@STORES
def test_a_saga_that_is_killed_behind_a_compensation_compensates_the_last_step_first(
    place: Place, tmp_path: Path
) -> None:
    stage = Stage(place, tmp_path, "saga")
    stage.dies(lambda: stage.starts("after:compensate=kill"))
    stage.to_the_end()
    found = stage.told()
    did = [f"{what}" for _, what, _ in found.effects]
    assert did == ["booked the hotel", "booked the flight", "cancelled the flight", "cancelled the hotel"]
    assert (found.values["done"], found.values["undone"]) == ([], ["flight", "hotel"])
    assert found.begun["compensate"] == 3, "cancelled again, under the same key"


@STORES
def test_retries_are_given_up_at_the_limit(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ledger.PLACE, str(tmp_path / "ledger.jsonl"))
    with pytest.raises(ConnectionError, match="attempt 3 of 3"):
        cast("retry", place.saver).invoke({"host": "h", "failures": 9, "pace": 0}, config())
    stage = Stage(place, tmp_path, "retry")
    assert stage.told().begun == Counter(call=3)
    assert stage.status() is StatusName.FAILED


@STORES
def test_recovery_is_given_up_at_the_limit(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ledger.PLACE, str(tmp_path / "ledger.jsonl"))
    graph = cast("recovery", place.saver)
    done = graph.invoke({"amount": 50, "failures": 9, "limit": 3, "pace": 0}, config())
    assert done["outcome"] == "given up after 3 errors: bank.example hung up (3)"
    assert told("recovery", place.saver, tmp_path / "ledger.jsonl").begun["attempt"] == 3


def test_a_node_that_takes_too_long_fails_and_says_which_limit_it_broke() -> None:
    graph = cast("timeout", InMemorySaver())
    with pytest.raises(NodeTimeoutError, match="ask"):
        asyncio.run(graph.ainvoke({"question": "Rain?", "delay": 9, "pace": 0}, config()))
    assert [task.name for task in graph.get_state(config()).tasks if task.error] == ["ask"]

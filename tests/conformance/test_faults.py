"""Faults that a run injects into itself: what is kept and what is done again is what the ledger and the rows prove."""

from __future__ import annotations

import signal
from collections import Counter
from contextlib import closing
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from backends.faults import How, Point
from backends.reader import Reader
from backends.runs.events import Kind
from backends.runs.spec import GraphRef, Verb
from backends.store import open_store
from demo_graphs import ledger
from tests.child import ROOT, Bench, Child

from .places import Place

STORES = pytest.mark.parametrize("place", ["sqlite", "postgres"], indirect=True)
"""Where SQLite keeps its journal makes no difference to a run."""

GRAPHS: dict[str, tuple[str, dict[str, Any]]] = {
    "pipeline": ("transform", {"rows": 10, "pace": 0.2, "down": []}),
    "tasks": ("publish", {"pages": ["/a", "/b"], "pace": 0.2, "closed": False}),
    "subgraph": ("research/search", {"topic": "tides", "pace": 0.2}),
}
"""Graph -> the node that is struck, and an input. The subgraph's run ends at its question."""

BEGUN = {Point.BEFORE: 1, Point.INSIDE: 2, Point.AFTER: 2, Point.WRITTEN: 1, Point.COMMITTED: 1}
"""How often the struck node has begun when the resumed run is over, with durability sync."""

DONE = {Point.BEFORE: 1, Point.INSIDE: 1, Point.AFTER: 2, Point.WRITTEN: 1, Point.COMMITTED: 1}
"""How often the world outside has seen its effect."""


@pytest.fixture
def book(tmp_path: Path) -> str:
    return str(tmp_path / "ledger.jsonl")


def bench(place: Place, folder: Path, graph: str, book: str) -> Bench:
    ref = GraphRef(f"./demo_graphs/{graph}.py:graph", str(ROOT), graph, (str(ROOT),), {ledger.PLACE: book})
    return Bench(folder / "runs", place.address, ref)


def counted(book: str, kind: str) -> Counter[str]:
    return Counter(entry["node"] for entry in ledger.entries(book) if entry["kind"] == kind)


def values(place: Place) -> dict[str, Any]:
    with closing(open_store(place.address)) as store:
        reader = Reader(store)
        return reader.state(reader.head("t").key)


def fault_of(child: Child) -> dict[str, Any]:
    (struck,) = child.of(Kind.FAULT)
    return struck


@STORES
@pytest.mark.parametrize(("graph", "point"), list(product(GRAPHS, Point)))
def test_a_kill_at_every_point_and_what_is_run_again(
    place: Place, tmp_path: Path, book: str, graph: str, point: Point
) -> None:
    node, given = GRAPHS[graph]
    name = node.rpartition("/")[2]
    lab = bench(place, tmp_path, graph, book)
    spec = f"{point}:{node}{'+100' if point is Point.INSIDE else ''}=kill"
    struck = lab.do(Verb.START, input=given, faults=(spec,))
    assert struck.process.returncode == -signal.SIGKILL, struck.report()
    assert fault_of(struck)["point"] == point
    if graph == "tasks" and point is Point.COMMITTED:  # the entrypoint's only checkpoint is its last
        assert lab.do(Verb.RESUME).end["outcome"] == "refused"
        assert counted(book, "begin")[name] == 1
        return
    resumed = lab.do(Verb.RESUME)
    assert resumed.end["outcome"] == ("waiting" if graph == "subgraph" else "done"), resumed.report()
    begun = counted(book, "begin")
    assert begun[name] == BEGUN[point], begun
    assert counted(book, "effect")[name] == DONE[point]
    if graph != "tasks":  # what calls return is saved beside the run, and nobody waits for it
        others = {other: times for other, times in begun.items() if other != name}
        assert set(others.values()) == {1}, f"finished work was done again: {others}"


@STORES
@pytest.mark.parametrize(
    ("how", "point"),
    [
        (How.EXIT, Point.INSIDE),
        (How.EXIT, Point.COMMITTED),
        *product([How.RAISE], [Point.BEFORE, Point.INSIDE, Point.AFTER, Point.WRITTEN]),
        *product([How.LOST], [Point.BEFORE, Point.WRITTEN, Point.COMMITTED]),
    ],
)
def test_every_way_leaves_a_thread_that_resumes(
    place: Place, tmp_path: Path, book: str, how: How, point: Point
) -> None:
    lab = bench(place, tmp_path, "pipeline", book)
    struck = lab.do(Verb.START, input=GRAPHS["pipeline"][1], faults=(f"{point}:transform={how}",))
    assert fault_of(struck)["how"] == how
    if how is How.EXIT:
        assert struck.process.returncode == 70
    else:
        assert struck.end["outcome"] == "failed", struck.report()
    finish(lab, place)
    assert counted(book, "begin")["fetch"] == 1
    if (how, point) == (How.RAISE, Point.AFTER):
        assert counted(book, "begin")["transform"] == 2, "its writes were saved"


@STORES
@pytest.mark.parametrize("point", [Point.INSIDE, Point.WRITTEN])
def test_a_hanging_run_lives_until_it_is_killed(place: Place, tmp_path: Path, book: str, point: Point) -> None:
    lab = bench(place, tmp_path, "pipeline", book)
    child = lab.begin(Verb.START, input=GRAPHS["pipeline"][1], faults=(f"{point}:transform=hang",))
    struck = child.until(lambda event: event.kind is Kind.FAULT)
    child.until(lambda event: event.kind is Kind.HEARTBEAT and event.t > struck.t)
    assert not child.of(Kind.END)
    child.process.kill()
    child.wait()
    finish(lab, place)


def finish(lab: Bench, place: Place) -> None:
    """Resume, unless the run went on behind the fault: nobody waits for the saving of writes before the end."""
    if values(place).get("progress") != 100:
        resumed = lab.do(Verb.RESUME)
        assert resumed.end["outcome"] == "done", resumed.report()
    assert values(place)["progress"] == 100


@STORES
def test_a_fault_that_does_not_strike_is_told(place: Place, tmp_path: Path, book: str) -> None:
    lab = bench(place, tmp_path, "pipeline", book)
    child = lab.do(Verb.START, input=GRAPHS["pipeline"][1], faults=("before:nowhere=kill",))
    assert child.end["outcome"] == "done"
    assert "before:nowhere=kill did not strike" in child.of(Kind.LOG)[-1]["text"]


@STORES
def test_what_is_no_fault_is_refused_before_anything_runs(place: Place, tmp_path: Path, book: str) -> None:
    lab = bench(place, tmp_path, "pipeline", book)
    child = lab.do(Verb.START, input=GRAPHS["pipeline"][1], faults=("sideways:transform=kill",))
    assert child.end["outcome"] == "refused"
    assert "no point 'sideways'" in child.end["reason"]
    assert not ledger.entries(book)

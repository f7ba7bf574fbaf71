"""Faults that a run injects into itself: each strikes where it says, and what it leaves is what ledger and rows prove.

One child each. That threads go on from there, in every mode, is proven by ``python -m tests.torture faults``.
"""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from backends.faults import How, Point
from backends.runs.events import Kind
from backends.runs.spec import GraphRef, Verb
from demo_graphs import ledger
from tests.child import ROOT, Bench, Child, project
from tests.torture.faults.cases import AWAITED, PIPELINE, SUBGRAPH, TASKS, Case
from tests.torture.faults.proof import prove

from .places import Place

SQLITE = pytest.mark.parametrize("place", ["sqlite"], indirect=True)
STORES = pytest.mark.parametrize("place", ["sqlite", "postgres"], indirect=True)
"""Where SQLite keeps its journal makes no difference to a run."""

LEFT = {
    Point.BEFORE: (0, 0, False),
    Point.INSIDE: (1, 0, False),
    Point.AFTER: (1, 1, False),
    Point.WRITTEN: (1, 1, True),
    Point.COMMITTED: (1, 1, True),
}
"""How often the struck node has begun, how often it had its effect, and whether the store has its work."""


class Struck:
    """A graph with a ledger on a store."""

    def __init__(self, place: Place, folder: Path, case: Case) -> None:
        self.book = folder / "ledger.jsonl"
        environment = {ledger.PLACE: str(self.book)}
        ref = GraphRef(f"./demo_graphs/{case.graph}.py:graph", str(ROOT), case.graph, (str(ROOT),), environment)
        self._bench = Bench(folder / "runs", place.address, ref)
        self._place = place
        self._case = case

    def begin(self, point: Point, how: How, node: str = "") -> Child:
        """Start a run with a fault."""
        moment = "+100" if point is Point.INSIDE else ""
        fault = f"{point}:{node or self._case.struck}{moment}={how}"
        return self._bench.begin(Verb.START, input=dict(self._case.input), faults=(fault,))

    def do(self, point: Point, how: How) -> Child:
        """Have a fault strike; wait for the end."""
        child = self.begin(point, how).wait()
        (struck,) = child.of(Kind.FAULT)
        assert (struck["point"], struck["how"]) == (point, how)
        return child

    def left(self) -> tuple[int, int, bool]:
        """What is proven of the struck node; see ``LEFT``. What came before it is in the store, and was done once."""
        found, node = prove(self._case, self._place.saver, "t", self.book), self._case.struck
        before = self._case.nodes[: self._case.nodes.index(node)]
        if self._case is not TASKS:  # what calls return is saved beside the run, and nobody waits for it
            assert set(before) <= found.saved
            assert {found.effects[other] for other in before} == {1}
        return found.begun[node], found.effects[node], node in found.saved


@SQLITE
@pytest.mark.parametrize(
    ("case", "point"),
    [
        *((case, point) for case in (PIPELINE, AWAITED) for point in Point),
        (SUBGRAPH, Point.INSIDE),
        (SUBGRAPH, Point.WRITTEN),
        (TASKS, Point.AFTER),
        (TASKS, Point.COMMITTED),
    ],
    ids=lambda one: one.graph if isinstance(one, Case) else one,
)
def test_a_kill_at_every_point(place: Place, tmp_path: Path, case: Case, point: Point) -> None:
    lab = Struck(place, tmp_path, case)
    child = lab.do(point, How.KILL)
    assert child.process.returncode == -signal.SIGKILL, child.report()
    assert lab.left() == LEFT[point]


@pytest.mark.parametrize("place", ["postgres"], indirect=True)
@pytest.mark.parametrize("case", [PIPELINE, AWAITED], ids=["plain", "awaited"])
@pytest.mark.parametrize("point", [Point.WRITTEN, Point.COMMITTED])
def test_a_kill_between_what_postgres_saves(place: Place, tmp_path: Path, case: Case, point: Point) -> None:
    lab = Struck(place, tmp_path, case)
    assert lab.do(point, How.KILL).process.returncode == -signal.SIGKILL
    assert lab.left() == LEFT[point]


@SQLITE
def test_a_process_that_leaves_says_nothing(place: Place, tmp_path: Path) -> None:
    lab = Struck(place, tmp_path, PIPELINE)
    child = lab.do(Point.INSIDE, How.EXIT)
    assert child.process.returncode == 70
    assert not child.of(Kind.END)
    assert lab.left() == LEFT[Point.INSIDE]


@SQLITE
@pytest.mark.parametrize(
    ("case", "point"),
    [
        *((PIPELINE, point) for point in (Point.BEFORE, Point.INSIDE, Point.AFTER, Point.WRITTEN)),
        (AWAITED, Point.INSIDE),
        (AWAITED, Point.AFTER),
    ],
    ids=lambda one: one.graph if isinstance(one, Case) else one,
)
def test_an_exception_fails_the_run(place: Place, tmp_path: Path, case: Case, point: Point) -> None:
    lab = Struck(place, tmp_path, case)
    child = lab.do(point, How.RAISE)
    assert child.end["outcome"] == "failed", child.report()
    assert "injected" in child.end["reason"]
    assert lab.left() == LEFT[point]


@STORES
@pytest.mark.parametrize(
    ("case", "point"), [(PIPELINE, Point.BEFORE), (AWAITED, Point.WRITTEN)], ids=["plain", "awaited"]
)
def test_without_its_store_a_node_goes_on_and_nothing_more_is_saved(
    place: Place, tmp_path: Path, case: Case, point: Point
) -> None:
    lab = Struck(place, tmp_path, case)
    child = lab.do(point, How.LOST)
    assert (child.end["outcome"], child.end["exit"]) == ("failed", 6), child.report()
    assert lab.left() == (1, 1, point is Point.WRITTEN)


@SQLITE
@pytest.mark.parametrize(
    ("case", "point"),
    [(PIPELINE, Point.INSIDE), (PIPELINE, Point.WRITTEN), (AWAITED, Point.INSIDE)],
    ids=lambda one: one.graph if isinstance(one, Case) else one,
)
def test_a_hanging_run_lives_until_it_is_killed(place: Place, tmp_path: Path, case: Case, point: Point) -> None:
    lab = Struck(place, tmp_path, case)
    child = lab.begin(point, How.HANG)
    struck = child.until(lambda event: event.kind is Kind.FAULT)
    child.until(lambda event: event.kind is Kind.HEARTBEAT and event.t > struck.t)
    assert not child.of(Kind.END)
    child.process.kill()
    child.wait()
    assert lab.left() == LEFT[point]


@SQLITE
def test_a_fault_that_does_not_strike_is_told(place: Place, tmp_path: Path) -> None:
    child = Struck(place, tmp_path, PIPELINE).begin(Point.BEFORE, How.KILL, "nowhere").wait()
    assert child.end["outcome"] == "done"
    assert "before:nowhere=kill did not strike" in child.of(Kind.LOG)[-1]["text"]


@SQLITE
def test_what_is_no_fault_is_refused_before_anything_runs(place: Place, tmp_path: Path) -> None:
    lab = Struck(place, tmp_path, PIPELINE)
    child = lab._bench.do(Verb.START, input=dict(PIPELINE.input), faults=("sideways:transform=kill",))
    assert child.end["outcome"] == "refused"
    assert "no point 'sideways'" in child.end["reason"]
    assert not lab.book.exists()


SAME = """
from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

class State(TypedDict, total=False):
    at: str

def step(state):
    return {"at": "step"}

def chain(**nodes):
    builder, before = StateGraph(State), START
    for name, node in nodes.items():
        builder.add_node(name, node)
        builder.add_edge(before, name)
        before = name
    return builder.add_edge(before, END).compile()

graph = chain(sub=chain(step=step), step=step)
"""


@SQLITE
def test_the_node_at_the_top_is_not_the_one_of_its_name_inside(place: Place, tmp_path: Path) -> None:
    bench = Bench(tmp_path / "runs", place.address, project(tmp_path / "project", SAME))
    child = bench.do(Verb.START, input={"at": ""}, faults=("after:/step=kill",))
    assert [task["ns"] for task in child.of(Kind.TASK) if task["phase"] == "end"][-1] == ""
    begun = [(task["ns"].partition(":")[0], task["name"]) for task in child.of(Kind.TASK) if task["phase"] == "start"]
    assert begun == [("", "sub"), ("sub", "step"), ("", "step")]
    assert child.process.returncode == -signal.SIGKILL

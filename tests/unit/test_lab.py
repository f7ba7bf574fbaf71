"""The crash lab without its screen: faults, unfolded graphs, and what became of each node."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from backends.address import parse_address
from backends.control.call import command_line
from backends.control.plan import Intent
from backends.faults import How, Point
from backends.graphs.drawing import Drawing, Edge, Node
from backends.graphs.inputs import proposed_input
from backends.runs.events import Event, Kind
from backends.runs.spec import GraphRef
from tui.lab.book import Page, pages, read_ledger
from tui.lab.course import Course
from tui.lab.fate import Account, Fate, Standing, accounts
from tui.lab.saved import Saved
from tui.lab.setup import Strike
from tui.lab.story import Story
from tui.lab.unfolded import paths, second, unfold

INNER = Drawing(
    "research",
    (Node("__start__"), Node("search"), Node("review"), Node("__end__")),
    (Edge("__start__", "search"), Edge("search", "review"), Edge("review", "__end__")),
)
OUTER = Drawing(
    "article",
    (Node("__start__"), Node("plan"), Node("research", INNER), Node("write"), Node("__end__")),
    (
        Edge("__start__", "plan"),
        Edge("plan", "research"),
        Edge("research", "write"),
        Edge("write", "__end__"),
    ),
)


# Faults


def test_a_fault_goes_round_points_and_ways() -> None:
    strike = Strike("analyze", Point.INSIDE, How.KILL, 250)
    assert strike.specs == ("inside:/analyze+250=kill",)
    assert strike.next_point().specs == ("after:/analyze=kill",)
    assert strike.next_how().specs == ("inside:/analyze+250=exit",)
    assert strike.later(-9).specs == ("inside:/analyze=kill",)
    for _ in range(4):
        strike = strike.next_point()
    assert strike.point is None
    assert strike.specs == ()
    assert strike.next_point().point is Point.BEFORE


def test_a_fault_is_taken_up_as_it_was_given() -> None:
    assert Strike.of(("written:a/b=lost",)).specs == ("written:a/b=lost",)
    assert Strike.of((), ("review", "audit")).node == "review"
    assert Strike.of(()).specs == ()


def test_the_command_of_a_plan_names_its_faults() -> None:
    graph = GraphRef("./a.py:graph", "/data", "a")
    intent = Intent("resume", "t", faults=("inside:a+250=kill", "after:b=raise"))
    line = command_line(intent, graph, parse_address("/data/s.sqlite", {}))
    assert line.endswith("--graph a --crash inside:a+250=kill --crash after:b=raise")


# The drawn graph


def test_what_is_inside_a_node_is_drawn_behind_it_under_the_path_that_a_fault_takes() -> None:
    drawing = unfold(OUTER)
    assert paths(drawing) == ["plan", "research", "research/search", "research/review", "write"]
    assert {(edge.source, edge.target) for edge in drawing.edges} == {
        ("__start__", "plan"),
        ("plan", "research"),
        ("research", "research/search"),
        ("research/search", "research/review"),
        ("research/review", "write"),
        ("write", "__end__"),
    }
    assert second(drawing) == "research"


def test_what_only_runs_show_is_hung_on_the_node_that_calls_it() -> None:
    report = Drawing("report", (Node("report"), Node("__start__")), (Edge("__start__", "report"),))
    drawing = unfold(report, ["report", "fetch", "report", "publish"])
    assert paths(drawing) == ["report", "fetch", "publish"]
    assert Edge("report", "publish", conditional=True) in drawing.edges
    assert second(report) == "report"
    assert second(Drawing("")) == ""


# Runs


def began(name: str, step: int = 1, ns: str = "", task: str = "") -> Event:
    return Event(0.0, Kind.TASK, {"phase": "start", "id": task or name, "name": name, "ns": ns, "step": step})


def ended(name: str, step: int = 1, ns: str = "", task: str = "", **more: Any) -> Event:
    data = {"phase": "end", "id": task or name, "name": name, "ns": ns, "step": step, "error": None, "interrupts": 0}
    return Event(0.0, Kind.TASK, data | more)


def fault(point: str, node: str, how: str = "kill") -> Event:
    return Event(0.0, Kind.FAULT, {"point": point, "node": node, "how": how})


def course(*runs: tuple[Event, ...], saved: tuple[str, ...] = ()) -> Course:
    found = Course()
    for number, events in enumerate(runs):
        found.next_run(saved if number else ())
        for event in events:
            found.add(event)
    return found


CRASH = (began("a", 1), ended("a", 1), began("b", 2), fault("inside", "b"))
"""``a`` has finished, ``b`` is killed inside."""


def fates(found: Course, *names: str, **standing: Any) -> list[str]:
    saved = frozenset(standing.pop("saved", ()))
    told = accounts(names or ("a", "b", "c"), found, standing.pop("book", {}), Standing(saved, **standing))
    return [f"{account.fate} {account.ran}" for account in told]


def test_while_it_runs_and_when_it_was_killed() -> None:
    found = course(CRASH[:3])
    assert fates(found) == ["done 1", "running 1", "not run 0"]
    found.add(CRASH[3])
    assert fates(found, over=True, broken=True, saved=["a"]) == ["kept 1", "cut short 1", "not run 0"]
    assert fates(found, over=True, broken=True) == ["lost 1", "cut short 1", "not run 0"]


def test_what_was_saved_does_not_run_again() -> None:
    again = (began("b", 2, task="other"), ended("b", 2, task="other"), began("c", 3), ended("c", 3))
    found = course(CRASH, again, saved=("a",))
    assert fates(found, over=True, saved=["a", "b", "c"]) == ["kept 1", "ran again 2", "done 1"]


def test_what_was_lost_is_done_again() -> None:
    again = (began("a", 1, task="x"), ended("a", 1, task="x"), began("b", 2), ended("b", 2))
    assert fates(course(CRASH, again[:1])) == ["running 2", "cut short 1", "not run 0"]
    assert fates(course(CRASH, again), over=True, saved=["a", "b"]) == ["repeated 2", "ran again 2", "not run 0"]


def test_behind_its_end_a_node_is_kept_or_lost_as_the_store_says() -> None:
    found = course((began("a"), fault("written", "a")))
    book = {"a": Page(1, Counter(["it"]), since=1)}
    assert fates(found, "a", over=True, broken=True, saved=["a"], book=book) == ["kept 1"]
    assert fates(found, "a", over=True, broken=True, book=book) == ["lost 1"]
    assert fates(found, "a", over=True, broken=True) == ["cut short 1"]


def test_a_node_that_was_struck_before_it_ran_has_not_begun() -> None:
    found = course((began("a"), fault("before", "a")))
    assert fates(found, "a", over=True, broken=True) == ["not run 0"]
    found.next_run()
    found.add(began("a"))
    found.add(ended("a"))
    assert fates(found, "a", over=True, saved=["a"]) == ["done 1"]


def test_a_node_may_be_announced_after_it_was_struck_and_runs_on_where_only_the_store_is_lost() -> None:
    found = course((fault("before", "a", "raise"), began("a"), ended("a", error="injected")))
    assert fates(found, "a", over=True, broken=True) == ["failed 0"]
    found = course((began("a"), fault("before", "a", "lost"), ended("a")))
    assert fates(found, "a", over=True, broken=True) == ["lost 1"]


def test_what_is_announced_behind_a_deadly_blow_has_not_begun() -> None:
    found = course((began("a"), fault("written", "a"), began("b", 2)))
    assert fates(found, "b", over=True, broken=True) == ["not run 0"]
    found.next_run()
    found.add(began("b", 2))
    assert fates(found, "b") == ["running 1"]


def test_each_piece_of_work_is_saved_by_itself() -> None:
    events: tuple[Event, ...] = (began("a", 1), ended("a", 1), began("a", 2, task="a2"), ended("a", 2, task="a2"))
    events += (began("b", 2, task="b1"), began("b", 2, task="b2"), ended("b", 2, task="b1"), ended("b", 2, task="b2"))
    inner = (began("c", 1, "x:1", task="c"), ended("c", 1, "x:1", task="c"))
    found = course((*events, *inner))
    assert found.in_store(Saved()) == frozenset()
    assert found.in_store(Saved(True, steps={"": 1})) == frozenset()
    assert found.in_store(Saved(True, steps={"": 1}, tasks=frozenset({"a2", "b1"}))) == {"a"}
    assert found.in_store(Saved(True, steps={"": 1, "x:1": 1}, tasks=frozenset({"b1", "b2"}))) == {"b", "x/c"}
    assert found.in_store(Saved(True, steps={"": 2})) == {"a", "b"}
    assert found.in_store(Saved(True, nodes=frozenset({"b", "untold"}))) == {"untold"}


def test_what_an_earlier_run_saved_is_kept_however_many_follow() -> None:
    story = Story(course=course(CRASH[:3]), saved=Saved(True, steps={"": 1}))
    assert story.kept == {"a"}
    for _ in range(2):
        story.course.next_run(story.kept)
        story.course.add(began("b", 2))
    assert story.kept == {"a"}
    story.saved = Saved()
    assert story.kept == frozenset()


def test_a_loop_and_several_tasks_of_a_step_are_no_repetition() -> None:
    events = [event for step in (1, 2, 3) for event in (began("a", step), ended("a", step))]
    events += [began("b", 4, task="1"), began("b", 4, task="2"), ended("b", 4, task="1"), ended("b", 4, task="2")]
    assert fates(course(tuple(events)), "a", "b", over=True) == ["done 3", "done 2"]


def test_questions_and_errors() -> None:
    found = course((began("a"), ended("a", interrupts=1), began("b"), ended("b", error="ValueError: no")))
    assert fates(found, over=True, asks=frozenset("a")) == ["asks 1", "failed 1", "not run 0"]
    assert fates(found)[0] == "asks 1"
    assert fates(found, over=True)[0] == "lost 1", "its question is not in the store"


def test_a_node_inside_another_has_its_path() -> None:
    found = course((began("search", 1, "research:1f|2"),))
    assert found.paths == ["research/search"]
    assert fates(found, "research/search", book={"search": Page(3, Counter(["x"]))}) == ["running 3"]


# The ledger


def test_the_ledger_is_counted_by_thread_and_node_and_its_last_line_may_be_torn(tmp_path: Path) -> None:
    lines = [
        {"thread": "t", "node": "a", "kind": "begin"},
        {"thread": "t", "node": "a", "kind": "begin"},
        {"thread": "t", "node": "a", "kind": "effect", "what": "paid"},
        {"thread": "t", "node": "a", "kind": "effect", "what": "paid"},
        {"thread": "u", "node": "a", "kind": "effect", "what": "paid", "key": "k"},
    ]
    path = tmp_path / "ledger.jsonl"
    assert read_ledger(path) == []
    path.write_text("\n".join([*map(json.dumps, lines), '{"thread": "t", "no']))
    found = pages(read_ledger(path))
    assert (found["t"]["a"].begun, found["t"]["a"].done, found["t"]["a"].again) == (2, 2, 1)
    assert (found["u"]["a"].begun, found["u"]["a"].done, found["u"]["a"].again) == (0, 1, 0)
    told = accounts(["a"], course((began("a"), ended("a"))), found["t"], Standing(frozenset({"a"}), over=True))
    assert told == [Account("a", 2, 2, Fate.REPEATED, ledger=True)]


@pytest.mark.parametrize(
    ("ledger", "note"), [(True, "done once outside"), (False, "nothing tells what it did outside")]
)
def test_only_a_ledger_proves_what_was_done_once_outside(ledger: bool, note: str) -> None:
    assert Account("a", 2, 1, Fate.RERUN, ledger).note == note


@pytest.mark.parametrize("target", ["./flows/a.py:graph", "flows.a:graph"])
def test_a_project_proposes_inputs_beside_its_configuration_or_its_graph(tmp_path: Path, target: str) -> None:
    ref = GraphRef(target, str(tmp_path), "a")
    assert proposed_input(ref) is None
    (tmp_path / "inputs.json").write_text("[")
    assert proposed_input(ref) is None
    place = tmp_path / "flows" if target.startswith("./") else tmp_path
    place.mkdir(exist_ok=True)
    (place / "inputs.json").write_text('{"a": {"rows": 3}}')
    assert proposed_input(ref) == {"rows": 3}

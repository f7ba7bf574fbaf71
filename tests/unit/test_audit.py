"""What the audit concludes from events, effects and states, without running anything."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from typing import Any

import pytest

from backends.address import parse_address
from backends.audit.answering import Actor, Dealer
from backends.audit.auditing import Report
from backends.audit.course import Course
from backends.audit.effects import Deeds, Effect, observe
from backends.audit.final import Final, Question, differences, look, place
from backends.audit.order import Cell, Order
from backends.audit.report import details, to_markdown, to_record
from backends.audit.samples import Samples
from backends.audit.scratch import with_schema
from backends.audit.trace import node_path, trace
from backends.audit.undisturbed import Undisturbed, milliseconds
from backends.audit.verdict import Kind, judge, sentences
from backends.faults import Point, parse
from backends.model import StatusName
from backends.runs.events import Event
from backends.runs.events import Kind as Told
from backends.runs.spec import GraphRef
from tests import sqlite_files


def task(phase: str, name: str, task_id: str, t: float = 0.0, ns: str = "", **more: Any) -> Event:
    end = {"error": None, "interrupts": 0, **more} if phase == "end" else {}
    return Event(t, Told.TASK, {"phase": phase, "id": task_id, "name": name, "ns": ns, **end})


STRUCK = Event(9.0, Told.FAULT, {"point": "after", "node": "b", "how": "kill"})


def test_the_events_of_a_process_are_folded() -> None:
    found = trace(
        [
            Event(0.0, Told.STARTED, {"pid": 7}),
            task("start", "a", "1", t=1.0),
            task("start", "__internal__", "9"),
            task("end", "a", "1", t=1.5),
            task("start", "ask", "2", ns="sub:77"),
            task("end", "ask", "2", ns="sub:77", interrupts=1),
            task("start", "b", "3"),
            task("end", "b", "3", error="ValueError: no"),
            Event(9.0, Told.END, {"outcome": "failed", "reason": "ValueError: no"}),
        ]
    )
    assert (found.pid, found.outcome, found.reason, found.struck) == (7, "failed", "ValueError: no", False)
    assert found.nodes == ("a", "sub/ask", "b")
    assert found.ended == {"1"}
    assert found.asked == {"sub/ask"}
    assert found.seconds == {"a": 0.5}


@pytest.mark.parametrize(("ns", "path"), [("", "n"), ("a:1", "a/n"), ("a:1|b:2", "a/b/n"), ("a:1|3|b:2", "a/b/n")])
def test_paths_are_those_that_faults_name(ns: str, path: str) -> None:
    assert node_path("n", ns) == path
    assert parse(f"before:{path}=kill").strikes("n", ns)


@pytest.mark.parametrize(
    ("fault", "told", "started", "finished"),
    [
        ("before:b=kill", True, 0, 0),
        ("before:b=kill", False, 0, 0),
        ("inside:b=kill", True, 1, 0),
        ("after:b=kill", False, 1, 0),
        ("written:b=kill", True, 1, 1),
        ("committed:b=kill", False, 1, 1),
    ],
)
def test_what_was_struck_counts_as_far_as_it_had_come(fault: str, told: bool, started: int, finished: int) -> None:
    found = trace([*([task("start", "b", "1")] if told else []), STRUCK])
    assert found.started(parse(fault))["b"] == started
    assert found.finished(parse(fault))["b"] == finished


def test_what_is_announced_behind_a_deadly_blow_has_not_begun() -> None:
    found = trace(
        [task("start", "b", "1"), task("start", "c", "2"), STRUCK, task("end", "c", "2"), task("start", "d", "3")]
    )
    assert found.started() == {"b": 1, "c": 1}
    assert found.finished() == {"c": 1}
    hanging = Event(9.0, Told.FAULT, {"point": "after", "node": "b", "how": "hang"})
    assert trace([hanging, task("start", "d", "3")]).started()["d"] == 1


def test_a_thread_of_which_only_a_subgraph_has_saved_something_is_told_apart(tmp_path: Any) -> None:
    path = tmp_path / "store.sqlite"
    with closing(sqlite_files.connect(path)) as connection:
        sqlite_files.put(connection, "t", 1, ns="research:1")
        connection.commit()
    found = look(str(path), "t")
    assert found is not None
    assert found.inside == "research:1"


def test_a_question_that_was_saved_is_no_end() -> None:
    found = trace([task("start", "b", "1"), STRUCK])
    found.asked.add("b")
    assert not found.finished(parse("written:b=kill"))["b"]


def test_lines_of_ledger_and_folder_are_effects(tmp_path: Any) -> None:
    ledger, folder = tmp_path / "ledger", tmp_path / "world"
    (folder / "deep").mkdir(parents=True)
    ledger.write_bytes(
        b'{"node": "a", "kind": "begin"}\n{"node": "a", "kind": "effect", "what": "t-1 paid", "key": "t-1/a"}\nno\n{"no'
    )
    (folder / "deep" / "out.txt").write_bytes(b"t-1\n\nt-1\n\xff\n")
    (folder / "large").write_bytes(b"x" * (2 << 20))
    found = observe(ledger, folder, "t-1")
    large = next(effect for effect in found if effect.where == "large")
    assert large.what == "2097152 bytes"
    assert found - Counter([large]) == {
        Effect("a", "‹thread› paid", "‹thread›/a"): 1,
        Effect("deep/out.txt", "‹thread›"): 2,
        Effect("deep/out.txt", "\\xff"): 1,
    }


def test_states_are_compared_place_by_place() -> None:
    old = {"state": {"a": [1, {"id": "x"}], "b": 1, "c": None}}
    new = {"state": {"a": [1, {"id": "y"}, 3], "b": True}}
    told = [str(one) for one in differences(old, new)]
    assert told == [
        'state.a[1].id is "y", undisturbed "x"',
        "state.a[2] is 3, undisturbed missing",
        "state.b is True, undisturbed 1",
        "state.c is missing, undisturbed None",
    ]
    assert place(("state", "\x1b[31m", 0)).isprintable()
    assert not list(differences(old, old))


def test_answers_stay_with_their_questions() -> None:
    one, two, again = Question("ask", 1, "i"), Question("ask", 2, "j"), Question("check", 1, "k")
    dealer = Dealer(["first", "second", "third", "fourth"])
    assert dealer.answers([one, again]) == {"i": "first", "k": "second"}
    assert dealer.answers([two]) == {"j": "third"}
    assert (dealer.script, dealer.left) == ({"ask": ["first", "third"], "check": ["second"]}, 1)
    actor = Actor(dealer.script)
    assert actor.answers([one]) == {"i": "first"}
    assert actor.answers([one]) == {"i": "first"}
    assert actor.answers([two, again]) == {"j": "third", "k": "second"}
    assert actor.answers([Question("ask", 3, "l")]) == {}
    actor.restart()
    assert actor.answers([Question("ask", 1, "m")]) == {"m": "first"}


def course(
    outside: list[Effect] | None = None, state: Any = 1, struck: bool = True, problem: str = "", **counts: Any
) -> Course:
    final = Final(StatusName.DONE, "", {"status": "done", "state": {"n": state}}, ())
    starts, finished = Counter(counts.get("starts", ["a", "b"])), Counter(counts.get("finished", ["a", "b"]))
    found = Deeds(Counter(outside or []), starts, finished)
    return Course(
        final,
        found,
        {"b": 0.4},
        ("a", "b"),
        counts.get("containers", frozenset()),
        struck,
        counts.get("vanished", False),
        problem,
        2,
    )


def undisturbed(*courses: Course) -> Undisturbed:
    return Undisturbed(courses[0], {}, Samples(courses))


PAID = Effect("b", "paid")
CELL = Cell("sync", parse("after:b=kill"))


@pytest.mark.parametrize(
    ("kind", "struck", "reason"),
    [
        (Kind.MISSED, course([PAID], struck=False), ""),
        (Kind.SURVIVED, course([PAID]), ""),
        (Kind.SURVIVED, course([PAID], starts=["a", "b", "b"]), "ran again: b"),
        (Kind.REPEATED, course([PAID, PAID]), 'b "paid" 2× (undisturbed 1×)'),
        (
            Kind.LOST,
            course([PAID, PAID], finished=["a", "a", "b"]),
            'finished and done again: a; b "paid" 2× (undisturbed 1×)',
        ),
        (Kind.LOST, course([PAID], vanished=True), "nothing was saved, so it was started again with its input"),
        (Kind.DIFFERENT, course([PAID], state=2), "state.n is 2, undisturbed 1"),
        (Kind.DIFFERENT, course([]), 'b "paid" 0× (undisturbed 1×)'),
        (Kind.STUCK, course([PAID], state=2, problem="It raised."), "It raised; state.n is 2, undisturbed 1"),
    ],
)
def test_verdicts(kind: Kind, struck: Course, reason: str) -> None:
    base = undisturbed(course([PAID]))
    verdict = judge(CELL, struck, base)
    assert (verdict.kind, sentences(verdict, base)) == (kind, reason)


def test_without_effects_outside_beginnings_are_counted_and_fewer_prove_nothing() -> None:
    base = undisturbed(course())
    more = judge(CELL, course(starts=["a", "b", "b"]), base)
    assert (more.kind, dict(more.repeated)) == (Kind.REPEATED, {Effect("b"): 1})
    assert judge(CELL, course(starts=["a"]), base).kind is Kind.SURVIVED


def test_what_varies_by_itself_is_not_compared() -> None:
    base = undisturbed(course([PAID]), course([PAID] * 3, state=5, finished=["a", "b", "b"]))
    assert judge(CELL, course([PAID, PAID], state=7, finished=["a", "b", "b", "b"]), base).kind is Kind.SURVIVED
    assert any("state.n differs between two undisturbed runs" in warning for warning in base.warnings)


def test_work_that_others_do_is_not_lost_with_what_contains_it() -> None:
    found = trace(
        [
            Event(0.0, Told.GRAPH, {"drawing": {"functional": True}}),
            task("start", "report", "1"),
            task("start", "fetch", "2"),
            task("start", "search", "3", ns="fetch:2"),
        ]
    )
    assert found.containers == {"report", "fetch"}
    base = undisturbed(course([PAID], containers=frozenset("b")))
    assert judge(CELL, course([PAID], finished=["a", "b", "b"]), base).kind is Kind.SURVIVED


def test_a_strike_inside_aims_at_the_middle() -> None:
    base = undisturbed(course())
    assert milliseconds(base, "b", Point.INSIDE) == 200
    assert milliseconds(base, "b", Point.AFTER) == milliseconds(base, "a", Point.INSIDE) == 0


def test_the_report_is_safe_to_print_and_tells_each_reason_once() -> None:
    hostile = Effect("b", "\x1b[31m|*`<b>")
    base = undisturbed(course([hostile]))
    cells = [Cell(mode, CELL.fault) for mode in ("sync", "async")]
    verdicts = tuple(judge(cell, course([hostile, hostile]), base) for cell in cells)
    order = Order(GraphRef("g.py:graph", "/", "my|graph"), {}, durabilities=("sync", "async"))
    report = Report(order, base, ("b",), verdicts)
    assert report.passed
    text = to_markdown(report)
    assert all(char.isprintable() or char == "\n" for char in text)
    assert "| after:b | repeated work | repeated work |" in text
    assert "my\\|graph" in text
    assert "<b>" not in text
    assert len(list(details(report))) == 1
    assert to_record(report)["cells"][0]["repeated"][0]["times"] == 1
    bad = judge(CELL, course([hostile], state=3), base)
    assert not Report(order, base, ("b",), (bad,)).passed


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://me:p%40ss@db:5/app",
        "postgresql://db/app?sslmode=disable&options=-csearch_path%3Dother%20-cwork_mem%3D8MB",
        "host=db dbname=app password='p w'",
        "host=db options='-csearch_path=other'",
    ],
)
def test_the_schema_stands_last_among_the_options(dsn: str) -> None:
    from psycopg.conninfo import conninfo_to_dict

    before, found = conninfo_to_dict(dsn), with_schema(dsn, "mine")
    after = conninfo_to_dict(found)
    assert after.pop("options") == f"{before.pop('options', '')} -c search_path=mine".strip()
    assert after == before
    assert parse_address(found, {}).dsn is not None

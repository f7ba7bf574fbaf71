"""How a thread of the audit is driven to its end, with processes and stores that are made up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backends.audit import course
from backends.audit.answering import Dealer
from backends.audit.course import Course, Thread
from backends.audit.final import Final
from backends.audit.order import Order
from backends.audit.scratch import Scratch
from backends.audit.trace import Trace
from backends.model import StatusName
from backends.runs.spec import GraphRef


def paused(head: str, state: Any = 0) -> Final:
    return Final(StatusName.PAUSED, "Before poll.", {"state": state}, (), head=head)


DONE = Final(StatusName.DONE, "", {"state": 0}, (), head="end")


def driven(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stands: Iterator[Final], *struck: bool) -> Course:
    """A thread that stands at each of these after one process more; of the processes some are struck."""
    blows = iter(struck)
    monkeypatch.setattr(Thread, "_once", lambda self, verb, answers: Trace(outcome="paused", struck=next(blows, False)))
    now = [next(stands)]
    monkeypatch.setattr(course, "look", lambda address, thread_id: now.pop() if now else next(stands, DONE))
    order = Order(GraphRef("g.py:graph", "/", "g"), {})
    return Thread(order, Scratch(tmp_path), "sync", Dealer(()), lambda: False).run()


def test_a_graph_that_waits_for_something_outside_its_state_goes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = driven(monkeypatch, tmp_path, iter([paused("1"), paused("2"), paused("3"), paused("4"), DONE, DONE]))
    assert (found.problem, found.processes) == ("", 5)


def test_a_graph_that_saves_nothing_is_stuck_at_once_and_one_that_waits_for_ever_in_the_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    found = driven(monkeypatch, tmp_path / "one", iter([paused("1")] * 9))
    assert (found.problem, found.processes) == ("Resuming it changes nothing: Before poll.", 2)
    found = driven(monkeypatch, tmp_path / "other", (paused(str(number)) for number in range(999)))
    assert found.problem.startswith("Resuming it changes nothing")
    assert found.processes < 30


def test_a_state_that_grows_is_no_waiting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stands = [paused(str(number), number) for number in range(40)]
    assert driven(monkeypatch, tmp_path, iter([*stands, DONE, DONE])).problem == ""


def test_a_process_that_was_struck_on_its_way_from_a_breakpoint_is_no_proof_that_resuming_is_of_no_use(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stands = iter([paused("1"), paused("1"), DONE, DONE])
    found = driven(monkeypatch, tmp_path, stands, False, True)
    assert (found.problem, found.processes) == ("", 3)

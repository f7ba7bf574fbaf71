"""The ledger: all runs of a store, newest first, read once."""

import json
import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from backends.folders import state_folder
from backends.runs import ledger as ledgers
from backends.runs.ledger import Ledger
from backends.runs.read import EventTail
from backends.runs.record import new_record, write_request
from backends.runs.run import RunState
from tests.work import steps

from .runs_rig import KEY, eventually, isolate, request, spawn, written

DONE = ("end", {"outcome": "done", "reason": "", "head": "h", "next": [], "exit": 0})


@pytest.fixture(autouse=True)
def isolated(tmp_path, monkeypatch):
    isolate(tmp_path, monkeypatch)


@pytest.fixture
def later(monkeypatch):
    """Let time pass."""

    def pass_(seconds):
        now = time.time() + seconds
        monkeypatch.setattr(time, "time", lambda: now)

    return pass_


def started(thread, *more, call="graph.astream(None)", **fields):
    """A run whose process is gone."""
    running = [("running", {"call": call, "head": None})] if call else []
    return written(("started", {"pid": 4_000_000}), *running, *more, thread_id=thread, **fields)


def test_no_records_no_runs():
    ledger = Ledger(KEY)
    assert ledger.refresh() == []
    assert ledger.latest() == {}
    assert not state_folder().exists()


def test_runs_of_the_store_newest_first_and_the_latest_of_each_thread():
    for thread in ("a", "b", "a"):
        started(thread, DONE)
    started("a", DONE, store_key="sqlite:another")
    ledger = Ledger(KEY)
    runs = ledger.refresh()
    assert [run.thread_id for run in runs] == ["a", "b", "a"]
    assert runs[0].started_at > runs[2].started_at
    assert ledger.latest() == {"a": runs[0], "b": runs[1]}
    assert len(Ledger(None).refresh()) == 4


@pytest.mark.parametrize(
    ("call", "end", "state"),
    [
        ("graph.astream(None)", [("end", {"outcome": "refused"})], RunState.REFUSED),
        ("", [("end", {"outcome": "busy"})], RunState.BUSY),
        ("", [("end", {"outcome": "failed"})], RunState.FAILED),
        ("", [], RunState.CRASHED),
    ],
)
def test_a_run_that_has_written_nothing_hides_no_earlier_one(call, end, state):
    folder, _ = started("a")
    started("a", *end, call=call)
    ledger = Ledger(KEY)
    assert [run.state for run in ledger.refresh()] == [state, RunState.CRASHED]
    assert ledger.latest()["a"].folder == str(folder)


def test_a_live_run_is_followed_to_its_end(tmp_path):
    ledger = Ledger(KEY)
    ledger.refresh()
    go = tmp_path / "go"
    run = spawn(["hold"], ["event", "running", {"head": None}], ["until", str(go)], ["event", *DONE])
    assert eventually(lambda: ledger.refresh()[0].state is RunState.RUNNING)
    same = ledger.refresh()
    assert ledger.refresh() is same
    go.touch()
    eventually(lambda: ledger.refresh()[0].state is RunState.DONE)
    assert (ledger.refresh()[0].run_id, ledger.refresh()[0].exit_code) == (run.run_id, 0)


def test_a_killed_run_shows_within_a_moment_with_its_signal(tmp_path):
    run = spawn(["hold"], ["event", "running", {}], ["until", str(tmp_path / "go")])
    ledger = Ledger(KEY)
    assert ledger.refresh()[0].live
    os.kill(run.pid, signal.SIGKILL)
    eventually(lambda: ledger.refresh()[0].state is RunState.CRASHED, seconds=1)
    eventually(lambda: ledger.refresh()[0].exit_code == -9, seconds=1)
    assert "SIGKILL" in ledger.refresh()[0].reason


def test_a_record_without_its_request_is_taken_in_when_it_comes(later):
    run_id, folder = new_record()
    later(100)
    ledger = Ledger(KEY)
    assert ledger.refresh() == []
    write_request(request(folder, run_id), KEY)
    assert [run.run_id for run in ledger.refresh()] == [run_id]


def test_what_has_ended_is_read_once_by_all_processes(later, monkeypatch):
    started("a", DONE)
    started("b")
    later(100)
    first = Ledger(KEY).refresh()
    monkeypatch.setattr(EventTail, "news", lambda self: pytest.fail("read again"))
    assert Ledger(KEY).refresh() == first
    assert {run.state for run in first} == {RunState.DONE, RunState.CRASHED}


@pytest.mark.parametrize("junk", ["", "{}", "[1]", '[{"run_id": "x"}]', '[{"state": "?"}]', "\x00"])
def test_a_spoilt_memory_of_what_has_ended_is_made_anew(later, junk):
    started("a", DONE)
    later(100)
    first = Ledger(KEY).refresh()
    (state_folder() / "ended-runs.json").write_text(junk)
    assert Ledger(KEY).refresh() == first
    assert len(json.loads((state_folder() / "ended-runs.json").read_text())) == 1


def test_records_that_are_deleted_are_forgotten(later):
    folders = [started(thread, DONE)[0] for thread in "ab"]
    ledger = Ledger(KEY)
    assert len(ledger.refresh()) == 2
    later(100)
    ledger.refresh()
    shutil.rmtree(folders[0])
    assert [run.thread_id for run in ledger.refresh()] == ["b"]
    started("c", DONE)
    assert len(json.loads((state_folder() / "ended-runs.json").read_text())) == 2
    Ledger(KEY).refresh()
    later(200)
    Ledger(KEY).refresh()
    assert {run["thread_id"] for run in json.loads((state_folder() / "ended-runs.json").read_text())} == {"b", "c"}


def test_what_is_no_record_is_passed_over():
    folder, _ = started("a", DONE)
    (Path(folder).parent / "notes.txt").write_text("mine")
    (Path(folder).parent / "junk").mkdir()
    (Path(folder).parent / "junk" / "run.json").write_text("[]")
    assert len(Ledger(KEY).refresh()) == 1


def test_looking_again_at_many_ended_runs_costs_next_to_nothing(later):
    for number in range(100):
        started(f"t{number}", DONE)
    later(100)
    ledger = Ledger(KEY)
    ledger.refresh()
    assert steps(ledger.refresh) < 1_000
    assert ledgers._SETTLING < 100

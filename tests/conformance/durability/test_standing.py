"""Where workflows stand, and which of them failed."""

from __future__ import annotations

import os
import re
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import interrupt

from backends.durability import failed
from backends.durability.checkpointer import CheckpointerManager
from backends.durability.failed import find_failed_workflows
from backends.durability.resume import resume_workflow
from backends.durability.standing import get_checkpoint_status, needs_resume
from backends.durability.thread_ids import generate_thread_id
from backends.errors import NotAStore, StoreUnreachable
from tests.holding import Holding

from .workflow import Workflow


def test_a_store_that_is_not_there_yet_has_no_workflows(store: str, tmp_path: Path):
    assert get_checkpoint_status("w", store) is None
    assert not needs_resume("w", store)
    assert find_failed_workflows(store) == []
    assert resume_workflow("w", store, lambda _: pytest.fail("it was called"))["status"] == "not_found"
    assert os.listdir(tmp_path) == []


def test_one_that_cannot_be_reached_is_no_empty_one(tmp_path: Path):
    with pytest.raises(StoreUnreachable):
        get_checkpoint_status("w", str(tmp_path / "nowhere" / "x.db"))
    (tmp_path / "text.db").write_text("no database")
    with pytest.raises(NotAStore):
        needs_resume("w", str(tmp_path / "text.db"))


def test_half_made_tables_are_waited_for(tmp_path: Path):
    path = tmp_path / "x.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE users (name)")
        assert get_checkpoint_status("w", str(path)) is None
        SqliteSaver(connection).setup()
        connection.execute("DROP TABLE writes")
        with pytest.raises(NotAStore):
            get_checkpoint_status("w", str(path))
        with ThreadPoolExecutor(1) as pool, Holding(str(path), "(checkpoint tables)") as maker:
            asked = pool.submit(get_checkpoint_status, "w", str(path))
            with pytest.raises(TimeoutError):
                asked.result(0.2)
            SqliteSaver(connection).setup()
            maker.let_go()
            assert asked.result(20) is None


def test_what_is_left_open_keeps_no_process_from_ending(tmp_path: Path):
    manager = CheckpointerManager.get_or_create(str(tmp_path / "x.db"))
    saver = manager.get_checkpointer()
    Workflow(str(tmp_path / "x.db")).run({"n": 0})
    listing = saver.list(None)
    next(iter(listing))  # LangGraph's saver is locked until this generator is closed
    manager.close()
    with pytest.raises(sqlite3.ProgrammingError):
        next(iter(listing))


def test_each_status_is_told(workflow: Workflow):
    started = time.time()
    workflow.run({"n": 0}, "done")
    workflow.fail("failed")
    workflow.second = lambda: interrupt("Go on?")
    workflow.run({"n": 0}, "waiting")
    found = {name: get_checkpoint_status(name, workflow.store) for name in ("done", "failed", "waiting")}
    told = {
        name: (one.status, one.reason, one.next, one.is_complete, one.version) for name, one in found.items() if one
    }
    assert told == {
        "done": ("done", "", (), True, 4),
        "failed": ("failed", "ConnectionError('refused')", ("second",), False, 4),
        "waiting": ("waiting", '"Go on?"', ("second",), False, 4),
    }
    assert [name for name in told if needs_resume(name, workflow.store)] == ["failed", "waiting"]
    one = found["done"]
    assert one is not None
    assert one.created_at is not None
    assert one.updated_at is not None
    assert started - 1 < one.created_at.timestamp() < one.updated_at.timestamp() < time.time() + 1
    with Holding(workflow.store, "done") as holding:
        running = get_checkpoint_status("done", workflow.store)
        assert running is not None
        assert (running.status, running.is_complete) == ("running", False)
        assert f"pid {holding.pid}" in running.reason


# --- failed ones -----------------------------------------------------------------------------------------------------


def test_what_failed_is_found_by_its_age(workflow: Workflow, monkeypatch: pytest.MonkeyPatch):
    for name in ("old", "new"):
        workflow.fail(name)
    workflow.run({"n": 0}, "done")

    def found(minutes_later: float, *ages: float | None, **more: Any) -> list[str]:
        monkeypatch.setattr(failed, "time", SimpleNamespace(time=lambda: time.time() + 60 * minutes_later))
        return [one.thread_id for one in find_failed_workflows(workflow.store, *ages, **more)]

    assert found(0) == []
    assert found(0, 0) == ["new", "old"]
    assert found(6) == ["new", "old"]
    assert found(6, 7) == []
    assert found(24 * 60 + 1) == []
    assert found(24 * 60 + 1, 5, 48) == ["new", "old"]
    assert found(10**6, None, None) == ["new", "old"]
    assert found(6, statuses=["stalled"]) == []


def test_a_workflow_is_as_old_as_its_first_checkpoint(workflow: Workflow, monkeypatch: pytest.MonkeyPatch):
    workflow.run({"n": 0})
    first = get_checkpoint_status("w", workflow.store)
    workflow.fail()
    assert first is not None
    assert first.created_at is not None
    hour = first.created_at.timestamp() + 3600
    monkeypatch.setattr(failed, "time", SimpleNamespace(time=lambda: hour - 0.001))
    assert len(find_failed_workflows(workflow.store, 0, 1)) == 1
    monkeypatch.setattr(failed, "time", SimpleNamespace(time=lambda: hour + 0.001))
    assert find_failed_workflows(workflow.store, 0, 1) == []


# --- ids -------------------------------------------------------------------------------------------------------------


def test_ids_tell_the_workflow_and_never_meet():
    assert re.fullmatch(r"data_pipeline_user123_\d{14}_[0-9a-f]{8}", generate_thread_id("data_pipeline", "user123"))
    assert re.fullmatch(r"data_pipeline_\d{14}_[0-9a-f]{8}", generate_thread_id("data_pipeline"))
    assert len({generate_thread_id("w") for _ in range(1000)}) == 1000

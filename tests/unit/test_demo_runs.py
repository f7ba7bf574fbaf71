"""Every demo graph does what its docstring says to watch, and its ledger proves it; no store but memory here."""

from __future__ import annotations

from collections import Counter
from importlib import import_module
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import NodeTimeoutError

from demo_graphs import ledger


@pytest.fixture
def book(tmp_path, monkeypatch):
    path = tmp_path / "ledger.jsonl"
    monkeypatch.setenv(ledger.PLACE, str(path))
    return str(path)


async def run(name: str, given: dict[str, Any]) -> dict[str, Any]:
    module = import_module(f"demo_graphs.{name}")
    graph = module.graph.copy(update={"checkpointer": InMemorySaver()})
    result: dict[str, Any] = await graph.ainvoke(given, {"configurable": {"thread_id": name}})
    return result


def begun(path: str) -> Counter[str]:
    return Counter(entry["node"] for entry in ledger.entries(path) if entry["kind"] == "begin")


def effects(path: str) -> list[str]:
    return [entry["what"] for entry in ledger.entries(path) if entry["kind"] == "effect"]


async def test_a_saga_takes_back_in_reverse_order_what_it_booked(book):
    done = await run("saga", {"journey_id": "j1", "fails_at": "car", "pace": 0})
    assert done["undone"] == ["flight", "hotel"]
    assert effects(book) == ["booked the hotel", "booked the flight", "cancelled the flight", "cancelled the hotel"]
    assert done["outcome"] == "taken back: no car is free"


async def test_a_saga_whose_first_step_fails_has_nothing_to_take_back(book):
    done = await run("saga", {"journey_id": "j2", "fails_at": "hotel", "pace": 0})
    assert effects(book) == []
    assert done["error"] == "no hotel is free"


async def test_a_saga_without_a_failure_confirms(book):
    done = await run("saga", {"journey_id": "j3", "fails_at": "", "pace": 0})
    assert done["outcome"] == "booked"
    assert len(effects(book)) == 4


async def test_retry_succeeds_at_its_last_attempt_and_gives_up_after_it(book):
    done = await run("retry", {"host": "quotes.example", "failures": 2, "pace": 0})
    assert done["attempts"] == 3
    assert begun(book)["call"] == 3
    with pytest.raises(ConnectionError, match="attempt 3 of 3"):
        await run("retry", {"host": "quotes.example", "failures": 3, "pace": 0})
    assert begun(book)["call"] == 6


async def test_recovery_keeps_every_error_and_gives_up_at_its_limit(book):
    done = await run("recovery", {"amount": 10, "failures": 2, "limit": 3, "pace": 0})
    assert done["outcome"] == "booked after 2 errors"
    done = await run("recovery", {"amount": 10, "failures": 9, "limit": 3, "pace": 0})
    assert done["outcome"] == "given up after 3 errors: bank.example hung up (3)"
    done = await run("recovery", {"amount": 0, "failures": 0, "limit": 3, "pace": 0})
    assert done["outcome"].startswith("rejected")


async def test_idempotent_work_is_done_once_however_often_it_runs(book):
    given = {"booking_id": "b1", "seats": 2, "pace": 0}
    for _ in range(3):
        await run("idempotent", given)
    assert begun(book) == {"reserve": 3, "charge": 3, "confirm": 3}
    assert effects(book) == ["2 seats held", "40 € charged", "letter sent"]


async def test_a_coroutine_that_takes_too_long_is_told_so(book, monkeypatch):
    with pytest.raises(NodeTimeoutError):
        await run("timeout", {"question": "Rain?", "delay": 5.0, "pace": 0})
    assert effects(book) == []
    done = await run("timeout", {"question": "Rain?", "delay": 0.0, "pace": 0})
    assert done["answer"] == "Rain? yes"


async def test_a_long_run_does_one_item_a_step(book):
    done = await run("long_running", {"left": ["a", "b", "c"], "pace": 0})
    assert done["done"] == ["a", "b", "c"]
    assert done["outcome"] == "3 items"
    assert effects(book) == ["did a", "did b", "did c"]


async def test_without_a_ledger_everything_runs_and_nothing_is_kept(tmp_path, monkeypatch):
    monkeypatch.delenv(ledger.PLACE, raising=False)
    done = await run("idempotent", {"booking_id": "b", "seats": 1, "pace": 0})
    assert done["confirmed"]
    assert list(tmp_path.iterdir()) == []


def test_a_line_that_is_being_written_is_left_out(tmp_path):
    path = tmp_path / "ledger.jsonl"
    path.write_text('{"node": "a"}\n{"node": "b')
    assert ledger.entries(str(path)) == [{"node": "a"}]

"""A run owns its thread: others are told who, and a run that loses the thread stops writing."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psycopg
import pytest

from backends.runs.events import Kind, Outcome
from backends.runs.spec import Verb
from tests.child import Bench, project
from tests.rows import rows

SOURCE = """
import asyncio, os
from typing_extensions import TypedDict
from langgraph.graph import END, START, StateGraph

class State(TypedDict, total=False):
    where: str
    count: int

async def waits(state):
    open(state["where"], "w").close()
    while not os.path.exists(state["where"] + ".go"):
        await asyncio.sleep(0.01)
    return {"count": state.get("count", 0) + 1}

def locks(state):
    from lgtop import thread_lock
    with thread_lock(os.environ["LGTOP_TEST_STORE"], "t"):
        return {"count": 10}

builder = StateGraph(State)
builder.add_node("waits", waits)
builder.add_node("locks", locks)
builder.add_edge(START, "waits")
builder.add_edge("waits", "locks")
builder.add_edge("locks", END)
graph = builder.compile()
"""


PLAIN = SOURCE.replace("async def", "def").replace("await asyncio.sleep", "__import__('time').sleep")

BOTH_DRIVES = pytest.mark.parametrize("source", [SOURCE, PLAIN], ids=["awaited", "plain"])
"""LangGraph's asynchronous loop, and its plain one."""


@pytest.fixture(params=["sqlite", "postgres"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    store = request.getfixturevalue("postgres_url") if request.param == "postgres" else str(tmp_path / "store.sqlite")
    root = str(Path(__file__).resolve().parents[2])
    environment = {"LGTOP_TEST_STORE": store, "PYTHONPATH": root}  # the application has lgtop installed
    return Bench(tmp_path, store, project(tmp_path / "project", SOURCE), environment)


def test_a_second_run_is_told_who_has_the_thread(bench: Bench, tmp_path: Path):
    where = tmp_path / "reached"
    first = bench.begin(Verb.START, input={"where": str(where)}, create_store=True)
    first.until(lambda event: where.exists())
    second = bench.do(Verb.RESUME)
    assert (second.end["outcome"], second.end["exit"]) == (Outcome.BUSY, 4)
    assert "run-1" in second.end["reason"]
    assert "ann@lab" in second.end["reason"]
    assert not second.of(Kind.LOCKED)
    Path(f"{where}.go").touch()
    assert first.wait().end["outcome"] == Outcome.DONE  # its own code asks for the lock that the run holds


def test_the_thread_is_free_after_a_kill(bench: Bench, tmp_path: Path):
    where = tmp_path / "reached"
    first = bench.begin(Verb.START, input={"where": str(where)}, create_store=True)
    first.until(lambda event: where.exists())
    os.killpg(first.process.pid, signal.SIGKILL)
    first.wait()
    Path(f"{where}.go").touch()
    second = bench.do(Verb.RESUME)
    assert second.end["outcome"] == Outcome.DONE, second.report()
    started = [event["name"] for event in second.of(Kind.TASK) if event["phase"] == "start"]
    assert started == ["waits", "locks"]


@BOTH_DRIVES
def test_a_run_whose_lock_is_lost_writes_no_more(postgres_url: str, tmp_path: Path, source: str):
    bench = Bench(tmp_path, postgres_url, project(tmp_path / "project", source))
    where = tmp_path / "reached"
    child = bench.begin(Verb.START, input={"where": str(where)})
    child.until(lambda event: where.exists())
    before = rows(postgres_url, "t")
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        ended = connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        ).fetchall()
    assert ended == [(True,)]
    end = child.wait().end
    assert (end["outcome"], end["exit"]) == (Outcome.FAILED, 1)
    assert "lock was lost" in end["reason"]
    assert rows(postgres_url, "t") == before


@BOTH_DRIVES
def test_a_store_that_goes_away_is_the_reason(postgres_url: str, tmp_path: Path, source: str):
    bench = Bench(tmp_path, postgres_url, project(tmp_path / "project", source))
    where = tmp_path / "reached"
    child = bench.begin(Verb.START, input={"where": str(where)})
    child.until(lambda event: where.exists())
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'lgtop' AND datname = current_database()"
        )
    Path(f"{where}.go").touch()
    end = child.wait().end
    assert (end["outcome"], end["exit"]) == (Outcome.FAILED, 6), child.report()
    assert "The store failed" in end["reason"]
    assert "terminating connection" in end["reason"] or "closed" in end["reason"]


def test_no_password_is_told(postgres_url: str, tmp_path: Path):
    address = "postgresql://nobody:hunter2@127.0.0.1:1/none"
    child = Bench(tmp_path, address, project(tmp_path / "project", SOURCE)).do(Verb.RESUME)
    assert child.end["exit"] == 6, child.report()
    told = b"".join(path.read_bytes() for path in child.folder.iterdir() if path.is_file())
    assert b"hunter2" not in told

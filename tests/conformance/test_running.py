"""Who holds a thread is seen wherever its status is: by a reader, by the feed, by the commands."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from langgraph.graph import START, StateGraph

from backends.address import parse_address
from backends.feed import Analysed, Changed, Feed, Lost
from backends.ids import unix_time
from backends.model import Analysis, ThreadHead
from backends.reader import Reader
from backends.store import open_store
from backends.witness import Witness
from tests.holding import Holding
from tests.unit.feed_rig import PATIENCE, Recorder
from tui.cli import selection
from tui.cli.exits import Exit
from tui.cli.main import run

from .places import Place, postgres_place
from .population import State, config, loop, nested


@pytest.fixture(autouse=True)
def _own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the developer's runs out of the tests, and theirs out of the developer's."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def populated(place: Place) -> Place:
    """A store with a thread that is done, one that asks, and one that is stalled in the middle."""
    loop(place.saver).invoke({"n": 0}, config("done"))
    nested(place.saver).invoke({"n": 0}, config("asking"))
    loop(place.saver).invoke({"n": 0}, config("stalled"), interrupt_after=["work"])
    return place


@pytest.fixture
def reader(populated: Place) -> Iterator[Reader]:
    address = parse_address(populated.address, {})
    with closing(Reader(open_store(populated.address), None, Witness.of(address))) as opened:
        yield opened


def analyses(reader: Reader) -> dict[str, Analysis]:
    """Every thread, by every way to ask for it."""
    heads, listed = _heads(reader), reader.analyse_heads(_heads(reader))
    assert {head.thread_id: reader.analysis(head.key) for head in heads} == listed
    return listed


def _heads(reader: Reader) -> list[ThreadHead]:
    return [head for batch in reader.store.heads() for head in batch]


def statuses(reader: Reader) -> dict[str, str]:
    return {thread_id: found.status.value for thread_id, found in analyses(reader).items()}


FREE = {"done": "done", "asking": "waiting", "stalled": "stalled"}


@pytest.mark.parametrize("thread_id", FREE)
def test_a_reader_sees_who_holds_a_thread(populated: Place, reader: Reader, thread_id: str) -> None:
    assert statuses(reader) == FREE
    with Holding(populated.address, thread_id) as holding:
        found = analyses(reader)
        assert found[thread_id].status == "running"
        assert found[thread_id].reason == f"nightly@batch · pid {holding.pid}"
        assert {**statuses(reader), thread_id: FREE[thread_id]} == FREE
        holding.let_go()
        assert statuses(reader) == FREE


@pytest.mark.parametrize("thread_id", FREE)
def test_a_killed_holder_holds_nothing(populated: Place, reader: Reader, thread_id: str) -> None:
    with Holding(populated.address, thread_id) as holding:
        assert statuses(reader)[thread_id] == "running"
        holding.kill()
        deadline = time.monotonic() + (PATIENCE if populated.kind == "postgres" else 0.0)
        while reader.analyse_heads(_heads(reader))[thread_id].status == "running":
            assert time.monotonic() < deadline, "a server has to notice that its client is gone, the kernel knows"
        assert statuses(reader) == FREE


def test_only_the_head_of_a_held_thread_runs(populated: Place, reader: Reader) -> None:
    before = {row.key: reader.analysis(row.key) for row in reader.store.history("asking")}
    head = reader.head("asking").key
    with Holding(populated.address, "asking"):
        during = {key: reader.analysis(key) for key in before}
    assert during.pop(head).status == "running"
    assert during == {key: found for key, found in before.items() if key != head}


def test_unfinished_work_of_a_subgraph_runs_with_its_thread(place: Place) -> None:
    inner = StateGraph(State)
    inner.add_sequence([("first", lambda _: {"log": ["first"]}), ("second", lambda _: {"log": ["second"]})])
    inner.add_edge(START, "first")
    outer = StateGraph(State)
    outer.add_node("inner", inner.compile(interrupt_before=["second"]))
    outer.add_edge(START, "inner")
    outer.compile(checkpointer=place.saver).invoke({"n": 0}, config("t"))
    with closing(Reader(open_store(place.address), None, Witness.of(parse_address(place.address, {})))) as reader:
        newest = next(row.key for row in reader.store.history("t") if row.key.ns)
        assert reader.analysis(newest).status == "stalled"
        with Holding(place.address, "t"):
            assert reader.analysis(newest).status == "running"


# --- the feed ----------------------------------------------------------------------------------------------------


@pytest.fixture
def followed(populated: Place) -> Iterator[tuple[Place, Recorder]]:
    """A feed that has told of everything."""
    told = Recorder()
    feed = Feed(parse_address(populated.address, {}), told)
    feed.start()
    try:
        told.wait(told.settled)
        yield populated, told
    finally:
        assert feed.stop()


@pytest.mark.parametrize("thread_id", FREE)
def test_the_feed_tells_who_takes_and_lets_go(followed: tuple[Place, Recorder], thread_id: str) -> None:
    place, told = followed
    assert told.status(thread_id) == FREE[thread_id]
    with Holding(place.address, thread_id) as holding:
        told.wait(lambda: told.status(thread_id) == "running")
        summary = told.index.rows[thread_id].summary
        assert summary is not None
        assert summary.reason == f"nightly@batch · pid {holding.pid}"
        holding.let_go()
        told.wait(lambda: told.status(thread_id) == FREE[thread_id])
    with Holding(place.address, thread_id) as holding:
        told.wait(lambda: told.status(thread_id) == "running")
        holding.kill()
        told.wait(lambda: told.status(thread_id) == FREE[thread_id])
    assert not told.of(Lost)


def test_a_held_thread_is_never_stalled(followed: tuple[Place, Recorder]) -> None:
    """From its first checkpoint to its last, and it is not told of before there is one."""
    place, told = followed
    begun = len(told.events)
    with Holding(place.address, "new") as holding:
        assert "new" not in told.index.rows
        graph: Any = loop(place.saver)
        for _ in graph.stream({"n": 0}, config("new")):
            rows = place.tuples("new")
            told.wait(lambda: "new" in told.index.rows)
            told.wait(lambda step=rows[0].metadata["step"]: (told.index.rows["new"].head.step or 0) >= step)
        told.wait(lambda: told.status("new") == "running")
        holding.let_go()
        told.wait(lambda: told.status("new") == "done")
    said = [event.summaries["new"].status.value for event in told.of(Analysed, begun) if "new" in event.summaries]
    assert list(dict.fromkeys(said)) == ["running", "done"]
    assert not any(event.removed for event in told.of(Changed, begun))


def test_a_store_that_is_opened_while_somebody_runs(populated: Place) -> None:
    told = Recorder()
    with Holding(populated.address, "asking"), Holding(populated.address, "stalled", "you@laptop"):
        feed = Feed(parse_address(populated.address, {}), told)
        feed.start()
        try:
            told.wait(told.settled)
            assert {name: told.status(name) for name in FREE} == {
                "done": "done",
                "asking": "running",
                "stalled": "running",
            }
        finally:
            assert feed.stop()
    assert {event.summaries["asking"].status.value for event in told.of(Analysed) if "asking" in event.summaries} == {
        "running"
    }


# --- commands ----------------------------------------------------------------------------------------------------


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    assert run([*words, "--json"]) == Exit.DONE
    return json.loads(capsys.readouterr().out)


def test_the_commands_name_the_holder(populated: Place, capsys: pytest.CaptureFixture[str]) -> None:
    store = ("-s", populated.address)
    with Holding(populated.address, "asking") as holding:
        by = f"nightly@batch · pid {holding.pid}"
        listed = {item["thread_id"]: item for item in printed(capsys, "ls", *store)}
        assert {name: item["running_by"] for name, item in listed.items()} == {
            "done": None,
            "asking": by,
            "stalled": None,
        }
        assert (listed["asking"]["status"], listed["asking"]["reason"]) == ("running", by)
        assert listed["asking"]["interrupts"]
        assert [item["thread_id"] for item in printed(capsys, "ls", *store, "--filter", "status:running")] == ["asking"]
        shown = printed(capsys, "show", *store, "asking")
        assert (shown["status"], shown["running_by"]) == ("running", by)
        assert [item["running_by"] for item in printed(capsys, "inbox", *store)] == [by]
        assert run(["ls", *store]) == Exit.DONE
        assert "● running" in capsys.readouterr().out
    assert printed(capsys, "show", *store, "asking")["running_by"] is None


def test_a_role_that_may_only_read_sees_who_runs_what(
    postgres_url: str,
    postgres_role: Callable[..., str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What another role's session says is not shown to it: the lock's number must do, whatever batch it is found in."""
    monkeypatch.setattr(selection, "_BATCH", 1)
    grants = ("GRANT USAGE ON SCHEMA public TO {role}", "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    with postgres_place(postgres_url) as place:
        for number, thread_id in enumerate("abc"):
            place.put(thread_id, number)
        onlooker = postgres_role(postgres_url, *grants)
        for thread_id in "abc":
            with Holding(postgres_url, thread_id):
                listed = printed(capsys, "ls", "-s", onlooker)
                assert [item["thread_id"] for item in listed if item["running_by"]] == [thread_id]


def test_looking_at_locks_leaves_no_trace(populated: Place, capsys: pytest.CaptureFixture[str]) -> None:
    before = populated.fingerprint()
    printed(capsys, "ls", "-s", populated.address)
    assert populated.fingerprint() == before


def test_a_lock_leaves_the_time_of_the_last_activity_alone(populated: Place, reader: Reader) -> None:
    head = reader.head("stalled")
    with Holding(populated.address, "stalled"):
        assert reader.head("stalled") == head
        assert unix_time(head.newest_id) == head.updated_at

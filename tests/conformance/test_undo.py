"""Taking actions back: the store is then as it was, row for row, or it is said why it stays as it is."""

from __future__ import annotations

import operator
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.channels.delta import DeltaChannel
from langgraph.graph import START, StateGraph
from langgraph.types import Command, Send, interrupt

from backends.address import parse_address
from backends.control import journal
from backends.control.copy import copy_thread
from backends.control.gate import Gate
from backends.control.journal import Entry
from backends.errors import AlreadyRunning, Refused
from backends.locks.take import take
from backends.reader import Reader
from backends.store import Store

from .places import Place
from .test_copy import content


def _extend(state: list[str], writes: Any) -> list[str]:
    return [*(state or []), *(item for write in writes for item in write)]


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]
    deltas: Annotated[list[str], DeltaChannel(_extend, snapshot_frequency=50)]


def _good(state: State) -> State:
    return {"log": ["good"], "deltas": ["good"]}


def _ask(state: State) -> State:
    return {"log": [interrupt("?")], "deltas": ["asked"]}


def graph(saver: Any) -> Any:
    builder = StateGraph(State).add_node("plan", _good).add_node("good", _good).add_node("ask", _ask)
    builder.add_node("sent", _good)
    builder.add_edge(START, "plan").add_edge("plan", "good").add_edge("plan", "ask")
    builder.add_conditional_edges("ask", lambda state: [Send("sent", {}), Send("sent", {})], ["sent"])
    return builder.compile(checkpointer=saver)


T: Any = {"configurable": {"thread_id": "t"}}
STAMPED: Any = {**T, "metadata": {"lgtop_run": "run-1", "lgtop_operator": "me"}}


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def gate(place: Place) -> Gate:
    return Gate(parse_address(place.address, {}))


@pytest.fixture
def app(place: Place) -> Any:
    """A graph whose thread ``t`` has a finished node, and one that asks."""
    made = graph(place.saver)
    made.invoke({"log": ["in"], "deltas": ["in"]}, T, durability="sync")
    return made


def entry(verb: str, **more: Any) -> Entry:
    made = Entry("a1", 1.0, "me@here", "the store", "key", verb, "t", run_id="run-1", ran=False, summary="it", **more)
    journal.append(made)
    return made


def undo(done: Entry, gate: Gate, store: Store) -> str:
    return journal.undo(done, gate, Reader(store))


@pytest.mark.parametrize("as_node", ["plan", "good", "ask", "__input__"])
def test_an_edit_is_taken_back_with_all_that_it_left(
    app: Any, place: Place, store: Store, gate: Gate, as_node: str
) -> None:
    before = content(store, "t")
    state = app.get_state(T)
    app.update_state(STAMPED, {"log": ["edited"], "deltas": ["edited"]}, as_node=as_node)
    assert content(store, "t") != before
    told = undo(entry("edit", as_node=as_node), gate, store)
    assert "was removed" in told
    assert content(store, "t") == before
    assert app.get_state(T) == state
    app.invoke(Command(resume={state.interrupts[0].id: "yes"}), T, durability="sync")
    assert sorted(app.get_state(T).values["log"]) == ["good", "good", "good", "good", "in", "yes"]
    assert sorted(app.get_state(T).values["deltas"]) == ["asked", "good", "good", "good", "good", "in"]


def test_a_fork_that_did_not_run_is_taken_back(app: Any, place: Place, store: Store, gate: Gate) -> None:
    before = content(store, "t")
    old = store.history("t", "")[1].key.checkpoint_id
    place_of = {**STAMPED, "configurable": {"thread_id": "t", "checkpoint_ns": "", "checkpoint_id": old}}
    app.update_state(place_of, {"log": ["edited"]}, as_node="plan")
    undo(entry("fork", as_node="plan"), gate, store)
    assert content(store, "t") == before


def test_a_fork_that_changed_nothing_is_found_by_its_id(app: Any, place: Place, store: Store, gate: Gate) -> None:
    before, head = content(store, "t"), store.history("t", "")[0].key.checkpoint_id
    made = app.update_state(STAMPED, None, as_node="__copy__")["configurable"]["checkpoint_id"]
    undo(entry("fork", as_node="__copy__", head_before=head, head_after=made), gate, store)
    assert content(store, "t") == before


def test_of_two_edits_the_later_one_goes_first(app: Any, place: Place, store: Store, gate: Gate) -> None:
    before = content(store, "t")
    app.update_state(STAMPED, {"log": ["one"]}, as_node="plan")
    between = content(store, "t")
    app.update_state({**T, "metadata": {"lgtop_run": "run-2"}}, {"log": ["two"]}, as_node="plan")
    first = entry("edit")
    with pytest.raises(Refused, match="gone on"):
        undo(first, gate, store)
    second = Entry("a2", 2.0, "me", "s", "key", "edit", "t", run_id="run-2")
    journal.append(second)
    undo(second, gate, store)
    assert content(store, "t") == between
    undo(first, gate, store)
    assert content(store, "t") == before


def test_an_edit_stays_once_a_run_has_begun_from_it(app: Any, place: Place, store: Store, gate: Gate) -> None:
    app.update_state(STAMPED, {"log": ["edited"]}, as_node="plan")
    app.invoke(None, T, durability="sync")
    assert app.get_state(T).metadata["source"] == "update"
    after = content(store, "t")
    with pytest.raises(Refused, match="run has begun"):
        undo(entry("edit"), gate, store)
    assert content(store, "t") == after
    app.invoke(Command(resume="x"), T, durability="sync")
    with pytest.raises(Refused, match="gone on"):
        undo(entry("edit"), gate, store)


def test_what_wrote_nothing_cannot_be_taken_back(app: Any, place: Place, store: Store, gate: Gate) -> None:
    for done in (entry("edit"), entry("start"), entry("fork", head_before="x", head_after="x")):
        with pytest.raises(Refused):
            undo(done, gate, store)
    with pytest.raises(Refused, match="--readonly"):
        undo(entry("edit"), Gate(gate.address, readonly=True), store)


def test_a_copy_is_removed_as_long_as_it_is_one(app: Any, place: Place, store: Store, gate: Gate) -> None:
    before = content(store, "t")
    made = copy_thread(gate, "t", "copy")
    done = entry("copy", target="copy", checkpoints=made.checkpoints, writes=made.writes)
    with take(gate.target, "copy"), pytest.raises(AlreadyRunning):
        undo(done, gate, store)
    undo(done, gate, store)
    assert store.history("copy") == store.writes("copy") == []
    assert content(store, "t") == before
    assert [(one.verb, one.outcome, one.undone) for one in journal.entries("key")] == [
        ("undo", "done", False), ("undo", "refused", False), ("copy", "", True)]  # fmt: skip
    with pytest.raises(Refused, match="already"):
        undo(journal.entries("key")[2], gate, store)

    made = copy_thread(gate, "t", "used")
    question = app.get_state(T).interrupts[0].id
    app.invoke(Command(resume={question: "x"}), {"configurable": {"thread_id": "used"}}, durability="sync")
    done = entry("copy", target="used", checkpoints=made.checkpoints, writes=made.writes)
    with pytest.raises(Refused, match="has been used"):
        undo(done, gate, store)
    assert store.history("used")


def test_postgres_blobs_go_with_their_checkpoint_and_no_others(
    app: Any, place: Place, store: Store, gate: Gate
) -> None:
    if place.kind != "postgres":
        assert content(store, "t")
        return
    before = place.fingerprint()
    counts = [table[0] for table in before[0]]  # type: ignore[index]
    app.update_state(STAMPED, {"log": ["edited"], "deltas": ["edited"]}, as_node="ask")
    undo(entry("edit", as_node="ask"), gate, store)
    assert [table[0] for table in place.fingerprint()[0]] == counts  # type: ignore[index]

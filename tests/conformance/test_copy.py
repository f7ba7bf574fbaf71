"""Copies of threads: row for row, in every kind of store, and alive: LangGraph goes on from them by itself."""

from __future__ import annotations

import operator
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send, interrupt

from backends.address import parse_address
from backends.control.copy import copy_thread
from backends.control.gate import Gate
from backends.errors import NotFound, Refused
from backends.model import CheckpointKey
from backends.store import Store

from .places import Place


class Inner(TypedDict, total=False):
    said: Annotated[list[str], operator.add]


class State(Inner, total=False):
    log: Annotated[list[str], operator.add]
    round: int
    blob: bytes


def _say(name: str):
    def node(state: State) -> State:
        return {"log": [f"{name}{state.get('round', 0)}"]}

    return node


def _inside(name: str):
    def node(state: Inner) -> Inner:
        return {"said": [name]}

    return node


def _ask(state: Inner) -> Inner:
    return {"said": [f"told {interrupt('how?')}"]}


def _count(state: State) -> State:
    return {"round": state.get("round", 0) + 1, "blob": bytes(200)}


def graph(saver: Any) -> Any:
    """A loop of three rounds: parallel nodes, Sends, a nested subgraph that asks, and one that remembers its calls."""
    inner = StateGraph(Inner).add_node("ask", _ask).add_edge(START, "ask").compile()
    middle = StateGraph(Inner).add_node("first", _inside("first")).add_node("inner", inner)
    middle.add_edge(START, "first").add_edge("first", "inner")
    keeping = StateGraph(Inner).add_node("keep", _inside("keep")).add_edge(START, "keep")
    whole = StateGraph(State).add_node("count", _count).add_node("good", _say("good"))
    whole.add_node("middle", middle.compile()).add_node("keeping", keeping.compile(checkpointer=True))
    whole.add_node("sent", _say("sent")).add_node("join", _say("join"), defer=True)
    whole.add_edge(START, "count").add_edge("count", "good").add_edge("count", "middle").add_edge("count", "keeping")
    whole.add_conditional_edges("good", lambda state: [Send("sent", {"round": n}) for n in (7, 8)], ["sent"])
    whole.add_edge(["middle", "keeping", "sent"], "join")
    whole.add_conditional_edges("join", lambda state: "count" if state["round"] < 3 else END, ["count", END])
    return whole.compile(checkpointer=saver)


def thread(thread_id: str, **more: Any) -> Any:
    return {"configurable": {"thread_id": thread_id, **more}}


def run_to_end(app: Any, config: Any, **options: Any) -> dict[str, Any]:
    state = app.get_state(config)
    while state.next:
        answers = {one.id: "x" for one in state.interrupts}
        app.invoke(Command(resume=answers) if answers else None, config, durability="sync", **options)
        state = app.get_state(config)
    return state.values


def content(store: Store, thread_id: str) -> dict[tuple[str, str], Any]:
    """Every row of a thread but its id: what a copy must have too."""
    found: dict[tuple[str, str], Any] = {}
    for raw in store.raw([row.key for row in store.history(thread_id)]):
        body = raw.checkpoint, dict(raw.channel_blobs), raw.metadata_json, raw.parent_id
        found[raw.key.ns, raw.key.checkpoint_id] = (body, raw.writes)
    return found


def same(one: Any, other: Any) -> bool:
    """Whether two snapshots of states are equal but for their thread."""

    def plain(state: Any) -> Any:
        tasks = [
            (task.name, task.error, task.interrupts, plain(task.state) if hasattr(task.state, "tasks") else None)
            for task in state.tasks
        ]
        return state.values, state.next, state.metadata, state.config["configurable"]["checkpoint_id"], tasks

    return plain(one) == plain(other)


@pytest.fixture
def gate(place: Place) -> Gate:
    return Gate(parse_address(place.address, {}))


def test_a_copy_has_every_row_and_goes_on_by_itself(place: Place, store: Store, gate: Gate) -> None:
    app = graph(place.saver)
    app.invoke({"log": []}, thread("a"), durability="sync")
    app.invoke({"log": []}, thread("other"), durability="sync")
    before, others = content(store, "a"), content(store, "other")
    made = copy_thread(gate, "a", "b")
    assert made.thread_id == "b"
    assert (made.checkpoints, made.writes) == (len(before), sum(len(writes) for _, writes in before.values()))
    assert content(store, "b") == before == content(store, "a")
    assert len({ns for ns, _ in before}) == 4
    assert same(app.get_state(thread("b"), subgraphs=True), app.get_state(thread("a"), subgraphs=True))
    assert app.get_state(thread("b")).interrupts

    assert run_to_end(app, thread("b"))["round"] == 3
    assert content(store, "a") == before
    assert content(store, "other") == others
    assert run_to_end(app, thread("a")) == run_to_end(app, thread("b"))


def test_write_rows_without_a_checkpoint_are_copied_too(place: Place, store: Store, gate: Gate) -> None:
    key = place.put("a", 1)
    place.put_write(key._replace(checkpoint_id="1f0c0000-0000-6000-8000-000000000000"))
    assert copy_thread(gate, "a", "b").writes == 1
    assert [write for _, write in store.writes("b")] == [write for _, write in store.writes("a")]


@pytest.mark.parametrize("durability", ["sync", "exit"])
def test_a_copy_up_to_a_checkpoint_is_the_thread_as_it_stood_there(
    place: Place, store: Store, gate: Gate, durability: Any
) -> None:
    app, stood = graph(place.saver), {}
    given: Any = {"log": []}
    while given is not None or app.get_state(thread("a")).next:
        app.invoke(given, thread("a"), interrupt_before="*", durability=durability)
        state = app.get_state(thread("a"))
        answers = {one.id: "x" for one in state.interrupts}
        given = Command(resume=answers) if answers else None
        if not answers:
            stood[state.config["configurable"]["checkpoint_id"]] = content(store, "a"), state
    assert len(stood) > 8
    final = app.get_state(thread("a")).values
    for number, (checkpoint_id, (rows, state)) in enumerate(stood.items()):
        made = copy_thread(gate, "a", f"b{number}", CheckpointKey("a", "", checkpoint_id))
        assert made.checkpoints == len(rows)
        assert content(store, f"b{number}") == rows
        assert same(app.get_state(thread(f"b{number}")), state)
        assert run_to_end(app, thread(f"b{number}"), interrupt_before="*") == final
    assert len(stood) == number + 1


def test_a_copy_up_to_a_step_that_is_over_runs_it_again_from_its_beginning(
    place: Place, store: Store, gate: Gate
) -> None:
    app = graph(place.saver)
    app.invoke({"log": []}, thread("a"), durability="sync")
    asking = app.get_state(thread("a"))
    final = run_to_end(app, thread("a"))
    key = CheckpointKey("a", "", asking.config["configurable"]["checkpoint_id"])
    copy_thread(gate, "a", "b", key)
    assert store.writes("b", checkpoint_ids=[key.checkpoint_id]) == []
    assert store.namespaces("b") == [""]
    state = app.get_state(thread("b"))
    assert set(state.next) == set(asking.tasks[i].name for i in range(3))
    assert not state.interrupts
    assert run_to_end(app, thread("b")) == final


def test_a_copy_up_to_the_head_takes_what_its_step_has_saved(place: Place, store: Store, gate: Gate) -> None:
    app = graph(place.saver)
    app.invoke({"log": []}, thread("a"), durability="sync")
    head = app.get_state(thread("a")).config["configurable"]["checkpoint_id"]
    before = store.history("a", "")[1].key.checkpoint_id
    app.update_state(thread("a", checkpoint_ns="", checkpoint_id=before), {"log": ["elsewhere"]}, as_node="count")
    copy_thread(gate, "a", "b", CheckpointKey("a", "", head))
    whole, part = content(store, "a"), content(store, "b")
    assert len(whole) == len(part) + 1
    assert part.items() <= whole.items()
    assert app.get_state(thread("b")).interrupts


def test_a_copy_up_to_a_checkpoint_inside_a_subgraph_stands_in_it(place: Place, store: Store, gate: Gate) -> None:
    app = graph(place.saver)
    app.invoke({"log": []}, thread("a"), durability="sync")
    final = run_to_end(app, thread("a"))
    inside = [row for row in store.history("a") if row.key.ns.startswith("middle:") and "|" not in row.key.ns]
    middle = next(row for row in reversed(inside) if row.step == 1)
    copy_thread(gate, "a", "b", middle.key)
    assert sorted(store.namespaces("b")) == ["", middle.key.ns]
    assert store.history("b", middle.key.ns)[0].key.checkpoint_id == middle.key.checkpoint_id
    assert run_to_end(app, thread("b")) == final
    ours, theirs = store.history("b", middle.key.ns), store.history("a", middle.key.ns)
    assert ours[-1].key.checkpoint_id == theirs[-1].key.checkpoint_id


def test_branches_are_kept_apart(place: Place, store: Store, gate: Gate) -> None:
    app = graph(place.saver)
    app.invoke({"log": []}, thread("a"), durability="sync")
    run_to_end(app, thread("a"))
    old = store.history("a", "")[0].key
    before = content(store, "a")
    app.invoke(None, thread("a", checkpoint_id=store.history("a", "")[-2].key.checkpoint_id))
    run_to_end(app, thread("a"))
    copy_thread(gate, "a", "b", old)
    assert content(store, "b") == before


def test_a_thread_is_never_written_over(place: Place, store: Store, gate: Gate) -> None:
    place.put("a", 1)
    place.put("b", 1)
    place.put_write(CheckpointKey("rest", "", "1f0c0000-0000-6000-8000-000000000000"))
    before = place.fingerprint()
    for target in ("b", "rest", "a"):
        with pytest.raises(Refused, match="already"):
            copy_thread(gate, "a", target)
    with pytest.raises(NotFound):
        copy_thread(gate, "nobody", "c")
    with pytest.raises(NotFound):
        copy_thread(gate, "a", "c", CheckpointKey("a", "", "1f0c0000-0000-6000-8000-000000000000"))
    if place.kind == "postgres":
        assert place.fingerprint() == before
    assert store.namespaces("c") == []


def test_nothing_is_written_where_nothing_may_be(place: Place) -> None:
    place.put("a", 1)
    before = place.fingerprint()
    with pytest.raises(Refused, match="--readonly"):
        copy_thread(Gate(parse_address(place.address, {}), readonly=True), "a", "b")
    assert place.fingerprint() == before


def test_odd_ids_survive(place: Place, store: Store, gate: Gate) -> None:
    for number, name in enumerate(("it's", 'a"b', "100%", "ü \x1b[31m", "a:b|c", "%s")):
        place.put(name, number + 1, values={"x": ["y"]})
        copy_thread(gate, name, f"{name} copy")
        assert content(store, f"{name} copy") == content(store, name) != {}

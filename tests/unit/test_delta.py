"""DeltaChannel values against what LangGraph's own savers collect."""

import operator
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.channels.delta import DeltaChannel
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from backends.decode import Decoder
from backends.delta import resolve
from backends.model import CheckpointKey
from backends.snapshot import read_snapshot
from backends.store import Store, open_store
from backends.values import DeltaValue


def fold(state: list[str], writes: list[list[str]]) -> list[str]:
    return [*state, *(item for write in writes for item in write)]


class State(TypedDict):
    log: Annotated[list[str], DeltaChannel(fold, snapshot_frequency=4)]
    other: Annotated[list[str], DeltaChannel(fold, snapshot_frequency=100)]
    plain: Annotated[list[str], operator.add]


class PlainState(TypedDict):
    log: Annotated[list[str], operator.add]
    other: Annotated[list[str], operator.add]
    plain: Annotated[list[str], operator.add]


def node(name: str) -> Any:
    return lambda state: {"log": [name], "plain": [name], **({"other": [name]} if name == "b" else {})}


def build(saver: Any, schema: type = State) -> CompiledStateGraph[Any]:
    graph = StateGraph(schema)
    for name in "abcd":
        graph.add_node(name, node(name))
    graph.add_edge(START, "a")
    graph.add_edge("a", "b")
    graph.add_edge("a", "c")  # two tasks write one channel in one step
    graph.add_edge("b", "d")
    graph.add_edge("c", "d")
    graph.add_edge("d", END)
    return graph.compile(checkpointer=saver)


@dataclass(frozen=True)
class Lab:
    """A saver, our store on the same rows, and a way to damage them."""

    saver: Any
    store: Store
    execute: Callable[[str], Any]


@pytest.fixture
def sqlite_lab(tmp_path: Path) -> Iterator[Lab]:
    path = tmp_path / "delta.sqlite"
    with closing(sqlite3.connect(path, check_same_thread=False, isolation_level=None)) as connection:
        saver = SqliteSaver(connection)
        saver.setup()
        with closing(open_store(str(path))) as store:
            yield Lab(saver, store, connection.execute)


@pytest.fixture
def postgres_lab(postgres_url: str) -> Iterator[Lab]:
    with PostgresSaver.from_conn_string(postgres_url) as saver, closing(open_store(postgres_url)) as store:
        yield Lab(saver, store, saver.conn.execute)


@pytest.fixture(params=["sqlite", "postgres"])
def lab(request: pytest.FixtureRequest) -> Lab:
    return request.getfixturevalue(f"{request.param}_lab")


CONFIG: Any = {"configurable": {"thread_id": "t"}}


def ordered_ids(app: CompiledStateGraph[Any]) -> list[str]:
    return sorted(state.config["configurable"]["checkpoint_id"] for state in app.get_state_history(CONFIG))


def check_all(store: Store, app: CompiledStateGraph[Any], thread_id: str = "t") -> int:
    """Compare every checkpoint of a thread; returns how many values came with writes."""
    folded = 0
    for state in app.get_state_history({"configurable": {"thread_id": thread_id}}):
        found = state.config["configurable"]["checkpoint_id"]
        (raw,) = store.raw([CheckpointKey(thread_id, "", found)])
        snapshot = read_snapshot(raw, Decoder())
        values = resolve(store, Decoder(), snapshot)
        history = app.checkpointer.get_delta_channel_history(config=state.config, channels=["log", "other"])
        for channel in ("log", "other"):
            if channel not in values:
                assert channel not in snapshot.channel_versions
                assert state.values.get(channel, []) == []
                continue
            value = values[channel]
            if not isinstance(value, DeltaValue):
                assert value == state.values[channel]  # written before the channel was a DeltaChannel
                continue
            assert value.complete
            assert fold(value.seed or [], list(value.writes)) == state.values[channel], (state.metadata, value)
            if value.writes:
                folded += 1
                assert list(value.writes) == [write for _, _, write in history[channel]["writes"]]
                assert value.has_seed == ("seed" in history[channel])
        assert values.get("plain", []) == state.values.get("plain", [])
    return folded


def test_values_are_the_savers_seed_and_writes(lab: Lab) -> None:
    app = build(lab.saver)
    for number in range(4):
        app.invoke({"log": [f"in{number}"], "other": [], "plain": []}, CONFIG)
    assert check_all(lab.store, app) > 20


def test_forks_updates_and_exit_durability(lab: Lab) -> None:
    app = build(lab.saver)
    app.invoke({"log": ["one"], "other": [], "plain": []}, CONFIG)
    middle = list(app.get_state_history(CONFIG))[2]
    app.invoke(None, middle.config)
    app.update_state(CONFIG, {"log": ["edited"]}, as_node="a")
    app.invoke(None, CONFIG, durability="exit")
    app.invoke({"log": ["two"], "other": [], "plain": []}, CONFIG, durability="exit")
    assert check_all(lab.store, app) > 5
    app.invoke({"log": ["new"], "other": [], "plain": []}, {"configurable": {"thread_id": "exit"}}, durability="exit")
    check_all(lab.store, app, "exit")


def test_a_thread_from_before_the_channel_was_a_delta_channel(lab: Lab) -> None:
    build(lab.saver, PlainState).invoke({"log": ["old"], "other": ["old"], "plain": []}, CONFIG)
    app = build(lab.saver)
    app.invoke({"log": ["new"], "other": [], "plain": []}, CONFIG)
    assert check_all(lab.store, app) > 0


def test_missing_ancestors_are_said(lab: Lab) -> None:
    app = build(lab.saver)
    app.invoke({"log": ["one"], "other": [], "plain": []}, CONFIG)
    head = app.get_state(CONFIG)
    ids = ordered_ids(app)
    lab.execute(f"DELETE FROM checkpoints WHERE checkpoint_id = '{ids[1]}'")
    found = head.config["configurable"]["checkpoint_id"]
    (raw,) = lab.store.raw([CheckpointKey("t", "", found)])
    value = resolve(lab.store, Decoder(), read_snapshot(raw, Decoder()))["other"]
    assert isinstance(value, DeltaValue)
    assert not value.complete
    assert value.writes == (["b"],)


def test_a_chain_that_bites_its_tail_ends(lab: Lab) -> None:
    app = build(lab.saver)
    app.invoke({"log": ["one"], "other": [], "plain": []}, CONFIG)
    ids = ordered_ids(app)
    lab.execute(f"UPDATE checkpoints SET parent_checkpoint_id = '{ids[-1]}' WHERE checkpoint_id = '{ids[0]}'")
    (raw,) = lab.store.raw([CheckpointKey("t", "", ids[-1])])
    value = resolve(lab.store, Decoder(), read_snapshot(raw, Decoder()))["other"]
    assert not value.complete

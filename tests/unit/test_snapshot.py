"""Rows of every layout become one shape."""

import json
import operator
import sqlite3
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph

from backends.decode import Decoder
from backends.model import Blob, CheckpointKey, RawCheckpoint, Snapshot
from backends.snapshot import absent_deltas, read_snapshot, user_values
from backends.values import Encrypted, Snapshotted, Typed, Undecodable
from tests.hostile_blobs import ext, pack

KEY = CheckpointKey("t", "", "1ef-1")


def raw(
    checkpoint: Blob,
    blobs: dict[str, Blob] | None = None,
    metadata: bytes = b"{}",
    sends: tuple[Blob, ...] = (),
) -> RawCheckpoint:
    return RawCheckpoint(KEY, None, checkpoint, blobs or {}, metadata, (), sends, True)


def snap(body: Any, **more: Any) -> Snapshot:
    return read_snapshot(raw(Blob("msgpack", pack(body)), **more), Decoder())


class State(TypedDict):
    log: Annotated[list[str], operator.add]
    n: int


def test_state_is_what_the_graph_says(tmp_path: Path) -> None:
    graph = StateGraph(State)
    for name in "abc":
        graph.add_node(
            name, lambda state, name=name: {"log": [name]} | ({} if name == "b" else {"n": len(state["log"])})
        )
    graph.add_edge(START, "a")
    graph.add_edge("a", "b")
    graph.add_edge("a", "c")
    graph.add_edge(["b", "c"], END)
    connection = sqlite3.connect(tmp_path / "s.sqlite", check_same_thread=False)
    app = graph.compile(checkpointer=SqliteSaver(connection))
    config: Any = {"configurable": {"thread_id": "t"}}
    app.invoke({"log": ["in"], "n": 0}, config)
    states = list(app.get_state_history(config))
    assert len(states) == 4
    for state in states:
        found = state.config["configurable"]["checkpoint_id"]
        row = connection.execute(
            "SELECT type, checkpoint, metadata FROM checkpoints WHERE checkpoint_id = ?", (found,)
        ).fetchone()
        snapshot = read_snapshot(raw(Blob(*row[:2]), metadata=row[2]), Decoder())
        written = {name: value for name, value in state.values.items() if name in snapshot.channel_versions}
        assert user_values(snapshot) == written
        assert (snapshot.version, snapshot.problem) == (4, None)
        assert snapshot.metadata == state.metadata
        assert snapshot.ts is not None


def test_the_layout_of_langgraph_0_2() -> None:
    body = {
        "v": 1,
        "ts": "2024",
        "channel_values": {
            "question": "why",
            "review": "review",  # the node's own trigger
            "__start__": {"question": "why"},
            "start:review": "__start__",
            "branch:review:route:publish": "review",
            "join:a+b:c": ext(0, ("builtins", "set", ["a"])),
            "publish": "publish",
        },
        "channel_versions": {"question": 2},
        "versions_seen": {"review": {"start:review": 2}, "__input__": {}},
        "pending_sends": [ext(1, ("langgraph.types", "Send", ("publish", 1)))],
    }
    snapshot = snap(body)
    assert user_values(snapshot) == {"question": "why"}
    assert snapshot.pending_sends == (Typed("langgraph.types", "Send", ["publish", 1], "call*"),)
    assert snapshot.updated_channels is None


def test_names_that_only_old_layouts_reserve_are_the_users() -> None:
    values = {"start:here": 1, "review": "review", "__root__": 2, "__end__": 3, "__previous__": 4, "branch:to:x": None}
    snapshot = snap({"v": 4, "channel_values": values, "versions_seen": {"review": {}}})
    assert set(user_values(snapshot)) == {"start:here", "review", "__root__", "__end__", "__previous__"}


def test_postgres_rows() -> None:
    body = {
        "v": 3,
        "channel_values": {"n": 5, "log": True, "gone": 1},
        "channel_versions": {"n": "1", "log": "2"},
        "versions_seen": {"a": {"n": "1"}},
        "updated_channels": ["n"],
    }
    blobs = {
        "log": Blob("msgpack", pack(ext(7, ["x"]))),
        "empty": Blob("empty", None),
        "none": Blob("null", b""),
        "bad": Blob("msgpack", b"\x93"),
    }
    send = Blob("msgpack", pack(ext(1, ("langgraph.types", "Send", ("a", 1)))))
    snapshot = read_snapshot(raw(Blob("json", json.dumps(body).encode()), blobs, b"{}", (send,)), Decoder())
    assert {**snapshot.values, "bad": 0} == {"n": 5, "log": Snapshotted(["x"]), "gone": 1, "none": None, "bad": 0}
    assert isinstance(snapshot.values["bad"], Undecodable)
    assert snapshot.problem is None
    assert snapshot.pending_sends[0].data == ["a", 1]
    assert (snapshot.version, snapshot.updated_channels) == (3, ("n",))


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"v": "four", "ts": 5, "channel_values": [1], "channel_versions": "x", "versions_seen": 5},
        {"versions_seen": {"a": 1, 2: {}}, "updated_channels": "abc", "pending_sends": "x"},
        {"v": True, "channel_values": None, "updated_channels": {}},
    ],
)
def test_hand_written_rows_are_empty_where_they_make_no_sense(body: dict[Any, Any]) -> None:
    snapshot = snap(body)
    assert snapshot.problem is None
    assert snapshot.version is None
    assert snapshot.values == {}
    assert snapshot.channel_versions == {}
    assert all(seen == {} for seen in snapshot.versions_seen.values())
    assert snapshot.pending_sends == ()
    assert snapshot.updated_channels is None


def test_names_that_are_no_text_are_kept() -> None:
    assert snap({"channel_values": {1: "one", None: 2}}).values == {"1": "one", "None": 2}


@pytest.mark.parametrize(
    ("blob", "words"),
    [
        (Blob("msgpack", b"\x93"), "not readable: ends at byte 1"),
        (Blob("pickle", b"x"), "never loaded"),
        (Blob("msgpack", pack([1])), "holds a list"),
        (Blob("msgpack", pack(ext(0, ("os", "system", "x")))), "holds a Typed"),
        (Blob(None, None), "holds a NoneType"),
        (Blob("msgpack+aes", b"x" * 50), "encrypted (msgpack+aes): no key: set LANGGRAPH_AES_KEY"),
    ],
)
def test_what_is_no_checkpoint_says_why(blob: Blob, words: str) -> None:
    snapshot = read_snapshot(raw(blob, metadata=b'{"step": 1}'), Decoder())
    assert snapshot.problem is not None
    assert words in snapshot.problem
    assert user_values(snapshot) == {}
    assert snapshot.metadata == {"step": 1}


def test_an_encrypted_checkpoint_opens_with_its_key() -> None:
    tag, data = EncryptedSerializer.from_pycryptodome_aes(key=b"k" * 16).dumps_typed(
        {"v": 4, "channel_values": {"a": 1}}
    )
    assert read_snapshot(raw(Blob(tag, data)), Decoder(b"k" * 16)).values == {"a": 1}
    blobs = {"b": Blob(tag, data)}
    mixed = read_snapshot(raw(Blob("json", b'{"v": 4, "channel_values": {"a": 1}}'), blobs), Decoder())
    assert mixed.problem is None
    assert isinstance(mixed.values["b"], Encrypted)


@pytest.mark.parametrize(
    "metadata", [b"", b"not json", b"[1]", b"[" * 5000, b'{"a": "\xff"}', b'{"step": 99999999999}']
)
def test_metadata_of_any_kind(metadata: bytes) -> None:
    assert isinstance(snap({"v": 4}, metadata=metadata).metadata, dict)


def test_metadata_of_old_releases_holds_messages() -> None:
    envelope = {"lc": 1, "type": "constructor", "id": ["langchain", "HumanMessage"], "kwargs": {"content": "x"}}
    metadata = snap({"v": 1}, metadata=json.dumps({"writes": {"a": [envelope]}}).encode()).metadata
    assert metadata["writes"]["a"] == [Typed("langchain", "HumanMessage", {"content": "x"}, "call**")]


def test_delta_channels_without_a_value_are_found() -> None:
    body = {"v": 4, "channel_values": {"seed": ext(7, []), "n": 1}, "channel_versions": {"log": "1", "gone": "1"}}
    metadata = b'{"counters_since_delta_snapshot": {"log": [1, 1], "seed": [0, 1], "never": [0, 1]}}'
    assert absent_deltas(snap(body, metadata=metadata)) == ["log", "never"]
    assert absent_deltas(snap(body, metadata=b'{"counters_since_delta_snapshot": [1]}')) == []
    assert absent_deltas(snap(body)) == []

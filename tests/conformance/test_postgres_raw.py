"""Whole checkpoints from PostgreSQL: which values come along, and which stay in the server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.graph import END, START, MessagesState, StateGraph
from psycopg.types.json import Jsonb

from backends.decode import Decoder
from backends.model import Blob, CheckpointKey, RawCheckpoint
from backends.postgres import PostgresStore
from backends.postgres_open import Session, Statement
from backends.snapshot import read_snapshot
from backends.store import Scope

ID, PARENT = "1ef00000-0000-6000-8001-000000000002", "1ef00000-0000-6000-8000-000000000001"
KEY = CheckpointKey("t", "", ID)
PRESENT = Blob("null", b"")


@pytest.fixture
def connection(postgres_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgres_url, autocommit=True) as opened:
        yield opened


@pytest.fixture
def store(postgres_url: str) -> Iterator[PostgresStore]:
    with closing(PostgresStore(postgres_url)) as opened:
        yield opened


def put(
    connection: psycopg.Connection,
    checkpoint: Any,
    blobs: dict[str, tuple[str, bytes | None]] | None = None,
    metadata: Any = None,
) -> None:
    connection.execute(
        "INSERT INTO checkpoints VALUES ('t', '', %s, %s, NULL, %s, %s)",
        (ID, PARENT, Jsonb(checkpoint), Jsonb(metadata or {})),
    )
    for channel, (tag, data) in (blobs or {}).items():
        connection.execute("INSERT INTO checkpoint_blobs VALUES ('t', '', %s, '1', %s, %s)", (channel, tag, data))


def put_write(
    connection: psycopg.Connection, checkpoint_id: str, task: str, idx: int, channel: str, data: bytes
) -> None:
    connection.execute(
        "INSERT INTO checkpoint_writes VALUES ('t', '', %s, %s, %s, %s, 'msgpack', %s, %s)",
        (checkpoint_id, task, idx, channel, data, f"~__pregel_pull, {task}"),
    )


def checkpoint(channels: list[str], v: int | None = 4, **inline: Any) -> dict[str, Any]:
    versions: dict[str, Any] = dict.fromkeys(channels, "1")
    body = {"id": ID, "channel_values": inline, "channel_versions": versions, "versions_seen": {}}
    return body if v is None else {"v": v, **body}


def only(found: list[RawCheckpoint]) -> RawCheckpoint:
    (raw,) = found
    return raw


def test_state_stays_in_the_server_when_status_asks(store: PostgresStore, connection: psycopg.Connection) -> None:
    blobs = {
        "__start__": ("msgpack", b"\xa5input"),
        "__pregel_tasks": ("msgpack", b"\x90"),
        "branch:to:a": ("msgpack", b"\x92\xc0\xc3"),
        "join:a+b:c": ("msgpack", b"\x91\xa1a"),
        "messages": ("msgpack", b"\xa6secret"),
        "gone": ("empty", None),
    }
    put(connection, checkpoint(list(blobs)), blobs)
    full = only(store.raw([KEY]))
    assert full.complete
    assert full.channel_blobs == {name: Blob(*blob) for name, blob in blobs.items() if name != "gone"}
    control = only(store.raw([KEY], Scope.CONTROL))
    assert not control.complete
    assert control.channel_blobs == {
        name: full.channel_blobs[name] for name in ("__pregel_tasks", "branch:to:a", "join:a+b:c")
    } | {"__start__": PRESENT}


@pytest.mark.parametrize("v", [1, 2, None])
def test_of_old_layouts_the_presence_of_every_channel_matters(
    store: PostgresStore, connection: psycopg.Connection, v: int | None
) -> None:
    put(connection, checkpoint(["__start__", "a", "messages", "start:a"], v), {"messages": ("msgpack", b"\xa1x")})
    assert only(store.raw([KEY], Scope.CONTROL)).channel_blobs == {"messages": PRESENT}


def test_of_graphs_that_are_no_state_graph_too(store: PostgresStore, connection: psycopg.Connection) -> None:
    put(connection, checkpoint(["a", "b"]), {"b": ("msgpack", b"\xa1x")})
    assert only(store.raw([KEY], Scope.CONTROL)).channel_blobs == {"b": PRESENT}


def test_large_inline_state_stays_too(store: PostgresStore, connection: psycopg.Connection) -> None:
    import random

    noise = "".join(random.choices("abcdefghijklmnopqrstuvwxyz", k=100_000))
    inline = {"text": noise, "branch:to:a": None, "n": 1}
    put(connection, checkpoint(["__start__", *inline], **inline))
    assert json.loads(only(store.raw([KEY])).checkpoint.data or b"")["channel_values"] == inline
    control = only(store.raw([KEY], Scope.CONTROL))
    assert len(control.checkpoint.data or b"") < 1000
    body = json.loads(control.checkpoint.data or b"")
    assert body["channel_values"] == {"text": None, "branch:to:a": None, "n": None}
    assert body["channel_versions"] == dict.fromkeys(["__start__", *inline], "1")


def test_only_rows_that_tell_a_tasks_state_bring_values(store: PostgresStore, connection: psycopg.Connection) -> None:
    put(connection, checkpoint([]))
    for idx, channel in ((-1, "__error__"), (-3, "__interrupt__"), (-4, "__resume__"), (0, "messages")):
        put_write(connection, ID, "b" if idx == 0 else "a", idx, channel, b"\xa1x")
    full = only(store.raw([KEY])).writes
    assert [(write.task_id, write.idx, write.channel) for write in full] == [
        ("a", -4, "__resume__"),
        ("a", -3, "__interrupt__"),
        ("a", -1, "__error__"),
        ("b", 0, "messages"),
    ]
    assert {write.blob for write in full} == {Blob("msgpack", b"\xa1x")}
    control = only(store.raw([KEY], Scope.CONTROL)).writes
    assert [write.blob for write in control] == [*[Blob("msgpack", b"\xa1x")] * 3, Blob(None, None)]
    assert [write.channel for write in control] == [write.channel for write in full]


@pytest.mark.parametrize(("v", "sends"), [(1, 2), (3, 2), (4, 0)])
def test_sends_of_the_parent_before_layout_4(
    store: PostgresStore, connection: psycopg.Connection, v: int, sends: int
) -> None:
    put(connection, checkpoint([], v))
    put_write(connection, PARENT, "b", 0, "__pregel_tasks", b"\xa1b")
    put_write(connection, PARENT, "a", 1, "__pregel_tasks", b"\xa1a")
    put_write(connection, PARENT, "a", 0, "messages", b"\xa1m")
    found = only(store.raw([KEY])).parent_sends
    assert found == tuple(Blob("msgpack", data) for data in (b"\xa1a", b"\xa1b"))[:sends]


@pytest.mark.parametrize(
    "body",
    [
        [],
        1,
        "text",
        None,
        {},
        {"v": "x", "channel_versions": [], "channel_values": "?"},
        {"v": None, "channel_versions": {"a": None, "b": {}, "c": 10**300}, "channel_values": None},
    ],
)
@pytest.mark.parametrize("scope", Scope)
def test_rows_that_nobody_expects(
    store: PostgresStore, connection: psycopg.Connection, body: object, scope: Scope
) -> None:
    """One such row must not cost the others that are read with it."""
    put(connection, body, metadata=[1])
    other = KEY._replace(thread_id="other")
    connection.execute("INSERT INTO checkpoints VALUES ('other', '', %s, NULL, NULL, '{}', '{}')", (ID,))
    assert [raw.key for raw in store.raw([KEY, other], scope)] == [KEY, other]
    assert {head.thread_id for batch in store.heads() for head in batch} == {"t", "other"}
    assert store.history("t")[0].step is None
    for raw in store.raw([KEY, other], scope):
        read_snapshot(raw, Decoder())


def test_numbers_and_texts_come_as_stored(store: PostgresStore, connection: psycopg.Connection) -> None:
    inline = {
        "big": 2**70,
        "neg": -(10**40),
        "float": 0.1,
        "tiny": 1e-300,
        "text": "é\u2028\U0001f600",
        "key order": 1,
    }
    put(connection, checkpoint(list(inline), **inline), metadata={"step": 2**70, "source": "loop"})
    snapshot = read_snapshot(only(store.raw([KEY])), Decoder())
    assert snapshot.values == inline
    assert store.heads_of(["t"])["t"].step == 2**70


def test_keys_in_their_order_and_missing_ones_left_out(store: PostgresStore, connection: psycopg.Connection) -> None:
    for number in range(1200):
        connection.execute(
            "INSERT INTO checkpoints VALUES (%s, '', 'x', NULL, NULL, '{\"v\": 4}', '{}')", (f"t{number}",)
        )
    keys = [CheckpointKey(f"t{number}", "", "x") for number in range(1199, -1, -1)]
    wanted = [KEY, *keys, KEY, keys[3], CheckpointKey("t1", "x", "x"), CheckpointKey("\x00", "", "\ud800")]
    assert [raw.key for raw in store.raw(wanted)] == [*keys, keys[3]]
    assert store.raw([]) == []


def test_encrypted_values_pass_through(
    store: PostgresStore, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = b"0123456789abcdef"
    with PostgresSaver.from_conn_string(postgres_url) as saver:
        saver.serde = EncryptedSerializer.from_pycryptodome_aes(key=key)
        builder = StateGraph(MessagesState)
        builder.add_node("a", lambda state: {"messages": [("ai", "hello")]})
        builder.add_edge(START, "a")
        builder.add_edge("a", END)
        builder.compile(checkpointer=saver).invoke({"messages": []}, {"configurable": {"thread_id": "t"}})
    raw = only(store.raw([store.heads_of(["t"])["t"].key]))
    assert raw.channel_blobs["messages"].type == "msgpack+aes"
    assert read_snapshot(raw, Decoder(key)).values["messages"][0].name == "AIMessage"


def test_a_scope_costs_one_message(store: PostgresStore, connection: psycopg.Connection) -> None:
    """However many keys, so that a distant server is usable."""
    put(connection, checkpoint([]))
    reads: list[int] = []
    read = Session.read

    def counting(session: Session, *statements: Statement) -> list[list[tuple[Any, ...]]]:
        reads.append(len(statements))
        return read(session, *statements)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Session, "read", counting)
        store.raw([KEY] * 400, Scope.CONTROL)
    assert reads == [4]

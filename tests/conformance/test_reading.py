"""What a store reads, against what the saver itself lists."""

from __future__ import annotations

import json
from typing import Any

import pytest
from langgraph.checkpoint.base import CheckpointTuple

from backends.model import NULL_TASK, CheckpointKey, RawCheckpoint, ThreadHead
from backends.store import Scope, Store

from .places import Place, key_of
from .population import populate


@pytest.fixture
def populated(place: Place) -> Place:
    """A store with threads of every shape, two of them without a root namespace."""
    populate(place.saver)
    for number, ns in enumerate(("mine", "mine|inner:1", "other"), start=1):
        place.put("no root", number, ns, {"n": number})
    place.put("late child", 1, "")
    place.put("late child", 5, "sub:1")
    place.put("late child", 3, "zzz:1")
    return place


def expected_heads(tuples: list[CheckpointTuple]) -> dict[str, ThreadHead]:
    """Heads by definition: the newest root checkpoint, or the newest of all where there is no root namespace."""
    heads = {}
    for thread_id in {key_of(found).thread_id for found in tuples}:
        mine = [found for found in tuples if key_of(found).thread_id == thread_id]
        newest = max(key_of(found).checkpoint_id for found in mine)
        root = [found for found in mine if not key_of(found).ns]
        head = max(root or mine, key=lambda found: key_of(found).checkpoint_id)
        metadata: Any = head.metadata
        key = key_of(head)
        heads[thread_id] = ThreadHead(
            thread_id,
            key.ns,
            key.checkpoint_id,
            newest,
            b"",
            metadata.get("step"),
            metadata.get("source"),
        )
    return heads


def parent_of(found: CheckpointTuple) -> str | None:
    """Id of the parent checkpoint."""
    return found.parent_config["configurable"]["checkpoint_id"] if found.parent_config else None


def without_metadata(heads: dict[str, ThreadHead]) -> dict[str, tuple[object, ...]]:
    """Heads in a form to compare: how metadata is spelt differs between stores."""
    return {name: (head.key, head.newest_id, head.step, head.source) for name, head in heads.items()}


def all_heads(store: Store) -> dict[str, ThreadHead]:
    """The complete index."""
    return {head.thread_id: head for batch in store.heads() for head in batch}


def test_heads(populated: Place) -> None:
    tuples = populated.tuples()
    expected = expected_heads(tuples)
    with populated.open() as store:
        heads = all_heads(store)
        assert without_metadata(heads) == without_metadata(expected)
        assert [head.thread_id for batch in store.heads() for head in batch] == sorted(expected)
        assert without_metadata(store.heads_of([*expected, "nobody"])) == without_metadata(expected)
        metadata = {key_of(found): found.metadata for found in tuples}
        assert {head.key: head.metadata for head in heads.values()} == {
            head.key: metadata[head.key] for head in heads.values()
        }


def test_newest_heads(populated: Place) -> None:
    expected = expected_heads(populated.tuples())
    with populated.open() as store:
        newest = store.newest_heads(100)
        assert without_metadata({head.thread_id: head for head in newest}) == without_metadata(expected)
        assert newest[0].thread_id in ("functional", "late child")
        assert len(store.newest_heads(2)) == 2


def test_counts_and_ages(populated: Place) -> None:
    keys = [key_of(found) for found in populated.tuples()]
    counts = {thread_id: sum(key.thread_id == thread_id for key in keys) for thread_id, _, _ in keys}
    oldest = {thread_id: min(key.checkpoint_id for key in keys if key.thread_id == thread_id) for thread_id in counts}
    with populated.open() as store:
        assert store.counts() == counts
        assert store.counts(["done", "asking", "nobody"]) == {name: counts[name] for name in ("done", "asking")}
        assert store.created_ids([*counts, "nobody"]) == oldest


def test_namespaces_and_history(populated: Place) -> None:
    with populated.open() as store:
        for thread_id in all_heads(store):
            tuples = populated.tuples(thread_id)
            spaces = sorted({key_of(found).ns for found in tuples})
            assert store.namespaces(thread_id) == spaces
            rows = store.history(thread_id)
            ids = [row.key.checkpoint_id for row in rows]
            assert ids == sorted(ids, reverse=True)
            assert {row.key: (row.parent_id, row.metadata, row.step, row.source) for row in rows} == {
                key_of(found): (parent_of(found), found.metadata, found.metadata["step"], found.metadata["source"])
                for found in tuples
            }
            assert all(row.size > 0 for row in rows)
            for ns in spaces:
                mine = [row for row in rows if row.key.ns == ns]
                assert store.history(thread_id, ns) == mine
                assert store.history(thread_id, ns, limit=1) == mine[:1]
                assert store.history(thread_id, ns, before=mine[0].key.checkpoint_id) == mine[1:]
        assert store.namespaces("nobody") == store.history("nobody") == store.writes("nobody") == []


def reassembled(place: Place, raw: RawCheckpoint) -> dict[str, Any]:
    """Decode a checkpoint as the saver does."""
    loads = place.saver.serde.loads_typed
    assert raw.checkpoint.data is not None
    if raw.checkpoint.type == "json" and place.kind == "postgres":
        checkpoint = json.loads(raw.checkpoint.data)
        blobs = {
            name: loads((blob.type, blob.data)) for name, blob in raw.channel_blobs.items() if blob.type != "empty"
        }
        return checkpoint | {"channel_values": checkpoint.get("channel_values", {}) | blobs}
    return dict(loads((raw.checkpoint.type, raw.checkpoint.data)))


def test_whole_checkpoints(populated: Place) -> None:
    tuples = populated.tuples()
    with populated.open() as store:
        raws = store.raw([key_of(found) for found in tuples])
        assert [raw.key for raw in raws] == [key_of(found) for found in tuples]
        for raw, found in zip(raws, tuples, strict=True):
            assert reassembled(populated, raw) == found.checkpoint
            assert raw.parent_id == parent_of(found)
            assert json.loads(raw.metadata_json) == found.metadata
            assert raw.complete
            loads = populated.saver.serde.loads_typed
            writes = [(w.task_id, w.channel, loads((w.blob.type, w.blob.data))) for w in raw.writes]
            assert writes == [tuple(write) for write in found.pending_writes or ()]


def test_missing_checkpoints_are_left_out_and_order_is_kept(populated: Place) -> None:
    keys = [key_of(found) for found in populated.tuples("done")]
    gone = CheckpointKey("done", "", "gone")
    with populated.open() as store:
        assert [raw.key for raw in store.raw([keys[2], gone, keys[0], keys[1]])] == [keys[2], keys[0], keys[1]]
        assert store.raw([]) == []


def test_control_scope_has_all_that_status_needs(populated: Place) -> None:
    keys = [key_of(found) for found in populated.tuples()]
    with populated.open() as store:
        for full, control in zip(store.raw(keys), store.raw(keys, Scope.CONTROL), strict=True):
            assert not control.complete
            assert [(w.task_id, w.idx, w.channel) for w in control.writes] == [
                (w.task_id, w.idx, w.channel) for w in full.writes
            ]
            named = {w.idx: w.blob for w in full.writes if w.channel in ("__error__", "__interrupt__", "__resume__")}
            assert {w.idx: w.blob for w in control.writes if w.idx in named and w.idx < 0} == named


def test_writes(populated: Place) -> None:
    with populated.open() as store:
        for thread_id in all_heads(store):
            rows = store.writes(thread_id, values=True)
            order = [(key.ns, key.checkpoint_id, w.task_path or "", w.task_id, w.idx) for key, w in rows]
            assert order == sorted(order)
            tuples = populated.tuples(thread_id)
            mine = {
                key_of(found): [w[:2] for w in found.pending_writes or ()] for found in tuples if found.pending_writes
            }
            found_rows: dict[CheckpointKey, list[tuple[str, str]]] = {}
            for key, write in rows:
                assert key.checkpoint_id == write.checkpoint_id
                found_rows.setdefault(key, []).append((write.task_id, write.channel))
            assert found_rows == mine
            light = store.writes(thread_id)
            assert [(key, w.task_id, w.idx) for key, w in light] == [(key, w.task_id, w.idx) for key, w in rows]
            assert all(w.blob.data is None for _, w in light)
            for key in mine:
                chosen = store.writes(thread_id, key.ns, [key.checkpoint_id], values=True)
                assert chosen == [row for row in rows if row[0] == key]
            named = store.writes(thread_id, channels=["__error__", "__interrupt__"], values=True)
            assert named == [row for row in rows if row[1].channel in ("__error__", "__interrupt__")]
        assert store.writes("done", checkpoint_ids=[]) == store.writes("done", channels=[]) == []


def test_task_paths_are_read(populated: Place) -> None:
    with populated.open() as store:
        paths = {w.task_path for _, w in store.writes("done") if w.task_id != NULL_TASK}
        assert "~__pregel_pull, work" in paths


def test_sample(populated: Place) -> None:
    keys = {key_of(found) for found in populated.tuples()}
    with populated.open() as store:
        assert {raw.key for raw in store.sample(10_000)} == keys
        few = list(store.sample(3))
        assert len(few) == 3
        assert not any(raw.complete for raw in few)


def test_an_empty_store(place: Place, store: Store) -> None:
    assert all_heads(store) == {}
    assert store.newest_heads(10) == []
    assert store.counts() == store.heads_of(["a"]) == store.created_ids(["a"]) == {}
    assert list(store.sample(10)) == []
    assert store.info.name
    assert not store.poll(store.cursor()).changed


def test_many_threads_come_in_batches(place: Place) -> None:
    names = [f"thread {number:05}" for number in range(2300)]
    for number, name in enumerate(names):
        place.put(name, number)
    with place.open() as store:
        batches = list(store.heads())
        assert len(batches) > 1
        assert [head.thread_id for batch in batches for head in batch] == names
        assert {head.thread_id for head in store.newest_heads(50)} <= set(names[-200:])
        assert store.heads_of(names) == all_heads(store)
        keys = [head.key for batch in batches for head in batch]
        assert [raw.key for raw in store.raw(keys, Scope.CONTROL)] == keys

"""Raw: ids, metadata and version bookkeeping, as stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from backends.errors import NotFound
from backends.model import RawCheckpoint, Snapshot
from backends.outline import Node, Tone
from backends.reader import Reader
from backends.snapshot import read_snapshot
from backends.unfold import value_node

from ..words import size
from .request import Answer, Request, note
from .states import States


def load(reader: Reader, request: Request, states: States) -> Answer:
    """Read a checkpoint without interpreting it.

    Raises:
        NotFound: It is not in the store any more.
        StoreError: The store cannot be read.
    """
    raws = reader.store.raw([request.key])
    if not raws:
        raise NotFound(f"No checkpoint {request.key.checkpoint_id} in thread {request.key.thread_id!r}.")
    snapshot = read_snapshot(raws[0], reader.decoder)
    return Answer(tuple(raw_nodes(raws[0], snapshot, request.width)), _bytes(raws[0]))


def raw_nodes(raw: RawCheckpoint, snapshot: Snapshot, width: int) -> Iterator[Node]:
    """Yield a row for each part of a stored checkpoint.

    Args:
        raw: The rows.
        snapshot: The same, decoded.
        width: Cells of a row.
    """
    if snapshot.problem is not None:
        yield note(f"✖ {snapshot.problem}", Tone.FAILED)
    yield from (
        _plain("thread_id", snapshot.key.thread_id),
        _plain("checkpoint_ns", snapshot.key.ns or None),
        _plain("checkpoint_id", snapshot.key.checkpoint_id),
        _plain("parent_id", snapshot.parent_id),
        _plain("v", snapshot.version),
        _plain("ts", snapshot.ts),
        _stored(raw),
    )
    parts = {
        "metadata": snapshot.metadata,
        "channel_values": snapshot.values,
        "channel_versions": snapshot.channel_versions,
        "versions_seen": snapshot.versions_seen,
        "updated_channels": None if snapshot.updated_channels is None else list(snapshot.updated_channels),
        "pending_sends": list(snapshot.pending_sends),
    }
    for name, value in parts.items():
        yield replace(value_node((name,), name, value, width), open=name == "metadata")


def _plain(name: str, value: str | int | None) -> Node:
    return Node((name,), name, value, "", "-" if value is None else str(value))


def _stored(raw: RawCheckpoint) -> Node:
    """Bytes of the parts."""
    blobs = sum(len(blob.data or b"") for blob in raw.channel_blobs.values())
    parts = [f"checkpoint {size(len(raw.checkpoint.data or b''))} {raw.checkpoint.type or ''}".rstrip()]
    if raw.channel_blobs:
        parts.append(f"{len(raw.channel_blobs)} blobs {size(blobs)}")
    parts += [f"metadata {size(len(raw.metadata_json))}", f"{len(raw.writes)} write rows"]
    return Node(("stored",), "stored", _bytes(raw), "", " · ".join(parts))


def _bytes(raw: RawCheckpoint) -> int:
    return len(raw.checkpoint.data or b"") + sum(len(blob.data or b"") for blob in raw.channel_blobs.values())

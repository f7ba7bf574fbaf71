"""DeltaChannel values: the stored seed and the writes since.

Such a channel is in ``channel_versions`` but has no value in most checkpoints: LangGraph folds the writes of the
ancestors with the application's reducer (``langgraph/channels/delta.py``). Without it the value stays in parts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .decode import Decoder
from .model import CheckpointKey, CheckpointRow, Snapshot, Write
from .snapshot import absent_deltas, read_snapshot, user_values
from .store import Store
from .values import DeltaValue, Snapshotted, Value


def resolve(store: Store, decoder: Decoder, snapshot: Snapshot) -> dict[str, Value]:
    """Return the state of a checkpoint, its DeltaChannels included.

    Args:
        store: Where the ancestors are.
        decoder: Decodes their values.
        snapshot: A complete snapshot (``Scope.FULL``).

    Returns:
        ``user_values``, and a ``DeltaValue`` for every DeltaChannel. Where this checkpoint holds the value itself, it
        is the seed, and there are no writes.

    Raises:
        StoreError: The store cannot be read.
    """
    state = {
        channel: DeltaValue(value.value, True, ()) if isinstance(value, Snapshotted) else value
        for channel, value in user_values(snapshot).items()
    }
    missing = absent_deltas(snapshot)
    if missing:
        state |= _history(store, decoder, snapshot, missing)
    return state


def _history(store: Store, decoder: Decoder, snapshot: Snapshot, channels: Sequence[str]) -> dict[str, DeltaValue]:
    """Collect seeds and writes of channels along the parents (``langgraph/checkpoint/base/__init__.py:607-678``)."""
    path, whole = _ancestors(store, snapshot)
    reach = {channel: len(path) for channel in channels}  # how many ancestors a channel's writes come from
    seeds: dict[str, Value] = {}
    for distance, row in enumerate(path, 1):
        wanted = [channel for channel in channels if channel not in seeds and _may_hold(row, channel)]
        for channel, value in _stored(store, decoder, row.key, wanted):
            seeds[channel] = value.value if isinstance(value, Snapshotted) else value
            reach[channel] = distance
        if len(seeds) == len(channels):
            break
    by_checkpoint = _writes(store, snapshot, [row.key for row in path[: max(reach.values())]], channels)
    return {
        channel: DeltaValue(
            seed=seeds.get(channel),
            has_seed=channel in seeds,
            writes=tuple(
                decoder.decode(write.blob)
                for row in reversed(path[: reach[channel]])
                for write in by_checkpoint.get(row.key.checkpoint_id, ())
                if write.channel == channel
            ),
            complete=whole or channel in seeds,
        )
        for channel in channels
    }


def _ancestors(store: Store, snapshot: Snapshot) -> tuple[list[CheckpointRow], bool]:
    """Ancestors, nearest first, and whether they reach the root."""
    rows = {row.key.checkpoint_id: row for row in store.history(snapshot.key.thread_id, snapshot.key.ns)}
    path: list[CheckpointRow] = []
    parent_id = snapshot.parent_id
    while parent_id is not None and parent_id in rows:
        row = rows.pop(parent_id)  # taken out, so that a chain that bites its tail ends
        path.append(row)
        parent_id = row.parent_id
    return path, parent_id is None


def _may_hold(row: CheckpointRow, channel: str) -> bool:
    """Whether a checkpoint may hold a value: the channel's counter starts anew there (see ``absent_deltas``)."""
    counters = row.metadata.get("counters_since_delta_snapshot")
    return not (isinstance(counters, dict) and channel in counters)


def _stored(store: Store, decoder: Decoder, key: CheckpointKey, channels: Sequence[str]) -> Iterator[tuple[str, Value]]:
    """The values of channels that a checkpoint holds itself."""
    for raw in store.raw([key]) if channels else ():
        values = read_snapshot(raw, decoder).values
        for channel in channels:
            if channel in values:
                yield channel, values[channel]


def _writes(
    store: Store, snapshot: Snapshot, keys: Sequence[CheckpointKey], channels: Sequence[str]
) -> dict[str, list[Write]]:
    """Writes to the channels by checkpoint, in the order in which LangGraph applies them."""
    found: dict[str, list[Write]] = {}
    if keys:
        ids = [key.checkpoint_id for key in keys]
        thread_id, ns, _ = snapshot.key
        for key, write in store.writes(thread_id, ns, ids, channels, values=True):
            found.setdefault(key.checkpoint_id, []).append(write)
    for writes in found.values():
        writes.sort(key=lambda write: (write.task_path or "", write.task_id, write.idx))
    return found

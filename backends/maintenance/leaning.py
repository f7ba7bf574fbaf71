"""Checkpoints that cannot be read without their parent: DeltaChannels, and the Sends of old layouts."""

from __future__ import annotations

from collections.abc import Sequence

from ..decode import Decoder
from ..model import CheckpointRow
from ..snapshot import read_snapshot
from ..store import Scope, Store

_COUNTERS = "counters_since_delta_snapshot"
_VERSIONED = "delta_writes_versioned"
"""Key of threads whose graphs, in LangGraph.js, have DeltaChannels (``langgraph/checkpoint/postgres/base.py``)."""


class Leaning:
    """Knows for the checkpoints of one thread whether they need their parents.

    Args:
        store: Where they are.
        decoder: Decodes those that may hold the values of DeltaChannels themselves.
        rows: All checkpoints of the thread.
    """

    def __init__(self, store: Store, decoder: Decoder, rows: Sequence[CheckpointRow]) -> None:
        self._store = store
        self._decoder = decoder
        self._foreign = any(_VERSIONED in row.metadata for row in rows)
        self._deltas: dict[str, set[str]] = {}
        for row in rows:
            if counters := _counters(row):
                self._deltas.setdefault(row.key.ns, set()).update(counters)
        self._sends: set[tuple[str, str | None]] | None = None

    def __call__(self, row: CheckpointRow) -> bool:
        """Whether the meaning of a checkpoint is partly in its parent."""
        if self._foreign or self._has_sends_of_its_parent(row):
            return True
        channels = self._deltas.get(row.key.ns)
        if not channels:
            return False
        return bool(_counters(row)) or not self._holds(row, channels)

    def _holds(self, row: CheckpointRow, channels: set[str]) -> bool:
        """Whether it holds the values of all DeltaChannels; one without counters may also be older than they are."""
        for raw in self._store.raw([row.key], Scope.FULL):
            return channels <= read_snapshot(raw, self._decoder).values.keys()
        return False

    def _has_sends_of_its_parent(self, row: CheckpointRow) -> bool:
        """PostgreSQL, layouts before v4 (``langgraph/checkpoint/postgres/base.py:123-132``)."""
        if self._store.info.kind != "postgres":
            return False
        if self._sends is None:
            found = self._store.writes(row.key.thread_id, channels=["__pregel_tasks"])
            self._sends = {(key.ns, key.checkpoint_id) for key, _ in found}
        if (row.key.ns, row.parent_id) not in self._sends:
            return False
        return any(raw.parent_sends for raw in self._store.raw([row.key], Scope.CONTROL))


def _counters(row: CheckpointRow) -> set[str]:
    """DeltaChannels that a checkpoint holds no value of (``langgraph/pregel/_loop.py:1306-1360``)."""
    found = row.metadata.get(_COUNTERS)
    return set(found) if isinstance(found, dict) else set()

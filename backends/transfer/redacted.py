"""A store seen through a redaction: what is read from it has its values replaced already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..model import Blob, CheckpointKey, CheckpointRow, RawCheckpoint, ThreadHead, Write
from ..store import Scope, Store
from ..stored import StoredBlob, StoredCheckpoint, StoredRow, StoredWrite
from .redact import Redaction


class RedactedStore:
    """A ``Store`` of which what is read about one thread is redacted.

    Args:
        store: The open store.
        redaction: What to replace.
    """

    def __init__(self, store: Store, redaction: Redaction) -> None:
        self._store = store
        self._redaction = redaction

    def __getattr__(self, name: str) -> Any:
        """Everything that holds no values is the store's own."""
        return getattr(self._store, name)

    def heads_of(self, thread_ids: Sequence[str]) -> dict[str, ThreadHead]:
        """Heads of the given threads."""
        found = self._store.heads_of(thread_ids)
        return {
            key: replace(head, metadata_json=self._metadata(head.key, head.metadata_json))
            for key, head in found.items()
        }

    def history(
        self, thread_id: str, ns: str | None = None, before: str | None = None, limit: int | None = None
    ) -> list[CheckpointRow]:
        """Checkpoints of a thread."""
        rows = self._store.history(thread_id, ns, before, limit)
        return [replace(row, metadata_json=self._metadata(row.key, row.metadata_json)) for row in rows]

    def writes(
        self,
        thread_id: str,
        ns: str | None = None,
        checkpoint_ids: Sequence[str] | None = None,
        channels: Sequence[str] | None = None,
        values: bool = False,
    ) -> list[tuple[CheckpointKey, Write]]:
        """Write rows of a thread."""
        found = self._store.writes(thread_id, ns, checkpoint_ids, channels, values)
        return [(key, self._write(key, write)) for key, write in found]

    def raw(self, keys: Sequence[CheckpointKey], scope: Scope = Scope.FULL) -> list[RawCheckpoint]:
        """Checkpoints with their writes."""
        return [self._checkpoint(raw) for raw in self._store.raw(keys, scope)]

    def _checkpoint(self, raw: RawCheckpoint) -> RawCheckpoint:
        key = raw.key
        row = self._one(key, StoredCheckpoint(key.ns, key.checkpoint_id, None, raw.checkpoint, raw.metadata_json))
        assert isinstance(row, StoredCheckpoint)
        return replace(
            raw,
            checkpoint=row.body,
            metadata_json=row.metadata,
            channel_blobs={name: self._blob(key, name, blob) for name, blob in raw.channel_blobs.items()},
            writes=tuple(self._write(key, write) for write in raw.writes),
            parent_sends=tuple(self._blob(key, "__pregel_tasks", blob) for blob in raw.parent_sends),
        )

    def _metadata(self, key: CheckpointKey, metadata: bytes) -> bytes:
        row = self._one(key, StoredCheckpoint(key.ns, key.checkpoint_id, None, Blob(None, None), metadata))
        assert isinstance(row, StoredCheckpoint)
        return row.metadata

    def _blob(self, key: CheckpointKey, channel: str, blob: Blob) -> Blob:
        row = self._one(key, StoredBlob(key.ns, channel, "", blob))
        assert isinstance(row, StoredBlob)
        return row.blob

    def _write(self, key: CheckpointKey, write: Write) -> Write:
        row = self._one(key, StoredWrite(key.ns, write))
        assert isinstance(row, StoredWrite)
        return row.write

    def _one(self, key: CheckpointKey, row: StoredRow) -> StoredRow:
        return next(iter(self._redaction.rows(key.thread_id, (row,))))

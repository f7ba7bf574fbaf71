"""The rows of a thread exactly as a store holds them: what exports write and imports read, nothing decoded.

There are two layouts. SQLite keeps a checkpoint ``whole``: one serialized value, state included. PostgreSQL keeps it
``split``: a JSON body with the primitive channel values, and each other value as a blob of its channel's version
(``langgraph/checkpoint/postgres/__init__.py:314-350``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from .errors import StoreError
from .model import Blob, Write

WHOLE: Final = "whole"
SPLIT: Final = "split"

PAGE_BYTES: Final = 4_000_000
"""Bytes of values that are read at once; a larger value comes alone."""

PAGE_ROWS: Final = 500


def layout_of(kind: str) -> str:
    """The layout of a kind of store, ``sqlite`` or ``postgres``."""
    return WHOLE if kind == "sqlite" else SPLIT


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """A row of ``checkpoints``.

    Attributes:
        ns: Namespace.
        checkpoint_id: Its id.
        parent_id: Parent in the same namespace.
        body: ``whole``: the serialized checkpoint. ``split``: its JSON text, with type ``json``.
        metadata: JSON text; empty where the row has none.
    """

    ns: str
    checkpoint_id: str
    parent_id: str | None
    body: Blob
    metadata: bytes


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """A row of ``checkpoint_blobs``: a channel's value, shared by all checkpoints that name its version."""

    ns: str
    channel: str
    version: str
    blob: Blob


@dataclass(frozen=True, slots=True)
class StoredWrite:
    """A row of the writes table; ``write.blob`` is always read."""

    ns: str
    write: Write


StoredRow: TypeAlias = StoredCheckpoint | StoredBlob | StoredWrite


def deleted_meanwhile(thread_id: str) -> StoreError:
    """Say that a thread lost rows while it was read."""
    return StoreError(f"Checkpoints of {thread_id!r} were deleted while they were read.", "Try again.")

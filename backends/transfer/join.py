"""A thread's rows from PostgreSQL's layout to SQLite's, as ``SqliteSaver.put`` would have written them.

Blobs win over what stands in the JSON, ``empty`` ones count as absent (``langgraph/checkpoint/postgres/base.py``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import ormsgpack

from ..crypt import Locked
from ..errors import Refused
from ..model import Blob
from ..stored import StoredCheckpoint, StoredRow
from .sealing import Seal
from .slices import a_list, a_map
from .staging import Staging


def join(staging: Staging, seal: Seal) -> Iterator[StoredRow]:
    """Yield the rows of a thread as SQLite keeps them; of an encrypted thread every checkpoint is encrypted.

    Raises:
        Refused: A checkpoint cannot be kept there; the reason says which and why.
    """
    for checkpoint in staging.checkpoints():
        try:
            body = _body(checkpoint, staging, seal)
            yield replace(checkpoint, body=seal.sealed(body) if staging.encrypted else body)
        except (Locked, ValueError, TypeError, RecursionError) as error:
            reason = error.reason if isinstance(error, Locked) else str(error)
            raise Refused(
                f"Checkpoint {checkpoint.checkpoint_id!r} cannot be kept in SQLite: {reason.rstrip('.')}.",
                "It can be imported into a PostgreSQL store.",
            ) from error
    yield from staging.writes()


def _body(checkpoint: StoredCheckpoint, staging: Staging, seal: Seal) -> Blob:
    body = json.loads(checkpoint.body.data or b"null")
    if not isinstance(body, dict):
        return checkpoint.body  # no checkpoint there either: kept as it is
    inline = body.get("channel_values")
    values: dict[str, Any] = dict(inline) if isinstance(inline, dict) else {}
    versions = body.get("channel_versions")
    for channel, version in (versions if isinstance(versions, dict) else {}).items():
        blob = staging.blob(checkpoint.ns, channel, version if isinstance(version, str) else json.dumps(version))
        if blob is not None and blob.type != "empty":
            values[channel] = seal.opened(blob)
    if any(isinstance(value, Blob) and value.type == "json" for value in values.values()):
        return _as_json(body, values)
    parts = {name: ormsgpack.packb(value) for name, value in body.items() if name != "channel_values"}
    parts["channel_values"] = a_map((name, _packed(name, value)) for name, value in values.items())
    if sends := _sends(checkpoint, body, staging, seal):
        parts["pending_sends"] = sends
    return Blob("msgpack", a_map(parts.items()))


def _packed(channel: str, value: Any) -> bytes:
    if not isinstance(value, Blob):
        return ormsgpack.packb(value)
    if value.type == "msgpack":
        return value.data or b""
    if value.type in ("bytes", "bytearray"):
        return ormsgpack.packb(value.data or b"")
    if value.type == "null":
        return b"\xc0"
    raise ValueError(f"the value of channel {channel!r} has the type {value.type!r}")


def _as_json(body: dict[str, Any], values: dict[str, Any]) -> Blob:
    """Old releases serialized to JSON (``lc`` envelopes); SQLite then holds one JSON text."""
    state = {}
    for channel, value in values.items():
        if isinstance(value, Blob) and value.type not in ("json", "null"):
            raise ValueError(f"channel {channel!r} holds {value.type} beside channels that hold JSON")
        if isinstance(value, Blob):
            state[channel] = json.loads(value.data or b"null")
        else:
            state[channel] = value
    return Blob("json", json.dumps({**body, "channel_values": state}).encode())


def _sends(checkpoint: StoredCheckpoint, body: dict[str, Any], staging: Staging, seal: Seal) -> bytes | None:
    """Before layout v4 SQLite keeps Sends in the checkpoint, PostgreSQL only in the writes of its parent."""
    version = body.get("v")
    if not isinstance(version, int) or version >= 4 or checkpoint.parent_id is None:
        return None
    sends = [seal.opened(blob) for blob in staging.sends(checkpoint.ns, checkpoint.parent_id)]
    return a_list(_packed("__pregel_tasks", blob) for blob in sends) if sends else None

"""A thread's rows from SQLite's layout to PostgreSQL's, as ``PostgresSaver.put`` would have written them.

Source: ``langgraph/checkpoint/postgres/__init__.py:314-350``. A value moves byte for byte; only what JSON cannot hold
(NaN, NUL, lone surrogates), which would make ``put`` fail, becomes a blob instead.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from hashlib import blake2b
from typing import Any

import ormsgpack

from ..crypt import Locked
from ..errors import Refused
from ..model import Blob
from ..stored import StoredBlob, StoredCheckpoint, StoredRow
from .sealing import Seal, is_sealed
from .slices import Malformed, extension_code, is_scalar, items
from .staging import Staging

_DELTA_SNAPSHOT = 7
_MOVED = frozenset({"channel_values", "pending_sends"})


def split(staging: Staging, seal: Seal) -> Iterator[StoredRow]:
    """Yield the rows of a thread as PostgreSQL keeps them.

    Raises:
        Refused: A checkpoint cannot be kept there; the reason says which and why.
    """
    for checkpoint in staging.checkpoints():
        try:
            yield from _split(checkpoint, staging, seal)
        except (Locked, Malformed, ValueError, RecursionError) as error:
            raise Refused(
                f"Checkpoint {checkpoint.checkpoint_id!r} cannot be kept in PostgreSQL: {_said(error)}.",
                "It can be imported into an SQLite store.",
            ) from error
    yield from staging.writes()


def _split(checkpoint: StoredCheckpoint, staging: Staging, seal: Seal) -> Iterator[StoredRow]:
    body, values = _parts(seal.opened(checkpoint.body))
    _require_sends(checkpoint, body.pop("pending_sends", None), staging)
    versions = body.get("channel_versions")
    versions = dict(versions) if isinstance(versions, dict) else {}
    inline: dict[str, Any] = {}
    for channel, value in values.items():
        if not isinstance(value, Blob):
            inline[channel] = value
            continue
        if _is_snapshot(value):
            inline[channel] = True
        version = _version(checkpoint.ns, channel, versions, value, staging)
        if version.fresh:
            stored = seal.sealed(value) if is_sealed(checkpoint.body) else value
            yield StoredBlob(checkpoint.ns, channel, version.text, stored)
        if version.renamed:
            _rename(body, channel, versions[channel], version.text)
    text = json.dumps({**body, "channel_values": inline}, ensure_ascii=False, allow_nan=False)
    yield replace(checkpoint, body=Blob("json", text.encode()))


class _Version:
    """Where a value is kept: the version, whether it is yet to be written, and whether it is not its own."""

    __slots__ = ("fresh", "renamed", "text")

    def __init__(self, text: str, fresh: bool, renamed: bool) -> None:
        self.text, self.fresh, self.renamed = text, fresh, renamed


def _version(ns: str, channel: str, versions: Mapping[str, Any], value: Blob, staging: Staging) -> _Version:
    """Find the version to keep a value under.

    A node that changes its input in place leaves two values of one version. The later ones get a version of their own,
    which sorts after the first and before the next.
    """
    if channel not in versions:
        raise ValueError(f"channel {channel!r} has no version")
    own = versions[channel]
    digest = blake2b(f"{value.type}:".encode() + (value.data or b""), digest_size=16).digest()
    text, number = str(own), 1
    while (placed := staging.place(ns, channel, text, digest)) is False:
        if not isinstance(own, str):
            raise ValueError(f"channel {channel!r} has several values of version {own}")
        number += 1
        text = f"{own}+{number:04}"
    return _Version(text, placed is True, number > 1)


def _rename(body: dict[str, Any], channel: str, old: str, new: str) -> None:
    """Give a channel another version in a checkpoint, also where nodes have seen it."""
    seen = body.get("versions_seen")
    nodes = list(seen.values()) if isinstance(seen, dict) else []
    for versions in (body["channel_versions"], *nodes):
        if isinstance(versions, dict) and versions.get(channel) == old:
            versions[channel] = new


def _parts(blob: Blob) -> tuple[dict[str, Any], dict[str, Any]]:
    """A checkpoint without its state, and the state: what stays in the JSON as it is, and the rest as blobs."""
    data = blob.data or b""
    if blob.type == "json":
        whole = json.loads(data)
        if not isinstance(whole, dict):
            raise ValueError("it is no checkpoint")
        values = whole.pop("channel_values", None)
        return whole, {name: _from_json(value) for name, value in values.items()} if isinstance(values, dict) else {}
    if blob.type != "msgpack":
        raise ValueError(f"it has the type {blob.type!r}")
    pieces = items(data)
    body = {name: _plain(piece) for name, piece in pieces.items() if name not in _MOVED}
    if "pending_sends" in pieces:
        body["pending_sends"] = ormsgpack.unpackb(pieces["pending_sends"], ext_hook=lambda code, _: code)
    values = items(pieces["channel_values"]) if "channel_values" in pieces else {}
    return body, {name: _from_msgpack(piece) for name, piece in values.items()}


def _plain(piece: bytes) -> Any:
    """What JSON holds as well; an extension is a ``ValueError``."""
    return ormsgpack.unpackb(piece)


def _from_msgpack(piece: bytes) -> Any:
    if is_scalar(piece):
        try:
            value = ormsgpack.unpackb(piece)
        except ValueError:
            return Blob("msgpack", piece)
        return value if _fits_json(value) else Blob("msgpack", piece)
    if piece[0] in (0xC4, 0xC5, 0xC6):
        return Blob("bytes", ormsgpack.unpackb(piece))
    return Blob("msgpack", piece)


def _from_json(value: Any) -> Any:
    if isinstance(value, dict | list) or not _fits_json(value):
        return Blob("json", json.dumps(value).encode())
    return value


def _fits_json(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, str):
        return "\x00" not in value and not any("\ud800" <= character <= "\udfff" for character in value)
    return True


def _is_snapshot(value: Blob) -> bool:
    return value.type == "msgpack" and extension_code(value.data or b"") == _DELTA_SNAPSHOT


def _require_sends(checkpoint: StoredCheckpoint, sends: Any, staging: Staging) -> None:
    """Before layout v4 PostgreSQL reads Sends from the parent's writes (``postgres/base.py:123-132``)."""
    if sends and len(staging.sends(checkpoint.ns, checkpoint.parent_id or "")) < len(sends):
        raise ValueError("it holds Sends that are not among the writes of its parent")


def _said(error: Exception) -> str:
    if isinstance(error, Locked):
        return f"it is encrypted, and there is {error.reason}" if "no key" in error.reason else error.reason
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error).rstrip(".")

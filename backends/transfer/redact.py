"""Rows with the values replaced that must not leave the house; the thread still decodes, and mostly still resumes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

import ormsgpack

from ..crypt import Locked
from ..model import Blob
from ..stored import StoredBlob, StoredCheckpoint, StoredRow
from .masking import CannotRedact, masked, masked_json, masked_msgpack
from .rules import MASK, Rules
from .sealing import Seal, is_sealed
from .slices import Malformed, a_map, items

_Where: TypeAlias = tuple[str, str, str]
"""Thread, checkpoint and channel."""

_METADATA = frozenset(
    {"source", "step", "parents", "run_id", "lgtop_run", "counters_since_delta_snapshot", "delta_writes_versioned"}
)
"""What LangGraph reads in metadata."""

_UNREAD = ormsgpack.packb(MASK)
"""What stands in the place of a value that nobody can look into."""


@dataclass(frozen=True, slots=True)
class Left:
    """A value that was replaced as a whole, since nobody could look into it.

    Attributes:
        thread_id: The thread.
        checkpoint_id: The checkpoint; empty for the blob of a channel's version.
        channel: The channel; empty for a whole checkpoint.
        reason: Why.
        encrypted: It cannot be read without the application's key by others either.
    """

    thread_id: str
    checkpoint_id: str
    channel: str
    reason: str
    encrypted: bool


class Redaction:
    """Replaces values on their way to a file.

    Ids of threads and checkpoints, names of channels and nodes, and what LangGraph itself keeps in a checkpoint are
    never changed. What cannot be read may hold anything, and is replaced as a whole: a value, or where it is the
    checkpoint itself, all of it.

    Args:
        rules: What to replace.
        seal: The application's key, if we have it: encrypted values are then opened, redacted and sealed again.

    Attributes:
        redacted: How many values were changed.
        left: Values that were replaced as a whole, the first thousand.
        unread: How many such values there are; ``encrypted`` of them for want of a key.
    """

    def __init__(self, rules: Rules, seal: Seal | None = None) -> None:
        self.redacted = 0
        self.left: list[Left] = []
        self.unread = 0
        self.encrypted = 0
        self._rules = rules
        self._seal = seal or Seal.from_environment()

    def rows(self, thread_id: str, rows: Iterable[StoredRow]) -> Iterator[StoredRow]:
        """Yield the rows of a thread, redacted."""
        for row in rows:
            match row:
                case StoredCheckpoint(_, checkpoint_id, _, body, metadata):
                    where = thread_id, checkpoint_id, ""
                    hidden = self._tried(where, Blob("json", metadata), self._metadata)
                    found = self._tried(where, body, partial(self._checkpoint, where))
                    yield replace(row, body=found, metadata=hidden.data or b"")
                case StoredBlob(_, channel, _, blob):
                    yield replace(row, blob=self._value((thread_id, "", channel), blob, channel))
                case _:
                    write = row.write
                    where = thread_id, write.checkpoint_id, write.channel
                    value = self._value(where, write.blob, write.channel)
                    yield replace(row, write=replace(write, blob=value))

    def _value(self, where: _Where, blob: Blob, channel: str) -> Blob:
        if _is_structure(channel):
            return blob
        return self._tried(where, blob, lambda plain: masked(plain, self._rules, _name(channel)))

    def _tried(self, where: _Where, blob: Blob, mask: Callable[[Blob], Blob]) -> Blob:
        try:
            plain = self._seal.opened(blob)
            found = mask(plain)
        except (CannotRedact, Locked) as error:
            self._leave(Left(*where, str(error), isinstance(error, Locked)))
            return Blob("json", json.dumps(MASK).encode()) if blob.type == "json" else Blob("msgpack", _UNREAD)
        if found is plain:
            return blob
        self.redacted += 1
        return self._seal.sealed(found) if is_sealed(blob) else found

    def _leave(self, left: Left) -> None:
        self.redacted += 1
        self.unread += 1
        self.encrypted += left.encrypted
        if len(self.left) < 1000:
            self.left.append(left)

    def _metadata(self, blob: Blob) -> Blob:
        data = blob.data or b""
        found = masked_json(data, self._rules, keep=_METADATA) if data else data
        return blob if found == data else Blob(blob.type, found)

    def _checkpoint(self, where: _Where, blob: Blob) -> Blob:
        """Only the state and old layouts' Sends are values; the rest is LangGraph's."""
        data = blob.data or b""
        if blob.type == "msgpack":
            found = self._msgpack(data, where)
        elif blob.type == "json":
            found = self._json(data)
        elif data:
            raise CannotRedact(f"its type is {blob.type!r}")
        else:
            return blob
        return blob if found == data else Blob(blob.type, found)

    def _msgpack(self, data: bytes, where: _Where) -> bytes:
        try:
            parts = items(data)
            values = items(parts["channel_values"]) if "channel_values" in parts else {}
        except Malformed as error:
            raise CannotRedact(str(error)) from error
        kept = {name: self._piece(name, value, where) for name, value in values.items()}
        sends = {name: masked_msgpack(parts[name], self._rules) for name in ("pending_sends",) if name in parts}
        if kept == values and all(parts[name] == send for name, send in sends.items()):
            return data
        return a_map({**parts, **sends, "channel_values": a_map(kept.items())}.items())

    def _piece(self, channel: str, value: bytes, where: _Where) -> bytes:
        if _is_structure(channel):
            return value
        try:
            return masked_msgpack(value, self._rules, _name(channel))
        except CannotRedact as error:
            self._leave(Left(*where[:2], channel, str(error), encrypted=False))
            return _UNREAD

    def _json(self, data: bytes) -> bytes:
        try:
            whole = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise CannotRedact(f"it is no JSON: {error}") from error
        values = whole.get("channel_values") if isinstance(whole, dict) else None
        if not isinstance(values, dict):
            return data
        kept = {
            name: value
            if _is_structure(name)
            else json.loads(masked_json(json.dumps(value).encode(), self._rules, _name(name)))
            for name, value in values.items()
        }
        return data if kept == values else json.dumps({**whole, "channel_values": kept}, ensure_ascii=False).encode()


def _is_structure(channel: str) -> bool:
    """Whether a channel holds only names of nodes."""
    return channel.startswith(("branch:", "join:", "start:")) or channel == "__error_source_node__"


def _name(channel: str) -> str:
    """A channel's name as rules see it: those that LangGraph keeps for itself have none."""
    return "" if channel.startswith("__") else channel

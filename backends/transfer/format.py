"""The file of an export: one JSON object a line, in ASCII. docs/moving-threads.md documents it.

{"record": "lgtop export", "version": 1, …}        once, first
{"record": "thread", "thread_id": …, "layout": …}  begins a thread
{"record": "checkpoint" | "blob" | "write", …}     its rows, as the store holds them
{"record": "end of thread", "checkpoints": …, …}   ends it, with what must have come
{"record": "end of export", "threads": …}          once, last: without it the file was cut off
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Final

from ..errors import Refused
from ..model import Blob, Write
from ..stored import SPLIT, WHOLE, StoredBlob, StoredCheckpoint, StoredRow, StoredWrite

VERSION: Final = 1
HEADER: Final = "lgtop export"
THREAD: Final = "thread"
END_OF_THREAD: Final = "end of thread"
END: Final = "end of export"

_LONGEST = 1_500_000_000
"""Bytes of a line: what the largest SQLite value takes in base64."""


def line_of(record: Mapping[str, Any]) -> bytes:
    """A record as a line."""
    return json.dumps(record, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def record_of(row: StoredRow) -> dict[str, Any]:
    """A row as a record."""
    match row:
        case StoredCheckpoint(ns, checkpoint_id, parent_id, body, metadata):
            known = {"ns": ns, "id": checkpoint_id, "parent": parent_id, "metadata": _text(metadata)}
            return {"record": "checkpoint", **known, **_value(body)}
        case StoredBlob(ns, channel, version, blob):
            return {"record": "blob", "ns": ns, "channel": channel, "version": version, **_value(blob)}
    write = row.write
    return {
        **{"record": "write", "ns": row.ns, "id": write.checkpoint_id, "task": write.task_id, "path": write.task_path},
        **{"idx": write.idx, "channel": write.channel, **_value(write.blob)},
    }


def _value(blob: Blob) -> dict[str, Any]:
    """JSON stands there as text, which can be read in the file; everything else in base64."""
    if blob.data is None:
        return {"type": blob.type, "data": None}
    if blob.type == "json":
        return {"type": blob.type, "text": _text(blob.data)}
    return {"type": blob.type, "data": b64encode(blob.data).decode()}


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


class Lines:
    """The records of a file, read one at a time.

    Args:
        file: Opened for bytes.

    Attributes:
        number: Of the line that was read last, for messages.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.number = 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield the records after the header.

        Raises:
            Refused: It is no export, or one of a later version, or a line is damaged.
        """
        header = self._next()
        if header is None or header.get("record") != HEADER:
            raise Refused("This is no file that lgtop export wrote.", "Name one, or - for standard input.")
        if header.get("version") != VERSION:
            raise Refused(
                f"The file has version {header.get('version')!r} of the format; this lgtop reads version {VERSION}.",
                "Use the lgtop that wrote it, or a newer one.",
            )
        while (record := self._next()) is not None:
            yield record

    def _next(self) -> dict[str, Any] | None:
        line = self._file.readline(_LONGEST)
        if not line:
            return None
        self.number += 1
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            record = None
        if isinstance(record, dict):
            return record
        if self.number == 1:
            return {}
        raise self.damaged("is cut off" if not line.endswith(b"\n") else "is no JSON object")

    def damaged(self, what: str) -> Refused:
        """Say what is wrong with the line that was read last."""
        return Refused(f"Line {self.number} of the file {what}.", "Nothing of its thread was written.")

    def row(self, record: Mapping[str, Any], layout: str) -> StoredRow:
        """The row that a record stands for.

        Raises:
            Refused: It stands for none.
        """
        try:
            return _row(record, layout)
        except (KeyError, TypeError, ValueError) as error:
            raise self.damaged(f"is no row of a thread ({error or type(error).__name__})") from error


def _row(record: Mapping[str, Any], layout: str) -> StoredRow:
    kind, ns = record["record"], _str(record, "ns")
    if kind == "checkpoint":
        metadata = _bytes(_str(record, "metadata"))
        return StoredCheckpoint(ns, _str(record, "id"), _maybe(record, "parent"), _blob(record), metadata)
    if kind == "blob" and layout == SPLIT:
        return StoredBlob(ns, _str(record, "channel"), _str(record, "version"), _blob(record))
    if kind != "write":
        raise ValueError(f"record {kind!r}")
    if type(record["idx"]) is not int:
        raise ValueError("idx")
    channel, path = _str(record, "channel"), _maybe(record, "path")
    return StoredWrite(ns, Write(_str(record, "id"), _str(record, "task"), path, record["idx"], channel, _blob(record)))


def thread_of(record: Mapping[str, Any], lines: Lines) -> tuple[str, str]:
    """Thread id and layout that a ``thread`` record names.

    Raises:
        Refused: It is another record, or names none.
    """
    thread_id, layout = record.get("thread_id"), record.get("layout")
    if record.get("record") != THREAD or not isinstance(thread_id, str) or layout not in (WHOLE, SPLIT):
        raise lines.damaged("begins no thread")
    return thread_id, layout


def _blob(record: Mapping[str, Any]) -> Blob:
    kind = _maybe(record, "type")
    if "text" in record:
        return Blob(kind, _bytes(_str(record, "text")))
    data = _maybe(record, "data")
    return Blob(kind, None if data is None else b64decode(data, validate=True))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _str(record: Mapping[str, Any], name: str) -> str:
    value = record[name]
    if not isinstance(value, str):
        raise ValueError(f"{name} is no text")
    return value


def _maybe(record: Mapping[str, Any], name: str) -> str | None:
    return None if record[name] is None else _str(record, name)

"""Stores that an enemy wrote: blobs that attack their reader, text that attacks the terminal, rows that make no sense.

``hostile_rows`` is a whole store that carries every attack, and every hostile string in every column that holds text;
``hostile_sqlite`` and ``hostile_postgres`` write it with plain SQL, since no saver would.
"""

from __future__ import annotations

import json
import sqlite3
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import ormsgpack

from .hostile_blobs import attacks, ext, pack

STRINGS: dict[str, str] = {
    "markup-close": "A[/nope]",
    "markup-red": "[red]alarm[/red] [bold",
    "markup-link": "[@click=app.bell]x[/] [link=file:///etc/passwd]y[/link]",
    "rich-emoji": ":warning: [blink]",
    "clear-screen": "a\x1b[2J\x1b[Hb",
    "osc-52": "\x1b]52;c;ZXZpbA==\x07",
    "osc-title": "\x1b]0;owned\x1b\\",
    "c1-csi": "\x9b2J\x9d0;t\x9c",
    "nul": "a\x00b",
    "backspaces": "safe\x08\x08\x08\x08evil\r\x7f",
    "bidi": "user\u202egnp.exe\u2066x\u2069",
    "zero-width": "pay\u200bpal\u200d\ufeff\u2060",
    "tags": "hi\U000e0041\U000e0042\U000e007f",
    "surrogate": "lone\ud800\udfff",
    "emoji-zwj": "👩\u200d👩\u200d👧 🇫🇷 ☁\ufe0f",
    "combining": "Z" + "\u0301\u0316" * 40,
    "wide": "漢字カナ ｆｕｌｌ",
    "newlines": "one\ntwo\r\nthree\u2028four\x85five",
    "tab": "a\tb",
    "long": "L" * 2000,
    "empty": "",
    "spaces": "   ",
    "quotes": "'; DROP TABLE checkpoints; -- \" ` $(touch x) %s {0} {x!r}",
    "percent": "100%% %n %(password)s",
    "path": "../../../../etc/passwd",
    "glob": "*?[a-z]\\",
    "ns-separators": "a|b:c|1",
}
"""Hostile text by name; ``surrogate`` and ``nul`` do not fit into PostgreSQL."""

POSTGRES_CANNOT = ("nul", "surrogate")


@dataclass(frozen=True)
class CheckpointRow:
    """A row of ``checkpoints``, and of ``checkpoint_blobs`` on Postgres.

    Attributes:
        channels: Channel to (type tag, bytes).
        body: What stands in the checkpoint beside the channel values.
        metadata: JSON text, or what stands in its place.
        raw: On SQLite, (type, checkpoint) to store as they are instead of the above.
    """

    thread_id: str
    checkpoint_id: str
    ns: str = ""
    parent_id: str | None = None
    channels: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)
    metadata: str | None = '{"source": "loop", "step": 1, "parents": {}}'
    raw: tuple[str | None, bytes | str | None] | None = None


@dataclass(frozen=True)
class WriteRow:
    """A row of ``writes``."""

    thread_id: str
    checkpoint_id: str
    task_id: str
    idx: int
    channel: str
    tag: str | None
    data: bytes | None
    task_path: str = ""
    ns: str = ""


Rows = tuple[list[CheckpointRow], list[WriteRow]]

VERSION = "00000000000000000000000000000002.0.1"


def checkpoint_id(number: int, step: int = 1) -> str:
    """A uuid6 text that rises with ``number``; the year is 2025."""
    ticks = 0x1F0_0000_0000_0000 + number * 10_000_000
    text = f"{ticks >> 12:012x}"
    return f"{text[:8]}-{text[8:]}-6{ticks & 0xFFF:03x}-{0x8000 | (step & 0x3FFF):04x}-{number:012x}"


def _body(channels: dict[str, tuple[str, bytes]]) -> dict[str, Any]:
    return {
        "v": 4,
        "ts": "2025-06-01T00:00:00+00:00",
        "channel_versions": dict.fromkeys(channels, VERSION),
        "versions_seen": {"__input__": {}},
        "updated_channels": list(channels),
    }


def _thread(number: int, thread_id: str, channels: dict[str, tuple[str, bytes]]) -> CheckpointRow:
    return CheckpointRow(thread_id, checkpoint_id(number), channels=channels, body=_body(channels))


def hostile_rows(canary: Path, postgres: bool = False) -> Rows:
    """Return the rows of the hostile store.

    Args:
        canary: As for ``attacks``.
        postgres: Leave out what PostgreSQL cannot hold.
    """
    checkpoints: list[CheckpointRow] = []
    writes: list[WriteRow] = []
    number = 0
    for name, text in STRINGS.items():
        if not (postgres and name in POSTGRES_CANNOT):
            number += 1
            _everywhere(number, text, checkpoints, writes)
    for attack in attacks(canary):
        number += 1
        tag = attack.tag.replace("\x00", "")
        row = _thread(number, f"attack-{attack.name}", {"value": (tag, attack.data), "good": ("msgpack", pack("good"))})
        checkpoints.append(row)
        for idx, channel in enumerate(("value", "__interrupt__", "__error__", "__resume__", "__pregel_tasks")):
            task = f"00000000-0000-0000-0000-{number:09d}{idx:03d}"
            writes.append(WriteRow(row.thread_id, row.checkpoint_id, task, idx, channel, tag, attack.data))
    number += 1
    checkpoints.extend(_senseless(number))
    writes.append(WriteRow("orphan", checkpoint_id(number), "task", 0, "value", "msgpack", pack("orphan")))
    writes.append(WriteRow("senseless-null-write", checkpoint_id(number), "task", 0, "value", None, None))
    return checkpoints, writes


def _everywhere(number: int, text: str, checkpoints: list[CheckpointRow], writes: list[WriteRow]) -> None:
    """One thread with a string in every place that holds text: a question, an error, and a subgraph."""
    packed = pack(text.encode("utf-8", "replace").decode())
    if "\ud800" in text:
        packed = b"\xa7" + text.encode("utf-8", "surrogatepass")[:7]
    values = {
        text: ("msgpack", packed),
        f"branch:to:{text}": ("null", b""),
        "messages": ("msgpack", pack([_message(text), _message(text, "ai")])),
        "order": ("msgpack", pack(ext(2, (f"app.{_utf8(text)}", _utf8(text), {_utf8(text): _utf8(text)})))),
        "nested": ("msgpack", pack({_utf8(text): [_utf8(text), {_utf8(text): None}]})),
    }
    metadata = {"source": text, "step": 1, "parents": {}, text: text, "tenant": text, "run_id": text}
    first = replace(_thread(number, text, values), metadata=json.dumps({**metadata, "step": text}))
    head = replace(
        first,
        checkpoint_id=checkpoint_id(number * 1000),
        parent_id=first.checkpoint_id,
        metadata=json.dumps(metadata),
    )
    child = replace(head, ns=f"{text}:{text}|{text}", parent_id=text)
    checkpoints.extend((first, head, child))
    interrupt = ext(2, ("langgraph.types", "Interrupt", {"value": _utf8(text), "id": _utf8(text)}))
    rows = {
        "__interrupt__": pack([interrupt]),
        "__error__": packed,
        text: packed,
        "__pregel_tasks": pack(ext(1, ("langgraph.types", "Send", (_utf8(text), _utf8(text))))),
    }
    for idx, (channel, data) in enumerate(rows.items()):
        task, path = f"{text}{idx}", f"~__pregel_pull, {text}"
        writes.append(WriteRow(text, head.checkpoint_id, task, idx - 3, channel, "msgpack", data, path))


def _utf8(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _message(text: str, kind: str = "human") -> ormsgpack.Ext:
    module, name = f"langchain_core.messages.{kind}", f"{'AI' if kind == 'ai' else 'Human'}Message"
    calls = [{"name": _utf8(text), "args": {_utf8(text): _utf8(text)}, "id": _utf8(text), "type": "tool_call"}]
    fields = {"content": _utf8(text), "type": kind, "id": _utf8(text), "name": _utf8(text)}
    return ext(5, (module, name, fields | ({"tool_calls": calls} if kind == "ai" else {}), "model_validate_json"))


def _senseless(number: int) -> Iterator[CheckpointRow]:
    """Rows that no LangGraph ever wrote: wrong shapes, wrong types, wrong links."""
    good = {"n": ("msgpack", pack(1))}
    bodies: dict[str, dict[str, Any]] = {
        "no-versions": {"v": 4},
        "odd-v": _body(good) | {"v": "four"},
        "future-v": _body(good) | {"v": 99},
        "old-v": _body(good) | {"v": 1, "pending_sends": ["x", None, {"node": 1}], "current_tasks": 5},
        "versions-list": _body(good) | {"channel_versions": [1, 2], "versions_seen": "x", "updated_channels": 7},
        "versions-odd": _body(good) | {"channel_versions": {"n": [1], "branch:to:x": None}, "versions_seen": {"a": 1}},
        "versions-mixed": _body(good) | {"channel_versions": {"n": 3, "m": "4", "o": 1.5, "branch:to:x": True}},
        "ts-odd": _body(good) | {"ts": 12345},
    }
    for name, body in bodies.items():
        yield replace(_thread(number, f"senseless-{name}", good), body=body)
    metadata = {
        "null": None,
        "empty-object": "{}",
        "list": "[1, 2]",
        "text": '"x"',
        "odd-step": '{"step": "seven", "source": 5, "parents": []}',
        "huge-step": '{"step": 99999999999999999999999999, "source": null}',
        "deep": '{"step": 1, "x": ' + "[" * 500 + "]" * 500 + "}",
        "counters": '{"step": 1, "counters_since_delta_snapshot": [1]}',
        "counters-odd": '{"step": 1, "counters_since_delta_snapshot": {"n": "x", "gone": [1, 1]}}',
    }
    for name, text in metadata.items():
        yield replace(_thread(number, f"senseless-metadata-{name}", good), metadata=text)
    plain = _thread(number, "senseless-self-parent", good)
    yield replace(plain, parent_id=plain.checkpoint_id)
    yield replace(plain, thread_id="senseless-missing-parent", parent_id="gone")
    loop = ("1ef0-a", "1ef0-b")
    yield replace(plain, thread_id="senseless-loop", checkpoint_id=loop[0], parent_id=loop[1])
    yield replace(plain, thread_id="senseless-loop", checkpoint_id=loop[1], parent_id=loop[0])
    yield replace(plain, thread_id="senseless-short-id", checkpoint_id="0123456789abcdef")
    yield replace(plain, thread_id="senseless-empty-id", checkpoint_id="")
    yield replace(plain, thread_id="senseless-no-root", ns="mine")
    yield replace(plain, thread_id="senseless-null-write")


def _sqlite_only(canary: Path) -> Iterator[CheckpointRow]:
    """Whole checkpoints in other shapes, and metadata that is no JSON: Postgres' ``jsonb`` has no room for them."""
    raws: dict[str, tuple[str | None, bytes | str | None]] = {
        "nulls": (None, None),
        "no-type": (None, pack({"v": 4})),
        "no-type-json": (None, b'{"v": 1, "channel_values": {"a": 1}}'),
        "text-column": ("json", '{"v": 1, "channel_values": {"a": 1}}'),
        "list": ("msgpack", pack([1, 2])),
        "values-list": ("msgpack", pack({"v": 4, "channel_values": [1, 2]})),
        "values-ext": ("msgpack", pack({"v": 4, "channel_values": ext(0, ("os", "system", f"touch {canary}"))})),
        "odd-names": ("msgpack", pack({"v": 4, "channel_values": {1: "one", None: "none", b"b": 2}})),
        "empty": ("msgpack", b""),
    }
    for attack in attacks(canary):
        if not attack.sound or attack.tag != "msgpack":
            raws[attack.name] = (attack.tag, attack.data)
    for number, (name, raw) in enumerate(raws.items(), 500_000):
        yield CheckpointRow(f"raw-{name}", checkpoint_id(number), raw=raw)
    for number, text in enumerate(("", "not json", '{"a": NaN}', '{"step": 1', "\udcff\udcfe"), 600_000):
        yield CheckpointRow(f"metadata-{number}", checkpoint_id(number), raw=("msgpack", pack({"v": 4})), metadata=text)


def _sqlite_checkpoint(row: CheckpointRow) -> tuple[str | None, bytes | str | None]:
    """The (type, checkpoint) columns: the values' own bytes inside one MessagePack mapping."""
    if row.raw is not None:
        return row.raw
    values = b"".join(
        _packed_text(channel) + (data if tag == "msgpack" else b"\xc0") for channel, (tag, data) in row.channels.items()
    )
    body = {"id": row.checkpoint_id, **row.body}
    rest = b"".join(_packed_text(key) + _packed_body(value) for key, value in body.items())
    head = bytes([0x80 + len(body) + 1])
    return "msgpack", head + rest + _packed_text("channel_values") + bytes([0x80 + len(row.channels)]) + values


def _packed_text(text: str) -> bytes:
    data = text.encode("utf-8", "surrogatepass")
    return b"\xdb" + struct.pack(">I", len(data)) + data


def _packed_body(value: Any) -> bytes:
    if isinstance(value, str):
        return _packed_text(value)
    if isinstance(value, dict) and len(value) < 16:
        return bytes([0x80 + len(value)]) + b"".join(_packed_text(k) + _packed_body(v) for k, v in value.items())
    if isinstance(value, list) and len(value) < 16:
        return bytes([0x90 + len(value)]) + b"".join(_packed_body(v) for v in value)
    return pack(value)


def _column(text: str | None) -> bytes | None:
    if text is None:
        return None
    return text.encode("utf-8", "surrogateescape" if text.startswith("\udcff") else "surrogatepass")


def hostile_sqlite(path: Path, task_path: bool = True) -> Path:
    """Write the hostile store to a new SQLite file.

    Args:
        path: The file.
        task_path: Whether ``writes`` has that column (checkpoint-sqlite 3.1.2 and later).

    Returns:
        The canary: a file that comes into being if an attack succeeds.
    """
    canary = path.with_name(f"{path.name}.canary")
    checkpoints, writes = hostile_rows(canary)
    path_column = ", task_path TEXT NOT NULL DEFAULT ''" if task_path else ""
    connection = sqlite3.connect(path)
    connection.executescript(
        "CREATE TABLE checkpoints (thread_id TEXT NOT NULL, checkpoint_ns TEXT NOT NULL DEFAULT '', checkpoint_id TEXT"
        " NOT NULL, parent_checkpoint_id TEXT, type TEXT, checkpoint BLOB, metadata BLOB,"
        " PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id));"
        "CREATE TABLE writes (thread_id TEXT NOT NULL, checkpoint_ns TEXT NOT NULL DEFAULT '', checkpoint_id TEXT NOT"
        " NULL, task_id TEXT NOT NULL, idx INTEGER NOT NULL, channel TEXT NOT NULL, type TEXT,"
        f" value BLOB{path_column},"
        " PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id, task_id, idx));"
    )
    text = "CAST(? AS TEXT)"
    for row in (*checkpoints, *_sqlite_only(canary)):
        tag, blob = _sqlite_checkpoint(row)
        connection.execute(
            f"INSERT INTO checkpoints VALUES ({text}, {text}, {text}, {text}, {text}, ?, ?)",
            (
                *map(_column, (row.thread_id, row.ns, row.checkpoint_id, row.parent_id, tag)),
                blob,
                _column(row.metadata),
            ),
        )
    for write in writes:
        values = [*map(_column, (write.thread_id, write.ns, write.checkpoint_id, write.task_id)), write.idx]
        values += [_column(write.channel), _column(write.tag), write.data]
        values += [_column(write.task_path)] if task_path else []
        marks = f"{text}, {text}, {text}, {text}, ?, {text}, {text}, ?" + (f", {text}" if task_path else "")
        connection.execute(f"INSERT INTO writes VALUES ({marks})", values)
    connection.commit()
    connection.close()
    return canary


def hostile_postgres(url: str, canary: Path) -> None:
    """Write the hostile store into a PostgreSQL database that has the saver's newest tables.

    Args:
        url: The database.
        canary: As for ``attacks``.
    """
    import psycopg

    checkpoints, writes = hostile_rows(canary, postgres=True)
    with psycopg.connect(url) as connection:
        for row in checkpoints:
            body = {"id": row.checkpoint_id, "channel_values": {}, **row.body}
            connection.execute(
                "INSERT INTO checkpoints (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, checkpoint,"
                " metadata) VALUES (%s, %s, %s, %s, %s, %s)",
                (
                    *(row.thread_id, row.ns, row.checkpoint_id, row.parent_id),
                    *(json.dumps(body), "{}" if row.metadata is None else row.metadata),
                ),
            )
            for channel, (tag, data) in row.channels.items():
                connection.execute(
                    "INSERT INTO checkpoint_blobs (thread_id, checkpoint_ns, channel, version, type, blob)"
                    " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                    (row.thread_id, row.ns, channel, VERSION, tag, data),
                )
        for write in writes:
            if write.data is not None:
                connection.execute(
                    "INSERT INTO checkpoint_writes (thread_id, checkpoint_ns, checkpoint_id, task_id, idx, channel,"
                    " type, blob, task_path) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
                    (
                        *(write.thread_id, write.ns, write.checkpoint_id, write.task_id, write.idx),
                        *(write.channel, write.tag, write.data, write.task_path),
                    ),
                )

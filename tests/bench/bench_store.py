"""Figures of a store's reading as ratios in one run: ``python -m tests.bench.bench_store STORE [--slow]``.

STORE is a file of ``make_sqlite`` or a directory of ``make_postgres``. Every figure is the best of several turns on a
warm cache, the two sides of a ratio taking turns. For SQLite it is CPU time, so that other processes count little; for
PostgreSQL, whose work is done in the server's process, time on the wall. ``--slow`` adds the listing through
``saver.list(None)``, which takes minutes on a large store.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from backends.store import Scope, Store, open_store

from .measuring import best, installed, milliseconds, process, served

BARE_SQLITE = """
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

BARE_POSTGRES = """
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

COUNTS = "select thread_id, count(*) from checkpoints group by thread_id"

SAVER_LIST = """
import sys
if sys.argv[1].startswith("postgres"):
    from langgraph.checkpoint.postgres import PostgresSaver as Saver
else:
    from langgraph.checkpoint.sqlite import SqliteSaver as Saver
newest = {}
with Saver.from_conn_string(sys.argv[1]) as saver:
    for found in saver.list(None):
        newest.setdefault(found.config['configurable']['thread_id'], found)
print(len(newest))
"""

MEMORY = """
import os, sys
from backends.store import open_store
def resident():
    return int(open('/proc/self/statm').read().split()[1]) * os.sysconf('SC_PAGE_SIZE') / 1e6
store = open_store(sys.argv[1])
before = resident()
heads = {head.thread_id: head for batch in store.heads() for head in batch}
print(len(heads), before, resident())
"""

BAR_HEADS, BAR_LIST = 1.5, 300
Rows = Iterator[tuple[str, str, str]]
"""What, figure, ratio or share."""


def is_postgres(address: str) -> bool:
    """Whether an address is a server's."""
    return address.startswith("postgres")


def bare(address: str) -> AbstractContextManager[Any]:
    """A connection of the store's driver."""
    if is_postgres(address):
        import psycopg

        return closing(psycopg.connect(address, autocommit=True))
    import sqlite3

    return closing(sqlite3.connect(f"file:{quote(address)}?mode=ro", uri=True))


def timing(address: str) -> Callable[..., list[float]]:
    """``best`` with the clock for a store."""
    return partial(best, clock=time.perf_counter) if is_postgres(address) else best


def complete(address: str, turns: int = 7) -> tuple[float, float]:
    """Seconds to read every head, and of the bare SQL that does the same."""
    statement = BARE_POSTGRES if is_postgres(address) else BARE_SQLITE
    with closing(open_store(address)) as store, bare(address) as connection:
        ours, sql = timing(address)(
            lambda: [batch for batch in store.heads()], lambda: connection.execute(statement).fetchall(), turns=turns
        )
    return ours, sql


def listing(address: str, turns: int = 7) -> tuple[float, float]:
    """Seconds of ``lgtop ls --json --limit 50``, in turns before and after it, and of the saver's listing."""
    command = ("lgtop.py", "ls", "-s", address, "--json", "--limit", "50")
    clock = partial(best, lambda: process(*command), turns=turns, clock=time.perf_counter)
    with installed():
        process(*command)
        (before,) = clock()
        (saver,) = best(lambda: process("-c", SAVER_LIST, address), turns=1, clock=time.perf_counter)
        (after,) = clock()
    return min(before, after), saver


def figures(store: Store, address: str) -> Rows:
    """Yield what single calls cost."""
    timed = timing(address)
    (newest,) = timed(lambda: store.newest_heads(500))
    yield "newest 500 heads", milliseconds(newest), ""
    heads = {head.thread_id: head for batch in store.heads() for head in batch}
    ours, sql = complete(address)
    yield f"bare SQL, {len(heads):,} heads", milliseconds(sql), ""
    yield "heads(), complete", milliseconds(ours), f"{ours / sql:.2f} x bare SQL (bar {BAR_HEADS})"
    with bare(address) as connection:
        counted, grouped = timed(store.counts, lambda: connection.execute(COUNTS).fetchall())
    yield "counts(), complete", milliseconds(counted), f"{counted / grouped:.2f} x bare SQL"
    keys = [head.key for head in list(heads.values())[:: max(1, len(heads) // 1000)]][:1000]
    for scope in Scope:
        (read,) = timed(lambda scope=scope: store.raw(keys, scope))
        yield f"raw(), {len(keys):,} heads, {scope.value}", milliseconds(read), f"{read / len(keys) * 1e6:.0f} us each"
    some = [key.thread_id for key in keys[:200]]
    (refreshed,) = timed(lambda: store.heads_of(some))
    yield f"heads_of(), {len(some)} threads", milliseconds(refreshed), f"{refreshed / len(some) * 1e6:.0f} us each"
    cursor = store.cursor()
    for _ in range(100):  # the first sweep, if there is one, ends
        cursor = store.poll(cursor).cursor
    (idle,) = timed(lambda: [store.poll(cursor) for _ in range(200)])
    yield "poll(), nothing new", milliseconds(idle / 200), f"{idle / 200 * 10:.3%} CPU at 10 Hz"


def measure(address: str, slow: bool) -> Rows:
    """Yield the rows of the table."""
    timed = timing(address)
    (opened,) = timed(lambda: open_store(address).close())
    yield "open", milliseconds(opened), ""
    with closing(open_store(address)) as store:
        yield from figures(store, address)
    loaded, before, after = (float(figure) for figure in process("-c", MEMORY, address).split())
    each = f"{(after - before) * 1e6 / loaded:.0f} bytes each"
    yield f"memory of {loaded:,.0f} heads", f"{after - before:.0f} MB", each
    if slow:
        listed, saver = listing(address)
        yield "lgtop ls --json --limit 50", milliseconds(listed), ""
        yield "listing by saver.list(None)", milliseconds(saver), f"{saver / listed:,.0f} x lgtop ls (bar {BAR_LIST})"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Measure how a store is read.")
    parser.add_argument("store", type=Path)
    parser.add_argument("--slow", action="store_true", help="also list through saver.list(None)")
    arguments = parser.parse_args()
    with served(arguments.store) as address:
        for what, figure, ratio in measure(address, arguments.slow):
            print(f"  {what:<32} {figure:>12}  {ratio}", flush=True)


if __name__ == "__main__":
    main()

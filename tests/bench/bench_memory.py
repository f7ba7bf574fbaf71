"""Memory of the whole process: ``python -m tests.bench.bench_memory STORE``.

Opens the app in a pseudo-terminal, waits until every thread has its status and count, then goes through all orders and
some filters. STORE is a file of ``make_sqlite`` or a directory of ``make_postgres``. Beside it stand an empty Textual
app, and what the index alone holds.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from backends.store import open_store
from tests.terminal import PtyTerminal

from .bench_screen import EMPTY_APP
from .measuring import process, served

BAR = 130
"""Megabytes for 100,000 threads."""

INDEX = """
import os, sys
from backends.index import ThreadIndex
from backends.order import SORTS
from backends.query import parse
from backends.store import open_store
def resident():
    return int(open('/proc/self/statm').read().split()[1]) * os.sysconf('SC_PAGE_SIZE') / 1e6
store = open_store(sys.argv[1])
before, index = resident(), ThreadIndex()
for batch in store.heads():
    index.upsert(batch)
loaded = resident()
for sort in SORTS:
    index.set_view(parse(''), sort)
print(len(index.rows), before, loaded, resident())
"""

KEYS = ("oj\r", "oj\r", "ojj\r", "/status:waiting\r", "\x1b", "/tenant\r", "\x1b", "/!status:done\r", "\x1b", "G", "g")


def resident(pid: int) -> tuple[float, float]:
    """Resident megabytes of a process, now and at most."""
    status = Path(f"/proc/{pid}/status").read_text()
    now, most = (re.search(rf"{field}:\s+(\d+) kB", status) for field in ("VmRSS", "VmHWM"))
    assert now is not None
    assert most is not None
    return int(now[1]) / 1000, int(most[1]) / 1000


def until_settled(terminal: PtyTerminal, threads: float, seconds: float) -> None:
    """Pump until the screen counts so many threads, and exactly."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        terminal.pump(0.2)
        if f"{threads:,.0f} threads" in terminal.text and "≈" not in terminal.text:
            return
    raise SystemExit(f"not settled after {seconds} s; the screen:\n{terminal.text}")


def pump(terminal: PtyTerminal, seconds: float) -> None:
    """Read what the program writes for a while."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        terminal.pump(0.05)


def memory(address: str, seconds: float = 300) -> Iterator[tuple[str, float, float]]:
    """Yield what was done, and the megabytes of the app after it, now and at most."""
    with closing(open_store(address)) as store:
        threads = sum(len(batch) for batch in store.heads())
    with PtyTerminal([sys.executable, "-m", "lgtop", address]) as terminal:
        until_settled(terminal, threads, seconds)
        yield "lgtop, all read and analysed", *resident(terminal.pid)
        for keys in KEYS:
            terminal.send(keys)
            pump(terminal, 1.5)
        yield "lgtop, after other orders and filters", *resident(terminal.pid)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("store", type=Path)
    parser.add_argument("--seconds", type=float, default=300, help="at most so long until everything is known")
    arguments = parser.parse_args()
    with PtyTerminal([sys.executable, "-c", EMPTY_APP]) as terminal:
        terminal.wait_for("ready-marker")
        print(f"empty Textual app                          {resident(terminal.pid)[0]:6.1f} MB")
    with served(arguments.store) as address:
        threads, before, loaded, sorted_all_ways = map(float, process("-c", INDEX, address).split())
        each = 1e6 * (loaded - before) / threads
        print(
            f"index of {threads:,.0f} threads                   {loaded - before:6.1f} MB, {each:.0f} bytes a thread",
            end="",
        )
        print(f"; after every order {sorted_all_ways - before:.1f} MB")
        for what, now, most in memory(address, arguments.seconds):
            print(f"{what:<42} {now:6.1f} MB, at most {most:.1f} MB  (bar: {BAR} MB)")


if __name__ == "__main__":
    main()

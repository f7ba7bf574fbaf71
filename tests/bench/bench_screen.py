"""From the command to the glass: first rows, and a foreign commit to the repainted row, in a real pseudo-terminal.

    python -m tests.bench.bench_screen first STORE
    python -m tests.bench.bench_screen latency sqlite
    python -m tests.bench.bench_screen latency postgresql://…

`first` compares with the first paint of an empty Textual application, alternating the two in one run; STORE is a file
of `make_sqlite` or a directory of `make_postgres`. `latency` writes to a new file, or to the tables at a URL.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from backends.store import open_store
from tests.terminal import PtyTerminal

from .measuring import installed, served, spread
from .writer import Writer

EMPTY_APP = """
from textual.app import App
from textual.widgets import Static
class Empty(App):
    def compose(self):
        yield Static("ready-marker")
Empty().run()
"""

SETTLED = 1.5
"""Seconds after which an app on a small store has read everything."""


def first_paint(address: str, runs: int = 7) -> tuple[float, float]:
    """Seconds to the first rows of lgtop, and to the first paint of an empty Textual application; medians."""
    with closing(open_store(address)) as store:
        newest = [head.thread_id[-8:].encode() for head in store.newest_heads(20)]
    empty, ours = [], []
    with installed():
        for turn in range(runs + 1):
            with PtyTerminal([sys.executable, "-c", EMPTY_APP]) as terminal:
                first_empty = terminal.wait_for_bytes(b"ready-marker") - terminal.started
            with PtyTerminal([sys.executable, "-m", "lgtop", address]) as terminal:
                first_rows = terminal.wait_for_bytes(*newest, at_least=5) - terminal.started
                _drain(terminal, 1.0)
            if turn:  # the first turn compiles
                empty.append(first_empty)
                ours.append(first_rows)
    return statistics.median(ours), statistics.median(empty)


def latency(address: str, commits: int = 60) -> list[float]:
    """Seconds from a commit in another process to the bytes of the repainted row, in the order of the commits."""
    took = []
    # The list begins with threads that need attention: unfiltered, others may be below the last line.
    command = [sys.executable, "-m", "lgtop", address, "--filter", "id:first,thr*"]
    with Writer(address) as writer, PtyTerminal(command, rows=commits + 20) as terminal:
        terminal.wait_for("first")
        _drain(terminal, SETTLED)
        for number in range(commits):
            name = f"thr{number:05d}x"
            mark = len(terminal.received)
            (committed,) = writer.commit(name).values()
            seen = terminal.wait_for_bytes(name.encode(), since=mark)
            took.append(max(0.0, seen - committed))
            _drain(terminal, 0.05)
    return took


def _drain(terminal: PtyTerminal, seconds: float) -> None:
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        terminal.drain(0.01)


def main() -> None:
    """Parse the arguments and run one of the measurements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["first", "latency"])
    parser.add_argument("store")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--commits", type=int, default=60)
    args = parser.parse_args()
    if args.what == "first":
        with served(Path(args.store)) as address:
            ours, empty = first_paint(address, args.runs)
        print(f"{'empty Textual app, first paint':42} {empty * 1000:7.0f} ms")
        print(f"{'lgtop, first thread rows':42} {ours * 1000:7.0f} ms   ratio {ours / empty:.2f} (bar 1.5)")
        return
    with tempfile.TemporaryDirectory() as folder:
        address = str(Path(folder) / "live.sqlite") if args.store == "sqlite" else args.store
        print(f"{args.store.split(':')[0]:12} {args.commits} commits: {spread(latency(address, args.commits))}")


if __name__ == "__main__":
    main()

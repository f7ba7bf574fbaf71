"""From the command to the glass: first rows, and a foreign commit to the repainted row, in a real pseudo-terminal.

    python -m tests.bench.bench_screen first /path/to/big.sqlite
    python -m tests.bench.bench_screen latency sqlite
    python -m tests.bench.bench_screen latency postgresql://…

`first` compares with the first paint of an empty Textual application, alternating the two in one run.
"""

from __future__ import annotations

import argparse
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from tests.terminal import PtyTerminal

EMPTY_APP = """
from textual.app import App
from textual.widgets import Static
class Empty(App):
    def compose(self):
        yield Static("ready-marker")
Empty().run()
"""

WRITER = """
import sys, time
from typing import TypedDict
from langgraph.graph import StateGraph, START, END
class S(TypedDict):
    n: int
g = StateGraph(S)
g.add_node("work", lambda s: {"n": s["n"] + 1})
g.add_edge(START, "work"); g.add_edge("work", END)
address = sys.argv[1]
if address.startswith("postgres"):
    from langgraph.checkpoint.postgres import PostgresSaver as Saver
else:
    from langgraph.checkpoint.sqlite import SqliteSaver as Saver
with Saver.from_conn_string(address) as saver:
    saver.setup()
    app = g.compile(checkpointer=saver)
    app.invoke({"n": 0}, {"configurable": {"thread_id": "first"}})
    print("ready", flush=True)
    for line in sys.stdin:
        app.update_state({"configurable": {"thread_id": line.strip()}}, {"n": 1}, as_node="work")
        print(time.perf_counter(), flush=True)
"""


def first_paint(store: str, runs: int) -> None:
    """Print the first paint of lgtop on `store` beside that of an empty Textual application."""
    empty, ours = [], []
    command = [sys.executable, "-m", "lgtop", store]
    newest = [thread_id[-8:].encode() for thread_id in _newest_threads(store)]
    with tempfile.TemporaryDirectory() as cache:
        compiled = {"PYTHONPYCACHEPREFIX": cache, "PYTHONDONTWRITEBYTECODE": ""}  # as an installation has them
        for turn in range(runs + 1):
            with PtyTerminal([sys.executable, "-c", EMPTY_APP], env=compiled) as terminal:
                first_empty = terminal.wait_for_bytes(b"ready-marker") - terminal.started
            with PtyTerminal(command, env=compiled) as terminal:
                first_rows = terminal.wait_for_bytes(*newest, at_least=5) - terminal.started
                _drain(terminal, 1.0)
            if turn:  # the first turn compiles
                empty.append(first_empty)
                ours.append(first_rows)
    a, b = statistics.median(empty), statistics.median(ours)
    print(f"{'empty Textual app, first paint':42} {a * 1000:7.0f} ms")
    print(f"{'lgtop, first thread rows':42} {b * 1000:7.0f} ms   ratio {b / a:.2f} (bar 1.5)")


def _newest_threads(store: str) -> list[str]:
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
        rows = connection.execute("select thread_id from checkpoints order by rowid desc limit 500").fetchall()
    return list(dict.fromkeys(row[0] for row in rows))[:20]


def latency(address: str, commits: int) -> None:
    """Print the time from a commit in another process to the bytes of the repainted row."""
    with tempfile.TemporaryDirectory() as folder:
        target = str(Path(folder) / "live.sqlite") if address == "sqlite" else address
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, target], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert writer.stdin is not None
        assert writer.stdout is not None
        writer.stdout.readline()
        took = []
        with PtyTerminal([sys.executable, "-m", "lgtop", target], rows=commits + 20) as terminal:
            terminal.wait_for("first")
            for number in range(commits):
                name = f"thr{number:05d}x"
                mark = len(terminal.received)
                writer.stdin.write(name + "\n")
                writer.stdin.flush()
                committed = float(writer.stdout.readline())
                seen = terminal.wait_for_bytes(name.encode(), since=mark)
                took.append(max(0.0, seen - committed))
                _drain(terminal, 0.05)
        writer.stdin.close()
        writer.wait()
    took.sort()
    p50, p95 = took[len(took) // 2], took[int(len(took) * 0.95)]
    figures = f"p50 {p50 * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms, max {took[-1] * 1000:.0f} ms"
    print(f"{address.split(':')[0]:12} {commits} commits: {figures}")


def _drain(terminal: PtyTerminal, seconds: float) -> None:
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        terminal.pump(0.01)


def main() -> None:
    """Parse the arguments and run one of the measurements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["first", "latency"])
    parser.add_argument("store")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--commits", type=int, default=60)
    args = parser.parse_args()
    if args.what == "first":
        first_paint(args.store, args.runs)
    else:
        latency(args.store, args.commits)


if __name__ == "__main__":
    main()

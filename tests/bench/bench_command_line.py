"""What a short command costs: ``python -m tests.bench.bench_command_line [STORE]``.

``lgtop ls --json`` on a small store against an interpreter that only loads ``argparse``, ``sqlite3`` and ``ormsgpack``;
bar: 2. With a large STORE also ``lgtop ls --json --limit 50`` on it. The sides take turns; figures are the least CPU
time of a process, so that other processes count little. Compiled modules are kept, as an installation keeps them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TURNS = 25


def cpu_seconds(argv: Sequence[str], environment: dict[str, str]) -> float:
    """CPU time of one process, start and end included."""
    process = subprocess.Popen(argv, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(argv)} ended with {process.returncode}")
    return used.ru_utime + used.ru_stime


def small_store(path: Path) -> None:
    """A dozen threads of the demo's pipeline, one of them failed."""
    import copy
    import sqlite3

    from langgraph.checkpoint.sqlite import SqliteSaver

    from demo_graphs import pipeline

    connection = sqlite3.connect(path, check_same_thread=False)
    graph = copy.copy(pipeline.graph)
    graph.checkpointer = SqliteSaver(connection)
    for number in range(12):
        try:
            given = {"rows": 10, "pace": 0, "down": [] if number else ["load"]}
            graph.invoke(given, {"configurable": {"thread_id": f"job-{number}"}})
        except ConnectionError:
            continue
    connection.close()


def main(large: str | None) -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as directory:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": f"{directory}/cache"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        store = Path(directory) / "small.sqlite"
        small_store(store)
        sides = {
            "bare interpreter": [sys.executable, "-c", "import argparse, sqlite3, ormsgpack"],
            "ls --json, 12 threads": [sys.executable, "-m", "lgtop", "ls", "--json", "-s", str(store)],
        }
        if large:
            sides["ls --json --limit 50"] = [
                sys.executable,
                "-m",
                "lgtop",
                "ls",
                "--json",
                "--limit",
                "50",
                "-s",
                large,
            ]
        least = dict.fromkeys(sides, float("inf"))
        for _ in range(TURNS):
            for name, argv in sides.items():
                least[name] = min(least[name], cpu_seconds(argv, environment))
    bare = least["bare interpreter"]
    for name, seconds in least.items():
        print(f"{name:<24} {seconds * 1000:6.1f} ms   {seconds / bare:.2f} x bare")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)

"""The bars of the product in one table: ``python -m tests.bench DIRECTORY [--quick] [--all]``.

Makes the stores in DIRECTORY where they are missing (100,000 threads x 10 checkpoints in SQLite, 20,000 x 10 in
PostgreSQL: 6 GB and some minutes), measures each line on both, and prints the table with bar and verdict. The two
sides of a ratio are measured in one run. ``--quick`` leaves out the listings through ``saver.list(None)``, which take
minutes; ``--all`` goes on with every other benchmark.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg

from tests import postgres

from . import bench_memory, bench_screen, bench_store
from .freed import freed
from .measuring import Line, quantile, served, spread

COMMITS = 60
BAR_FIRST, BAR_LATENCY = 1.5, {"SQLite": 100, "Postgres": 250}


def lines(kind: str, address: str, slow: bool) -> Iterator[Line]:
    """Measure one store."""
    ours, empty = bench_screen.first_paint(address)
    told = f"first rows {ours * 1e3:.0f} ms, empty Textual app {empty * 1e3:.0f} ms"
    yield Line("first rows / empty app's first paint", kind, ours / empty, BAR_FIRST, "x", told)
    ours, sql = bench_store.complete(address)
    told = f"complete index {ours * 1e3:,.0f} ms, bare SQL {sql * 1e3:,.0f} ms"
    yield Line("complete index / bare SQL", kind, ours / sql, bench_store.BAR_HEADS, "x", told)
    if slow:
        ours, saver = bench_store.listing(address)
        told = f"lgtop ls {ours * 1e3:.0f} ms, saver.list(None) {saver:,.1f} s"
        yield Line(
            "ls --json --limit 50 faster than saver.list", kind, saver / ours, bench_store.BAR_LIST, "x", told, True
        )
    *_, (_, now, most) = bench_memory.memory(address)
    told = f"after all orders and filters; at most {most:.0f} MB"
    yield Line("memory", kind, now, bench_memory.BAR, "MB", told)


def latency(kind: str, what: str, address: str) -> Line:
    """Measure a commit on its way to the screen."""
    took = bench_screen.latency(address, COMMITS)
    return Line(what, kind, 1e3 * quantile(took, 0.95), BAR_LATENCY[kind], "ms", spread(took))


def latencies(url: str) -> Iterator[Line]:
    """Measure commits to small stores."""
    what = "commit elsewhere to repainted row, p95"
    with tempfile.TemporaryDirectory() as folder:
        yield latency("SQLite", what, str(Path(folder) / "live.sqlite"))
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("DROP DATABASE IF EXISTS live WITH (FORCE)")
        admin.execute("CREATE DATABASE live")
        try:
            yield latency("Postgres", what, postgres.database_url(url, "live"))
        finally:
            admin.execute("DROP DATABASE live WITH (FORCE)")
    with freed(url) as place:
        yield latency("Postgres", "the same, into freed space", place)


def table(big: Path, server: Path, slow: bool) -> Iterator[Line]:
    """Measure everything."""
    with served(big) as address:
        yield from lines("SQLite", address, slow)
    with served(server) as url:
        yield from lines("Postgres", url, slow)
        yield from latencies(url)


def main() -> None:
    """Make what is missing, then measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--all", action="store_true")
    args = parser.parse_args()
    args.directory.mkdir(parents=True, exist_ok=True)
    big, server = args.directory / "big.sqlite", args.directory / "pg"
    if not big.exists():
        _run("make_sqlite", str(big))
    if not server.exists():
        _run("make_postgres", str(server))
    found = []
    for line in table(big, server, slow=not args.quick):
        found.append(line)
        print(line, flush=True)
    print(f"{sum(line.passed for line in found)} of {len(found)} bars are met")
    if args.all:
        for store in (big, server):
            _run("bench_store", str(store))
        _run("bench_latency", "--postgres")
        _run("bench_command_line", str(big))
        for name in ("bench_index", "bench_thread", "bench_values"):
            _run(name)
    raise SystemExit(not all(line.passed for line in found))


def _run(name: str, *arguments: str) -> None:
    print(f"\n== {name} {' '.join(arguments)}", flush=True)
    subprocess.run([sys.executable, "-m", f"tests.bench.{name}", *arguments], check=False)


if __name__ == "__main__":
    main()

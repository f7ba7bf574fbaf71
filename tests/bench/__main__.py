"""Every benchmark in one go: ``python -m tests.bench DIRECTORY [--quick]``.

Makes the stores in DIRECTORY where they are missing (100,000 threads x 10 checkpoints in SQLite, 20,000 x 10 in
PostgreSQL: 6 GB and some minutes), then prints one table after the other. ``--quick`` leaves out the listings through
``saver.list(None)``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path


def main() -> None:
    """Make what is missing, then run each benchmark in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    args.directory.mkdir(parents=True, exist_ok=True)
    big, server = args.directory / "big.sqlite", args.directory / "pg"
    slow = [] if args.quick else ["--slow"]
    if not big.exists():
        _run("make_sqlite", str(big))
    if not server.exists():
        _run("make_postgres", str(server))
    _run("bench_screen", "first", str(big))
    _run("bench_screen", "latency", "sqlite")
    _run("bench_sqlite", str(big), *slow)
    _run("bench_postgres", str(server), *slow)
    _run("bench_latency", "--postgres")
    _run("bench_memory", str(big))
    _run("bench_command_line", str(big))
    _run("bench_index")
    _run("bench_thread")
    _run("bench_values")


def _run(name: str, *arguments: str) -> None:
    print(f"\n== {name} {' '.join(arguments)}", flush=True)
    subprocess.run([sys.executable, "-m", f"tests.bench.{name}", *arguments], check=False)


if __name__ == "__main__":
    main()

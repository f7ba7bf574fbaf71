"""``python -m tests.oracle --graphs 600``: the oracle at length, with a table."""

from __future__ import annotations

import argparse
import sys
import time

from .. import postgres
from .run import Report, check_postgres, check_sqlite


def main() -> int:
    """Run it; 1 where anything differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.oracle", description=__doc__)
    parser.add_argument("--graphs", type=int, default=600)
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--store", choices=["sqlite", "postgres", "both"], default="both")
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.graphs)
    failed = False
    if options.store in ("sqlite", "both"):
        failed |= _show("SQLite", lambda: check_sqlite(seeds))
    if options.store in ("postgres", "both"):
        run = postgres.Run()
        try:
            with postgres.database(postgres.server()) as url:
                failed |= _show("PostgreSQL", lambda: check_postgres(seeds, url))
        finally:
            run.close()
    return int(failed)


def _show(name: str, check) -> bool:
    start = time.monotonic()
    report: Report = check()
    print(f"\n{name}: {report.graphs} graphs in {time.monotonic() - start:.0f} s")
    for title, counts in (
        ("graphs with", report.features),
        ("runs", report.events),
        ("statuses of heads", report.findings.statuses),
        ("compared", report.findings.checked),
        ("documented limits", report.findings.limits),
        ("compared without task_path", report.without_paths.checked),
    ):
        print(f"  {title}: " + ", ".join(f"{what} {count}" for what, count in sorted(counts.items())))
    mismatches = report.findings.mismatches + report.without_paths.mismatches
    print(f"  mismatches: {len(mismatches)}")
    for line in mismatches[:40]:
        print("   ", line[:600])
    return bool(mismatches)


if __name__ == "__main__":
    sys.exit(main())

"""Memory of moving a large thread: ``python -m tests.torture transfer [--megabytes N]``.

A thread is exported from SQLite, imported into PostgreSQL, exported from there and imported into SQLite again, each by
a process of its own whose growth is measured. At the end every checkpoint and write has to mean what it did.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from langgraph.checkpoint.base import CheckpointTuple

from tests import postgres
from tests.conformance.places import Place, key_of, postgres_place, sqlite_place

ROOT = Path(__file__).resolve().parents[2]
THREAD = "big"

_MEASURED = """
import resource, sys
from backends.address import parse_address
from backends.control.gate import Gate
from backends.store import open_store
from backends.transfer.export import export
from backends.transfer.importing import import_threads
verb, store, path = sys.argv[1:]
base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
if verb == "export":
    with open(path, "wb") as file:
        list(export(open_store(store), ["big"], file.write))
else:
    with open(path, "rb") as file:
        assert [one.outcome for one in import_threads(file, Gate(parse_address(store, {})))] == ["imported"]
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base) // 1024)
"""


class Moved(NamedTuple):
    """What a process did.

    Attributes:
        what: E.g. ``export sqlite``.
        grown: Megabytes by which it grew.
        seconds: How long it took.
        size: Megabytes of the file.
    """

    what: str
    grown: int
    seconds: float
    size: float


def main(arguments: Sequence[str]) -> int:
    """Move a thread there and back."""
    parser = argparse.ArgumentParser(prog="transfer", description=__doc__)
    parser.add_argument("--megabytes", type=int, default=100)
    options = parser.parse_args(arguments)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lgtop-torture-")))
        stack.enter_context(patch.dict(os.environ, {"XDG_STATE_HOME": str(folder / "state")}))
        stack.enter_context(closing(postgres.Run()))
        url = stack.enter_context(postgres.database(postgres.server()))
        way = [
            stack.enter_context(sqlite_place(folder / "1.db", "wal")),
            stack.enter_context(postgres_place(url)),
            stack.enter_context(sqlite_place(folder / "2.db", "wal")),
        ]
        fill(way[0], options.megabytes)
        for one in moved(way, folder):
            print(f"{one.what}: {one.grown} MB grown, {one.seconds:.1f} s, file {one.size:.0f} MB", flush=True)
        first, last = ([_told(one) for one in place.tuples(THREAD)] for place in (way[0], way[-1]))
        assert first == last
        print(f"{len(last)} checkpoints came back as they were")
    return 0


def _told(saved: CheckpointTuple) -> tuple[Any, ...]:
    checkpoint = saved.checkpoint
    return key_of(saved), checkpoint["channel_values"], checkpoint["channel_versions"], saved.metadata


def fill(place: Place, megabytes: int) -> None:
    """Make the thread, of checkpoints of one megabyte."""
    for number in range(megabytes):
        place.put(THREAD, number, values={"x": [os.urandom(1_000_000)]})


def moved(way: Sequence[Place], folder: Path) -> Iterator[Moved]:
    """Export the thread from each place and import it into the next."""
    for number, (here, there) in enumerate(pairwise(way)):
        path = folder / f"{number}.jsonl"
        for verb, place in (("export", here), ("import", there)):
            began = time.monotonic()
            grown = _measured(verb, place.address, path)
            yield Moved(f"{verb} {place.kind}", grown, time.monotonic() - began, path.stat().st_size / 1e6)
        path.unlink()


def _measured(verb: str, address: str, path: Path) -> int:
    """Megabytes that a child process grew by.

    A process begins with the peak of the one that it replaces (``exec``); a small shell in between keeps ours out.
    """
    words = ["/bin/sh", "-c", '"$@"; exit $?', "sh", sys.executable, "-c", _MEASURED, verb, address, str(path)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert not done.returncode, done.stderr
    return int(done.stdout)

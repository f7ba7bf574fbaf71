"""Retention on generated stores: ``python -m tests.torture retention [--cases N] [--first N] [--store KIND]``.

Each case plays a generated graph (forks, edits, questions, kills, subgraphs, DeltaChannels, ...), prunes its thread
and holds it against an untouched copy: what LangGraph says of every checkpoint that is left, and how both go on. Every
third case deletes an older thread and looks whether its neighbours still are what they were. Meanwhile an application
with half a second of patience saves checkpoints in the same store. Ends with an error at the first difference.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from unittest.mock import patch

from backends.maintenance.remove import remove_thread
from tests import postgres
from tests.conformance.places import Place, postgres_place, sqlite_place
from tests.conformance.retention import Pruned, busy_writer, no_orphans, opened, pruned, told

from .lab import KINDS

_NEIGHBOURS = 4
"""Threads that are looked at again when another one is deleted."""


def main(arguments: Sequence[str]) -> int:
    """Run the cases on each kind of store."""
    parser = argparse.ArgumentParser(prog="retention", description=__doc__)
    parser.add_argument("--cases", type=int, default=32)
    parser.add_argument("--first", type=int, default=0, help="seed of the first case")
    parser.add_argument("--store", choices=KINDS, action="append")
    options = parser.parse_args(arguments)
    for kind in options.store or KINDS:
        began = time.monotonic()
        with _place(kind) as place, busy_writer(place) as writer:
            found = list(_cases(place, range(options.first, options.first + options.cases)))
        assert writer.problem is None, writer.problem
        features = Counter(feature for one in found for feature in one.story.plan.features)
        events = Counter(event.split()[0] for one in found for event in one.story.events)
        print(f"== retention, {kind}: {len(found)} cases in {time.monotonic() - began:.0f} s, 0 differences")
        print(f"checkpoints: {sum(one.before for one in found)} before, {sum(one.after for one in found)} after")
        print(f"beside it a writer saved {writer.saved} checkpoints and was never kept out")
        print(f"with: {', '.join(f'{name} {count}' for name, count in features.most_common())}")
        print(f"runs: {', '.join(f'{name} {count}' for name, count in events.most_common())}", flush=True)
    return 0


def _cases(place: Place, seeds: range) -> Iterator[Pruned]:
    neighbours: deque[Pruned] = deque(maxlen=_NEIGHBOURS)
    for done, seed in enumerate(seeds, 1):
        found = pruned(place, seed)
        neighbours.append(found)
        if done % 3 == 0:
            _remove(place, [one for one in neighbours if one.after])
        print(f"\r{place.kind}: {done} of {len(seeds)} ", end="", file=sys.stderr, flush=True)
        yield found


def _remove(place: Place, stories: Sequence[Pruned]) -> None:
    """Delete the first of some threads; the others are as they were."""
    gone, *others = (one.story for one in stories)
    with opened(place.address) as (gate, reader, sizes):
        keys = {other.thread: [row.key for row in reader.store.history(other.thread)] for other in others}
        was = {other.thread: told(other, keys[other.thread]) for other in others}
        if reader.store.heads_of([gone.thread]):
            remove_thread(gate, reader, sizes, gone.thread)
        assert not reader.store.history(gone.thread)
        assert not reader.store.writes(gone.thread)
        assert no_orphans(place, gone.thread)
        assert {other.thread: told(other, keys[other.thread]) for other in others} == was


@contextmanager
def _place(kind: str) -> Iterator[Place]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lgtop-torture-")))
        stack.enter_context(patch.dict(os.environ, {"XDG_STATE_HOME": str(folder / "state")}))
        if kind == "sqlite":
            yield stack.enter_context(sqlite_place(folder / "x.db", "wal"))
            return
        stack.enter_context(closing(postgres.Run()))
        yield stack.enter_context(postgres_place(stack.enter_context(postgres.database(postgres.server()))))

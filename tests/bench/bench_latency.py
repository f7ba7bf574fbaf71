"""From a commit in another process to the feed's event.

    python -m tests.bench.bench_latency [--postgres [URL]]
    python -m tests.bench.bench_latency --load /path/to/big.sqlite

Makes an SQLite store in a temporary directory, and uses the tables in the given PostgreSQL database, or in one of a
server of its own. A writer process commits with the real saver, now and then, and then as fast as asked; what is
measured ends with the event that carries the thread's new head, and with the one that carries its status. The screen's
own bars (p95 100 ms SQLite, 250 ms PostgreSQL) include the painting that follows.

``--load`` follows a store from its opening and measures what its reading costs a busy event loop in the same process:
how long a piece of pure Python that takes 4 ms alone takes meanwhile.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from backends.address import parse_address
from backends.decode import Decoder
from backends.feed import Analysed, Changed, Event, Feed, HeadsLoaded
from backends.index import ThreadIndex
from tests import postgres

from .measuring import spread
from .writer import Writer

SCENES = {"now and then": (0.4, 40), "50 a second": (0.02, 250), "200 a second": (0.005, 1000)}
"""What the writer does: seconds between commits, number of commits."""

BARS = {"sqlite": 100, "postgres": 250}


class Watch:
    """Notes when the head and the status of each thread arrive."""

    def __init__(self) -> None:
        self.heads: dict[str, float] = {}
        self.statuses: dict[str, float] = {}
        self.events = 0
        self.complete = threading.Event()

    def __call__(self, event: Event) -> None:
        now = time.perf_counter()
        self.events += 1
        match event:
            case Changed(heads, _):
                for head in heads:
                    self.heads.setdefault(head.thread_id, now)
            case Analysed(summaries):
                for thread_id in summaries:
                    self.statuses.setdefault(thread_id, now)
            case HeadsLoaded(_, complete=True):
                self.complete.set()


def measure(address: str) -> None:
    """Print the table of one store."""
    kind = parse_address(address, {}).kind
    with Writer(address) as writer:
        watch = Watch()
        feed = Feed(parse_address(address, {}), watch, Decoder())
        feed.start()
        watch.complete.wait()
        time.sleep(1.5)
        for name, (pause, count) in SCENES.items():
            prefix = f"{name.replace(' ', '_')}_{os.getpid()}"
            events, cpu, began = watch.events, time.process_time(), time.perf_counter()
            committed = writer.commit(prefix, count, pause)
            took = time.perf_counter() - began
            while not committed.keys() <= watch.statuses.keys():
                time.sleep(0.01)
            print(
                f"{kind}, {name}: {count / took:.0f} commits/s, {(watch.events - events) / took:.0f} events/s", end=", "
            )
            print(f"{100 * (time.process_time() - cpu) / took:.1f} % CPU  (bar on the screen: p95 {BARS[kind]} ms)")
            print(f"    head    {spread(watch.heads[thread] - when for thread, when in committed.items())}")
            print(f"    status  {spread(watch.statuses[thread] - when for thread, when in committed.items())}")
        cpu = time.process_time()
        time.sleep(5)
        print(f"{kind}, idle: {20 * (time.process_time() - cpu):.2f} % CPU  (bar: 1 %)")
        feed.stop()


def busy(rounds: int) -> float:
    """Seconds that a fixed piece of pure Python takes."""
    began = time.perf_counter()
    sum(len(str(n)) for n in range(rounds))
    return time.perf_counter() - began


def load(address: str) -> None:
    """Print what reading a store costs a busy loop in the same process."""
    rounds = round(10_000 * 0.004 / min(busy(10_000) for _ in range(50)))
    alone = [busy(rounds) for _ in range(500)]
    index = ThreadIndex()
    inbox: list[Event] = []
    feed = Feed(parse_address(address, {}), inbox.append, Decoder())
    began = time.perf_counter()
    feed.start()
    phases: dict[str, list[float]] = {"list": [], "counts and statuses": []}
    applied: list[float] = []
    while not index.counts.exact:
        phases["counts and statuses" if index.complete else "list"].append(busy(rounds))
        events, inbox[:] = inbox[:], []
        for event in events:
            started = time.thread_time()
            apply(index, event)
            applied.append(time.thread_time() - started)
        time.sleep(0.01)
    took = time.perf_counter() - began
    print(f"{len(index.rows):,} threads read in {took:.1f} s, {time.process_time():.1f} s of CPU, beside a busy loop")
    print(f"    a 4 ms task alone                {spread(alone)}")
    for name, times in phases.items():
        print(f"    beside: {name:24} {spread(times)}")
    print(f"    CPU of an event in the index     {spread(applied)}")
    feed.stop()


def apply(index: ThreadIndex, event: Event) -> None:
    """Take an event into an index, as the app does."""
    match event:
        case HeadsLoaded(heads, complete):
            index.upsert(heads)
            index.complete |= complete
        case Changed(heads, removed):
            index.upsert(heads)
            index.remove(removed)
        case Analysed(summaries):
            index.set_summaries(summaries)


@contextmanager
def own_database() -> Iterator[str]:
    """URL of an empty database in a server that ends with it."""
    with closing(postgres.Run()), postgres.database(postgres.server(), None) as url:
        yield url


def main() -> None:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--postgres", metavar="URL", nargs="?", const="")
    parser.add_argument("--load", metavar="STORE")
    arguments = parser.parse_args()
    if arguments.load:
        load(arguments.load)
        return
    with tempfile.TemporaryDirectory() as directory:
        measure(str(Path(directory) / "store.sqlite"))
    if arguments.postgres is not None:
        with ExitStack() as stack:
            measure(arguments.postgres or stack.enter_context(own_database()))


if __name__ == "__main__":
    main()

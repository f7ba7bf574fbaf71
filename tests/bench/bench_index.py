"""Figures of the index in memory: ``python -m tests.bench.bench_index [--threads N]``.

CPU time of one thread, best of several turns. What runs on the event loop must stay below 50 ms; sorting and filtering
run elsewhere, in slices that can be broken off.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable

from backends.ids import checkpoint_id_at
from backends.index import ThreadIndex
from backends.model import StatusName, Summary, ThreadHead
from backends.order import SORTS, View
from backends.query import parse

FILTERS = ("foo", "t7", "status:waiting", "!status:done", "tenant:t7", "age<1d", "status:waiting tenant:t7 age<1d")


def milliseconds(work: Callable[[], object], turns: int = 5) -> float:
    """CPU time of the best turn."""
    times = []
    for _ in range(turns):
        began = time.thread_time()
        work()
        times.append(time.thread_time() - began)
    return 1000 * min(times)


def heads(count: int, chance: random.Random) -> list[ThreadHead]:
    """Threads with metadata of their own, active over the last weeks."""
    now = time.time()
    return [head(f"thread-{n:07d}", n, now - chance.random() * 1e6, chance) for n in range(count)]


def head(thread_id: str, user: int, when: float, chance: random.Random) -> ThreadHead:
    """One thread."""
    checkpoint_id = f"{checkpoint_id_at(when)}-8009-{chance.getrandbits(48):012x}"
    metadata = f'{{"source": "loop", "step": 9, "parents": {{}}, "tenant": "t{user % 50}", "user": "u{user}"}}'
    return ThreadHead(thread_id, "", checkpoint_id, checkpoint_id, metadata.encode(), 9, "loop")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=100_000)
    count = parser.parse_args().threads
    chance = random.Random(1)
    threads = heads(count, chance)
    index, began = ThreadIndex(), time.thread_time()
    for start in range(0, count, 1000):
        index.upsert(threads[start : start + 1000])
    index.complete = True
    print(f"{count:,} heads, a thousand at a time         {1000 * (time.thread_time() - began):7.1f} ms")
    some = [
        Summary(status, "", ("review",), 0, False)
        for status in (*[StatusName.DONE] * 6, StatusName.WAITING, StatusName.FAILED)
    ]
    index.set_summaries({one.thread_id: chance.choice(some) for one in threads})

    for sort in SORTS:
        took = milliseconds(lambda sort=sort: index.arrangement(View(parse("id:x"), sort)).compute(), turns=2)
        print(f"order by {sort:30} {took:7.1f} ms")
    for text in FILTERS:
        took = milliseconds(lambda text=text: index.arrangement(View(parse(text))).compute())
        print(f"filter {text:32} {took:7.1f} ms")
    print(f"on the loop: ask for a view            {milliseconds(index.arrangement):7.1f} ms")
    print(f"on the loop: position of a row         {milliseconds(lambda: index.position('thread-0000500')):9.3f} ms")
    for size in (1, 50, 500):
        moved = iter(
            [
                [head(one.thread_id, 1, time.time() + turn, chance) for one in chance.sample(threads, size)]
                for turn in range(5)
            ]
        )
        took = milliseconds(lambda moved=moved: index.upsert(next(moved)))
        print(f"on the loop: {size:4} threads change         {took:9.3f} ms")


if __name__ == "__main__":
    main()

"""Looking at large things: a 20 MB state, the difference of two of 10 MB, a history of 10,000 checkpoints.

    python -m tests.bench.bench_thread

Drives the app in process and without a terminal. Beside each wait stands the longest time that the event loop did not
answer meanwhile: a key pressed then is answered that much later.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from langchain_core.messages import AIMessage
from textual.pilot import Pilot

from backends.address import parse_address
from tests.pilot.thread_stores import ThreadStore, write_long
from tui.app import LgtopApp
from tui.screens.thread import ThreadScreen
from tui.terminal import Terminal

_WORDS = ["contract", "limit", "customer", "amount", "review", "approve", "risk", "order", "ledger", "invoice"]
_TICK = 0.002


def messages(megabytes: float, seed: int) -> list[AIMessage]:
    """Chat messages of about so many bytes."""
    dice = random.Random(seed)
    texts = [" ".join(dice.choices(_WORDS, k=60)) for _ in range(int(megabytes * 1880))]
    return [AIMessage(text, id=f"m{number}") for number, text in enumerate(texts)]


def make_store(path: Path) -> None:
    """A thread with 20 MB, one whose two checkpoints have 10 MB each, and a long one."""
    with ThreadStore(path) as store:
        store.put("twenty", 0, 0, {"messages": messages(20, 1)})
        ten = messages(10, 2)
        first = store.put("ten", 0, 0, {"messages": ten, "n": 1})
        changed = [*ten[:500], *ten[501:], *messages(0.01, 3)]
        store.put("ten", 1, 1, {"messages": changed, "n": 2}, parent=first)
        store.put("ten", 2, 2, {"messages": changed, "n": 3}, parent=first)
        write_long(store, 10_000, "long")


@asynccontextmanager
async def timed(name: str) -> AsyncIterator[None]:
    """Print how long something took and how long the event loop was busy at most."""
    worst = 0.0

    async def watch() -> None:
        nonlocal worst
        while True:
            began = time.perf_counter()
            await asyncio.sleep(_TICK)
            worst = max(worst, time.perf_counter() - began - _TICK)

    watcher = asyncio.create_task(watch())
    began = time.perf_counter()
    yield
    took = time.perf_counter() - began
    watcher.cancel()
    print(f"{name:<44} {took * 1000:7.0f} ms   event loop busy at most {worst * 1000:4.0f} ms")


async def until(condition: Callable[[], Any]) -> None:
    """Wait for something."""
    while not condition():  # noqa: ASYNC110  (there is nothing to set an event)
        await asyncio.sleep(_TICK)


async def open_thread(app: LgtopApp, pilot: Pilot[None], thread_id: str) -> ThreadScreen:
    """Open a thread; return its screen once its history is there."""
    app.open_thread(thread_id)
    await until(lambda: isinstance(app.screen, ThreadScreen) and app.screen.query("#history"))
    screen = app.screen
    assert isinstance(screen, ThreadScreen)
    await until(lambda: screen.history.line_count)
    return screen


async def measure(path: Path) -> None:
    """Look at everything."""
    app = LgtopApp(parse_address(str(path), {}), terminal=Terminal())
    async with app.run_test(size=(120, 40)) as pilot:
        await until(lambda: app.index.counts.exact)
        async with timed("20 MB: screen with its history (bar 300 ms)"):
            screen = await open_thread(app, pilot, "twenty")
        async with timed("20 MB: its state"):
            await until(lambda: screen.checkpoint.shown)
        async with timed("20 MB: unfold, go to the end"):
            await pilot.press("tab", "enter", "G", "enter", "G", "enter")
        async with timed("20 MB: search for what is nowhere"):
            screen.checkpoint.search.value = "zebra"
            await until(lambda: screen.checkpoint.bar.said == "no match")
        app.pop_screen()
        screen = await open_thread(app, pilot, "ten")
        await until(lambda: screen.checkpoint.shown)
        async with timed("2 × 10 MB: difference (bar 500 ms)"):
            screen.action_tab(1)
            await until(lambda: screen.checkpoint.shown and screen.checkpoint.shown[0] == "Diff")
        async with timed("2 × 10 MB: and at the next checkpoint"):
            await pilot.press("j")
            await until(lambda: screen.checkpoint.shown and screen.checkpoint.shown[1] == screen.history.selected)
        app.pop_screen()
        async with timed("10,000 checkpoints: the first 500"):
            screen = await open_thread(app, pilot, "long")
        async with timed("10,000 checkpoints: all of them"):
            await until(lambda: screen.history.line_count == 10_000)
        async with timed("10,000 checkpoints: down to the first, back up"):
            await pilot.press("G", "ctrl+u", "pageup", "g", "pagedown")


def main() -> None:
    """Make the store and measure."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.sqlite"
        make_store(path)
        asyncio.run(measure(path))


if __name__ == "__main__":
    main()

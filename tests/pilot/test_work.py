"""The thread that reads for the screens."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from backends.errors import Cancelled, StoreReplaced, StoreUnreachable
from tui.work import StoreThread


class FakeStore:
    """A store whose statement runs until it is interrupted."""

    def __init__(self) -> None:
        self.closed = False
        self.running = threading.Event()
        self.interrupted = threading.Event()

    def statement(self) -> None:
        self.running.set()
        assert self.interrupted.wait(10)
        self.interrupted.clear()
        raise Cancelled("interrupted")

    def interrupt(self) -> None:
        self.interrupted.set()

    def close(self) -> None:
        self.closed = True


class FakeReader:
    def __init__(self) -> None:
        self.store = FakeStore()
        self.thread = threading.get_ident()


@contextmanager
def store_thread() -> Iterator[tuple[StoreThread, list[FakeReader]]]:
    readers: list[FakeReader] = []

    def open_reader() -> FakeReader:
        readers.append(FakeReader())
        return readers[-1]

    worker = StoreThread(open_reader)  # type: ignore[arg-type]
    yield worker, readers
    worker.close()
    assert all(reader.store.closed for reader in readers)


async def busy(worker: StoreThread, readers: list[FakeReader]) -> asyncio.Task[None]:
    """Start a statement that runs until it is interrupted."""
    await worker.run(lambda reader: None)
    task = asyncio.create_task(worker.run(lambda reader: reader.store.statement()))  # type: ignore[attr-defined]
    assert await asyncio.to_thread(readers[0].store.running.wait, 10)
    return task


async def test_calls_run_in_order_on_the_thread_that_opened_the_store() -> None:
    with store_thread() as (worker, readers):
        seen: list[int] = []

        def call(number: int) -> Callable[[FakeReader], int]:
            return lambda reader: (seen.append(number), threading.get_ident())[1]

        threads = await asyncio.gather(*[worker.run(call(number)) for number in range(5)])
        assert seen == [0, 1, 2, 3, 4]
        assert set(threads) == {readers[0].thread}
        assert threads[0] != threading.get_ident()


async def test_an_error_reaches_the_one_who_waits_and_nobody_else() -> None:
    with store_thread() as (worker, _):
        with pytest.raises(ZeroDivisionError):
            await worker.run(lambda reader: 1 / 0)
        assert await worker.run(lambda reader: 7) == 7


async def test_cancelling_interrupts_the_statement_and_the_next_call_runs() -> None:
    with store_thread() as (worker, readers):
        task = await busy(worker, readers)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await worker.run(lambda reader: "alive") == "alive"
        assert not readers[0].store.interrupted.is_set()


async def test_cancelling_takes_a_waiting_call_out_of_the_queue() -> None:
    with store_thread() as (worker, readers):
        ran: list[str] = []
        first = await busy(worker, readers)
        second = asyncio.create_task(worker.run(lambda reader: ran.append("second")))
        await asyncio.sleep(0)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        assert not readers[0].store.interrupted.is_set()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        await worker.run(lambda reader: None)
        assert ran == []


async def test_a_replaced_store_is_opened_again_once() -> None:
    with store_thread() as (worker, readers):

        def call(reader: FakeReader) -> str:
            if reader is readers[0]:
                raise StoreReplaced("replaced")
            return "new"

        assert await worker.run(call) == "new"  # type: ignore[arg-type]
        assert readers[0].store.closed

        def always(reader: FakeReader) -> None:
            raise StoreReplaced("replaced")

        with pytest.raises(StoreReplaced):
            await worker.run(always)  # type: ignore[arg-type]
        assert len(readers) == 3


async def test_a_lost_store_is_opened_again_by_the_next_call() -> None:
    with store_thread() as (worker, readers):

        def lost(reader: FakeReader) -> None:
            raise StoreUnreachable("gone")

        with pytest.raises(StoreUnreachable):
            await worker.run(lost)  # type: ignore[arg-type]
        assert await worker.run(lambda reader: "back") == "back"
        assert len(readers) == 2


async def test_closing_interrupts_what_runs_and_refuses_what_waits() -> None:
    with store_thread() as (worker, readers):
        running = await busy(worker, readers)
        waiting = asyncio.create_task(worker.run(lambda reader: None))
        await asyncio.sleep(0)
        await asyncio.to_thread(worker.close)
        for task in (running, waiting):
            with pytest.raises(Cancelled):
                await task

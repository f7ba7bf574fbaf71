"""A store connection for the screens: one thread owns it, the event loop awaits its answers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

from backends.errors import Cancelled, StoreReplaced, StoreUnreachable

if TYPE_CHECKING:
    from backends.reader import Reader

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class _Job:
    """A call to make on the thread and the future that wants its result."""

    call: Callable[[Reader], Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    abandoned: bool = field(default=False)


class StoreThread:
    """Runs calls on a ``Reader`` one after another, on a daemon thread of its own.

    A connection belongs to one thread (``sqlite3`` insists), and Textual's thread workers can neither be cancelled nor
    keep a thread. The connection is opened with the first call, and again after it was lost.

    Args:
        open_reader: Opens the store; called on the thread.
        name: Name of the thread, for debuggers.
    """

    def __init__(self, open_reader: Callable[[], Reader], name: str = "lgtop-reader") -> None:
        self._open_reader = open_reader
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._reader: Reader | None = None
        self._current: _Job | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()

    async def run(self, call: Callable[[Reader], T]) -> T:
        """Make a call on the thread.

        Cancelling the awaiting task takes the call out of the queue, or interrupts the statement that it is running.
        The caller compares the answer with what it wants by now: an answer may come late.

        Args:
            call: Gets the reader; its result must be immutable.

        Raises:
            StoreError: As the call raises it, or the store cannot be opened.
        """
        loop = asyncio.get_running_loop()
        job = _Job(call, loop, loop.create_future())
        self._jobs.put(job)
        try:
            result: T = await job.future
        except asyncio.CancelledError:
            job.abandoned = True
            # A PostgreSQL cancel request is a network round trip: never on the event loop.
            threading.Thread(target=self._interrupt, args=(job,), daemon=True).start()
            raise
        return result

    def close(self, timeout: float = 1.0) -> None:
        """Interrupt what runs, drop what waits, close the connection.

        Args:
            timeout: Seconds to wait for the thread; it is a daemon and never delays the end of the process.
        """
        self._closed = True
        self._jobs.put(None)
        if (job := self._current) is not None:
            threading.Thread(target=self._interrupt, args=(job,), daemon=True).start()
        self._thread.join(timeout)

    def _interrupt(self, job: _Job) -> None:
        """Cancel the running statement if it belongs to this job; the lock keeps the next job from being hit."""
        with self._lock:
            if self._current is job and self._reader is not None:
                self._reader.store.interrupt()

    def _serve(self) -> None:
        """Body of the thread."""
        while (job := self._jobs.get()) is not None:
            if job.abandoned:
                continue
            if self._closed:
                self._deliver(job, None, Cancelled("The connection was closed."))
                continue
            with self._lock:
                self._current = job
            try:
                result, error = self._answer(job), None
            except Exception as problem:
                # Whatever a call raises belongs to the one who awaits it.
                result, error = None, problem
            with self._lock:
                self._current = None
            self._deliver(job, result, error)
        self._drop_reader()

    def _answer(self, job: _Job) -> Any:
        """Make the call; a store that was replaced on disk is opened again at once, once."""
        for attempt in (1, 2):
            if self._reader is None:
                self._reader = self._open_reader()
            try:
                return job.call(self._reader)
            except StoreReplaced:
                self._drop_reader()
                if attempt == 2:
                    raise
            except StoreUnreachable:
                self._drop_reader()
                raise
        raise AssertionError

    def _drop_reader(self) -> None:
        """Close the connection; the next call opens another."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.store.close()

    @staticmethod
    def _deliver(job: _Job, result: Any, error: Exception | None) -> None:
        """Hand the result to the event loop, unless nobody waits any more."""

        def settle() -> None:
            if job.future.done():
                return
            if error is None:
                job.future.set_result(result)
            else:
                job.future.set_exception(error)

        try:
            job.loop.call_soon_threadsafe(settle)
        except RuntimeError:
            # The loop closed while the call ran: the app has ended.
            return

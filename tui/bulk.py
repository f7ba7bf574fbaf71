"""What is done to many threads at once: it goes on whatever screen is shown, and can be looked at again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from textual.signal import Signal

from .work import StoreThread

if TYPE_CHECKING:
    from textual.app import App
    from textual.timer import Timer

    from backends.bulk.job import Job
    from backends.bulk.outcome import Outcome, Progress
    from backends.bulk.request import BulkRequest
    from backends.reader import Reader

_KEPT: Final = 20
"""Pieces of work that can be looked at again."""

_MANY: Final = 2000
_SLOW: Final = 0.5
"""Threads from which on they are counted on another thread and less often, and seconds between."""


@dataclass(slots=True, eq=False)
class Work:
    """Something that is done, or was done, to some threads.

    Attributes:
        job: Does it.
        title: ``resume 212 threads``; safe text.
        ended: Called once it is over.
        seen: How far it was when it was last looked at, and what had become of each thread.
        told: Whether that was done.
    """

    job: Job
    title: str
    ended: Callable[[Work], None]
    seen: tuple[Progress, Sequence[Outcome]]
    told: bool = False

    @property
    def request(self) -> BulkRequest:
        """What was asked for."""
        return self.job.request

    @property
    def over(self) -> bool:
        """Whether nothing changes any more."""
        return self.job.over

    def look(self) -> tuple[Progress, Sequence[Outcome]]:
        """Look at it again, from any thread; some 50 ms for 100,000 threads."""
        self.seen = self.job.progress, self.job.outcomes()
        return self.seen


class Bulk:
    """Keeps what is done to many threads, and tells the screens, not more often than the terminal can bear.

    Lives on the event loop.

    Args:
        app: Owner of signals and timers.
        open_reader: Opens the store; called on a thread of its own.
        pace: Least seconds between two announcements.

    Attributes:
        works: The newest first.
        changed: Published with a piece of work when it has changed.
    """

    def __init__(self, app: App[Any], open_reader: Callable[[], Reader], pace: float) -> None:
        self.works: tuple[Work, ...] = ()
        self.changed: Signal[Work] = Signal(app, "bulk")
        self._app = app
        self._open_reader = open_reader
        self._pace = pace
        self._thread: StoreThread | None = None
        self._touched: set[Work] = set()
        self._timer: Timer | None = None

    @property
    def running(self) -> tuple[Work, ...]:
        """What is not over, the newest first."""
        return tuple(work for work in self.works if not work.over)

    @property
    def said(self) -> str:
        """What is going on, in a few words: ``resume 34/212``; empty for nothing. Safe text."""
        running = self.running
        if not running:
            return ""
        progress, _ = running[0].seen
        over = progress.total - progress.pending - progress.running
        more = f" and {len(running) - 1} more" if len(running) > 1 else ""
        return f"{running[0].request.action.value} {over:,}/{progress.total:,}{more}"

    @property
    def store_thread(self) -> StoreThread:
        """Reads the store for previews, so that the screens' own connection has time for them."""
        if self._thread is None:
            self._thread = StoreThread(self._open_reader, "lgtop-bulk")
        return self._thread

    def begin(self, make: Callable[[Callable[[], object]], Job], title: str, ended: Callable[[Work], None]) -> Work:
        """Start a job.

        Args:
            make: Makes it from what it is to call, on any of its threads, after every change.
            title: What it does; safe text.
            ended: Called once it is over.

        Raises:
            Refused: It makes no sense, or nothing may be written.
        """
        loop, context = asyncio.get_running_loop(), copy_context()

        def heard() -> None:
            try:
                loop.call_soon_threadsafe(self._touch, work, context=context)
            except RuntimeError:  # the app has ended
                return

        job = make(heard)
        work = Work(job, title, ended, (job.progress, job.outcomes()))
        forgotten = set([old for old in self.works if old.over][_KEPT:])
        self.works = (work, *(old for old in self.works if old not in forgotten))
        work.job.start()
        self._touch(work)
        return work

    def look_again(self, work: Work) -> None:
        """Announce it soon, changed or not: time goes on."""
        self._touch(work)

    def close(self) -> None:
        """Read nothing more; what has been started ends with the process, or goes on without it if it is a run."""
        if self._thread is not None:
            self._thread.close()

    def _touch(self, work: Work) -> None:
        self._touched.add(work)
        if self._timer is None:
            self._timer = self._app.set_timer(self._pace, self._announce)

    async def _announce(self) -> None:
        touched, self._touched = self._touched, set()
        for work in touched:
            over = work.over
            if len(work.request.thread_ids) > _MANY:
                await asyncio.to_thread(work.look)
            else:
                work.look()
            self.changed.publish(work)
            if over and not work.told:
                work.told = True
                work.ended(work)
        self._timer = None
        if self._touched:
            many = any(len(work.request.thread_ids) > _MANY for work in self._touched)
            self._timer = self._app.set_timer(_SLOW if many else self._pace, self._announce)

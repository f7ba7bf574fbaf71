"""Doing a request: a few threads at once, an outcome for each, until all are done or somebody stops it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from heapq import heappop, heappush
from typing import Any

from ..address import mask_dsn
from ..control.gate import Gate
from ..errors import AlreadyRunning, NotFound, Refused, StoreError
from ..text import one_line
from .deed import Deed, Hand
from .outcome import Outcome, Progress, State, progress_of
from .preview import GONE
from .request import Action, BulkRequest
from .summary import summary_record

__all__ = ["Job", "Outcome", "Progress", "State"]

_REASON = 500
"""Characters of a reason."""


class Job:
    """One request under way. Every method may be called from any thread.

    Args:
        request: What to do; see ``BulkRequest.problem``.
        gate: The store.
        deed: What is done to each thread; see ``deeds.deed_for``.
        on_change: Called after every change, from a thread of the job; must not wait for it.
        settled: Threads of which the preview has shown that nothing is done to them: ``preview.Preview.settled``.

    Raises:
        Refused: The request makes no sense, or nothing may be written to the store.
    """

    def __init__(
        self,
        request: BulkRequest,
        gate: Gate,
        deed: Deed,
        on_change: Callable[[], object] = lambda: None,
        settled: Iterable[Outcome] = (),
    ) -> None:
        if problem := request.problem():
            raise Refused(problem)
        if request.action is not Action.EXPORT:
            gate.check()
        self.request = request
        self._deed = deed
        self._on_change = on_change
        self._news = threading.Condition()
        self._outcomes = {thread_id: Outcome(thread_id, State.PENDING) for thread_id in request.thread_ids}
        self._outcomes |= {one.thread_id: one for one in settled}
        self._fresh = deque(one.thread_id for one in self._outcomes.values() if one.state is State.PENDING)
        self._again: list[tuple[float, str]] = []
        self._began: dict[str, float] = {}
        self._stopping = False
        self._workers: list[threading.Thread] = []
        self._started_at = self._ended_at = 0.0

    def start(self) -> None:
        """Begin; returns at once."""
        self._started_at = time.monotonic()
        at_once = 1 if self.request.action is Action.EXPORT else self.request.concurrency
        names = (f"lgtop-bulk-{number}" for number in range(min(at_once, len(self._fresh))))
        self._workers = [threading.Thread(target=self._work, name=name, daemon=True) for name in names]
        threading.Thread(target=self._close, name="lgtop-bulk", daemon=True).start()

    def stop(self) -> None:
        """Begin nothing more; what is under way ends at the next whole checkpoint, or after the thread at hand."""
        with self._news:
            self._stopping = True
            for thread_id in self._fresh:
                self._outcomes[thread_id] = Outcome(thread_id, State.STOPPED, "Not begun.")
            for _, thread_id in self._again:
                self._outcomes[thread_id] = replace(self._outcomes[thread_id], state=State.FAILED)
            self._fresh.clear()
            self._again.clear()
            self._news.notify_all()
        self._on_change()

    @property
    def stopping(self) -> bool:
        """Whether it was told to stop."""
        return self._stopping

    @property
    def over(self) -> bool:
        """Whether everything has come to its end, and all that was open is closed."""
        return self._ended_at > 0

    @property
    def progress(self) -> Progress:
        """How far it is."""
        with self._news:
            until = self._ended_at or time.monotonic()
            return progress_of(self._outcomes.values(), until - self._started_at if self._started_at else 0.0)

    def outcomes(self) -> tuple[Outcome, ...]:
        """Every thread as it stands, in the order of the request."""
        with self._news:
            return tuple(self._outcomes.values())

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end, or for so many seconds; whether it has come."""
        with self._news:
            return self._news.wait_for(lambda: self.over, timeout)

    def retry(self) -> BulkRequest:
        """The same once more, for the threads that failed."""
        failed = tuple(one.thread_id for one in self.outcomes() if one.state is State.FAILED)
        return replace(self.request, thread_ids=failed, again=True)

    def summary(self) -> dict[str, Any]:
        """Everything, as JSON."""
        return summary_record(self.request, self.outcomes(), self.progress.elapsed)

    # In the job's own threads

    def _close(self) -> None:
        """Run the workers, and close what they share."""
        for worker in self._workers:
            worker.start()
        for worker in self._workers:
            worker.join()
        with self._news:
            complete = all(one.state in (State.DONE, State.SKIPPED) for one in self._outcomes.values())
        undone = self._deed.finish(complete)
        with self._news:
            if undone:
                state = State.STOPPED if self._stopping else State.FAILED
                for one in [one for one in self._outcomes.values() if one.state is State.DONE]:
                    self._outcomes[one.thread_id] = replace(one, state=state, reason=undone)
            self._ended_at = time.monotonic()
            self._news.notify_all()
        self._on_change()

    def _work(self) -> None:
        hand: Hand | None = None
        while (thread_id := self._take()) is not None:
            try:
                hand = hand or self._deed.hand(lambda: self._stopping)
                outcome = hand.do(thread_id, self._outcomes[thread_id].tries)
            except Exception as error:  # whatever it is, it is this thread's outcome and not the end of the others
                outcome = _outcome_of(thread_id, error)
                if isinstance(error, StoreError) and hand is not None:
                    _close(hand)
                    hand = None
            self._settle(outcome)
        if hand is not None:
            _close(hand)

    def _take(self) -> str | None:
        """The next thread: one whose time for another try has come, or else a fresh one; ``None`` at the end."""
        with self._news:
            while True:
                now = time.monotonic()
                if self._again and self._again[0][0] <= now:
                    thread_id = heappop(self._again)[1]
                elif self._fresh:
                    thread_id = self._fresh.popleft()
                elif self._again:
                    self._news.wait(self._again[0][0] - now)
                    continue
                else:
                    return None
                self._began.setdefault(thread_id, now)
                before = self._outcomes[thread_id]
                self._outcomes[thread_id] = Outcome(thread_id, State.RUNNING, tries=before.tries + 1)
                break
        self._on_change()
        return thread_id

    def _settle(self, found: Outcome) -> None:
        with self._news:
            tries = self._outcomes[found.thread_id].tries
            seconds = time.monotonic() - self._began[found.thread_id]
            reason = mask_dsn(one_line(found.reason, _REASON))
            outcome = replace(found, reason=reason, tries=tries, seconds=seconds)
            if outcome.state is State.FAILED and tries <= self.request.retries and not self._stopping:
                outcome = replace(outcome, state=State.PENDING)
                heappush(self._again, (time.monotonic() + self.request.pause_before(tries + 1), found.thread_id))
            self._outcomes[found.thread_id] = outcome
            self._news.notify_all()
        self._on_change()


def _close(hand: Hand) -> None:
    with suppress(StoreError):  # the connection is lost: that is why it is closed
        hand.close()


def _outcome_of(thread_id: str, error: Exception) -> Outcome:
    """What an error makes of a thread."""
    from ..maintenance.remove import GoneOn

    match error:
        case AlreadyRunning():
            return Outcome(thread_id, State.REFUSED, f"Already running: {error.holder}.", busy=True)
        case NotFound():
            return Outcome(thread_id, State.SKIPPED, GONE)
        case GoneOn():
            return Outcome(thread_id, State.SKIPPED, str(error))
        case Refused():
            return Outcome(thread_id, State.REFUSED, str(error))
        case StoreError():
            return Outcome(thread_id, State.FAILED, str(error))
    return Outcome(thread_id, State.FAILED, f"{type(error).__name__}: {error}")

"""The tour: what happens at each press of the key, and what must be true afterwards.

The same document run is killed twice in the middle of ``sentiment``. With durability *sync* the finished ``extract`` is
in the store and does not run again; with durability *exit* the store knows nothing, and ``extract`` runs twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Final

from backends.model import StatusName

from .seed import LETTER

if TYPE_CHECKING:
    from backends.model import Analysis
    from backends.runs.run import Run

    from .stage import Book, Stage

GRAPH: Final = "documents"
NODE: Final = "sentiment"
"""The node in whose middle the process is killed."""

MODEL: Final = "doc-letter"
"""A thread with the same letter that nobody disturbed."""


@dataclass(frozen=True, slots=True)
class Promise:
    """Something that the tour says, and whether the store, the records and the ledger say so too."""

    text: str
    held: bool


@dataclass(frozen=True, slots=True)
class Told:
    """What can be said when a beat has been played.

    Attributes:
        text: What happened, in a sentence.
        promises: What proves it.
        thread: The thread to look at; empty for none.
        status: What the list says about it; ``None`` where it has no such thread.
    """

    text: str
    promises: tuple[Promise, ...]
    thread: str = ""
    status: StatusName | None = None


@dataclass(frozen=True, slots=True)
class Beat:
    """One press of the key.

    Attributes:
        cue: What the key will do.
        play: Does it, and waits until it is done.
    """

    cue: str
    play: Callable[[], Told]


class Crash:
    """A document run that is killed in the middle of ``sentiment`` and then brought to its end.

    Args:
        stage: Where.
        thread: The thread.
        durability: When LangGraph saves checkpoints.
        pace: Seconds that each node takes.
    """

    def __init__(self, stage: Stage, thread: str, durability: str, pace: float) -> None:
        self._stage = stage
        self._thread = thread
        self._durability = durability
        self._lossy = durability == "exit"
        self._pace = pace
        self._name = thread
        self._run: Run | None = None
        self._since = 0.0

    def start(self) -> Told:
        """Start it, and halt its process in the middle of ``sentiment``, for as long as a person wants to look."""
        for attempt in count(1):
            self._thread = self._name if attempt == 1 else f"{self._name}-{attempt}"
            self._since = time.time()
            self._run = self._started()
            self._stage.await_node(self._run, NODE)
            if self._stage.halt(self._run, NODE):
                break
        found, book = self._look()
        extracted = Promise("extract has done its work, once", book.done.get("extract") == 1)
        if self._lossy:
            unsaved = Promise("the store knows nothing of it yet", found is None)
            return self._told(
                found, f"The same with durability exit: {self._thread} is held at {NODE}.", extracted, unsaved
            )
        running = Promise("the list says running", found is not None and found.status is StatusName.RUNNING)
        return self._told(
            found, f"A process of its own runs {self._thread}. It is held at {NODE} while you look.", extracted, running
        )

    def kill(self) -> Told:
        """Kill it."""
        assert self._run is not None
        self._stage.stop(self._run, "kill")
        found, book = self._look()
        halfway = Promise(f"{NODE} had begun and not finished", book.begun.get(NODE) == 1 and not book.done.get(NODE))
        if self._lossy:
            gone = Promise("the thread is not in the list: nothing was saved", found is None)
            stuck = Promise("there is nothing to resume", bool(self._stage.refusal(self._thread, GRAPH)))
            return self._told(
                found, f"Killed in the middle of {NODE} again, and the work is gone.", halfway, gone, stuck
            )
        crashed = found is not None and found.status is StatusName.CRASHED and "SIGKILL" in found.reason
        return self._told(
            found,
            f"Killed with SIGKILL in the middle of {NODE}.",
            halfway,
            Promise("the list says crashed, and why", crashed),
            Promise("what extract found is saved", "text" in self._stage.state(self._thread)),
        )

    def go_on(self) -> Told:
        """Bring it to its end: resume it where something was saved, else give it its input again."""
        run = self._started() if self._lossy else self._stage.resume(self._thread, GRAPH)
        self._stage.await_end(run)
        found, book = self._look()
        expected = {"extract": 2 if self._lossy else 1, NODE: 2, "summary": 1}
        counted = " · ".join(f"{node} {book.begun.get(node, 0)}×" for node in expected)
        same = self._outcome(self._thread) == self._outcome(MODEL)
        return self._told(
            found,
            f"{'Started again' if self._lossy else 'Resumed'}. In the ledger: {counted}",
            Promise("the thread is done", found is not None and found.status is StatusName.DONE),
            Promise(
                "extract ran twice: its work was lost" if self._lossy else "extract did not run again",
                dict(book.begun) == expected,
            ),
            Promise("the result is that of a run which nobody killed", same),
        )

    def _started(self) -> Run:
        given = {"document_id": self._thread, "content": LETTER, "pace": self._pace}
        return self._stage.start(self._thread, GRAPH, given, durability=self._durability)

    def _look(self) -> tuple[Analysis | None, Book]:
        return self._stage.thread(self._thread), self._stage.book(self._thread, self._since)

    def _told(self, found: Analysis | None, text: str, *promises: Promise) -> Told:
        return Told(text, promises, self._thread, None if found is None else found.status)

    def _outcome(self, thread: str) -> tuple[object, ...]:
        state = self._stage.state(thread)
        return tuple(state.get(name) for name in ("text", "sentiment", "summary"))


def tour(stage: Stage, pace: float) -> list[Beat]:
    """The beats in their order.

    Args:
        stage: Where they are played; the store is filled.
        pace: Seconds that each node of a document run takes.
    """
    sync, lossy = Crash(stage, "stage-sync", "sync", pace), Crash(stage, "stage-exit", "exit", pace)
    return [
        Beat("look around", lambda: _look_around(stage)),
        Beat("start a document run", sync.start),
        Beat("kill its process", sync.kill),
        Beat("resume it", sync.go_on),
        Beat("start the same with durability exit", lossy.start),
        Beat("kill that too", lossy.kill),
        Beat("start it again", lossy.go_on),
    ]


def _look_around(stage: Stage) -> Told:
    found = stage.threads()
    statuses = [status for status in StatusName if status in stage.statuses]
    missing = [status.value for status in statuses if status not in {one.status for one in found.values()}]
    said = f"no thread is {', '.join(missing)}" if missing else f"each of the {len(statuses)} statuses is there"
    return Told(f"{len(found)} threads, left behind by real runs, failures and kills.", (Promise(said, not missing),))

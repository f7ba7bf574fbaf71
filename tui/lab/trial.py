"""One thread of an experiment: it is started, struck and resumed, and tells what becomes of its nodes meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from backends.control.plan import Intent
from backends.errors import Refused
from backends.faults import How, Point
from backends.model import StatusName, Summary
from backends.runs.run import Run, RunState
from backends.runs.spec import Verb

from ..run_states import like
from ..tail import Tail
from .book import LEDGER, pages, read_ledger
from .course import Course
from .fate import Account
from .saved import read_saved
from .setup import Setup
from .story import BROKEN, Story

if TYPE_CHECKING:
    from backends.runs.events import Event

    from ..app import LgtopApp

_PACE: Final = 0.05
"""Least seconds between two looks at what a run has told."""

GONE: Final = "nothing was saved: the store does not know this thread"

MISSED: Final = "the fault did not strike: the run did not come by there"


class Trial:
    """One thread.

    Args:
        app: The app.
        setup: What is tried.
        durability: How this thread is saved.
        thread_id: Its id; a new one.
        ledger: Where its nodes write what they do.
        changed: Called on the event loop when there is news.

    Attributes:
        story: What there is to tell about it.
        busy: Whether it is being started or resumed at the moment.
        problem: Why its run cannot be followed; empty where it can.
    """

    def __init__(
        self, app: LgtopApp, setup: Setup, durability: str, thread_id: str, ledger: Path, changed: Callable[[], None]
    ) -> None:
        self.durability = durability
        self.thread_id = thread_id
        self.story = Story()
        self.busy = False
        self.problem = ""
        self._app = app
        self._setup = setup
        self._graph = replace(setup.graph, env={**setup.graph.env, LEDGER: str(ledger)})
        self._ledger = ledger
        self._changed = changed
        self._tail: Tail | None = None
        self._turn = asyncio.Lock()
        self._due = False
        self._silence = asyncio.Event()

    @property
    def run(self) -> Run | None:
        """The newest run; ``None`` before the first."""
        return self.story.run

    @property
    def course(self) -> Course:
        """What its runs did."""
        return self.story.course

    # What is done

    async def start(self) -> None:
        """Start it; the fault strikes on the way."""
        await self._begin(Verb.START, self._setup.strike.specs)

    async def resume(self) -> None:
        """Let it go on undisturbed; where nothing was saved, from the beginning."""
        await self.settled()
        if self.can_resume:
            await self._begin(Verb.RESUME if self.story.saved.known else Verb.START, ())

    async def settled(self) -> None:
        """Wait until everything has been heard that a run has told that is over, and see what it left."""
        if self.run is not None and not self.run.live:
            await self._silence.wait()
            await self.look()

    def stop(self) -> None:
        """Hear no more of it."""
        self._silence.set()
        if self._tail is not None:
            self._tail.stop()

    async def _begin(self, verb: Verb, faults: tuple[str, ...]) -> None:
        """Plan and carry out a verb, and follow the run."""
        fresh = verb is Verb.START
        intent = Intent(
            verb.value,
            self.thread_id,
            seen_head="" if fresh else None,
            input=self._setup.input if fresh else None,
            durability=self.durability,
            faults=faults,
        )
        self.problem, self.busy = "", True
        self._changed()
        control = self._app.control
        try:
            plan = await control.plan(intent, self._graph)
            if plan.refusal:
                raise Refused(plan.refusal)
            run = await control.execute(plan)
        finally:
            self.busy = False
        assert isinstance(run, Run)
        self.stop()
        self.story.begin(run, bool(faults))
        self._silence.clear()
        self._tail = Tail(run.folder, self._heard, self._ended, _PACE)
        self._tail.start()
        self._changed()

    # What comes in

    def _heard(self, events: Sequence[Event]) -> None:
        for event in events:
            self.course.add(event)
        self._look_soon()

    def _ended(self, problem: str) -> None:
        self.problem, self.story.told = problem, True
        self._silence.set()
        self._look_soon()

    def runs_changed(self, runs: Iterable[Run]) -> None:
        """Take up how the run is now."""
        if self.run is not None:
            found = next((run for run in runs if run.run_id == self.run.run_id), self.run)
            if found != self.run:
                self.story.run = found
                self._look_soon()

    def _look_soon(self) -> None:
        """Look once what is being looked at now has been seen: what is newer must not be overtaken by what is older."""
        if not self._due:
            self._due = True
            self._app.run_worker(self.look(), group="lab", exit_on_error=False)

    async def look(self) -> None:
        """Read the ledger, and what the store has."""
        async with self._turn:
            self._due = False
            await self._read()
        self._changed()

    async def _read(self) -> None:
        written = await asyncio.to_thread(read_ledger, self._ledger)
        self.story.pages = pages(written).get(self.thread_id, {})
        self.story.saved = await self._app.store_thread.run(lambda reader: read_saved(reader, self.thread_id))

    # What there is to tell

    @property
    def over(self) -> bool:
        """Whether its last run has ended, and everything it told has been heard."""
        return self.story.over

    @property
    def can_resume(self) -> bool:
        """Whether there is anything left to do."""
        if self.busy or not self.over:
            return False
        return self.run is not None and self.run.state in (*BROKEN, RunState.PAUSED, RunState.DRAINED)

    @property
    def status(self) -> StatusName:
        """Its status as the list of threads shows it, once that has heard of the run's end; unknown as it starts."""
        if self.busy or self.run is None:
            return StatusName.UNKNOWN
        if self.run.live:
            return StatusName.RUNNING
        if self.story.lost:
            return StatusName.CRASHED
        summary = self._summary
        return summary.status if summary is not None else like(self.run.state)

    @property
    def reason(self) -> str:
        """Why; untrusted."""
        if self.problem or self.busy or self.run is None:
            return self.problem
        if self.story.lost:
            return GONE
        if self.run.live:
            return self._doing(self.run)
        if self.story.missed:
            return self._missed
        if self.story.struck:
            return self.story.struck
        summary = self._summary
        return self.run.reason or (summary.reason if summary is not None else "")

    @property
    def _missed(self) -> str:
        """Why the fault did not strike; untrusted."""
        strike = self._setup.strike
        if strike.node in self.course.now and strike.point is Point.INSIDE:
            return f"the fault did not strike: {strike.node} was over within {strike.ms} ms"
        return MISSED

    def _doing(self, run: Run) -> str:
        """What a run is at; one that hangs says nothing more by itself."""
        struck = self.course.struck
        if struck is not None and struck.data.get("how") == How.HANG and self.story.armed:
            return f"hangs in {struck.data.get('node')}: K kills it"
        return ", ".join(run.nodes)

    @property
    def _summary(self) -> Summary | None:
        """What the list says, once it says something about the run's end."""
        row = self._app.index.rows.get(self.thread_id)
        summary = row.summary if row is not None else None
        return None if summary is None or summary.status is StatusName.RUNNING else summary

    def accounts(self, names: Iterable[str]) -> list[Account]:
        """Tell what became of nodes."""
        return self.story.accounts(names)

"""One thread of an experiment: it is started, struck and resumed, and tells what becomes of its nodes meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from backends.audit.trace import node_path
from backends.channels import START
from backends.control.plan import Intent
from backends.errors import NotFound, Refused
from backends.faults import How
from backends.model import StatusName, Summary, TaskState
from backends.runs.run import Run, RunState
from backends.runs.spec import Verb

from ..run_states import like
from ..tail import Tail
from .book import LEDGER, Page, pages, read_ledger
from .course import Course
from .fate import Account, Standing, accounts
from .setup import Setup

if TYPE_CHECKING:
    from backends.reader import Reader
    from backends.runs.events import Event

    from ..app import LgtopApp

_PACE: Final = 0.05
"""Least seconds between two looks at what a run has told."""

_BROKEN: Final = (RunState.CRASHED, RunState.FAILED, RunState.CANCELLED)

GONE: Final = "nothing was saved: the store does not know this thread"

MISSED: Final = "the fault did not strike: the run did not come by there"


@dataclass(frozen=True, slots=True)
class Saved:
    """What the store has of a thread.

    Attributes:
        known: Whether it has anything.
        done: Whether nothing is left to do, so that nothing can be lost.
        nodes: Nodes whose work is in it.
        tasks: Ids of tasks whose work is in it; the rows do not name what an ``@entrypoint`` calls.
    """

    known: bool = False
    done: bool = False
    nodes: frozenset[str] = frozenset()
    tasks: frozenset[str] = frozenset()


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
        course: What its runs did.
        run: The newest run; ``None`` before the first.
        busy: Whether it is being started or resumed at the moment.
        problem: Why its run cannot be followed; empty where it can.
    """

    def __init__(
        self, app: LgtopApp, setup: Setup, durability: str, thread_id: str, ledger: Path, changed: Callable[[], None]
    ) -> None:
        self.durability = durability
        self.thread_id = thread_id
        self.course = Course()
        self.run: Run | None = None
        self.problem = ""
        self._app = app
        self._setup = setup
        self._graph = replace(setup.graph, env={**setup.graph.env, LEDGER: str(ledger)})
        self._ledger = ledger
        self._changed = changed
        self._pages: Mapping[str, Page] = {}
        self._saved = Saved()
        self._tail: Tail | None = None
        self._told = False
        self._armed = False
        self.busy = False

    # What is done

    async def start(self) -> None:
        """Start it; the fault strikes on the way."""
        await self._begin(Verb.START, self._setup.strike.specs)

    async def resume(self) -> None:
        """Let it go on undisturbed; where nothing was saved, from the beginning."""
        if self.can_resume:
            await self._begin(Verb.RESUME if self._saved.known else Verb.START, ())

    def stop(self) -> None:
        """Hear no more of it."""
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
        self.run, self._told, self._armed = run, False, bool(faults)
        self.course.next_run(self._kept)
        self._tail = Tail(run.folder, self._heard, self._ended, _PACE)
        self._tail.start()
        self._changed()

    # What comes in

    def _heard(self, events: Sequence[Event]) -> None:
        for event in events:
            self.course.add(event)
        self._app.run_worker(self.look(), group="lab", exit_on_error=False)

    def _ended(self, problem: str) -> None:
        self.problem, self._told = problem, True
        self._app.run_worker(self.look(), group="lab", exit_on_error=False)

    def runs_changed(self, runs: Iterable[Run]) -> None:
        """Take up how the run is now."""
        if self.run is not None:
            found = next((run for run in runs if run.run_id == self.run.run_id), self.run)
            if found != self.run:
                self.run = found
                self._app.run_worker(self.look(), group="lab", exit_on_error=False)

    async def look(self) -> None:
        """Read the ledger, and what the store has."""
        written = await asyncio.to_thread(read_ledger, self._ledger)
        self._pages = pages(written).get(self.thread_id, {})
        self._saved = await self._app.store_thread.run(lambda reader: read_saved(reader, self.thread_id))
        self._changed()

    # What there is to tell

    @property
    def over(self) -> bool:
        """Whether its last run has ended, and everything it told has been heard."""
        return self.run is not None and not self.run.live and self._told

    @property
    def can_resume(self) -> bool:
        """Whether there is anything left to do."""
        if self.busy or not self.over:
            return False
        return self.run is not None and self.run.state in (*_BROKEN, RunState.PAUSED, RunState.DRAINED)

    @property
    def status(self) -> StatusName:
        """Its status as the list of threads shows it, once that has heard of the run's end."""
        if self.run is None or self.run.live:
            return StatusName.RUNNING if self.run is not None else StatusName.UNKNOWN
        if self.lost:
            return StatusName.CRASHED
        summary = self._summary
        return summary.status if summary is not None else like(self.run.state)

    @property
    def reason(self) -> str:
        """Why; untrusted."""
        if self.problem or self.run is None:
            return self.problem
        if self.lost:
            return GONE
        if self.run.live:
            return self._doing(self.run)
        if self.over and self._armed and self.course.struck is None and self.run.state not in _BROKEN:
            return MISSED
        if self.struck:
            return self.struck
        summary = self._summary
        return self.run.reason or (summary.reason if summary is not None else "")

    @property
    def struck(self) -> str:
        """What the fault did to the last run; empty where none struck it. Untrusted."""
        event = self.course.struck
        if event is None or not self._armed:
            return ""
        point, node = event.data.get("point"), event.data.get("node")
        return f"struck by {event.data.get('how')}, {point} {node}"

    def _doing(self, run: Run) -> str:
        """What a run is at; one that hangs says nothing more by itself."""
        struck = self.course.struck
        if struck is not None and struck.data.get("how") == How.HANG and self._armed:
            return f"hangs in {struck.data.get('node')}: K kills it"
        return ", ".join(run.nodes)

    @property
    def lost(self) -> bool:
        """Whether the store has nothing of it although it ran."""
        return self.over and not self._saved.known

    @property
    def _summary(self) -> Summary | None:
        """What the list says, once it says something about the run's end."""
        row = self._app.index.rows.get(self.thread_id)
        summary = row.summary if row is not None else None
        return None if summary is None or summary.status is StatusName.RUNNING else summary

    def accounts(self, names: Iterable[str]) -> list[Account]:
        """What became of nodes."""
        broken = self.run is not None and self.run.state in _BROKEN and not self._saved.done
        return accounts(names, self.course, self._pages, Standing(self._kept, self.over, broken))

    @property
    def _kept(self) -> frozenset[str]:
        """Nodes whose work is in the store."""
        return self._saved.nodes | self.course.named(self._saved.tasks)


def read_saved(reader: Reader, thread_id: str) -> Saved:
    """Read which nodes' work is in the store: in a checkpoint, or in saved writes before one.

    Called on the thread of the connection.
    """
    rows = reader.store.history(thread_id)
    if not rows:
        return Saved()
    nodes = reader.task_nodes(thread_id)
    found = {node_path(name, key.ns) for key, names in nodes.items() for name in names if name != START}
    heads = {row.key.ns: row.key for row in sorted(rows, key=lambda row: row.key.checkpoint_id)}
    done, finished = False, set()
    for key in heads.values():
        try:
            analysis = reader.analysis(key)
        except NotFound:
            continue  # a checkpoint that is being replaced
        done |= not key.ns and analysis.status is StatusName.DONE
        saved = [task for task in analysis.tasks if task.state is TaskState.FINISHED]
        found |= {node_path(task.name, key.ns) for task in saved}
        finished |= {task.id for task in saved if task.id}
    return Saved(True, done, frozenset(found), frozenset(finished))

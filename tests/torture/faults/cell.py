"""One cell: a thread is struck and resumed by the audit, and looked at after each of its processes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backends.audit.answering import Actor
from backends.audit.course import Thread
from backends.audit.order import Cell, Order
from backends.audit.scratch import Scratch
from backends.audit.trace import Trace
from backends.audit.undisturbed import Undisturbed
from backends.audit.verdict import Kind as Word
from backends.audit.verdict import Verdict, judge
from backends.faults import Point
from backends.reader import Reader
from backends.runs.events import Event, Kind
from backends.runs.follow import follow
from backends.runs.read import read_run
from backends.runs.spec import Verb
from backends.store import open_store
from tui.lab.book import pages, read_ledger
from tui.lab.fate import Account
from tui.lab.saved import read_saved
from tui.lab.story import Story

from .cases import Case
from .proof import Proof, opened, prove

ATTEMPTS = 3
"""Times that a strike is tried which proves nothing: the audit tries one inside a node as often."""


@dataclass(frozen=True)
class Sight:
    """A thread after one of its processes.

    Attributes:
        proof: What rows and ledger prove.
        told: What the crash lab says of each node.
        missed: Whether the lab says that the fault did not strike.
    """

    proof: Proof
    told: tuple[Account, ...]
    missed: bool


@dataclass(frozen=True)
class Found:
    """What there is to compare.

    Attributes:
        sights: After each process.
        verdict: What the audit says.
        events: Of the first process.
        tries: How often the cell was filled until this could be proven.
    """

    sights: tuple[Sight, ...]
    verdict: Verdict
    events: tuple[Event, ...]
    tries: int = 1

    @property
    def struck(self) -> bool:
        """Whether the fault struck."""
        return any(event.kind is Kind.FAULT for event in self.events)


class Watched(Thread):
    """A thread of an audit, with somebody who looks.

    Args:
        case: The graph.
        more: As for ``Thread``.
    """

    def __init__(self, case: Case, *more: Any) -> None:
        super().__init__(*more)
        self._case = case
        self._story = Story()
        self.sights: list[Sight] = []
        self.events: list[tuple[Event, ...]] = []

    def _once(self, verb: Verb, answers: Mapping[str, Any]) -> Trace:
        armed, record = self._armed, self._folder / f"run-{len(self._doings)}"
        done = super()._once(verb, answers)
        self._tell(record, armed)
        with opened(self._store) as saver:
            proof = prove(self._case, saver, self._name, self._ledger)
        told = tuple(self._story.accounts(self._case.nodes))
        self.sights.append(Sight(proof, told, self._story.missed))
        return done

    def _tell(self, record: Path, armed: bool) -> None:
        """Give the lab what it would have heard and read."""
        story = self._story
        story.begin(read_run(record), armed)
        self.events.append(tuple(follow(record)))
        for event in self.events[-1]:
            story.course.add(event)
        story.told = True
        story.pages = pages(read_ledger(self._ledger)).get(self._name, {})
        with closing(open_store(self._store)) as store:
            story.saved = read_saved(Reader(store), self._name)


def unproven(case: Case, found: Found) -> bool:
    """Whether a node beside the struck one had been entered, and the process went before its first line was written.

    Then the ledger does not have what began, and neither tells whether anything was done.
    """
    begun: Counter[str] = Counter()
    for event in found.events:
        if event.kind is Kind.FAULT:
            break
        if event.kind is Kind.TASK and event.data["phase"] == "start":
            begun[event.data["name"]] += 1
    struck = case.struck.rpartition("/")[2]
    lines = found.sights[0].proof.begun
    return any(begun[name] > lines[path] for name, path in case.paths.items() if name != struck)


def fill(case: Case, order: Order, place: Scratch, cell: Cell, base: Undisturbed) -> Found:
    """Strike, resume and look."""
    for tries in range(1, ATTEMPTS + 1):
        thread = Watched(case, order, place, cell.durability, Actor(base.script), lambda: False, cell.fault)
        verdict = judge(cell, thread.run(), base)
        found = Found(tuple(thread.sights), verdict, thread.events[0], tries)
        missed = verdict.kind is Word.MISSED and cell.fault.point is Point.INSIDE
        if not missed and not unproven(case, found):
            break
    return found

"""What became of each node: kept, cut short, lost, repeated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ..tabs.graph import Mark, NodeState
from .book import Page
from .course import Course


class Fate(StrEnum):
    """What became of a node."""

    UNREACHED = "not run"
    RUNS = "running"
    DONE = "done"
    ASKS = "asks"
    FAILED = "failed"
    CUT = "cut short"
    """It ran when the process went."""
    LOST = "lost"
    """It had finished, or asked, and the store does not know."""
    KEPT = "kept"
    """It had finished, and did not run again."""
    RERUN = "ran again"
    """It began more than once; what it does outside happened once, as far as a ledger tells."""
    REPEATED = "repeated"
    """What it does outside happened more than once."""


NOTES: Final[Mapping[Fate, str]] = {
    Fate.CUT: "it ran when the process went",
    Fate.LOST: "done, but not saved",
    Fate.KEPT: "saved, so not run again",
    Fate.RERUN: "done once outside",
    Fate.REPEATED: "done more than once outside",
}
"""What a fate means; the others say it themselves."""

_UNSEEN: Final = "nothing tells what it did outside"

LOOKS: Final[Mapping[Fate, str]] = {
    Fate.UNREACHED: "dim",
    Fate.RUNS: "running",
    Fate.DONE: "done",
    Fate.ASKS: "waiting",
    Fate.FAILED: "failed",
    Fate.CUT: "crashed",
    Fate.LOST: "failed",
    Fate.KEPT: "done",
    Fate.RERUN: "warning",
    Fate.REPEATED: "failed",
}
"""Colour of a fate, a variable of the theme."""

_MARKS: Final[Mapping[Fate, NodeState]] = {
    Fate.RUNS: NodeState.RUNNING,
    Fate.ASKS: NodeState.WAITING,
    Fate.FAILED: NodeState.FAILED,
    Fate.CUT: NodeState.CRASHED,
    Fate.LOST: NodeState.CRASHED,
}


@dataclass(frozen=True, slots=True)
class Account:
    """What one node did on one thread.

    Attributes:
        path: The node.
        ran: How often it began.
        done: How often it had an effect, or came to its end where it writes no ledger.
        fate: What became of it.
        ledger: Whether a ledger tells what it did outside.
    """

    path: str
    ran: int
    done: int
    fate: Fate
    ledger: bool = False

    @property
    def note(self) -> str:
        """What its fate means; empty for one that says it itself."""
        return _UNSEEN if self.fate is Fate.RERUN and not self.ledger else NOTES.get(self.fate, "")


@dataclass(frozen=True, slots=True)
class Standing:
    """How a thread stands.

    Attributes:
        saved: Nodes all of whose work is in the store now.
        asks: Nodes whose questions are in the store now.
        over: Whether no run is alive.
        broken: Whether the last run ended before its work did.
    """

    saved: frozenset[str] = frozenset()
    asks: frozenset[str] = frozenset()
    over: bool = False
    broken: bool = False


def accounts(names: Iterable[str], course: Course, pages: Mapping[str, Page], standing: Standing) -> list[Account]:
    """Tell what became of each node of a thread.

    Args:
        names: Paths of the nodes.
        course: Its runs.
        pages: What its ledger says by name of the node; a node that wrote nothing is told from the events.
        standing: How the thread stands.
    """
    return [_account(path, course, pages.get(path.rpartition("/")[2]), standing) for path in names]


def mark(account: Account) -> Mark | None:
    """How a node looks in the picture; ``None`` for one that has not run."""
    if account.fate is Fate.UNREACHED:
        return None
    return Mark(_MARKS.get(account.fate, NodeState.FINISHED), max(1, account.ran))


def _account(path: str, course: Course, page: Page | None, standing: Standing) -> Account:
    mine = [item for item in course.begun if item.path == path]
    needed = sum(course.begun[item] > 0 for item in mine)
    finished = [course.finished[item] for item in mine]
    ran = page.begun if page is not None else sum(course.begun[item] for item in mine)
    done = page.done if page is not None else sum(finished)
    again = page.again if page is not None else sum(times - 1 for times in finished if times)
    if again:
        fate = Fate.REPEATED
    elif ran > needed:
        fate = Fate.RERUN
    elif not ran and not done:
        fate = Fate.UNREACHED
    else:
        fate = _once(path, course, standing, done > 0)
    seen = page is not None and page.done > 0
    return Account(path, ran, done, _present(path, course, standing, page) or fate, seen)


def _present(path: str, course: Course, standing: Standing, page: Page | None) -> Fate | None:
    """What it does at the moment, or did at the end; ``None`` where it came to its end."""
    if any(item.path == path for item in course.running.values()):
        if not standing.over:
            return Fate.RUNS
        if path in standing.saved:
            return Fate.KEPT  # struck behind its end, before that was told
        return Fate.LOST if page is not None and page.since else Fate.CUT
    if path in course.asked:
        return Fate.ASKS if path in standing.asks or not standing.over else Fate.LOST
    return Fate.FAILED if path in course.failed else None


def _once(path: str, course: Course, standing: Standing, done: bool) -> Fate:
    """What became of a node each piece of whose work was done once."""
    if course.runs > 1 and path not in course.now:
        return Fate.KEPT if path in course.kept else Fate.LOST if done else Fate.CUT
    if standing.broken:
        return Fate.KEPT if path in standing.saved else Fate.LOST
    return Fate.DONE

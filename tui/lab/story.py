"""What there is to tell about one thread: its runs, what the store has of it, and what stands in its ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from backends.runs.run import Run, RunState

from .book import Page
from .course import Course
from .fate import Account, Standing, accounts
from .saved import Saved

BROKEN: Final = (RunState.CRASHED, RunState.FAILED, RunState.CANCELLED)
"""States of a run that ended before its work did."""


@dataclass(slots=True)
class Story:
    """A thread.

    Attributes:
        run: Its newest run; ``None`` before the first.
        armed: Whether a fault went along with it.
        told: Whether everything that it told has been heard.
        course: What its runs did.
        saved: What the store has.
        pages: What the ledger says, by name of the node.
    """

    run: Run | None = None
    armed: bool = False
    told: bool = False
    course: Course = field(default_factory=Course)
    saved: Saved = field(default_factory=Saved)
    pages: Mapping[str, Page] = field(default_factory=dict)

    def begin(self, run: Run, armed: bool) -> None:
        """Another run begins.

        Args:
            run: It.
            armed: Whether a fault goes along.
        """
        self.run, self.armed, self.told = run, armed, False
        self.course.next_run(self.kept)

    @property
    def over(self) -> bool:
        """Whether the last run has ended, and everything it told has been heard."""
        return self.run is not None and not self.run.live and self.told

    @property
    def lost(self) -> bool:
        """Whether the store has nothing of it although it ran."""
        return self.over and not self.saved.known

    @property
    def kept(self) -> frozenset[str]:
        """Nodes all of whose work is in the store."""
        return self.course.in_store(self.saved)

    @property
    def missed(self) -> bool:
        """Whether a run that is over did not come by where its fault would have struck."""
        return (
            self.over
            and self.armed
            and self.course.struck is None
            and self.run is not None
            and self.run.state not in BROKEN
        )

    @property
    def struck(self) -> str:
        """What the fault did to the last run; empty where none struck it. Untrusted."""
        event = self.course.struck
        if event is None or not self.armed:
            return ""
        return f"struck by {event.data.get('how')}, {event.data.get('point')} {event.data.get('node')}"

    def accounts(self, names: Iterable[str]) -> list[Account]:
        """Tell what became of nodes.

        Args:
            names: Their paths.
        """
        broken = self.over and self.run is not None and self.run.state in BROKEN and not self.saved.done
        return accounts(names, self.course, self.pages, Standing(self.kept, self.saved.asks, self.over, broken))

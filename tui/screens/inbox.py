"""Every question of the store that waits for a person."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from backends.errors import StoreError
from backends.model import ThreadHead, ThreadRow
from backends.questions import question_text
from backends.text import one_line

from ..live import Change, Connection
from ..verbs.spot import Spot
from ..widgets.banner import Banner
from ..widgets.key_bar import KeyBar
from ..widgets.lines import Lines
from ..widgets.questions import GUTTER, Question, Questions
from ..widgets.titles import Titles
from ..widgets.top_bar import TopBar
from .controls import ControlScreen, controls

if TYPE_CHECKING:
    from backends.reader import Reader

_PACE: Final = 0.3
"""Least seconds between two readings of the questions."""

_MOST: Final = 1000
"""Threads whose questions are read; the line above says when there are more."""


class InboxScreen(ControlScreen):
    """Pending interrupts over all threads; enter opens the thread."""

    CSS_PATH = "threads.tcss"
    AUTO_FOCUS = "Questions"
    BINDING_GROUP_TITLE = "Inbox"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", key_display="esc", id="inbox.back", tooltip="Back to the threads"),
        *controls("answer"),
        Binding("y", "copy", "copy", id="inbox.copy", tooltip="Copy the question"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._news = asyncio.Event()
        self._waiting: set[str] = set()

    @property
    def questions(self) -> Questions:
        """The list."""
        return self.query_one(Questions)

    def compose(self) -> ComposeResult:
        """Where we are, the count, the questions, the keys."""
        yield TopBar(self.lgtop.address.label, ("inbox",), self.lgtop.readonly)
        yield Banner(self.lgtop.clock)
        yield Titles(GUTTER)
        yield Questions(self.lgtop.clock)
        yield KeyBar()

    def on_mount(self) -> None:
        """Follow the store, and read."""
        live = self.lgtop.live
        live.changed.subscribe(self, self._changed)
        live.connected.subscribe(self, self._connected)
        self.questions.placeholder = ("reading the questions…",)
        self._connected(live.connection)
        self._waiting = {name for name, row in self.lgtop.index.rows.items() if _waits(row)}
        self._changed(Change())
        self._news.set()
        self._read()

    def _changed(self, change: Change) -> None:
        """See whether the threads that wait are others, or wait for something else."""
        index = self.lgtop.index
        counts = index.counts
        self.query_one(TopBar).counts = counts if counts.total or counts.complete else None
        waiting = {name for name in change.touched if (row := index.rows.get(name)) is not None and _waits(row)}
        if waiting or not self._waiting.isdisjoint(change.touched):
            self._waiting = (self._waiting - change.touched) | waiting
            self._news.set()

    def _connected(self, connection: Connection) -> None:
        """Say how the connection is."""
        self.query_one(TopBar).info = self.lgtop.live.info
        self.query_one(Banner).connection = connection

    @work(exclusive=True)
    async def _read(self) -> None:
        """Read the questions whenever there is news, for as long as the screen is there."""
        while True:
            await self._news.wait()
            self._news.clear()
            rows = self.lgtop.index.rows
            heads = sorted((rows[name].head for name in self._waiting if name in rows), key=_age_rank)
            try:
                found = await self.lgtop.store_thread.run(partial(read_questions, heads=heads[:_MOST]))
            except StoreError as error:
                self.questions.placeholder = (one_line(error.reason, 200), one_line(error.advice, 200))
            else:
                self._show(found, len(heads))
            await asyncio.sleep(_PACE)

    def _show(self, questions: Sequence[Question], threads: int) -> None:
        title, counts = self.query_one(Titles), self.lgtop.index.counts
        note = f"of the first {_MOST:,} threads of {threads:,}" if threads > _MOST else ""
        title.note = note if counts.exact else f"{counts.pending:,} threads not looked at yet", "warning"
        self.questions.placeholder = ("nothing waits for you", "questions appear here by themselves")
        self.questions.show(questions)
        title.columns = self.questions.columns
        self.see_verbs()

    @on(Lines.Activated)
    def _open(self, event: Lines.Activated) -> None:
        event.stop()
        if (question := self.questions.selected) is not None:
            self.lgtop.open_thread(question.thread_id)

    def spot(self) -> Spot | None:
        """The question under the cursor, and its thread."""
        question = self.questions.selected
        row = self.lgtop.index.rows.get(question.thread_id) if question is not None else None
        if question is None or row is None:
            return None
        head = row.head
        return Spot(head.thread_id, None if head.ns else head.checkpoint_id, row.summary, question=question.id)

    def action_back(self) -> None:
        """Back to where we came from."""
        self.app.pop_screen()

    def action_copy(self) -> None:
        """Copy the question."""
        if (question := self.questions.selected) is not None:
            self.lgtop.copy(question.text, "question")


def read_questions(reader: Reader, heads: Sequence[ThreadHead]) -> tuple[Question, ...]:
    """Read what some threads ask; called on the thread of the connection."""
    analyses = reader.analyse_heads(heads)
    return tuple(
        Question(interrupt.id, head.thread_id, interrupt.node, head.updated_at, question_text(interrupt.value, 400))
        for head in heads
        if (analysis := analyses.get(head.thread_id)) is not None
        for interrupt in analysis.interrupts
    )


def _waits(row: ThreadRow) -> bool:
    """Whether a thread has a question open."""
    return row.summary is not None and row.summary.interrupts > 0


def _age_rank(head: ThreadHead) -> float:
    """Sorts by the last activity, the oldest first."""
    return head.updated_at or 0.0

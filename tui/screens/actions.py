"""The action log: who did what to this store with lgtop, what became of it, and taking it back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from functools import partial
from typing import ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from backends.control.call import BRANCH, COPY
from backends.control.journal import Entry
from backends.errors import AlreadyRunning, NotFound, Refused, StoreError
from backends.runs.run import Run
from backends.runs.spec import Verb

from ..dialogs.confirm import Confirm
from ..live import Change, Connection
from ..widgets.action_list import ActionList, outcome
from ..widgets.banner import Banner
from ..widgets.columns import Placed
from ..widgets.key_bar import KeyBar
from ..widgets.lines import Lines
from ..widgets.sheet import Paragraph
from ..widgets.titles import Titles
from ..widgets.top_bar import TopBar
from .dimmed import DimmedKeys
from .pager import Pager

_MOST: Final = 500
"""Actions that are shown."""

_PACE: Final = 1.0
"""Least seconds between two readings of the log."""

_UNDONE: Final = (COPY, BRANCH, Verb.EDIT, Verb.FORK)
"""Verbs that can be undone; a fork only where nothing ran after it."""


class ActionsScreen(DimmedKeys):
    """Actions, the newest first; enter reads one, ``u`` takes it back where that can be done."""

    CSS_PATH = "runs.tcss"
    AUTO_FOCUS = "ActionList"
    BINDING_GROUP_TITLE = "Action log"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", key_display="esc", id="actions.back", tooltip="Back"),
        Binding("u", "undo", "undo", id="actions.undo", tooltip="Take this action back, where that can be done"),
        Binding("t", "thread", "thread", id="actions.thread", tooltip="Open the thread of this action"),
        Binding("y", "copy", "copy command", id="actions.copy", tooltip="Copy the lgtop command that does the same"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._news = asyncio.Event()

    def compose(self) -> ComposeResult:
        """Where we are, the connection, the list, the keys."""
        yield TopBar(self.lgtop.address.label, ("actions",), self.lgtop.readonly)
        yield Banner(self.lgtop.clock)
        yield Titles()
        yield ActionList()
        yield KeyBar()

    def on_mount(self) -> None:
        """Read the log, and again when a run or the store has changed."""
        live = self.lgtop.live
        live.changed.subscribe(self, self._changed)
        live.connected.subscribe(self, self._connected)
        self.lgtop.control.runs_changed.subscribe(self, self._run_changed)
        self.watch(self.actions, "columns", self._laid_out)
        self.actions.placeholder = ("reading the action log…",)
        self._connected(live.connection)
        self._changed(Change())
        self._read()

    @property
    def actions(self) -> ActionList:
        """The list."""
        return self.query_one(ActionList)

    def _changed(self, change: Change) -> None:
        """The store has news; it may be of our doing."""
        counts = self.lgtop.index.counts
        self.query_one(TopBar).counts = counts if counts.total or counts.complete else None
        self._news.set()

    def _run_changed(self, runs: tuple[Run, ...]) -> None:
        self._news.set()

    def _connected(self, connection: Connection) -> None:
        """Say how the connection is."""
        self.query_one(TopBar).info = self.lgtop.live.info
        self.query_one(Banner).connection = connection

    def _laid_out(self, columns: tuple[Placed, ...]) -> None:
        """Keep the titles above their columns."""
        self.query_one(Titles).columns = columns

    @work(exclusive=True, group="read")
    async def _read(self) -> None:
        """Read the log whenever there is news, for as long as the screen is there."""
        while True:
            await self._news.wait()
            self._news.clear()
            began = time.monotonic()
            try:
                self._show(await asyncio.to_thread(self._entries))
            except OSError as error:
                self.actions.placeholder = ("the action log cannot be read", str(error.strerror or error))
            await asyncio.sleep(max(_PACE, 10 * (time.monotonic() - began)))

    def _entries(self) -> Sequence[Entry]:
        from backends.control.journal import entries
        from backends.locks.key import store_key

        return entries(store_key(self.lgtop.control.target), _MOST + 1)

    def _show(self, entries: Sequence[Entry]) -> None:
        self.actions.placeholder = ("nothing has been done yet", "every write that lgtop makes is written down here")
        self.actions.show(entries[:_MOST])
        self.refresh_bindings()
        self.query_one(Titles).note = (f"the newest {_MOST:,}", "warning") if len(entries) > _MOST else ("", "")

    # Keys

    def action_back(self) -> None:
        """Back to where we came from."""
        self.app.pop_screen()

    def action_thread(self) -> None:
        """Open the thread; of a copy, the one that was made."""
        if (entry := self.actions.selected) is not None:
            self.lgtop.open_thread(entry.target or entry.thread_id)

    def action_copy(self) -> None:
        """Copy the command."""
        if (entry := self.actions.selected) is not None:
            self.lgtop.copy(entry.command, "command")

    @on(Lines.Activated)
    def _open(self, event: Lines.Activated) -> None:
        event.stop()
        if (entry := self.actions.selected) is not None:
            self.app.push_screen(Pager(f"{entry.verb} {entry.thread_id}", "\n".join(account(entry))))

    # Undo

    def why_not(self, action: str) -> str:
        """Say why the action under the cursor cannot be undone; empty where that can be tried."""
        if action != "undo":
            return ""
        entry = self.actions.selected
        if entry is None:
            return "There is no action here."
        if entry.undone:
            return "It has been undone already."
        if entry.verb not in _UNDONE or (entry.verb == Verb.FORK and entry.ran):
            return f"A {entry.verb} cannot be undone; to leave what a run did, fork from the checkpoint before it."
        return self.lgtop.control.gate.refusal(self.lgtop.live.info)

    @on(Lines.CursorMoved)
    def _moved(self, event: Lines.CursorMoved) -> None:
        """Another action can be undone, or not."""
        event.stop()
        self.refresh_bindings()

    @work(group="undo")
    async def action_undo(self) -> None:
        """Take the action back, once that has been confirmed."""
        from backends.control.journal import undo

        entry = self.actions.selected
        if entry is None or not await self.app.push_screen_wait(Confirm(f"Undo: {entry.summary}?", _undoing(entry))):
            return
        control = self.lgtop.control
        try:
            done = await self.lgtop.store_thread.run(partial(undo, entry, control.gate))
        except (Refused, AlreadyRunning, NotFound, StoreError) as error:
            self.app.notify(str(error), severity="warning")
        else:
            self.app.notify(done)
        self._news.set()


def _undoing(entry: Entry) -> list[Paragraph]:
    """What a person is told before an action is taken back."""
    if entry.target:
        what = f"Thread {entry.target} is deleted, if nothing has been added to it since."
    else:
        what = "The checkpoint that it added is deleted, if nothing has been built on it since."
    return [Paragraph(what), Paragraph("What a run did outside the store is not undone.", look="dim")]


def account(entry: Entry) -> Iterator[str]:
    """Everything that is known about an action, as lines; not cleaned."""
    text, _ = outcome(entry)
    facts = {
        "when": time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(entry.when)),
        "by": entry.operator,
        "outcome": f"{text}  {entry.reason}".rstrip(),
        "thread": entry.thread_id,
        "new thread": entry.target,
        "run": entry.run_id,
        "head before": entry.head_before,
        "head after": entry.head_after,
        "as node": entry.as_node,
        "copied": f"{entry.checkpoints:,} checkpoints, {entry.writes:,} write rows" if entry.checkpoints else "",
    }
    yield entry.summary
    yield ""
    yield from (f"{name:<12} {value}" for name, value in facts.items() if value)
    for title, call in (("python", entry.python), ("command", entry.command)):
        if call:
            yield from ("", title, *(f"    {line}" for line in call.splitlines()))

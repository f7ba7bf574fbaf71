"""One run: how it is doing, and everything that it has told, while it tells it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from backends.runs.events import Event
from backends.runs.run import Run

from ..live import Connection
from ..run_events import whole
from ..tail import Tail
from ..widgets.banner import Banner
from ..widgets.event_lines import EventLines
from ..widgets.key_bar import KeyBar
from ..widgets.lines import Lines
from ..widgets.run_bars import EventFacts, EventTitle, RunFacts, RunLine
from ..widgets.search_input import SearchInput, pattern_of
from ..widgets.top_bar import TopBar
from .pager import Pager
from .run_keys import RunKeys

_PACE: Final = 0.05
"""Least seconds between two additions to the list."""

_REMOTE_PACE: Final = 0.3
"""The same over SSH."""


class RunScreen(RunKeys):
    """The events of a run.

    Args:
        run: The run, as it is known so far.
    """

    AUTO_FOCUS = "EventLines"
    BINDING_GROUP_TITLE = "Run"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", "logs", "logs", id="run.logs", tooltip="Show or hide what the graph's code prints and logs"),
        Binding("slash", "search", "search", key_display="/", id="run.search", tooltip="Search in the events"),
        Binding("n", "match(1)", "Next match", show=False, id="run.next", tooltip="Next match"),
        Binding("N", "match(-1)", "Previous match", show=False, id="run.previous", tooltip="Previous match"),
        Binding("y", "copy", "copy", id="run.copy", tooltip="Copy the event under the cursor"),
    ]

    def __init__(self, run: Run) -> None:
        super().__init__()
        self._shown = run
        self._tail: Tail | None = None
        self._over = False
        self._found = ""

    def compose(self) -> ComposeResult:
        """Where we are, the run, its events, the keys."""
        yield TopBar(self.lgtop.address.label, ("runs", self._shown.run_id), self.lgtop.readonly)
        yield RunLine()
        yield RunFacts()
        yield Banner(self.lgtop.clock)
        yield EventTitle()
        yield EventLines()
        yield SearchInput()
        yield KeyBar()

    def on_mount(self) -> None:
        """Follow the run."""
        app = self.lgtop
        app.live.connected.subscribe(self, self._connected)
        app.control.runs_changed.subscribe(self, self._changed)
        self.set_interval(5.0 if app.terminal.remote else 1.0, self._tick)
        self._connected(app.live.connection)
        self._changed(app.control.runs)
        self.events.placeholder = ("reading the events…",)
        pace = _REMOTE_PACE if app.terminal.remote else _PACE
        self._tail = Tail(self._shown.folder, self._heard, self._ended, pace)
        self._tail.start()

    def on_unmount(self) -> None:
        """Stop reading."""
        if self._tail is not None:
            self._tail.stop()

    @property
    def events(self) -> EventLines:
        """The events."""
        return self.query_one(EventLines)

    @property
    def chosen(self) -> Run | None:
        """The run of this screen."""
        return self._shown

    # What comes in

    def _connected(self, connection: Connection) -> None:
        """Say how the connection to the store is; the run has one of its own."""
        self.query_one(TopBar).info = self.lgtop.live.info
        self.query_one(Banner).connection = connection

    def _changed(self, runs: Sequence[Run]) -> None:
        """Take up how the run is now."""
        mine = (run for run in runs if run.run_id == self._shown.run_id)
        self._shown = next(mine, self._shown)
        self._tick()
        self.refresh_bindings()

    def _tick(self) -> None:
        """Bring the lines about the run up to date."""
        line = self.query_one(RunLine)
        line.shown, line.now = self._shown, self.lgtop.clock()
        self.query_one(RunFacts).shown = self._shown

    def _heard(self, events: Sequence[Event]) -> None:
        """Add events."""
        self.events.add(events)
        self._say()

    def _ended(self, problem: str) -> None:
        """Nothing more will come."""
        self._over = True
        reason = "its process is gone without a word" if not self._shown.live else ""
        self.events.placeholder = (problem or "no events", "" if problem else reason)
        if problem:
            self.query_one(Banner).warnings = (problem,)
        self._say()

    @on(Lines.CursorMoved)
    def _say(self) -> None:
        """Say what is shown of the events."""
        events = self.events
        facts = EventFacts(
            total=events.total,
            dropped=events.dropped,
            logs=events.logs,
            at_end=events.at_end,
            over=self._over,
            found=self._found if events.pattern is not None else "",
        )
        self.query_one(EventTitle).facts = facts

    # Keys

    @on(Lines.Activated)
    def _read(self, event: Lines.Activated) -> None:
        event.stop()
        if (found := self.events.selected) is not None:
            self.app.push_screen(Pager(f"{found.kind} · run {self._shown.run_id}", whole(found)))

    def action_copy(self) -> None:
        """Copy the event."""
        if (found := self.events.selected) is not None:
            self.lgtop.copy(whole(found), "event")

    def action_logs(self) -> None:
        """Show or hide the lines of the user's code."""
        self.events.show_logs(not self.events.logs)
        self._say()

    def action_back(self) -> None:
        """End the search, or go back."""
        if self.events.pattern is not None:
            self.query_one(SearchInput).action_leave(False)
        else:
            super().action_back()

    # Search

    def action_search(self) -> None:
        """Begin to type what to look for."""
        self.query_one(SearchInput).open()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.events.pattern = pattern_of(event.value)
        self._find(0)

    @on(SearchInput.Left)
    def _left(self, event: SearchInput.Left) -> None:
        event.stop()
        if not event.keep:
            self.events.pattern = None
        self.events.focus()
        self._say()

    def action_match(self, step: int) -> None:
        """Go to the next match, or the one before."""
        self._find(step)

    def _find(self, step: int) -> None:
        """Go to a match; with 0 to the nearest from here on."""
        events = self.events
        row = events.find(events.cursor - (not step), step or 1)
        self._found = "no match" if row is None else "n next match   N previous"
        if row is not None:
            events.cursor = row
        self._say()

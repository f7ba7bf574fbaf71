"""The list of threads: what every thread of the store is doing, live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.timer import Timer
from textual.widgets import Input

from backends.errors import QueryError
from backends.order import View
from backends.query import Query, parse

from ..live import Change, Connection, State
from ..verbs.spot import Spot
from ..widgets.banner import Banner
from ..widgets.columns import Placed
from ..widgets.filter_bar import FilterBar, ViewFacts
from ..widgets.headings import Headings
from ..widgets.key_bar import KeyBar
from ..widgets.lines import Lines
from ..widgets.saved_filters import MOST, SavedFilters
from ..widgets.thread_list import ThreadList
from ..widgets.top_bar import TopBar
from .bulk_keys import MANY, BulkKeys
from .controls import controls

if TYPE_CHECKING:
    from backends.query_complete import Facets

    from ..widgets.filter_input import FilterInput

_GLOW: Final = 0.8
"""Seconds that a changed row glows."""

_SETTLED: Final = 0.6
"""Seconds after which threads are measured: what is on screen comes first."""

_REST: Final = 0.1
"""Seconds without a key after which a filter is applied."""

ORDERS: Final = {
    "attention": ("attention first", "what waits for a person, then the newest"),
    "active": ("last activity", "newest first"),
    "thread": ("thread id", "A to Z"),
    "status": ("status", "running, waiting, failed … done"),
    "next": ("next node", "A to Z"),
    "step": ("step", "highest first"),
    "checkpoints": ("checkpoints", "most first"),
    "size": ("size", "largest first, as far as measured"),
    "reason": ("why", "A to Z"),
}
"""Orders by name: what they are called, and what they mean."""


class ThreadsScreen(BulkKeys):
    """The first screen.

    Args:
        query: A filter to begin with.
    """

    CSS_PATH = "threads.tcss"
    AUTO_FOCUS = "ThreadList"
    BINDING_GROUP_TITLE = "Threads"

    BINDINGS: ClassVar[list[BindingType]] = [
        # With priority, because what is typed fast behind it must find the input there.
        Binding(
            "slash", "filter", "filter", key_display="/", priority=True, id="threads.filter", tooltip="Filter the list"
        ),
        *controls("resume", "answer", "fork", "edit", "start", "stop", "delete", "crash", "prune", "export"),
        Binding("o", "choose_sort", "sort", id="threads.sort", tooltip="Choose the order"),
        Binding("space", "mark", "mark", key_display="space", id="threads.mark", tooltip="Mark this thread"),
        MANY,
        Binding("i", "inbox", "inbox", id="threads.inbox", tooltip="Every question that waits for a person"),
        Binding("p", "pause", "pause", id="threads.pause", tooltip="Freeze the order of the rows, or let it go"),
        Binding("t", "times", "times", id="threads.times", tooltip="Show ages as exact times, and back"),
        Binding("y", "copy", "copy id", id="threads.copy", tooltip="Copy the id of this thread"),
        Binding("u", "unmark", "unmark", show=False, id="threads.unmark", tooltip="Take every mark away"),
        Binding("escape", "clear", "clear", show=False, id="threads.clear", tooltip="Clear the filter"),
        *(
            Binding(str(n), f"saved({n})", "tab", show=False, id=f"threads.saved-{n}", tooltip=f"Saved filter {n}")
            for n in range(MOST + 1)
        ),
    ]

    def __init__(self, query: str = "") -> None:
        super().__init__()
        self._text = query
        self._facets: Facets | None = None
        self._typing: Timer | None = None
        self._painted = False

    # What is on it

    def compose(self) -> ComposeResult:
        """Where we are, the view, the list, the keys."""
        live = self.lgtop.live
        yield TopBar(self.lgtop.address.label, readonly=self.lgtop.readonly)
        if self.lgtop.filters:
            yield SavedFilters(self.lgtop.filters)
        yield FilterBar(self._completions)
        yield Banner(self.lgtop.clock)
        yield Headings()
        yield ThreadList(live.index, self.lgtop.clock, self.lgtop.columns)
        yield KeyBar()

    def on_mount(self) -> None:
        """Follow the store."""
        live = self.lgtop.live
        live.changed.subscribe(self, self._changed)
        live.connected.subscribe(self, self._connected)
        self.set_interval(5.0 if self.lgtop.terminal.remote else 1.0, self._tick)
        self.watch(self.threads, "columns", self._laid_out)
        self.set_timer(_SETTLED, lambda: self.threads.weigh_with(self.lgtop.scales))
        self.threads.index_changed(live.index.rows)
        self._connected(live.connection)
        if self._text:
            self.filter_by(self._text)

    @property
    def threads(self) -> ThreadList:
        """The list."""
        return self.query_one(ThreadList)

    def _changed(self, change: Change) -> None:
        """Take up what the store says now."""
        threads = self.threads
        threads.index_changed(change.touched)
        if change.fresh and not self.lgtop.terminal.remote:
            threads.glow(change.fresh, on=True)
            self.set_timer(_GLOW, partial(threads.glow, change.fresh, False))
        self._say()
        if threads.line_count and not self._painted:
            self._painted = True
            self._on_timer_update()  # the first rows now, instead of at the next sixtieth of a second

    def _connected(self, connection: Connection) -> None:
        """Say how the connection is."""
        info = self.lgtop.live.info
        self.query_one(TopBar).info = info
        banner = self.query_one(Banner)
        banner.connection = connection
        banner.warnings = info.warnings if info is not None else ()
        self._say()

    @on(ThreadList.Looked)
    def _looked(self, event: ThreadList.Looked) -> None:
        """Have the statuses in sight worked out first."""
        event.stop()
        if self.lgtop.feed is not None:
            self.lgtop.feed.prioritise(event.thread_ids)

    def _tick(self) -> None:
        """A second has passed."""
        self.threads.tick()

    def _say(self) -> None:
        """Bring the lines around the list up to date."""
        index, threads = self.lgtop.live.index, self.threads
        counts = index.counts
        view = index.view
        self.query_one(TopBar).counts = counts if counts.total or counts.complete else None
        order, _ = ORDERS[view.sort]
        self.query_one(FilterBar).line.facts = ViewFacts(
            text=self._text,
            shown=counts.shown,
            approximate=index.approximate,
            marked=len(threads.marked),
            order=f"{order}{', reversed' if view.reverse else ''}",
            paused=index.paused,
            arrived=len(index.arrived),
            reading=None if counts.complete or not counts.total else counts.total,
        )
        self.query_one(Headings).order = (view.sort, view.reverse)
        threads.placeholder = self._placeholder(counts.total)
        for tabs in self.query(SavedFilters):
            tabs.current = self._text

    def _laid_out(self, columns: tuple[Placed, ...]) -> None:
        """Keep the titles above their columns."""
        self.query_one(Headings).columns = columns

    def _placeholder(self, total: int) -> tuple[str, ...]:
        """What to say where no thread is shown."""
        index, connection = self.lgtop.live.index, self.lgtop.live.connection
        if total and index.view.query:
            later = "not everything has been read yet" if index.approximate else f"{total:,} threads are hidden"
            return (f"no thread fits  {index.view.query.describe()}", "esc clears the filter", later)
        if index.complete:
            return ("no threads yet", "waiting for the first checkpoint…")
        if connection.state is State.LOST:
            return ("no connection", "the line above says why and when it is tried again")
        return (f"opening {self.lgtop.address.label}…",)

    # The filter

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A slash that is typed into the filter is a slash."""
        if action == "filter":
            return not self.query_one(FilterBar).editing
        if action == "saved":
            return any(tabs.text_of(int(str(parameters[0]))) is not None for tabs in self.query(SavedFilters))
        return super().check_action(action, parameters)

    async def action_filter(self) -> None:
        """Begin to type a filter."""
        self._facets = self.lgtop.live.index.facets()
        self.set_focus(await self.query_one(FilterBar).edit(self._text))

    def _completions(self, text: str) -> Sequence[str]:
        from backends.query_complete import complete

        return complete(text, len(text), self._facets) if self._facets is not None else []

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        """Filter when the fingers rest for a moment."""
        event.stop()
        if self._typing is not None:
            self._typing.stop()
        self._typing = self.set_timer(_REST, partial(self.filter_by, event.value))

    async def on_filter_input_left(self, event: FilterInput.Left) -> None:
        """Back to the list."""
        event.stop()
        if self._typing is not None:
            self._typing.stop()
        if event.keep:
            self.filter_by(event.text)
        await self.query_one(FilterBar).leave()
        self.query_one(Headings).problem = None
        self.threads.focus()
        if not event.keep:
            self.filter_by("")
        self._say()

    def filter_by(self, text: str) -> None:
        """Show the threads that fit a filter.

        Of one that is still being typed, everything before the unfinished term counts; one that cannot be understood
        leaves the list as it is, and the line of headings says what is wrong and where.
        """
        headings, bar = self.query_one(Headings), self.query_one(FilterBar)
        headings.problem = None
        try:
            query = parse(text)
        except QueryError as error:
            wrong = error.position < len(text.rstrip())
            headings.problem = (bar.caret_cell(error.position), error.reason, wrong)
            if wrong:
                return
            text = text.rstrip().rpartition(" ")[0]
            try:
                query = parse(text)
            except QueryError:
                return
        self._text = text
        self._show(query)

    def action_clear(self) -> None:
        """Clear the filter."""
        if self._text:
            self.filter_by("")

    def action_saved(self, number: int) -> None:
        """Show what a saved filter finds; 0 shows all."""
        if (text := self.query_one(SavedFilters).text_of(number)) is not None:
            self.filter_by(text)

    # The order

    @work(exclusive=True, group="view")
    async def _show(self, query: Query, sort: str | None = None, reverse: bool = False) -> None:
        """Show another view; the last one asked for wins.

        Where nothing fits, the last word may be one that is still being typed: then what begins with it is shown.

        Args:
            query: The filter.
            sort: Another order, which is looked at from its beginning; ``None`` keeps the present one.
            reverse: Whether the other order is turned round.
        """
        live, text = self.lgtop.live, self._text
        wanted = replace(live.index.view, query=query) if sort is None else View(query, sort, reverse)
        await live.show(wanted)
        if sort is not None:
            self.threads.action_first()
        if query and not len(live.index.order) and (begun := _begun(text)) is not None:
            await live.show(replace(wanted, query=begun))
            if len(live.index.order):
                self._text = f"{text}*"
            else:
                await live.show(wanted)
        self._say()

    def action_sort_by(self, sort: str) -> None:
        """Sort by a column; the one that sorts already is turned round."""
        view = self.lgtop.live.index.view
        self._show(view.query, sort, not view.reverse if sort == view.sort else False)

    @work
    async def action_choose_sort(self) -> None:
        """Ask for the order."""
        from ..dialogs.choose import Choice, Choose

        choices = [Choice(name, label, note) for name, (label, note) in ORDERS.items()]
        hint = "↵ choose, again to reverse   esc close"
        sort = await self.app.push_screen_wait(Choose("Order", choices, self.lgtop.live.index.view.sort, hint))
        if sort is not None:
            self.action_sort_by(sort)

    def action_pause(self) -> None:
        """Freeze the order, or let it go."""
        live = self.lgtop.live
        live.pause(not live.index.paused)

    # The thread under the cursor

    def spot(self) -> Spot | None:
        """The thread under the cursor, at its head."""
        row = self.lgtop.index.rows.get(self.threads.selected or "")
        if row is None:
            return None
        head = row.head
        return Spot(head.thread_id, None if head.ns else head.checkpoint_id, row.summary)

    @on(Lines.Activated)
    def _open(self, event: Lines.Activated) -> None:
        event.stop()
        if self.threads.selected is not None:
            self.lgtop.open_thread(self.threads.selected)

    def spot_for(self, verb: str) -> Spot | None:
        """A run that is started from the list gets a thread of its own."""
        return None if verb == "start" else self.spot()

    def action_inbox(self) -> None:
        """Every question that waits for a person."""
        from .inbox import InboxScreen

        self.app.push_screen(InboxScreen())

    def action_mark(self) -> None:
        """Mark the thread, or take its mark away."""
        self.threads.toggle_mark()
        self.marks_changed()

    def action_unmark(self) -> None:
        """Take every mark away."""
        self.threads.unmark()
        self.marks_changed()

    def marks_changed(self) -> None:
        """Say how many there are; other verbs may make sense now."""
        self._say()
        self.see_verbs()

    def action_times(self) -> None:
        """Ages as exact times, and back."""
        self.threads.exact_times = not self.threads.exact_times
        self._say()

    def action_copy(self) -> None:
        """Copy the thread's id."""
        if (thread_id := self.threads.selected) is not None:
            self.lgtop.copy(thread_id, "thread id")


def _begun(text: str) -> Query | None:
    """A filter with its last word taken for the beginning of one; ``None`` where that makes no sense."""
    if not text[-1:].isalnum():
        return None
    try:
        return parse(f"{text}*")
    except QueryError:
        return None

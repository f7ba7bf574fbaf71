"""One thread: its history at the left, everything about one checkpoint at the right."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical

from backends.errors import StoreError
from backends.lineage import FolderKey

from ..live import Change, Connection, State
from ..reading import as_text, copy, read
from ..thread_history import Page, ThreadHistory
from ..verbs.spot import Spot
from ..widgets.banner import Banner
from ..widgets.checkpoint_pane import DIFF, TABS, CheckpointPane
from ..widgets.history import History
from ..widgets.key_bar import KeyBar
from ..widgets.lines import Lines
from ..widgets.outline_view import OutlineView
from ..widgets.thread_bars import HistoryFacts, HistoryTitle, StatusLine
from ..widgets.top_bar import TopBar
from .controls import ControlScreen, controls

_PACE: Final = 0.1
"""Least seconds between two looks at a thread that keeps changing."""

_RETRY: Final = 2.0
"""Seconds after which a store that could not be read is asked again."""

_LONG: Final = 40
"""Characters from which a text is worth the pager."""


def _key(key: str, action: str, name: str, tooltip: str, display: str | None = None) -> Binding:
    """A key that stands in the help, and not in the last line."""
    return Binding(key, action, tooltip, show=False, key_display=display, id=f"thread.{name}", tooltip=tooltip)


class ThreadScreen(ControlScreen):
    """A thread's history and, of the checkpoint under the cursor, state, difference, tasks, writes and raw data.

    Args:
        thread_id: The thread; untrusted.
    """

    CSS_PATH = "thread.tcss"
    AUTO_FOCUS = "History"
    BINDING_GROUP_TITLE = "Thread"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", key_display="esc", id="thread.back", tooltip="Back"),
        *controls("resume", "answer", "fork", "edit", "stop", "crash"),
        Binding("tab", "other_pane", "pane", key_display="⇥", id="thread.pane", tooltip="Go to the other pane"),
        *(_key(str(index + 1), f"tab({index})", tab.name.lower(), f"{tab.name} tab") for index, tab in enumerate(TABS)),
        Binding("slash", "search", "search", key_display="/", id="thread.search", tooltip="Search in the values"),
        Binding("d", "base", "diff from here", id="thread.base", tooltip="Compare others with this one, or no more"),
        Binding("y", "copy", "copy", id="thread.copy", tooltip="Copy what is under the cursor"),
        *controls("start", "delete", "prune", "export"),
        _key("left_square_bracket", "step(1)", "older", "Older checkpoint", "["),
        _key("right_square_bracket", "step(-1)", "newer", "Newer checkpoint", "]"),
        _key("F", "follow", "follow", "Go with the head, or stay"),
        _key("v", "read", "read", "Read the whole value, as JSON"),
        _key("z", "fold_all", "fold", "Fold everything"),
        _key("plus", "enlarge", "enlarge", "Give this pane the whole width", "+"),
        _key("underscore", "restore", "restore", "Show both panes", "_"),
    ]

    def __init__(self, thread_id: str) -> None:
        super().__init__()
        self.thread_id = thread_id
        self._follow = False
        self._news = asyncio.Event()
        self._page: Page | None = None
        self._connection = Connection()
        self._trouble = ""

    # What is on it

    def compose(self) -> ComposeResult:
        """Where we are, how the thread is, the two panes, the keys."""
        yield TopBar(self.lgtop.address.label, (self.thread_id,), self.lgtop.readonly)
        yield StatusLine()
        yield Banner(self.lgtop.clock)
        with Horizontal(id="panes"):
            with Vertical(id="lineage"):
                yield HistoryTitle()
                yield History()
            yield CheckpointPane()
        yield KeyBar()

    @property
    def history(self) -> History:
        """The left pane."""
        return self.query_one(History)

    @property
    def checkpoint(self) -> CheckpointPane:
        """The right pane."""
        return self.query_one(CheckpointPane)

    def on_mount(self) -> None:
        """Follow the store, and read the thread."""
        live = self.lgtop.live
        live.changed.subscribe(self, self._changed)
        live.connected.subscribe(self, self._connected)
        self.history.placeholder = ("reading the history…",)
        self._connected(live.connection)
        self._summarise()
        if self.lgtop.feed is not None:
            self.lgtop.feed.prioritise([self.thread_id])
        self.call_after_refresh(self._read)  # the panes have their widths by then

    # The store

    def _changed(self, change: Change) -> None:
        """The store has news; some may be about this thread."""
        self._summarise()
        if self.thread_id in change.fresh:
            self._news.set()

    def _connected(self, connection: Connection) -> None:
        """Say how the connection is; once it is back, read what may have been missed."""
        self._connection = connection
        self.query_one(TopBar).info = self.lgtop.live.info
        if connection.state is State.RECOVERED:
            self._news.set()
        self._say()

    def _summarise(self) -> None:
        """Show the status of the thread."""
        row = self.lgtop.live.index.rows.get(self.thread_id)
        if row is not None:
            self.query_one(StatusLine).summary = row.summary

    @work(group="history", exit_on_error=False)
    async def _read(self) -> None:
        """Read the history, and then whatever is added, for as long as the screen is there."""
        history = ThreadHistory(self.lgtop.store_thread.run, self.thread_id)
        while True:
            self._news.clear()
            began = time.monotonic()
            patience: float | None = None
            try:
                async for page in history.pages():
                    self._show_page(page)
                self._trouble = ""
            except StoreError as error:
                self._trouble, patience = str(error), _RETRY
            except Exception as error:
                # Rows that nobody foresaw cost this screen its history, not the app its life.
                self._trouble = f"The history cannot be shown: {type(error).__name__}: {error}"
            self._say()
            await asyncio.sleep(max(_PACE, 2 * (time.monotonic() - began)))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), patience)

    def _show_page(self, page: Page) -> None:
        """Take up what has been read; the cursor stays on its checkpoint."""
        self._page = page
        self.history.placeholder = ("no checkpoints",)
        self.history.show(page.lineage, self._follow)
        if page.news:
            self.checkpoint.refresh_rows()
        self._look()
        self.see_verbs()
        self._say()

    def _say(self) -> None:
        """Bring the lines around the panes up to date."""
        info, page = self.lgtop.live.info, self._page
        banner = self.query_one(Banner)
        banner.connection = self._connection
        warnings = [*(info.warnings if info is not None else ())]
        if page is not None and page.gone:
            known = "It was deleted; this is how it was." if page.lineage.count else "Check its id."
            warnings.insert(0, f"The thread is not in the store. {known}")
        if self._trouble and self._connection.state is not State.LOST:
            warnings.insert(0, self._trouble)
        banner.warnings = tuple(warnings)
        self.query_one(HistoryTitle).facts = HistoryFacts(
            read=page.lineage.count if page else 0,
            total=page.total if page else 0,
            complete=page.complete if page else False,
            follow=self._follow,
            focused=self.history.has_focus,
        )

    # The checkpoint under the cursor

    def spot(self) -> Spot | None:
        """This thread, at the checkpoint under the cursor."""
        page, row = self._page, self.lgtop.index.rows.get(self.thread_id)
        head = page.lineage.head if page is not None else None
        if head is None:
            return None
        key = self.history.selected
        at = None if key is None or key == head else key
        return Spot(self.thread_id, None if head.ns else head.checkpoint_id, row.summary if row else None, at)

    def _look(self) -> None:
        """Show the checkpoint under the cursor."""
        key = self.history.selected
        if key is not None:
            base = self.history.base
            marked = self.history.row(base) if base is not None else None
            against = f"step {marked.step} ({marked.source})" if marked is not None else ""
            self.checkpoint.look_at(key, self.history.row(key), base, against)

    @on(Lines.CursorMoved, "#history")
    def _moved(self, event: Lines.CursorMoved) -> None:
        event.stop()
        self._look()

    @on(History.Entered)
    def _entered(self, event: History.Entered) -> None:
        event.stop()
        self.checkpoint.front.focus()

    @on(CheckpointPane.Answered)
    def _answered(self, event: CheckpointPane.Answered) -> None:
        event.stop()
        self._trouble = "" if event.error is None else str(event.error)
        self._say()

    @on(OutlineView.Read)
    def _open(self, event: OutlineView.Read) -> None:
        """Read a long text in the pager."""
        event.stop()
        value = event.node.value
        if isinstance(value, str) and ("\n" in value or len(value) > _LONG):
            self.run_worker(read(self.lgtop, event.node), group="read", exclusive=True)

    def action_read(self) -> None:
        """Read the value under the cursor in the pager."""
        if (node := self.checkpoint.view.node) is not None:
            self.run_worker(read(self.lgtop, node), group="read", exclusive=True)

    def action_copy(self) -> None:
        """Copy the id of the checkpoint, or the value under the cursor."""
        mark = self.history.mark
        if self.checkpoint.graph.view.has_focus:
            self.lgtop.copy(as_text(self.checkpoint.graph.view.node), "node's name")
        elif self.checkpoint.view.has_focus:
            if (node := self.checkpoint.view.node) is not None:
                self.run_worker(copy(self.lgtop, node), group="copy", exclusive=True)
        elif isinstance(mark, FolderKey):
            self.lgtop.copy(as_text(mark.ns), "namespace")
        elif mark is not None:
            self.lgtop.copy(as_text(mark.checkpoint_id), "checkpoint id")

    def action_base(self) -> None:
        """Compare others with this checkpoint from now on; a second time, with their parents again."""
        key = self.history.selected
        if key is not None:
            self.history.mark_base(None if key == self.history.base else key)
            self.checkpoint.show_tab(DIFF)
            self._look()

    # Moving about

    def action_tab(self, index: int) -> None:
        """Show another tab."""
        self.checkpoint.show_tab(index)

    def action_step(self, lines: int) -> None:
        """Go to an older or newer checkpoint, from either pane."""
        self.history.step(lines)

    def action_fold_all(self) -> None:
        """Fold every row of the tab."""
        self.checkpoint.view.fold_all()

    def action_follow(self) -> None:
        """Go to the head, and with it from now on; a second time, stay."""
        self._follow = not self._follow
        if self._follow and self.history.lineage.head is not None:
            self.history.select(self.history.lineage.head)
        self._say()

    def action_search(self) -> None:
        """Search in the values of this tab."""
        self._show_pane(right=True)
        self.checkpoint.open_search()

    def action_other_pane(self) -> None:
        """Go to the other pane."""
        self._show_pane(right=self.history.has_focus)

    def _show_pane(self, right: bool) -> None:
        """Go to a pane, also when the other one has the whole width."""
        if self._enlarged:
            self.query_one("#panes").set_class(right, "-only-right").set_class(not right, "-only-left")
        (self.checkpoint.front if right else self.history).focus()

    @property
    def _enlarged(self) -> bool:
        """Whether one pane has the whole width."""
        panes = self.query_one("#panes")
        return panes.has_class("-only-left") or panes.has_class("-only-right")

    def action_enlarge(self) -> None:
        """Give the pane with the cursor the whole width."""
        self.query_one("#panes").add_class("-only-left" if self.history.has_focus else "-only-right")

    def action_restore(self) -> None:
        """Show both panes."""
        self.query_one("#panes").remove_class("-only-left", "-only-right")

    def action_back(self) -> None:
        """Undo the last thing that is in the way: the search, the enlarged pane, the look inside, this screen."""
        if self.checkpoint.end_search() or self.checkpoint.leave_inside():
            return
        if self._enlarged:
            self.action_restore()
        elif not self.history.has_focus:
            self.history.focus()
        else:
            self.app.pop_screen()

    def on_descendant_focus(self) -> None:
        """Show where the keys go."""
        self.checkpoint.bar.focused = self.checkpoint.front.has_focus
        self._say()

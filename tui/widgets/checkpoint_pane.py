"""Everything about one checkpoint: tabs, a line of facts, and the rows of the tab."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input

from backends.errors import Cancelled, NotFound, StoreError
from backends.model import CheckpointKey, CheckpointRow
from backends.outline import Tone
from backends.reader import Reader

from ..tabs import diff, graph, raw, state, tasks, writes
from ..tabs.cache import Cache
from ..tabs.request import Answer, Request, note
from ..tabs.states import States
from .graph_pane import GraphPane
from .lines import Lines
from .outline_search import SearchableOutline
from .search_input import SearchInput, pattern_of
from .thread_bars import InfoLine, TabBar

if TYPE_CHECKING:
    from ..app import LgtopApp


class Tab(NamedTuple):
    """A tab: its name, and what reads its rows."""

    name: str
    load: Callable[[Reader, Request, States], Answer]


TABS: Final = (
    Tab("State", state.load),
    Tab("Diff", diff.load),
    Tab("Tasks", tasks.load),
    Tab("Writes", writes.load),
    Tab("Raw", raw.load),
    Tab("Graph", graph.load),
)
DIFF: Final = 1
GRAPH: Final = 5

_CHANGING: Final = ("Tasks", "Writes", "Raw", "Graph")
"""Tabs whose rows change while a step runs; a state, and its difference to another, never do."""

_SETTLE: Final = 0.05
"""Seconds that the cursor rests on a checkpoint before it is read."""

_PATIENCE: Final = 0.15
"""Seconds of reading after which the old rows are dimmed."""

_RETRY: Final = 2.0
"""Seconds after which a store that could not be read is asked again."""

_LEAST_WIDTH: Final = 20


class CheckpointPane(Vertical):
    """Shows one checkpoint at a time; rows are read on the store's thread and kept for a while.

    Attributes:
        shown: Tab and checkpoint that are on screen.
    """

    @dataclass
    class Answered(Message):
        """The store was asked for rows.

        Attributes:
            error: Why it could not be read; what was shown stays, and it is asked again. ``None`` when it could.
        """

        error: StoreError | None

    DEFAULT_CSS = """
    CheckpointPane > GraphPane, CheckpointPane.-graph > SearchableOutline { display: none; }
    CheckpointPane.-graph > GraphPane { display: block; }
    """

    def __init__(self) -> None:
        super().__init__(id="checkpoint")
        self._request: Request | None = None
        self.shown: tuple[str, CheckpointKey] | None = None
        self._cache = Cache()
        self._states = States()
        self._settling: Timer | None = None
        self._found = ""

    def compose(self) -> ComposeResult:
        """Tabs, facts, rows, search."""
        yield TabBar([tab.name for tab in TABS])
        yield InfoLine()
        yield SearchableOutline()
        yield GraphPane()
        yield SearchInput()

    @property
    def view(self) -> SearchableOutline:
        """The rows."""
        return self.query_one(SearchableOutline)

    @property
    def graph(self) -> GraphPane:
        """The graph, in place of rows."""
        return self.query_one(GraphPane)

    @property
    def front(self) -> Lines:
        """What keys go to: the rows, or the graph."""
        return self.graph.view if self.bar.current == GRAPH else self.view

    @property
    def bar(self) -> TabBar:
        """The tabs."""
        return self.query_one(TabBar)

    @property
    def search(self) -> SearchInput:
        """Where a search is typed."""
        return self.query_one(SearchInput)

    # What to show

    def look_at(
        self, key: CheckpointKey, row: CheckpointRow | None, base: CheckpointKey | None, against: str = ""
    ) -> None:
        """Show a checkpoint, once the cursor has come to rest on it.

        Args:
            key: The checkpoint.
            row: The same as the history holds it, if it does.
            base: What to compare it with instead of its parent.
            against: What to call that.
        """
        parent = key._replace(checkpoint_id=row.parent_id) if row is not None and row.parent_id else None
        request = Request(key, parent, base, against, self._width)
        if request != self._request:
            self._request = request
            self.query_one(InfoLine).row = row
            self._show(settle=self.shown is not None)

    def show_tab(self, index: int) -> None:
        """Show another tab."""
        had_focus = self.front.has_focus
        self.bar.current = index
        self.set_class(index == GRAPH, "-graph")
        if index == GRAPH:
            self.end_search()
            self.graph.begin()
        if had_focus:
            self.front.focus()
        self._show()

    def refresh_rows(self) -> None:
        """Read again what may have changed in the store."""
        self._cache.forget(*_CHANGING)
        self._show()

    def on_resize(self) -> None:
        """Texts are broken to the width."""
        if self._request is not None and self._request.width != self._width:
            self._request = replace(self._request, width=self._width)
            self._show(settle=True)

    @property
    def _width(self) -> int:
        return max(_LEAST_WIDTH, self.view.size.width)

    def _show(self, settle: bool = False) -> None:
        """Show kept rows at once; read others, at once or when nothing else is asked for within a moment."""
        request, tab = self._request, TABS[self.bar.current]
        if self._settling is not None:
            self._settling.stop()
        if request is None:
            return
        if (answer := self._cache.get(tab.name, request)) is not None:
            self.workers.cancel_group(self, "read")
            self._put(tab, request, answer)
        elif settle:
            self._settling = self.set_timer(_SETTLE, lambda: self._read(tab, request))
        else:
            self._read(tab, request)

    @work(exclusive=True, group="read", exit_on_error=False)
    async def _read(self, tab: Tab, request: Request) -> None:
        """Read the rows of a tab; the last one asked for wins."""
        states = self._states
        waiting = self.set_timer(_PATIENCE, self._wait)
        try:
            answer = await cast("LgtopApp", self.app).store_thread.run(lambda reader: tab.load(reader, request, states))
        except NotFound:
            answer = Answer((note("✖ This checkpoint is not in the store any more.", Tone.FAILED),))
        except Cancelled:
            return
        except StoreError as error:
            self.post_message(self.Answered(error))
            self._settling = self.set_timer(_RETRY, self._show)
            return
        except Exception as error:
            # Values that nobody foresaw cost this tab its rows, not the app its life.
            answer = Answer((note(f"✖ This cannot be shown: {type(error).__name__}: {error}", Tone.FAILED),))
        finally:
            waiting.stop()
        self.post_message(self.Answered(None))
        self._cache.put(tab.name, request, answer)
        if request == self._request and tab is TABS[self.bar.current]:
            self._put(tab, request, answer)

    def _wait(self) -> None:
        """What is on screen belongs to another checkpoint, and for longer than one would not notice."""
        self.view.stale = True
        self.bar.said = "reading…"

    def _put(self, tab: Tab, request: Request, answer: Answer) -> None:
        """Put rows on screen."""
        self.shown = (tab.name, request.key)
        self.view.stale = False
        self.bar.said = self._found
        if answer.marks is None:
            self.view.show(answer.nodes, tab.name)
        else:
            self.graph.look(request.key, answer.marks)

    # Search

    def open_search(self) -> None:
        """Begin to type what to look for; a graph has nothing to search in."""
        if self.bar.current != GRAPH:
            self.search.open()

    def end_search(self) -> bool:
        """End the search; False when there is none."""
        if self.view.pattern is None:
            return False
        self.search.action_leave(False)
        return True

    def leave_inside(self) -> bool:
        """Go out of the node that the graph is shown inside of; False where that is not what is shown."""
        return self.front.has_focus and self.bar.current == GRAPH and self.graph.leave()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.view.look_for(pattern_of(event.value))

    @on(SearchInput.Left)
    def _left(self, event: SearchInput.Left) -> None:
        event.stop()
        if not event.keep or not self.search.value:
            self.view.look_for(None)
        self.view.focus()

    @on(SearchableOutline.Searched)
    def _searched(self, event: SearchableOutline.Searched) -> None:
        event.stop()
        self._found = self.bar.said = event.text

"""The app: what every screen shares, and nothing that only one of them needs."""

from __future__ import annotations

import gc
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import work
from textual.driver import Driver
from textual.screen import Screen

from backends.address import Address
from backends.index import ThreadIndex

from .everywhere import Everywhere
from .live import Live
from .messages import FeedEvent
from .screens.threads import ThreadsScreen
from .terminal import Terminal
from .theme import DARK, TERMINAL, THEMES
from .work import StoreThread

if TYPE_CHECKING:
    from backends.decode import Decoder
    from backends.feed import Feed
    from backends.feed_events import Event
    from backends.first_page import FirstPage
    from backends.reader import Reader
    from backends.witness import Witness

    from .bulk import Bulk
    from .control import Control, Project
    from .lab.experiment import Experiment
    from .scales import Scales

_LOCAL_PACE = 1 / 30
"""Least seconds between two repaints of changed rows."""

_REMOTE_PACE = 0.3
"""The same over SSH, where each costs a round of bytes."""

_SETTLED = 0.5
"""Seconds after the first frame at which the runs are looked for: what is on screen comes first."""

_TURN = 0.001
"""Seconds after which the feed's thread lets the screen's go on, when both want to."""


class LgtopApp(Everywhere):
    """Watch a checkpoint store.

    Args:
        address: Where the store is.
        decoder: Decodes values; made from the environment unless given.
        readonly: Whether control verbs are refused.
        crashes: Whether the store was opened for crashing runs on it; asked first otherwise.
        project: Where the graphs are; the current directory unless given.
        thread: A thread to open at once.
        query: A filter to begin with.
        sort: An order to begin with (``backends.order.SORTS``).
        reverse: Whether it is turned round.
        filters: Saved filters by the name on their tab.
        columns: Columns of the list by name; empty for those that fit.
        mark: Name and colour (``config.COLOURS``) that mark the store in the first line.
        first: Gives what is shown first (``backends.first_page``).
        keymap: Keys by binding id.
        theme: Name of a theme; chosen to suit the terminal unless given.
        terminal: What the terminal can do; found out unless given.
        clock: Unix time.

    Raises:
        KeymapError: Two actions would have the same key, or a key or an id does not exist.

    Attributes:
        live: The index and the connection.
        store_thread: Reads for the screens.
        feed: Follows the store; ``None`` until the app runs.
    """

    TITLE = "lgtop"
    CSS_PATH = Path(__file__).with_name("app.tcss")

    def __init__(
        self,
        address: Address,
        decoder: Decoder | None = None,
        *,
        readonly: bool = True,
        crashes: bool = False,
        project: Project | None = None,
        thread: str | None = None,
        query: str = "",
        sort: str = "attention",
        reverse: bool = False,
        filters: Mapping[str, str] | None = None,
        columns: Sequence[str] = (),
        mark: tuple[str, str] | None = None,
        first: FirstPage | None = None,
        keymap: Mapping[str, str] | None = None,
        theme: str | None = None,
        terminal: Terminal | None = None,
        clock: Callable[[], float] = time.time,
        driver_class: type[Driver] | None = None,
    ) -> None:
        super().__init__(driver_class=driver_class)
        self.address = address
        self.readonly = readonly
        self.crashes = crashes
        self.filters = filters or {}
        self.columns = columns
        self.mark = mark
        self.terminal = terminal or Terminal.detect()
        self.clock = clock
        self.live = Live(self, _REMOTE_PACE if self.terminal.remote else _LOCAL_PACE, clock)
        self.store_thread = StoreThread(self._open_reader)
        self.feed: Feed | None = None
        self._decoder = decoder
        self._first_page = first
        self._project = project
        self._first_thread = thread
        self._first_query = query
        self.animation_level = "none"
        for known in THEMES:
            self.register_theme(known)
        self._begin_with(theme or (TERMINAL if self.terminal.sixteen else DARK).name)
        self.live.index.set_view(self.live.index.view.query, sort, reverse)
        if keymap:
            from .keymap import checked, groups

            self.set_keymap(checked(keymap, groups()))

    def _begin_with(self, theme: str) -> None:
        """Set the first theme before any style is read; setting it as usual would have all of them read twice."""
        if theme == TERMINAL.name or theme not in self.available_themes:
            self.theme = theme
            return
        self.set_reactive(LgtopApp.theme, theme)
        self.stylesheet.set_variables(self.get_css_variables())

    @property
    def index(self) -> ThreadIndex:
        """Every thread that has been read."""
        return self.live.index

    @cached_property
    def witness(self) -> Witness:
        """Knows who runs threads, and how their last runs ended; kept up to date by the feed."""
        from backends.witness import Witness

        return Witness.of(self.address)

    @cached_property
    def control(self) -> Control:
        """Carries out verbs, and knows the runs; loaded when the first frame is on screen."""
        from .control import Control, Project

        project = self._project or Project(Path.cwd())
        return Control(self, self.address, self.store_thread, project, self.readonly)

    @property
    def knows_verbs(self) -> bool:
        """Whether what tells which verbs make sense has been loaded."""
        return "control" in vars(self)

    @cached_property
    def bulk(self) -> Bulk:
        """What is done to many threads at once."""
        from .bulk import Bulk

        return Bulk(self, self._open_reader, _REMOTE_PACE if self.terminal.remote else 0.1)

    @cached_property
    def scales(self) -> Scales:
        """Measures threads."""
        from .scales import Scales

        return Scales(self.address, self.live.measured)

    @cached_property
    def experiment(self) -> Experiment:
        """What the crash lab is about."""
        from .lab.experiment import Experiment

        return Experiment(self)

    # Start and end

    def get_default_screen(self) -> Screen[Any]:
        """The thread list is where everything begins."""
        return ThreadsScreen(self._first_query)

    def on_load(self) -> None:
        """Begin to read the store while the first frame is made: it may then show the first rows already."""
        threading.excepthook = self.thread_died
        self.follow_store()

    def on_ready(self) -> None:
        """The first frame is on screen."""
        gc.freeze()
        gc.enable()
        sys.setswitchinterval(_TURN)
        self.set_interval(10.0, self.live.grow_older)
        self.set_timer(_SETTLED, self._follow_runs)
        if self._first_thread is not None:
            self.open_thread(self._first_thread)

    @work(group="runs")
    async def _follow_runs(self) -> None:
        try:
            await self.control.follow_runs()
        except Exception as error:  # runs are not what the app stands or falls with
            self.tell_failure(error)

    def follow_store(self) -> None:
        """Begin to read the store, and to hear of its changes."""
        from backends.feed import Feed

        self.feed = Feed(self.address, self._heard, self._decoder, witness=self.witness, first=self._first_page)
        self.feed.start()

    def _heard(self, event: Event) -> None:
        """Called on the feed's thread."""
        self.post_message(FeedEvent(event))

    def on_feed_event(self, message: FeedEvent) -> None:
        """Take in what the feed says."""
        self.live.receive(message.event)

    def _open_reader(self) -> Reader:
        """Open a connection for the screens; called on its thread."""
        from backends.reader import Reader
        from backends.store import open_store

        store = open_store(self.address.dsn or self.address.path or self.address.raw)
        return Reader(store, self._decoder, self.witness)

    def on_unmount(self) -> None:
        """Let go of the store."""
        threading.excepthook = threading.__excepthook__
        if self.feed is not None:
            self.feed.stop()
        self.store_thread.close()
        self.bulk.close()
        self.scales.close()

    # What is asked of the whole app

    async def action_show_status(self, status: str) -> None:
        """Show the threads with a status."""
        while len(self.screen_stack) > 1:
            self.pop_screen()
        screen = self.screen
        if isinstance(screen, ThreadsScreen):
            screen.filter_by(f"status:{status}")

    async def action_quit(self) -> None:
        """Quit, once it is settled what becomes of the runs that go on."""
        from .dialogs.quit import leave

        self.run_worker(leave(self), exclusive=True, group="quit")

    @property
    def secrets(self) -> Sequence[str]:
        """Texts that no log may contain."""
        return [self.address.dsn] if self.address.dsn else []

"""The app: what every screen shares, and nothing that only one of them needs."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from rich.segment import Segment, Segments
from textual import work
from textual.app import App
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.filter import LineFilter
from textual.screen import Screen
from textual.widget import Widget

from backends.address import Address
from backends.index import ThreadIndex
from backends.text import one_line

from .guard import AsciiGuard, ControlGuard
from .live import Live
from .messages import FeedEvent
from .screens.threads import ThreadsScreen
from .terminal import Terminal
from .theme import DARK, TERMINAL, THEMES, next_theme
from .work import StoreThread

if TYPE_CHECKING:
    from textual.command import Provider
    from textual.dom import DOMNode

    from backends.decode import Decoder
    from backends.feed import Feed
    from backends.feed_events import Event
    from backends.reader import Reader
    from backends.witness import Witness

    from .control import Control, Project
    from .lab.experiment import Experiment

_LOCAL_PACE = 1 / 30
"""Least seconds between two repaints of changed rows."""

_REMOTE_PACE = 0.3
"""The same over SSH, where each costs a round of bytes."""

_SETTLED = 0.5
"""Seconds after the first frame at which the runs are looked for: what is on screen comes first."""

_TURN = 0.001
"""Seconds after which the feed's thread lets the screen's go on, when both want to."""


def _commands() -> type[Provider]:
    from .commands import Commands

    return Commands


class LgtopApp(App[None]):
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
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {_commands}
    BINDING_GROUP_TITLE = "Everywhere"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("colon,ctrl+p", "command_palette", "command", id="app.palette", tooltip="Commands"),
        Binding("question_mark,f1", "help", "help", id="app.help", tooltip="Keys of this screen"),
        Binding("q", "quit", "quit", id="app.quit", tooltip="Quit"),
        Binding("R", "runs", "runs", show=False, id="app.runs", tooltip="Runs, live and past"),
        Binding("L", "actions", "actions", show=False, id="app.actions", tooltip="What was done with lgtop; undo it"),
        Binding("X", "lab", "crash lab", show=False, id="app.lab", tooltip="Crash lab: run, crash and resume a graph"),
        Binding("T", "next_theme", "theme", show=False, id="app.theme", tooltip="Next theme: dark, light, 16 colours"),
        Binding("ctrl+l", "redraw", "redraw", show=False, id="app.redraw", tooltip="Draw the screen anew"),
        Binding("ctrl+z", "suspend_process", "suspend", show=False, id="app.suspend", tooltip="Go to the shell"),
    ]

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
        threading.excepthook = self._thread_died
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

        self.feed = Feed(self.address, self._heard, self._decoder, witness=self.witness)
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

    # What screens ask for

    def open_thread(self, thread_id: str) -> None:
        """Show one thread."""
        from .screens.thread import ThreadScreen

        self.push_screen(ThreadScreen(thread_id))

    def copy(self, text: str, what: str) -> None:
        """Copy a text and say where it went.

        Args:
            text: The text.
            what: What it is, for the person.
        """
        self.copy_to_clipboard(text.encode("utf-8", "replace").decode())
        self.run_worker(self._copy_with_tools(text, what), group="copy", exit_on_error=False)

    async def _copy_with_tools(self, text: str, what: str) -> None:
        from .clipboard import copy_with_tools

        if done := await asyncio.to_thread(copy_with_tools, text):
            self.notify(f"Copied the {what} to {', '.join(done)}, and asked the terminal (OSC 52).")
        else:
            self.notify(f"Asked the terminal to copy the {what} (OSC 52); it does not say whether it did.")

    def say_at_exit(self, lines: Iterable[str]) -> None:
        """Leave some lines on the terminal when the app has gone; safe text, never markup."""
        self._exit_renderables += [Segments([Segment(line), Segment.line()]) for line in lines]

    def notify(self, message: str, **options: Any) -> None:
        """Show a toast; never markup."""
        super().notify(one_line(message, 500), **{**options, "markup": False})

    # Actions

    def action_command_palette(self) -> None:
        """Every command, and every thread by its id."""
        from .palette import Palette

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette())

    def action_help(self) -> None:
        """Every key of this screen."""
        from .dialogs.help import Help, groups_of

        heading = f"Keys · {self.screen.BINDING_GROUP_TITLE or 'this screen'}"
        self.push_screen(Help(groups_of(self.screen), heading))

    def action_runs(self) -> None:
        """Runs of this store."""
        from .screens.runs import RunsScreen

        self._go_to(RunsScreen)

    def action_actions(self) -> None:
        """The action log of this store."""
        from .screens.actions import ActionsScreen

        self._go_to(ActionsScreen)

    def action_lab(self) -> None:
        """The crash lab."""
        from .screens.lab import LabScreen

        self._go_to(LabScreen)

    def _go_to(self, kind: type[Screen[None]]) -> None:
        """Show a screen that there is only one of: go back to it where it is open already."""
        if not any(isinstance(screen, kind) for screen in self.screen_stack):
            self.push_screen(kind())
            return
        while not isinstance(self.screen, kind):
            self.pop_screen()

    async def action_quit(self) -> None:
        """Quit, once it is settled what becomes of the runs that go on."""
        from .dialogs.quit import leave

        self.run_worker(leave(self), exclusive=True, group="quit")

    def action_next_theme(self) -> None:
        """Go through the themes."""
        self.theme = next_theme(self.theme)

    def action_redraw(self) -> None:
        """Draw everything, also what the terminal has lost."""
        self.refresh(layout=True)

    async def action_show_status(self, status: str) -> None:
        """Show the threads with a status."""
        while len(self.screen_stack) > 1:
            self.pop_screen()
        screen = self.screen
        if isinstance(screen, ThreadsScreen):
            screen.filter_by(f"status:{status}")

    def action_help_quit(self) -> None:
        """Ctrl+C does not quit; say what does."""
        self.notify("Press q to quit")

    # Safety

    def get_line_filters(self) -> Sequence[LineFilter]:
        """What every line passes before it reaches the terminal."""
        guards = [ControlGuard()] if self.terminal.unicode else [ControlGuard(), AsciiGuard()]
        return [*super().get_line_filters(), *guards]

    async def run_action(
        self,
        action: Any,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """Run what a key asks for: a failure does not end the app; a screen not made yet, or gone, hears nothing."""
        if not self._hears(default_namespace):
            return False
        try:
            return await super().run_action(action, default_namespace, namespaces)
        except Exception as error:  # the key may be Textual's own, as in a command palette that is still empty
            self.tell_failure(error)
            return False

    def _hears(self, node: DOMNode | None) -> bool:
        """Whether a key that was pressed for a node finds it on screen, and complete."""
        if not self.screen.is_mounted:
            return False
        return not isinstance(node, Widget) or (node.is_attached and node.screen is self.screen)

    def _handle_exception(self, error: Exception) -> None:
        """Stop because of an error of our own: no traceback on the terminal, no local variables anywhere."""
        self._return_code = 1
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
        self._report(error)

    def _fatal_error(self) -> None:
        """As Textual calls it from an except clause."""
        self._report(sys.exc_info()[1] or RuntimeError("unknown"))

    def _thread_died(self, failure: threading.ExceptHookArgs) -> None:
        """An error of our own on another thread: say so instead of writing a traceback over the screen."""
        self.tell_failure(failure.exc_value or RuntimeError(failure.exc_type.__name__))

    def tell_failure(self, error: BaseException) -> None:
        """Say that something of our own failed, and where the details are; the app goes on."""
        from .crash import write_log

        log = write_log(error, self._secrets)
        self.notify(f"lgtop failed in the background ({type(error).__name__}). Details: {log}", severity="error")

    @property
    def _secrets(self) -> list[str]:
        """Texts that no log may contain."""
        return [self.address.dsn] if self.address.dsn else []

    def _report(self, error: BaseException) -> None:
        from .crash import sentence, write_log

        line = sentence(error, write_log(error, self._secrets))
        self._exit_renderables.append(Segments([Segment(line), Segment.line()]))
        self._close_messages_no_wait()

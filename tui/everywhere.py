"""The keys that work on every screen, and where they lead."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.screen import Screen

from .safe_app import SafeApp
from .theme import next_theme

if TYPE_CHECKING:
    from textual.command import Provider


def _commands() -> type[Provider]:
    from .commands import Commands

    return Commands


class Everywhere(SafeApp):
    """What can be done from wherever one is; each screen is loaded when it is first asked for."""

    BINDING_GROUP_TITLE = "Everywhere"
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {_commands}

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("colon,ctrl+p", "command_palette", "command", id="app.palette", tooltip="Commands"),
        Binding("question_mark,f1", "help", "help", id="app.help", tooltip="Keys of this screen"),
        Binding("q", "quit", "quit", id="app.quit", tooltip="Quit"),
        Binding("R", "runs", "runs", show=False, id="app.runs", tooltip="Runs, live and past"),
        Binding("B", "bulk", "many", show=False, id="app.bulk", tooltip="What is done to many threads at once"),
        Binding("L", "actions", "actions", show=False, id="app.actions", tooltip="What was done with lgtop; undo it"),
        Binding("X", "lab", "crash lab", show=False, id="app.lab", tooltip="Crash lab: run, crash and resume a graph"),
        Binding("T", "next_theme", "theme", show=False, id="app.theme", tooltip="Next theme: dark, light, 16 colours"),
        Binding("ctrl+l", "redraw", "redraw", show=False, id="app.redraw", tooltip="Draw the screen anew"),
        Binding("ctrl+z", "suspend_process", "suspend", show=False, id="app.suspend", tooltip="Go to the shell"),
    ]

    def on_load(self) -> None:
        """Draw everything again when the shell has put us into the foreground: Textual leaves the screen empty."""
        self.app_resume_signal.subscribe(self, lambda _: self.action_redraw())

    # Where keys lead

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

    def action_bulk(self) -> None:
        """What is done to many threads."""
        from .screens.bulk import BulkScreen

        self._go_to(BulkScreen)

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

    def action_next_theme(self) -> None:
        """Go through the themes."""
        self.theme = next_theme(self.theme)

    def action_redraw(self) -> None:
        """Draw everything, also what the terminal has lost."""
        self.refresh(layout=True)

    def action_help_quit(self) -> None:
        """Ctrl+C does not quit; say what does."""
        self.notify("Press q to quit")

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

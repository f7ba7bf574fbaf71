"""The app on a store of the test's own, in a project with a graph; and what tests do with its dialogs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from backends.address import parse_address
from tui.app import LgtopApp
from tui.control import Project
from tui.dialogs.preview import Preview
from tui.screens.thread import ThreadScreen
from tui.screens.threads import ThreadsScreen
from tui.terminal import Terminal

from .conftest import wait_for, wait_for_text
from .control_project import state_of


class Controlled:
    """A store of the project's threads, and the app on it."""

    def __init__(self, project: Path, store: Path | str) -> None:
        self.project = project
        self.store = store

    def state(self, thread_id: str) -> Any:
        return state_of(self.project, self.store, thread_id)

    @asynccontextmanager
    async def open(
        self, thread_id: str = "", size: tuple[int, int] = (100, 30), **options: Any
    ) -> AsyncIterator[tuple[LgtopApp, Pilot[None]]]:
        options = {"readonly": False, "terminal": Terminal(), "project": Project(self.project), **options}
        app = LgtopApp(parse_address(str(self.store), {}), **options)
        async with app.run_test(size=size, notifications=True) as pilot:
            await wait_for(pilot, lambda: app.index.counts.exact)
            if thread_id:
                screen = app.screen
                assert isinstance(screen, ThreadsScreen)
                await wait_for(pilot, lambda: screen.threads.select(thread_id) and screen.spot() is not None)
                await pilot.pause()
            yield app, pilot


async def dialog(pilot: Pilot[None], kind: type[Any]) -> Any:
    """Wait for a dialog that is ready for keys."""
    await wait_for(pilot, lambda: isinstance(pilot.app.screen, kind) and pilot.app.screen.focused is not None)
    await pilot.pause()
    return pilot.app.screen


async def accept(pilot: Pilot[None], *lines: str) -> None:
    """Wait for the preview, look for lines in it, and say yes."""
    await dialog(pilot, Preview)
    for line in lines:
        await wait_for_text(pilot, line)
    await pilot.press("enter")
    await wait_for(pilot, lambda: not isinstance(pilot.app.screen, Preview))


async def until(pilot: Pilot[None], app: LgtopApp, thread_id: str, *states: str) -> None:
    """Wait until the newest run of a thread is in a state."""
    await wait_for(pilot, lambda: (run := app.control.run_of(thread_id)) is not None and run.state in states)


async def open_thread(pilot: Pilot[None], app: LgtopApp, step: int) -> ThreadScreen:
    """Look at a thread, with the cursor on a step."""
    await pilot.press("enter")
    await wait_for(pilot, lambda: isinstance(app.screen, ThreadScreen))
    screen = app.screen
    assert isinstance(screen, ThreadScreen)
    await wait_for(pilot, lambda: screen.history.line_count > 3)
    while screen.history.row(screen.history.selected).step != step:  # type: ignore[arg-type, union-attr]
        await pilot.press("j")
    return screen

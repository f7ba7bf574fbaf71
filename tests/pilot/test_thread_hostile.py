"""A store that an enemy wrote, looked at in every tab, with everything unfolded."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from textual.app import App, ComposeResult

from backends.reader import Reader
from backends.store import open_store
from backends.text import clean
from tests.hostile import hostile_sqlite
from tui.screens.thread import ThreadScreen
from tui.tabs.request import Request
from tui.tabs.states import States
from tui.theme import THEMES
from tui.widgets.checkpoint_pane import TABS
from tui.widgets.outline_view import OutlineView

from .conftest import scripted, sqlite_address, text_of, wait_for

PARTS = 4
"""Tests that share the threads, so that several processes can."""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The store and the file that comes into being if an attack succeeds."""
    path = tmp_path_factory.mktemp("hostile") / "hostile.sqlite"
    return path, hostile_sqlite(path)


def thread_ids(path: Path) -> list[str]:
    store = open_store(str(path))
    ids = [head.thread_id for batch in store.heads() for head in batch]
    store.close()
    return ids


def unfold_everything(view: OutlineView) -> None:
    """Unfold rows, as many as one may see."""
    row = 0
    while row < min(view.line_count, 24):
        view.outline.unfold(row)
        row += 1
    view.rows_changed()


def assert_harmless(line: str) -> None:
    """It does nothing to a terminal but print."""
    assert clean(line) == line
    assert "\t" not in line
    assert "\n" not in line


def imported_since(before: set[str]) -> set[str]:
    """Modules that values of a store belong to."""
    return {name for name in set(sys.modules) - before if name.startswith(("langchain", "pydantic", "numpy"))}


class Bench(App[None]):
    """Nothing but rows."""

    def __init__(self) -> None:
        super().__init__()
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = THEMES[0].name

    def compose(self) -> ComposeResult:
        yield OutlineView(id="outline")


async def test_every_tab_of_every_checkpoint(hostile: tuple[Path, Path]) -> None:
    path, canary = hostile
    before = set(sys.modules)
    reader, states = Reader(open_store(str(path))), States()
    app = Bench()
    async with app.run_test(size=(60, 30)):
        view = app.query_one(OutlineView)
        for thread_id in thread_ids(path):
            for row in reader.store.history(thread_id):
                parent = row.key._replace(checkpoint_id=row.parent_id) if row.parent_id else None
                for tab in TABS:
                    answer = tab.load(reader, Request(row.key, parent, width=60), states)
                    view.show(answer.nodes, tab.name)
                    unfold_everything(view)
                    assert view.line_count or tab.name == "Graph"  # that one is drawn, not listed
                    for y in range(min(30, view.line_count)):
                        assert_harmless(view.row_text(y))
    reader.store.close()
    assert not canary.exists()
    assert not imported_since(before)


@pytest.mark.parametrize("part", range(PARTS))
async def test_every_thread_on_its_screen(hostile: tuple[Path, Path], part: int) -> None:
    path, canary = hostile
    before = set(sys.modules)
    app = scripted(address=sqlite_address(path))
    async with app.run_test(size=(80, 24)) as pilot:
        for number, thread_id in enumerate(thread_ids(path)[part::PARTS]):
            tab = number % len(TABS)
            app.open_thread(thread_id)
            await wait_for(pilot, lambda: isinstance(app.screen, ThreadScreen) and app.screen.query("#outline"))
            screen = app.screen
            assert isinstance(screen, ThreadScreen)
            screen.action_tab(tab)
            await wait_for(pilot, lambda screen=screen: screen.history.lineage.count)
            screen.history.opened.update(screen.history.lineage.folders)
            screen.history.show(screen.history.lineage)
            shown = TABS[tab].name, screen.history.selected
            await wait_for(pilot, lambda screen=screen, shown=shown: screen.checkpoint.shown == shown)
            for line in text_of(app).split("\n"):
                assert_harmless(line)
            assert "cannot be shown" not in text_of(app)
            app.pop_screen()
    assert not canary.exists()
    assert not imported_since(before)

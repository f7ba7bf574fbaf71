"""A store that an enemy wrote, looked at in every tab, with everything unfolded."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from backends.text import clean
from tests.hostile import hostile_sqlite
from tui.screens.thread import ThreadScreen
from tui.widgets.checkpoint_pane import TABS
from tui.widgets.outline_view import OutlineView

from .conftest import ScriptedApp, scripted, sqlite_address, text_of, wait_for


PARTS = 6
"""Tests that share the threads, so that several processes can."""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The store and the file that comes into being if an attack succeeds."""
    path = tmp_path_factory.mktemp("hostile") / "hostile.sqlite"
    return path, hostile_sqlite(path)


def thread_ids(path: Path) -> list[str]:
    from backends.store import open_store

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


def assert_harmless(app: ScriptedApp) -> None:
    """Nothing on screen acts on the terminal."""
    for line in text_of(app).split("\n"):
        assert clean(line) == line
        assert "\t" not in line


@pytest.mark.parametrize("part", range(PARTS))
async def test_every_thread_in_every_tab(hostile: tuple[Path, Path], part: int) -> None:
    path, canary = hostile
    before = set(sys.modules)
    app = scripted(address=sqlite_address(path))
    async with app.run_test(size=(80, 24)) as pilot:
        for thread_id in thread_ids(path)[part::PARTS]:
            app.open_thread(thread_id)
            await wait_for(pilot, lambda: isinstance(app.screen, ThreadScreen) and app.screen.query("#outline"))
            screen = app.screen
            assert isinstance(screen, ThreadScreen)
            await wait_for(pilot, lambda screen=screen: screen.history.lineage.count)
            screen.history.opened.update(screen.history.lineage.folders)
            screen.history.show(screen.history.lineage)
            for checkpoint in range(min(2, screen.history.line_count)):
                screen.history.cursor = checkpoint
                for number, tab in enumerate(TABS):
                    screen.action_tab(number)
                    await wait_for(
                        pilot,
                        lambda screen=screen, tab=tab: screen.checkpoint.shown == (tab.name, screen.history.selected),
                    )
                    unfold_everything(screen.checkpoint.view)
                    assert_harmless(app)
                    assert "cannot be shown" not in text_of(app)
            await pilot.press("escape")
            await wait_for(pilot, lambda: not isinstance(app.screen, ThreadScreen))
    assert not canary.exists()
    assert not {name for name in set(sys.modules) - before if name.startswith(("langchain", "pydantic", "numpy"))}

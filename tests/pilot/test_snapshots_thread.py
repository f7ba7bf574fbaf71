"""What the thread screen looks like, at 80×24 and at 120×40."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from backends.feed_events import Analysed, HeadsLoaded
from backends.reader import Reader
from backends.status import summarise
from backends.store import open_store
from tui.screens.thread import ThreadScreen

from .conftest import ScriptedApp, opened, scripted, sqlite_address, wait_for, wait_for_text
from .thread_stores import make_threads

SIZES = [(80, 24), (120, 40)]

LOOKS: dict[str, tuple[str, list[str], str]] = {
    "state": ("loan-0042", [], "messages"),
    "fork-diff": ("loan-0042", ["2"], "looked up"),
    "question": ("loan-0042", ["3"], "JSON Schema"),
    "writes": ("loan-0042", ["j", "j", "4"], "3 rows"),
    "raw": ("loan-0042", ["5"], "versions_seen"),
    "message": ("loan-0042", ["tab", "j", "j", "j", "j", "enter"], "come back with"),
    "search": ("loan-0042", ["slash", *"acme", "enter", "1 of 2", "n"], "2 of 2"),
    "subgraph": ("loan-0042", ["j", "enter", "j"], "▾ review"),
    "base": ("loan-0042", ["j", "j", "j", "j", "d", "j"], "against step 2"),
    "failure": ("etl-2026-11-20", ["3"], "wrote audited"),
}
"""Thread, keys or texts to wait for before the next one, and the text to wait for at the end."""


@pytest.mark.parametrize("size", SIZES, ids=lambda size: "x".join(map(str, size)))
@pytest.mark.parametrize("look", LOOKS)
def test_look(look: str, size: tuple[int, int], tmp_path: Path, snap_compare: Callable[..., bool]) -> None:
    thread_id, keys, text = LOOKS[look]
    path = make_threads(tmp_path / "shop.sqlite")
    app = scripted(address=sqlite_address(path), thread=thread_id)

    async def arrange(pilot: Pilot[None]) -> None:
        await wait_for(pilot, lambda: isinstance(app.screen, ThreadScreen))
        tell_everything(app, path)
        await wait_for_text(pilot, "head")
        screen = app.screen
        assert isinstance(screen, ThreadScreen)
        await wait_for(pilot, lambda: screen.checkpoint.shown)
        for key in keys:
            await (wait_for_text(pilot, key) if " " in key else pilot.press(key))
        await wait_for_text(pilot, text)
        await wait_for(pilot, lambda: screen.checkpoint.shown and screen.checkpoint.shown[1] == screen.history.selected)

    assert snap_compare(app, terminal_size=size, run_before=arrange)


def tell_everything(app: ScriptedApp, path: Path) -> None:
    """Say what the feed would about the store."""
    reader = Reader(open_store(str(path)))
    heads = tuple(reader.store.newest_heads(10))
    summaries = {name: summarise(analysis) for name, analysis in reader.analyse_heads(heads).items()}
    reader.store.close()
    app.tell(opened(), HeadsLoaded(heads, complete=True), Analysed(summaries))

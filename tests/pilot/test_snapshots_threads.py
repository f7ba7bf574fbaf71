"""Pictures of the list of threads: a small real store at two sizes, and every designed state."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from backends.feed_events import Changed, HeadsLoaded, Lost
from backends.ids import unix_time
from tui.app import LgtopApp
from tui.terminal import Terminal

from .conftest import (
    SHOP,
    everything,
    head,
    opened,
    scripted,
    settled,
    sqlite_address,
    summary,
    wait_for,
    wait_for_text,
)

SIZES = [(80, 24), (120, 40)]

Before = Callable[[Pilot[None]], Awaitable[None]]


def newest_time(store: Path) -> float:
    """When the store was last written to; two minutes later is the present of the pictures."""
    import sqlite3

    connection = sqlite3.connect(store)
    (newest,) = connection.execute("SELECT max(checkpoint_id) FROM checkpoints").fetchone()
    connection.close()
    return unix_time(newest) or 0.0


@pytest.mark.parametrize("size", SIZES)
def test_a_real_store(snap_compare: Callable[..., bool], store: Path, size: tuple[int, int]) -> None:
    now = newest_time(store) + 130
    app = LgtopApp(sqlite_address(store), terminal=Terminal(), clock=lambda: now)

    async def settle(pilot: Pilot[None]) -> None:
        await wait_for(pilot, lambda: app.index.counts.exact and app.index.rows["doc-0000"].checkpoints)
        await wait_for_text(pilot, "12 threads")
        await wait_for(pilot, lambda: size[0] < 120 or all(row.size for row in app.index.rows.values()))
        app.live.measured(dict.fromkeys(app.index.rows, 1_500))  # the ids of a new store make it larger or smaller
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=settle)


def shown(*events: object, keys: tuple[str, ...] = (), until: str = "", **options: object) -> tuple[LgtopApp, Before]:
    """An app on made-up threads, and what to do with it before the picture is taken."""
    app = scripted(**options)

    async def act(pilot: Pilot[None]) -> None:
        await pilot.pause()
        app.tell(*events)
        await settled(pilot)  # a dialog dims what is behind it as it stands, rows or no rows yet
        await pilot.press(*keys)
        await wait_for_text(pilot, until)
        await settled(pilot)

    return app, act


MANY = [*SHOP, *[(head(f"doc-{number:04d}", 3600 * number, number % 9), summary()) for number in range(60)]]

STATES: dict[str, tuple[tuple[object, ...], tuple[str, ...], str]] = {
    "opening": ((), (), "opening shop.sqlite…"),
    "empty": ((opened(), HeadsLoaded((), complete=True)), (), "no threads yet"),
    "reading": ((opened(), HeadsLoaded(tuple(found for found, _ in MANY), complete=False)), (), "reading 65…"),
    "list": (tuple(everything(MANY)), ("j", "space", "j", "space"), "◆ 2 marked"),
    "sorted": (tuple(everything(MANY)), ("o", *"jjjjj", "enter"), "STEP▾"),
    "typing": (tuple(everything(MANY)), ("slash", *"node:em"), "1 shown"),
    "mistake": (tuple(everything(MANY)), ("slash", *"status:faled", "space"), "did you mean failed?"),
    "nothing-fits": (tuple(everything(MANY)), ("slash", *"tenant:t9", "enter"), "no thread fits"),
    "paused": ((*everything(MANY),), ("p",), "paused"),
    "lost": (
        (*everything(MANY), Lost("The connection was refused.", "Is the server running?", 8.0, OSError())),
        (),
        "trying again in 8 s",
    ),
    "warning": (
        (opened(warnings=("Opened immutable: what is still in the WAL is not shown.",)), *everything(MANY)[1:]),
        (),
        "immutable",
    ),
    "exact-times": (tuple(everything(MANY)), ("t",), "2027-01-15"),
    "help": (tuple(everything(MANY)), ("question_mark",), "Keys · Threads"),
    "order": (tuple(everything(MANY)), ("o",), "choose"),
}


@pytest.fixture(autouse=True)
def _slow_fingers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Filter by the whole text only, however long a loaded machine takes from key to key."""
    monkeypatch.setattr("tui.screens.threads._REST", 1.0)


@pytest.mark.parametrize("size", SIZES, ids=["small", "large"])
@pytest.mark.parametrize("state", STATES)
def test_states(snap_compare: Callable[..., bool], state: str, size: tuple[int, int]) -> None:
    events, keys, until = STATES[state]
    app, act = shown(*events, keys=keys, until=until)
    assert snap_compare(app, terminal_size=size, run_before=act)


@pytest.mark.parametrize("theme", ["lgtop-light", "lgtop-16"])
def test_themes(snap_compare: Callable[..., bool], theme: str) -> None:
    app, act = shown(*everything(MANY), keys=("j", "space"), until="◆ 1 marked", theme=theme)
    assert snap_compare(app, terminal_size=(120, 40), run_before=act)


def test_new_threads_wait_while_paused(snap_compare: Callable[..., bool]) -> None:
    app, act = shown(*everything(MANY), keys=("p",), until="paused")

    async def more(pilot: Pilot[None]) -> None:
        await act(pilot)
        app.live.receive(Changed((head("new-1"), head("new-2"))))
        await wait_for_text(pilot, "paused · 2 new")

    assert snap_compare(app, terminal_size=(80, 24), run_before=more)

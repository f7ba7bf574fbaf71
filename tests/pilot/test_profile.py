"""What a profile and saved filters look like on screen."""

from __future__ import annotations

import re
from pathlib import Path

from tui.app import LgtopApp
from tui.terminal import Terminal

from .conftest import lines_of, sqlite_address, wait_for, wait_for_text

FILTERS = {"asking": "status:waiting", "broken": "status:failed"}


def opened(store: Path, **options: object) -> LgtopApp:
    return LgtopApp(sqlite_address(store), terminal=Terminal(), **options)  # type: ignore[arg-type]


async def test_the_store_of_a_profile_is_marked_on_every_screen(store: Path) -> None:
    app = opened(store, mark=("prod", "red"))
    async with app.run_test(size=(120, 30)) as pilot:
        await wait_for_text(pilot, " 12 threads")
        assert lines_of(app)[0].split()[:3] == ["lgtop", "prod", "checkpoints.sqlite"]
        await pilot.press("i")
        await wait_for(pilot, lambda: "inbox" in lines_of(app)[0])
        assert lines_of(app)[0].split()[:2] == ["lgtop", "prod"]


async def test_saved_filters_are_tabs(store: Path) -> None:
    app = opened(store, filters=FILTERS)
    async with app.run_test(size=(120, 30)) as pilot:
        await wait_for(pilot, lambda: app.index.counts.exact)
        assert lines_of(app)[1].split() == ["0", "all", "1", "asking", "2", "broken"]
        await pilot.press("1")
        await wait_for(pilot, lambda: set(app.index.order) == {"loan-0042", "loan-0043"})
        await pilot.press("2")
        await wait_for(pilot, lambda: list(app.index.order) == ["etl-2026-11-20"])
        await pilot.press("3", "0")
        await wait_for(pilot, lambda: len(app.index.order) == 12)


async def test_without_saved_filters_there_is_no_such_line(store: Path) -> None:
    app = opened(store)
    async with app.run_test(size=(120, 30)) as pilot:
        await wait_for(pilot, lambda: app.index.counts.exact)
        assert "0 all" not in "\n".join(lines_of(app))
        await pilot.press("1")
        assert len(app.index.order) == 12


async def test_only_the_chosen_columns_are_shown(store: Path) -> None:
    app = opened(store, columns=("status", "thread", "reason"), sort="thread")
    async with app.run_test(size=(120, 30)) as pilot:
        await wait_for_text(pilot, "WHY")
        (titles,) = [line for line in lines_of(app) if "STATUS" in line]
        assert re.findall("[A-Z]{2,}", titles) == ["STATUS", "THREAD", "WHY"]
        assert app.index.view.sort == "thread"

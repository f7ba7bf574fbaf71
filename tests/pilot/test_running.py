"""A thread that somebody else holds, on screen."""

from __future__ import annotations

from pathlib import Path

from backends.address import parse_address
from tests.holding import Holding
from tui.app import LgtopApp
from tui.terminal import Terminal

from .conftest import text_of, wait_for, wait_for_text


async def test_who_runs_a_thread_is_on_every_screen(store: Path) -> None:
    app = LgtopApp(parse_address(str(store), {}), terminal=Terminal(), query="loan-0042")
    async with app.run_test(size=(120, 30)) as pilot:
        await wait_for_text(pilot, "? waiting")
        with Holding(str(store), "loan-0042", "nightly@batch") as holding:
            who = f"nightly@batch · pid {holding.pid}"
            await wait_for(pilot, lambda: "● running" in text_of(app) and who in text_of(app))
            await wait_for_text(pilot, "● 1 running")  # the whole store's counts
            await pilot.press("enter")
            await wait_for_text(pilot, "› loan-0042")
            await wait_for(pilot, lambda: text_of(app).count(who) >= 1)
            holding.kill()
            await wait_for(pilot, lambda: who not in text_of(app) and "Approve" in text_of(app))
        await pilot.press("escape")
        await wait_for_text(pilot, "? waiting")

"""The list of questions that wait for a person."""

from __future__ import annotations

from pathlib import Path

from tests.hostile import hostile_sqlite
from tui.app import LgtopApp
from tui.terminal import Terminal
from tui.widgets.questions import Questions

from .conftest import DANGEROUS, lines_of, sqlite_address, terminal_text, text_of, wait_for, wait_for_text
from .stores import add_thread


async def test_questions_are_listed_the_oldest_first_and_new_ones_appear(store: Path) -> None:
    app = LgtopApp(sqlite_address(store), terminal=Terminal())
    async with app.run_test(size=(100, 24), notifications=True) as pilot:
        await wait_for(pilot, lambda: app.index.counts.exact)
        await pilot.press("i")
        await wait_for_text(pilot, "Approve 12001 €?")
        assert lines_of(app)[0].startswith(" lgtop  checkpoints.sqlite › inbox")
        assert [line.replace("▌", " ").split()[0] for line in lines_of(app)[2:4]] == ["loan-0042", "loan-0043"]
        await pilot.press("j")
        questions = app.screen.query_one(Questions)
        add_thread(store, "loan-0044", 900)
        await wait_for_text(pilot, "Approve 901 €?")
        assert questions.selected is not None
        assert questions.selected.thread_id == "loan-0043"
        await pilot.press("y")
        await wait_for_text(pilot, "copy the question")
        await pilot.press("escape")
        await wait_for_text(pilot, "STATUS")


async def test_enter_opens_the_thread_that_asks(store: Path) -> None:
    app = LgtopApp(sqlite_address(store), terminal=Terminal())
    async with app.run_test(size=(100, 24)) as pilot:
        opened: list[str] = []
        app.open_thread = opened.append  # type: ignore[method-assign]
        await wait_for(pilot, lambda: app.index.counts.exact)
        await pilot.press("i")
        await wait_for_text(pilot, "Approve 12001 €?")
        await pilot.press("enter")
        await wait_for(pilot, lambda: opened == ["loan-0042"])


async def test_an_empty_inbox_says_so(tmp_path: Path) -> None:
    path = tmp_path / "calm.sqlite"
    add_thread(path, "calm")
    app = LgtopApp(sqlite_address(path), terminal=Terminal())
    async with app.run_test(size=(100, 24)) as pilot:
        await wait_for(pilot, lambda: app.index.counts.exact)
        await pilot.press("i")
        await wait_for_text(pilot, "nothing waits for you")
        add_thread(path, "ask", 500)
        await wait_for_text(pilot, "Approve 501 €?")


async def test_hostile_questions_are_only_text(tmp_path: Path) -> None:
    path = tmp_path / "hostile.sqlite"
    canary = hostile_sqlite(path)
    app = LgtopApp(sqlite_address(path), terminal=Terminal())
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_for(pilot, lambda: app.index.counts.exact)
        await pilot.press("i")
        await wait_for(pilot, lambda: app.screen.query_one(Questions).line_count > 10)
        for key in ("G", "g", "pagedown"):
            await pilot.press(key)
            await pilot.pause()
            shown = terminal_text(app).replace("\n", "")
            assert not {character for character in DANGEROUS if character in shown}, text_of(app)
    assert not canary.exists()

"""Something is done to many threads from the list: what is asked, the preview, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tui.dialogs.ask_text import AskText
from tui.dialogs.bulk_answer import BulkAnswer
from tui.dialogs.bulk_choose import BulkChoose
from tui.dialogs.bulk_preview import BulkPreview
from tui.dialogs.bulk_prune import BulkPrune
from tui.dialogs.quit import Quit
from tui.screens.bulk import BulkScreen
from tui.screens.run import RunScreen
from tui.screens.thread import ThreadScreen
from tui.screens.threads import ThreadsScreen

from .conftest import DANGEROUS, terminal_text, text_of, wait_for, wait_for_text
from .control_project import DONE, FAILED, WAITING, config, opened_graph
from .control_rig import Controlled, dialog

HOSTILE = "x\x1b[2J[/b]\u202e$1 `reboot`; ☠"


@contextmanager
def beside(controlled: Controlled, name: str) -> Iterator[Path]:
    """A file that the graph looks for."""
    path = controlled.project / name
    path.touch()
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def fail(controlled: Controlled, thread_id: str) -> None:
    """Add a thread that has failed."""
    with (
        beside(controlled, "broken"),
        opened_graph(controlled.project, controlled.store) as graph,
        suppress(ConnectionError),
    ):
        graph.invoke({"purpose": "a chair", "amount": 1}, config(thread_id))


def marks(app: object, *thread_ids: str) -> None:
    """Mark threads as the space bar does."""
    screen = app.screen  # type: ignore[attr-defined]
    assert isinstance(screen, ThreadsScreen)
    for thread_id in thread_ids:
        assert screen.threads.select(thread_id)
        screen.action_mark()


async def test_failed_threads_are_resumed_together_and_again_where_they_fail_again(controlled: Controlled) -> None:
    fail(controlled, HOSTILE)
    async with controlled.open() as (app, pilot):
        with beside(controlled, "broken"):
            marks(app, FAILED, HOSTILE)
            await wait_for_text(pilot, "◆ 2 marked")
            await pilot.press("r")
            await dialog(pilot, BulkPreview)
            await wait_for_text(pilot, "lgtop resume")
            await pilot.press("c", "enter")
            await wait_for(pilot, lambda: isinstance(app.screen, BulkScreen))
            await wait_for_text(pilot, "2 of 2")
            assert text_of(app).count("ConnectionError: refused") == 2
            assert not any(character in terminal_text(app).replace("\n", "") for character in DANGEROUS)
            await wait_for(pilot, lambda: all(not run.live for run in app.control.runs))
            await pilot.press("enter")
            await wait_for(pilot, lambda: isinstance(app.screen, RunScreen))
            await wait_for_text(pilot, "✖ load")
            await pilot.press("escape")
        await wait_for(pilot, lambda: app.screen.check_action("retry", ()) is True)
        await pilot.press("r")
        await dialog(pilot, BulkPreview)
        await wait_for_text(pilot, "4 at a time")
        await pilot.press("enter")
        await wait_for_text(pilot, "✓ 2 done")
        await wait_for_text(pilot, "over   [ older")
        await pilot.press("left_square_bracket")
        await wait_for_text(pilot, "r takes up 2 again   ] newer")
        await pilot.press("escape")
        await wait_for(pilot, lambda: isinstance(app.screen, ThreadsScreen))
        assert "marked" not in text_of(app)
    for thread_id in (FAILED, HOSTILE):
        assert len(controlled.state(thread_id).interrupts) == 2


async def test_what_goes_on_can_be_left_looked_at_again_and_stopped(controlled: Controlled) -> None:
    fail(controlled, "second")
    with beside(controlled, "held") as held:
        async with controlled.open() as (app, pilot):
            marks(app, FAILED, "second")
            await pilot.press("r")
            await dialog(pilot, BulkPreview)
            await wait_for_text(pilot, "2 at a time")
            await pilot.press("c", "c", "c", "c", "enter")
            await wait_for_text(pilot, "1 at a time")
            await wait_for_text(pilot, "● 1 running   · 1 pending")
            await wait_for_text(pilot, "hold")
            await pilot.press("escape")
            await wait_for_text(pilot, "▸ resume 0/2")
            await pilot.press("q")
            await dialog(pilot, Quit)
            await wait_for_text(pilot, "resume 2 threads goes on")
            await pilot.press("escape", "B")
            await wait_for(pilot, lambda: isinstance(app.screen, BulkScreen))
            await pilot.press("s")
            await wait_for_text(pilot, "stopping: what runs ends first")
            held.unlink()
            await wait_for_text(pilot, "‖ 2 stopped")
            await wait_for(pilot, lambda: "▸" not in text_of(app))  # the header hears of it, too
    assert controlled.state("second").next == ("load",) or controlled.state(FAILED).next == ("load",)


async def test_one_answer_is_given_to_all_that_ask(controlled: Controlled) -> None:
    async with controlled.open() as (app, pilot):
        marks(app, WAITING, DONE)
        await pilot.press("a")
        await dialog(pilot, BulkAnswer)
        await wait_for_text(pilot, "Does the budget allow 12000 €?")
        await pilot.press("right", "enter")
        await dialog(pilot, BulkPreview)
        await wait_for_text(pilot, "answer alike 1 of 2 threads")
        await wait_for_text(pilot, "1 thread: It is done")
        await pilot.press("enter")
        await wait_for_text(pilot, "✓ 1 done   ○ 1 skipped")
    assert controlled.state(WAITING).values["verdicts"] == {"finance": True, "legal": True}


async def test_marked_threads_are_deleted_once_their_number_is_typed(controlled: Controlled) -> None:
    async with controlled.open() as (app, pilot):
        await pilot.press("g", "space", "space", "b")
        await dialog(pilot, BulkChoose)
        await wait_for_text(pilot, "2 marked threads")
        await pilot.press("D")
        await dialog(pilot, BulkPreview)
        await wait_for_text(pilot, "Type 2 to go on")
        await pilot.press("3", "enter")
        await wait_for_text(pilot, "✖ There is no undo")
        assert len(app.index.rows) == 3
        await pilot.press("backspace", "2", "enter")
        await wait_for_text(pilot, "✓ 2 done")
        assert "checkpoints deleted" in text_of(app)
        await pilot.press("t")
        await wait_for_text(pilot, "The thread is not in the store any more.")
        await pilot.press("escape")
        await wait_for(pilot, lambda: len(app.index.rows) == 1)


async def test_one_thread_of_a_marked_store_is_deleted_once_its_name_is_typed(controlled: Controlled) -> None:
    async with controlled.open(DONE, mark=("prod", "red")) as (app, pilot):
        await pilot.press("enter")
        await wait_for(pilot, lambda: isinstance(app.screen, ThreadScreen) and app.screen.spot() is not None)
        await pilot.press("D")
        await dialog(pilot, BulkPreview)
        await wait_for_text(pilot, "Type prod to go on")
        await pilot.press(*"prod", "enter")
        await wait_for_text(pilot, f"delete {DONE}: 1 done")
        await wait_for_text(pilot, "The thread is not in the store.")
        assert DONE not in app.index.rows


async def test_copies_exports_and_pruning_need_no_graph(
    controlled: Controlled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with controlled.open() as (app, pilot):
        marks(app, DONE, WAITING)
        await pilot.press("f")
        await dialog(pilot, AskText)
        await pilot.press("enter")
        await dialog(pilot, BulkPreview)
        await wait_for_text(pilot, f"{DONE}-copy")
        await pilot.press("enter")
        await wait_for_text(pilot, f"copied to {WAITING}-copy")
        await pilot.press("escape", "E")
        ask = await dialog(pilot, AskText)
        proposed = ask.query_one("FieldInput").value
        assert proposed.endswith(".jsonl")
        await pilot.press("enter")
        await dialog(pilot, BulkPreview)
        await wait_for_text(pilot, "lgtop export")
        await pilot.press("enter")
        await wait_for(pilot, lambda: (tmp_path / proposed).exists())
        await wait_for_text(pilot, "1 done")
        chosen = app.screen.threads.selected  # type: ignore[attr-defined]
        await pilot.press("P")
        await dialog(pilot, BulkPrune)
        await pilot.press("backspace", "backspace", "0", "enter")
        await wait_for_text(pilot, "at least one checkpoint of each branch stays")
        await pilot.press("backspace", "1", "down", *"3x", "enter")
        await wait_for_text(pilot, "✖")
        await pilot.press("backspace", "backspace", "down", "right", "enter")
        await dialog(pilot, BulkPreview)
        await wait_for_text(pilot, "keeps")
        await pilot.press("escape")
    records = [json.loads(line) for line in (tmp_path / proposed).read_bytes().splitlines()]
    assert [one["thread_id"] for one in records if one["record"] == "thread"] == [chosen]
    assert controlled.state(f"{WAITING}-copy").interrupts


async def test_without_leave_to_write_only_an_export_is_offered(controlled: Controlled) -> None:
    async with controlled.open(readonly=True) as (app, pilot):
        await pilot.press("slash", *"status:waiting", "enter")
        await wait_for_text(pilot, "1 shown")
        await pilot.press("b")
        await dialog(pilot, BulkChoose)
        await wait_for_text(pilot, "all 1 thread that match status:waiting")
        await pilot.press("D")
        await wait_for_text(pilot, "lgtop was started with --readonly")
        assert isinstance(app.screen, BulkChoose)
        await pilot.press("E")
        await dialog(pilot, AskText)


async def test_marks_leave_alone_what_is_done_to_one_thread_at_a_time(controlled: Controlled) -> None:
    async with controlled.open() as (app, pilot):
        marks(app, DONE, WAITING)
        await pilot.press("e")
        await wait_for_text(pilot, "One thread at a time: u takes the marks away.")
        await pilot.press("b")
        await dialog(pilot, BulkChoose)
        await wait_for_text(pilot, "there is nothing to resume in any of them")
        await wait_for_text(pilot, "no run of lgtop is alive on any of them")
        await pilot.press("r")
        assert isinstance(app.screen, BulkChoose)

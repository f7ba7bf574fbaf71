"""Runs are started, resumed and stopped from the screens."""

from __future__ import annotations

from pathlib import Path

from tui.control import Project
from tui.dialogs.preview import Preview
from tui.dialogs.start import Start
from tui.screens.thread import ThreadScreen
from tui.screens.threads import ThreadsScreen

from .conftest import text_of, wait_for, wait_for_text
from .control_project import FAILED, WAITING, make_project
from .control_rig import Controlled, accept, dialog, until


async def test_a_failed_thread_is_resumed_one_step_at_a_time(controlled: Controlled) -> None:
    async with controlled.open(FAILED) as (app, pilot):
        await pilot.press("r")
        await dialog(pilot, Preview)
        await wait_for_text(pilot, "sync: saved")
        await pilot.press("d")
        await wait_for_text(pilot, "async: saved")
        await pilot.press("t")
        await wait_for_text(pilot, "--retry")
        await pilot.press("t")
        await wait_for(pilot, lambda: "--retry" not in text_of(app))
        await pilot.press("s")
        # as running text: where the command is broken depends on the path of the test's folder
        await wait_for(pilot, lambda: "--durability async" in " ".join(text_of(app).replace("│", " ").split()))
        await accept(pilot, "one superstep", "--step")
        await until(pilot, app, FAILED, "paused")
    assert controlled.state(FAILED).next == ("hold",)
    assert controlled.state(FAILED).values["log"] == ["loaded"]


async def test_the_end_of_a_run_that_fails_is_told(controlled: Controlled) -> None:
    (controlled.project / "broken").touch()
    try:
        async with controlled.open(FAILED) as (app, pilot):
            await pilot.press("r")
            await accept(pilot, "load")
            await until(pilot, app, FAILED, "failed")
            await wait_for_text(pilot, "new-server failed: ")
    finally:
        (controlled.project / "broken").unlink()


async def test_a_run_is_started_on_a_new_thread_and_stopped(controlled: Controlled) -> None:
    (controlled.project / "held").touch()
    try:
        async with controlled.open() as (app, pilot):
            await pilot.press("N")
            screen = await dialog(pilot, Start)
            await wait_for_text(pilot, "purpose")
            await pilot.press(*"chairs", "down", "x", "enter")
            await wait_for_text(pilot, "✖ amount: a whole number is needed")
            thread_id = screen.query_one("FieldInput").value
            await pilot.press("backspace", *"640", "enter")
            await accept(pilot, "load", "lgtop run")
            assert thread_id.startswith("spending-")
            await wait_for(pilot, lambda: app.control.run_of(thread_id) is not None)
            await wait_for(pilot, lambda: isinstance(app.screen, ThreadsScreen))
            listing = app.screen
            assert isinstance(listing, ThreadsScreen)
            await wait_for(pilot, lambda: listing.threads.select(thread_id) and listing.threads.selected == thread_id)
            await wait_for(pilot, lambda: "hold" in app.control.run_of(thread_id).nodes)  # type: ignore[union-attr]
            await wait_for(pilot, lambda: "already running" in listing.why_not("resume"))
            await pilot.press("r")
            await wait_for_text(pilot, "The thread is already running")
            await pilot.press("s")
            await wait_for_text(pilot, "its tasks finish")
            await pilot.press("enter")
            await wait_for_text(pilot, "was asked to drain")
            (controlled.project / "held").unlink()
            await until(pilot, app, thread_id, "drained")
        found = controlled.state(thread_id)
        assert found.values["amount"] == 640
        assert set(found.next) == {"finance", "legal"}
        assert found.interrupts == ()
    finally:
        (controlled.project / "held").unlink(missing_ok=True)


async def test_new_input_for_a_thread_says_what_it_drops(controlled: Controlled) -> None:
    async with controlled.open(WAITING) as (app, pilot):
        await pilot.press("enter")
        await wait_for(pilot, lambda: isinstance(app.screen, ThreadScreen) and app.screen.spot() is not None)
        await pilot.press("N")
        screen = await dialog(pilot, Start)
        await wait_for_text(pilot, "purpose")
        assert screen.query_one("FieldInput").value == WAITING
        screen.entry.form.fill({"purpose": "nothing", "amount": 1})
        await pilot.press("ctrl+o")
        await dialog(pilot, Preview)
        await wait_for_text(pilot, "warning")
        await pilot.press("escape")


async def test_the_graph_of_a_thread_is_asked_for_once(controlled: Controlled, tmp_path: Path) -> None:
    project = make_project(tmp_path / "renamed")
    source = project / "spending.py"
    source.write_text(source.read_text().replace("load", "fetch"))
    async with controlled.open(FAILED, project=Project(project)) as (_, pilot):
        await pilot.press("r")
        await wait_for_text(pilot, "Graph of new-server")
        await wait_for_text(pilot, "./spending.py:other")
        await pilot.press("enter")
        await dialog(pilot, Preview)
        await wait_for_text(pilot, "spending  ./spending.py:graph")
        await pilot.press("escape", "r")
        await dialog(pilot, Preview)
        await wait_for_text(pilot, "spending  ./spending.py:graph")

"""What cannot be done is dimmed, and says why."""

from __future__ import annotations

from pathlib import Path

from tui.control import Project
from tui.screens.threads import ThreadsScreen

from .conftest import lines_of, opened, scripted, text_of, wait_for, wait_for_text
from .control_project import DONE, WAITING
from .control_rig import Controlled


async def test_verbs_of_a_read_only_app_are_dimmed_and_say_why(controlled: Controlled) -> None:
    async with controlled.open(WAITING, size=(200, 30), readonly=True) as (app, pilot):
        assert "r resume  a answer" in lines_of(app)[-1]
        states = {key: active.enabled for key, active in app.screen.active_bindings.items()}
        assert not any(states[key] for key in "rafeNs")
        for key in "rafeNs":
            await pilot.press(key)
            await wait_for_text(pilot, "nothing is written")
            app.clear_notifications()
            await wait_for(pilot, lambda: "nothing is written" not in text_of(app))
        assert isinstance(app.screen, ThreadsScreen)


async def test_a_verb_pressed_before_the_rows_are_there_gets_the_answer_that_it_gets_later() -> None:
    app = scripted(readonly=True)
    async with app.run_test(size=(120, 30), notifications=True) as pilot:
        await pilot.press("r")
        await wait_for_text(pilot, "The store is not open yet")
        app.clear_notifications()
        app.tell(opened())
        await wait_for(pilot, lambda: app.live.info is not None)
        assert not app.knows_verbs
        await pilot.press("r")
        await wait_for_text(pilot, "nothing is written")
        assert "not open yet" not in text_of(app)


async def test_verbs_that_make_no_sense_here_are_dimmed_and_say_why(controlled: Controlled) -> None:
    async with controlled.open(DONE) as (app, pilot):
        for key, reason in (("r", "Nothing to resume"), ("a", "No question of this thread"), ("s", "No run of this")):
            assert not app.screen.active_bindings[key].enabled
            await pilot.press(key)
            await wait_for_text(pilot, reason)
        await pilot.press("g")
        await wait_for(pilot, lambda: app.screen.active_bindings["a"].enabled)


async def test_without_a_graph_the_person_is_told_what_to_do(controlled: Controlled, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    async with controlled.open(WAITING, project=Project(empty)) as (app, pilot):
        await pilot.press("r")
        await wait_for_text(pilot, "No graph is known here")
        await pilot.press("N")
        await wait_for_text(pilot, "another…")
        await pilot.press("enter")
        await wait_for_text(pilot, "package.module:attribute")
        await pilot.press(*"./nothing.py:graph", "enter")
        await wait_for_text(pilot, "✖ There is no file")
        await pilot.press("escape")
        await wait_for(pilot, lambda: isinstance(app.screen, ThreadsScreen))


async def test_a_thread_that_another_program_runs_says_by_whom(controlled: Controlled) -> None:
    from backends.locks.take import take

    async with controlled.open(WAITING) as (app, pilot):
        with take(str(controlled.store), WAITING, who="worker@elsewhere"):
            await wait_for(pilot, lambda: not app.screen.active_bindings["a"].enabled)
            await pilot.press("a")
            await wait_for_text(pilot, "The thread is already running: worker@elsewhere")
            await pilot.press("s")
            await wait_for_text(pilot, "is run by another program")
        await wait_for(pilot, lambda: app.screen.active_bindings["a"].enabled)

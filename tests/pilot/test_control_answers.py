"""Questions are answered from the screens, one by one or together; only what fits is ever sent."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest

from tui.app import LgtopApp
from tui.control import Project
from tui.dialogs.answer import Answer
from tui.dialogs.preview import Preview
from tui.screens.threads import ThreadsScreen
from tui.terminal import Terminal
from tui.widgets.questions import Questions

from .conftest import DANGEROUS, lines_of, sqlite_address, terminal_text, text_of, wait_for, wait_for_text
from .control_project import WAITING
from .control_rig import Controlled, accept, dialog, until


async def test_both_questions_of_a_thread_are_answered_together(controlled: Controlled) -> None:
    async with controlled.open(WAITING) as (app, pilot):
        await pilot.press("a")
        await dialog(pilot, Answer)
        await wait_for_text(pilot, "0 of 2 answered")
        await wait_for_text(pilot, "May the money be spent?")
        await pilot.press("y", "ctrl+n")
        await wait_for_text(pilot, "1 of 2 answered")
        await wait_for_text(pilot, "✓ finance   ● legal")
        await wait_for_text(pilot, "May the money be spent?")
        await pilot.press("n", "down", *"too dear", "enter")
        await accept(pilot, "finance, legal", "sync: saved", "lgtop answer")
        await wait_for(pilot, lambda: isinstance(app.screen, ThreadsScreen))
        await until(pilot, app, WAITING, "done")
        await wait_for_text(pilot, "fair-stand done · run")
    found = controlled.state(WAITING)
    assert found.next == ()
    assert sorted(found.values["verdicts"].values()) == [False, True]
    assert found.values["outcome"] == "refused"
    assert found.metadata["lgtop_operator"]


async def test_one_answer_leaves_the_other_question_open(controlled: Controlled) -> None:
    async with controlled.open(WAITING) as (app, pilot):
        await pilot.press("i")
        await wait_for_text(pilot, "QUESTION")
        await wait_for_text(pilot, "Is a stand in order?")
        row = next(number for number, line in enumerate(lines_of(app)[2:]) if "Is a stand in order?" in line)
        await pilot.press(*"j" * row, "a")
        await dialog(pilot, Answer)
        await wait_for_text(pilot, "● legal")
        await pilot.press("y", "ctrl+o")
        await accept(pilot, "legal")
        await until(pilot, app, WAITING, "waiting")
        await wait_for(pilot, lambda: "Is a stand in order?" not in text_of(app))
        assert "Does the budget allow 12000 €?" in text_of(app)
    found = controlled.state(WAITING)
    assert [one.value["question"] for one in found.interrupts] == ["Does the budget allow 12000 €?"]


async def test_an_answer_that_does_not_fit_is_never_sent(controlled: Controlled) -> None:
    before = controlled.store.read_bytes()
    async with controlled.open(WAITING) as (app, pilot):
        await pilot.press("a")
        screen = await dialog(pilot, Answer)
        await pilot.press("ctrl+o")
        await wait_for_text(pilot, "✖ approved: choose one")
        await pilot.press("ctrl+r")
        await wait_for(pilot, lambda: screen.entry.as_json)
        screen.entry.area.text = '{"approved": "yes"}'
        await pilot.press("ctrl+o")
        await wait_for_text(pilot, "✖ approved must be true or false")
        screen.entry.area.text = '{"approved": yes}'
        await pilot.press("ctrl+o")
        await wait_for_text(pilot, "✖ not JSON at line 1, column 14")
        screen.entry.area.text = '{"approved": true, "comment": "fine"}'
        await pilot.press("ctrl+r")
        await wait_for(pilot, lambda: not screen.entry.as_json)
        assert screen.entry.form.texts == ("yes", "fine")
        await pilot.press("escape")
        await wait_for(pilot, lambda: app.screen is not screen)
        assert app.control.runs == ()
    assert controlled.store.read_bytes() == before


async def test_leaving_the_preview_keeps_what_was_typed(controlled: Controlled) -> None:
    async with controlled.open(WAITING) as (app, pilot):
        await pilot.press("a")
        screen = await dialog(pilot, Answer)
        await pilot.press("y", "down", *"later", "enter")
        await dialog(pilot, Preview)
        await pilot.press("escape")
        await wait_for(pilot, lambda: app.screen is screen)
        assert screen.entry.form.texts == ("yes", "later")
        assert app.control.runs == ()


async def test_an_answer_is_written_in_an_editor(
    controlled: Controlled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\necho \'{"approved": true, "comment": "from the editor"}\' > "$1"\n')
    editor.chmod(0o755)
    monkeypatch.delenv("VISUAL", raising=False)
    async with controlled.open(WAITING) as (app, pilot):
        await pilot.press("a")
        screen = await dialog(pilot, Answer)
        await pilot.press("ctrl+t")
        await wait_for_text(pilot, "cannot be handed to an editor")
        monkeypatch.setattr(app, "suspend", nullcontext)
        for command, said in (
            ("/nowhere/ed", "No such file"),
            ("false", "ended with 1"),
            ('ed "', "could not be used"),
        ):
            monkeypatch.setenv("EDITOR", command)
            await pilot.press("ctrl+t")
            await wait_for_text(pilot, said)
            assert not screen.entry.as_json
        monkeypatch.setenv("EDITOR", str(editor))
        await pilot.press("ctrl+t")
        await wait_for_text(pilot, "from the editor")
        await pilot.press("ctrl+o")
        await dialog(pilot, Preview)
        await pilot.press("escape")


async def test_questions_of_a_hostile_store_are_only_text(tmp_path: Path) -> None:
    from tests.hostile import hostile_sqlite

    path = tmp_path / "hostile.sqlite"
    canary = hostile_sqlite(path)
    app = LgtopApp(sqlite_address(path), readonly=False, terminal=Terminal(), project=Project(tmp_path))
    async with app.run_test(size=(100, 40), notifications=True) as pilot:
        await wait_for(pilot, lambda: app.index.counts.exact)
        await pilot.press("i")
        questions = app.screen.query_one(Questions)
        await wait_for(pilot, lambda: questions.line_count > 10)
        for _ in range(6):
            await pilot.press("a")
            await wait_for(pilot, lambda: isinstance(app.screen, Answer) and app.screen.focused is not None)
            await pilot.pause()
            shown = terminal_text(app).replace("\n", "")
            assert not {character for character in DANGEROUS if character in shown}, text_of(app)
            await pilot.press("escape")
            await wait_for(pilot, lambda: not isinstance(app.screen, Answer))
            await pilot.press(*"jjjjjjj")
    assert not canary.exists()

"""Threads go on in another way, or from another state: forks, copies, edits."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest
from rich.cells import cell_len

from tui.dialogs.choose import Choices
from tui.dialogs.edit import Edit, heading
from tui.widgets.json_area import JsonArea
from tui.widgets.picker import Picker

from .conftest import wait_for, wait_for_text
from .control_project import DONE, WAITING, config, opened_graph
from .control_rig import Controlled, accept, dialog, open_thread, until


async def test_a_fork_from_an_older_checkpoint_runs_in_the_thread(controlled: Controlled) -> None:
    async with controlled.open(DONE) as (app, pilot):
        await open_thread(pilot, app, 1)
        await pilot.press("f")
        await wait_for_text(pilot, "run again from this checkpoint")
        await pilot.press("enter")
        await accept(pilot, "hold", "lgtop fork")
        await until(pilot, app, DONE, "waiting")
    found = controlled.state(DONE)
    assert set(found.next) == {"finance", "legal"}
    with opened_graph(controlled.project, controlled.store) as graph:
        sources = [one.metadata["source"] for one in graph.get_state_history(config(DONE))]
    assert sources.count("fork") == 1


async def test_a_fork_with_another_state_runs_with_it(controlled: Controlled) -> None:
    async with controlled.open(DONE) as (app, pilot):
        await open_thread(pilot, app, 1)
        await pilot.press("f", "j", "enter")
        screen = await dialog(pilot, Edit)
        await wait_for_text(pilot, "Fork with another state")
        screen.query_one(JsonArea).text = screen.query_one(JsonArea).text.replace('"amount": 80', '"amount": 90')
        screen.query("Picker").last(Picker).focus()
        await pilot.press("l")
        await wait_for_text(pilot, "next: hold")
        await pilot.press("ctrl+o")
        await accept(pilot, "hold")
        await until(pilot, app, DONE, "waiting")
    assert controlled.state(DONE).values["amount"] == 90


async def test_every_way_to_fork_can_be_read_in_eighty_columns(controlled: Controlled) -> None:
    async with controlled.open(DONE, size=(80, 24)) as (app, pilot):
        await open_thread(pilot, app, 1)
        await pilot.press("f")
        await wait_for_text(pilot, "run again from this checkpoint")
        rows = app.screen.query_one(Choices)
        for y in range(rows.line_count):
            written = "".join(segment.text for segment in rows.render_row(y, 999, False))
            assert cell_len(written) <= rows.size.width
            assert rows.render_row(y, 40, False)[-1].text.endswith("…")


@pytest.mark.parametrize("columns", [80, 100, 200])
@pytest.mark.parametrize("thread_id", ["t", "slow-20261122-0139-72", "x" * 200])
def test_the_title_of_a_fork_has_its_checkpoint(thread_id: str, columns: int) -> None:
    title = heading("Fork with another state", thread_id, "1f1e617f-f409-6d18-8002-43134ff846f5", columns)
    assert title.endswith("· checkpoint 1f1e617f-f409-6d18…")
    assert cell_len(title) <= min(columns, 120) - 6
    assert (thread_id in title) is (len(thread_id) < 22 and (columns > 80 or thread_id == "t"))


async def test_a_new_thread_up_to_a_checkpoint_needs_no_run(controlled: Controlled) -> None:
    async with controlled.open(DONE) as (app, pilot):
        await open_thread(pilot, app, 2)
        await pilot.press("f", "j", "j", "enter")
        await wait_for_text(pilot, "id of the copy")
        await pilot.press("ctrl+a", "ctrl+k", "enter")
        await wait_for_text(pilot, "✖ an id is needed")
        await pilot.press(*WAITING, "enter")
        await wait_for_text(pilot, "✖ there is such a thread already")
        await pilot.press("2", "enter")
        await accept(pilot, "branch")
        await wait_for_text(pilot, "checkpoints copied to fair-stand2")
        assert app.control.runs == ()
    copied, source = controlled.state("fair-stand2"), controlled.state(DONE)
    assert set(copied.next) == {"finance", "legal"}
    assert copied.values == {
        **{k: v for k, v in source.values.items() if k in copied.values},
        "log": ["loaded", "held"],
        "verdicts": {},
    }


async def test_an_edit_replaces_a_channel_past_its_reducer(controlled: Controlled) -> None:
    async with controlled.open(WAITING) as (app, pilot):
        await pilot.press("e")
        screen = await dialog(pilot, Edit)
        await wait_for_text(pilot, '"amount": 12000')
        await pilot.press("ctrl+o")
        await wait_for_text(pilot, "✖ nothing was changed")
        channel = screen.query("Picker").first(Picker)
        channel.focus()
        await pilot.press("l")
        await wait_for(pilot, lambda: channel.value == "log")
        area = screen.query_one(JsonArea)
        assert area.text == '["loaded", "held"]'
        area.text = '["rewritten"'
        await pilot.press("p")
        await wait_for_text(pilot, "✖ not JSON")
        assert channel.value == "log"
        area.text = '["rewritten"]'
        await pilot.press("ctrl+o")
        await wait_for_text(pilot, "✖ choose the node")
        await pilot.press("d")
        await wait_for_text(pilot, "next: nothing, the thread is done")
        await pilot.press("h")
        await wait_for_text(pilot, "next: finance, legal")
        await pilot.press("ctrl+o")
        await accept(pilot, "lgtop edit")
        await until(pilot, app, WAITING, "done")
    found = controlled.state(WAITING)
    assert found.values["log"] == ["rewritten"]
    assert found.metadata["source"] == "update"
    assert set(found.next) == {"finance", "legal"}


async def test_a_state_that_is_too_long_is_left_to_the_editor(
    controlled: Controlled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened_graph(controlled.project, controlled.store) as graph:
        graph.update_state(config(WAITING), {"purpose": "x" * 400_000}, as_node="hold")
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nsed -i "s/xx*x/short/" "$1"\n')
    editor.chmod(0o755)
    monkeypatch.setenv("EDITOR", str(editor))
    monkeypatch.delenv("VISUAL", raising=False)
    async with controlled.open(WAITING) as (app, pilot):
        monkeypatch.setattr(app, "suspend", nullcontext)
        await pilot.press("e")
        screen = await dialog(pilot, Edit)
        await wait_for_text(pilot, "of JSON: ctrl+t opens it")
        assert screen.query_one(JsonArea).read_only
        await pilot.press("ctrl+t")
        await wait_for_text(pilot, '"purpose": "short"')
        await wait_for_text(pilot, "changed: purpose")
        await pilot.press("escape")

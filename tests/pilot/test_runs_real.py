"""A project's own graph: drawn by a child, run by another, followed, drained and found again on the screen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from backends.control.plan import Intent
from backends.runs.run import Run
from tui.app import LgtopApp
from tui.control import Project
from tui.terminal import Terminal

from .conftest import lines_of, sqlite_address, text_of, wait_for, wait_for_text
from .control_project import FAILED, WAITING, make_project, make_threads


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with its store beside it."""
    folder = make_project(tmp_path / "project")
    make_threads(folder, tmp_path / "store.sqlite")
    return folder


@asynccontextmanager
async def lgtop(project: Path, thread: str | None = None) -> AsyncIterator[tuple[LgtopApp, Pilot[None]]]:
    app = LgtopApp(
        sqlite_address(project.parent / "store.sqlite"),
        terminal=Terminal(),
        readonly=False,
        project=Project(project),
        thread=thread,
    )
    async with app.run_test(size=(120, 34), notifications=True) as pilot:
        await wait_for(pilot, lambda: app.index.counts.exact)
        yield app, pilot


async def resume(app: LgtopApp, thread_id: str) -> Run:
    """Resume a thread, as the screens do."""
    graph, *_ = await app.control.fitting(thread_id)
    plan = await app.control.plan(Intent("resume", thread_id), graph)
    assert not plan.refusal, plan.refusal
    run = await app.control.execute(plan)
    assert isinstance(run, Run)
    return run


async def test_the_graph_of_a_project_is_drawn_and_drawn_anew_when_its_code_changes(project: Path) -> None:
    async with lgtop(project, WAITING) as (app, pilot):
        await wait_for_text(pilot, "HISTORY")
        await pilot.press("6", "tab")
        await wait_for_text(pilot, "spending  ./spending.py:graph")
        rows = [line.partition("▏")[2].strip(" ▌") for line in lines_of(app)]
        assert "✓ hold" in rows
        assert any(row.startswith("? finance") and row.endswith("? legal") for row in rows)
        assert "· decide" in rows
        source = (project / "spending.py").read_text()
        more = 'builder.add_node("archive", decide)\nbuilder.add_edge("decide", "archive")\ngraph = builder.compile('
        (project / "spending.py").write_text(source.replace("graph = builder.compile(", more, 1))
        await pilot.press("1", "6")
        await wait_for_text(pilot, "· archive")


async def test_a_run_is_followed_while_its_node_runs_and_found_again_by_another_app(project: Path) -> None:
    (project / "held").touch()
    async with lgtop(project) as (app, pilot):
        run = await resume(app, FAILED)
        await pilot.press("R")
        await wait_for_text(pilot, "● running")
        await wait_for(pilot, lambda: any("hold" in line for line in lines_of(app) if FAILED in line))
        await pilot.press("enter")
        await wait_for_text(pilot, "● hold")
        assert "✓ load" in text_of(app)
        assert "step 1" in text_of(app)
        await pilot.press("q")
        await wait_for_text(pilot, "A run goes on")
        await pilot.press("enter")
        await wait_for(pilot, lambda: app._exit)
    async with lgtop(project) as (app, pilot):
        await pilot.press("R")
        await wait_for_text(pilot, "● running")
        await pilot.press("enter")
        await wait_for_text(pilot, "● hold")
        await pilot.press("s")
        await wait_for_text(pilot, "stops before its next superstep")
        (project / "held").unlink()
        await wait_for_text(pilot, "‖ drained")
        assert [found.run_id for found in app.control.runs] == [run.run_id]
        await wait_for(pilot, lambda: "next finance, legal" in lines_of(app)[1])
        await pilot.press("L")
        await wait_for_text(pilot, "resume")
        await wait_for_text(pilot, "‖ drained")

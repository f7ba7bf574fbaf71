"""The crash lab on real graphs that are really killed, and faults for threads that exist."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.sqlite import SqliteSaver
from textual.pilot import Pilot

from backends.address import Address, parse_address
from backends.graphs.drawing import Drawing
from backends.runs.spec import GraphRef
from tui.app import LgtopApp
from tui.control import Project
from tui.dialogs.choose import Choose
from tui.dialogs.confirm import Confirm
from tui.dialogs.fault import ChooseFault
from tui.dialogs.give_input import GiveInput
from tui.dialogs.preview import Preview
from tui.lab.fate import Account
from tui.screens.lab import LabScreen
from tui.screens.thread import ThreadScreen
from tui.screens.threads import ThreadsScreen
from tui.terminal import Terminal

from . import conftest
from .conftest import sqlite_address, text_of, wait_for, wait_for_text
from .control_project import FAILED
from .control_rig import Controlled, accept, dialog, until

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three processes at a time import LangGraph, beside other tests."""
    monkeypatch.setattr(conftest, "PATIENCE", 90.0)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the demo graphs whose inputs are quick, but for those that are looked at while they run."""
    folder = tmp_path_factory.mktemp("lab") / "project"
    shutil.copytree(ROOT / "demo_graphs", folder / "demo_graphs", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "langgraph.json", folder)
    inputs = folder / "demo_graphs" / "inputs.json"
    quick = {
        name: {**given, "pace": 1.5 if name in ("documents", "pipeline") else 0.4}
        for name, given in json.loads(inputs.read_text()).items()
    }
    inputs.write_text(json.dumps(quick))
    return folder


@pytest.fixture
def empty(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store without threads; drawings are kept from one test to the next."""
    monkeypatch.setenv("XDG_STATE_HOME", str(project.parent / "state"))
    for name in ("XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    path = tmp_path / "store.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        SqliteSaver(connection).setup()
    return path


@asynccontextmanager
async def lab(
    project: Path, store: Path | Address, size: tuple[int, int] = (120, 34), **options: Any
) -> AsyncIterator[tuple[LgtopApp, Pilot[None], LabScreen]]:
    """The app in the lab."""
    app = LgtopApp(
        sqlite_address(store) if isinstance(store, Path) else store,
        terminal=Terminal(),
        project=Project(project),
        **{"readonly": False, "crashes": True, **options},
    )
    async with app.run_test(size=size, notifications=True) as pilot:
        await wait_for(pilot, lambda: app.index.complete)
        await pilot.press("X")
        await wait_for(pilot, lambda: isinstance(app.screen, LabScreen) and app.experiment.setup is not None)
        await wait_for_text(pilot, "sentiment !")
        screen = app.screen
        assert isinstance(screen, LabScreen)
        yield app, pilot, screen


async def at(pilot: Pilot[None], screen: LabScreen, node: str) -> None:
    """Put the cursor on a node by keys."""
    screen.pane.view.focus()
    for key in ["g", *"jjjjjjjjj"]:
        if screen.pane.strike.node == node:
            return
        await pilot.press(key)
        await pilot.pause()
    assert screen.pane.strike.node == node


async def choose(pilot: Pilot[None], app: LgtopApp, graph: str) -> None:
    """Choose a graph by keys."""
    await pilot.press("o")
    screen = await dialog(pilot, Choose)
    names = [choice.label for choice in screen._choices]
    await pilot.press("g", *"j" * names.index(graph), "enter")
    await wait_for(pilot, lambda: app.experiment.setup is not None and app.experiment.setup.graph.name == graph)
    await pilot.pause()


async def write_input(pilot: Pilot[None], given: Any) -> None:
    """Write the input by keys."""
    await pilot.press("i")
    asked = await dialog(pilot, GiveInput)
    asked._entry.area.load_text(json.dumps(given))
    await pilot.press("ctrl+o")


async def over(pilot: Pilot[None], app: LgtopApp) -> None:
    """Wait until every run has ended, and everything about it is on screen."""
    trials = app.experiment.trials
    await wait_for(pilot, lambda: app.experiment.trials and all(trial.over for trial in app.experiment.trials))
    for trial in trials or app.experiment.trials:
        await trial.look()
    await pilot.pause()


def told(app: LgtopApp, column: int = 0) -> dict[str, tuple[int, int, str]]:
    """What the table says about each node that has run."""
    assert isinstance(app.screen, LabScreen)
    accounts: tuple[Account, ...] = app.screen.table.columns[column].accounts
    return {one.path: (one.ran, one.done, one.fate.value) for one in accounts if one.ran or one.done}


async def test_a_run_is_killed_inside_a_node_and_resumed_and_what_had_finished_does_not_run_again(
    project: Path, empty: Path
) -> None:
    async with lab(project, empty) as (app, pilot, _):
        await pilot.press(*["plus"] * 5, "N")
        await wait_for_text(pilot, "struck by kill, inside sentiment")
        await over(pilot, app)
        assert told(app) == {"extract": (1, 1, "kept"), "sentiment": (1, 0, "cut short")}
        await wait_for(pilot, lambda: app.experiment.trials[0].status == "crashed")
        thread_id = app.experiment.trials[0].thread_id

        await pilot.press("escape")
        await wait_for(pilot, lambda: isinstance(app.screen, ThreadsScreen))
        await wait_for(pilot, lambda: app.index.rows[thread_id].summary.status == "crashed")  # type: ignore[union-attr]
        await pilot.press("x")
        await wait_for(pilot, lambda: isinstance(app.screen, LabScreen))
        await wait_for_text(pilot, "cut short")

        await pilot.press("r")
        await wait_for_text(pilot, "✓ done")
        await over(pilot, app)
        assert told(app) == {"extract": (1, 1, "kept"), "sentiment": (2, 1, "ran again"), "summary": (1, 1, "done")}
        await pilot.press("r")
        await wait_for_text(pilot, "There is nothing to resume.")
        await pilot.press("t")
        await wait_for(pilot, lambda: isinstance(app.screen, ThreadScreen))
        await wait_for_text(pilot, thread_id)


async def test_side_by_side_on_postgres_the_same_crash_keeps_and_loses_as_it_was_saved(
    project: Path, postgres_url: str, empty: Path
) -> None:
    """On a file, in a real terminal: ``e2e/test_lab_keys.py``."""
    async with lab(project, parse_address(postgres_url, {})) as (app, pilot, screen):
        await pilot.press("minus", "minus", "c")
        await wait_for_text(pilot, "sync | async | exit")
        await pilot.press("d", "N")
        await wait_for_text(pilot, "nothing was saved")
        await over(pilot, app)
        assert told(app, 0) == {"extract": (1, 1, "kept"), "sentiment": (1, 0, "cut short")}
        assert told(app, 2) == {"extract": (1, 1, "lost"), "sentiment": (1, 0, "cut short")}
        await pilot.press("tab", "l", "l")
        await wait_for_text(pilot, "† extract")
        assert screen.table.chosen == 2
        await pilot.press("r")
        await wait_for(pilot, lambda: all(trial.status == "done" for trial in app.experiment.trials))
        await over(pilot, app)
        assert told(app, 0)["extract"] == (1, 1, "kept")
        assert told(app, 2)["extract"] == (2, 2, "repeated")
        await pilot.press("c")
        await wait_for_text(pilot, "This experiment has begun: reset it first.")
        await pilot.press("z", "c")
        await wait_for_text(pilot, "not started")
        assert not app.experiment.trials


async def test_a_run_that_hangs_is_killed_by_hand_and_an_undisturbed_one_too(project: Path, empty: Path) -> None:
    async with lab(project, empty) as (app, pilot, screen):
        await choose(pilot, app, "pipeline")
        await at(pilot, screen, "load")
        await pilot.press("p", "p", "w", "w", "w", "N")
        await wait_for_text(pilot, "hangs in load: K kills it")
        await wait_for_text(pilot, "✓ transform")
        assert "● running" in text_of(app)
        assert screen.why_not("start") == "It runs: kill it, or wait."
        await pilot.press("K")
        await over(pilot, app)
        assert told(app)["load"] == (1, 1, "kept"), "its writes were saved before it hung"
        await pilot.press("r")
        await wait_for_text(pilot, "✓ done")
        await over(pilot, app)
        assert told(app)["load"] == (1, 1, "kept")

        await pilot.press("z", "p", "p")
        await wait_for_text(pilot, "undisturbed")
        assert app.experiment.setup is not None
        await write_input(pilot, {**app.experiment.setup.input, "pace": 60})
        await pilot.press("N")
        await wait_for_text(pilot, "● fetch")
        await pilot.press("K")
        await over(pilot, app)
        assert told(app) == {"fetch": (1, 0, "cut short")}


async def test_a_graph_inside_a_graph_can_be_struck(project: Path, empty: Path) -> None:
    async with lab(project, empty, (100, 40)) as (app, pilot, screen):
        await choose(pilot, app, "subgraph")
        await at(pilot, screen, "research/search")
        await pilot.press("p", "N")
        await wait_for_text(pilot, "struck by kill, after research/search")
        await over(pilot, app)
        assert told(app)["research/search"] == (1, 1, "lost")
        await pilot.press("r")
        await wait_for_text(pilot, "? waiting")
        await over(pilot, app)
        assert told(app)["research/search"] == (2, 2, "repeated")
        assert told(app)["plan"] == (1, 1, "kept")


async def test_what_an_entrypoint_calls_can_be_struck_once_it_has_been_seen(project: Path, empty: Path) -> None:
    async with lab(project, empty, (100, 40)) as (app, pilot, screen):
        await choose(pilot, app, "tasks")
        await pilot.press("p", "p", "p", "p", "N")
        await wait_for_text(pilot, "✓ done")
        await over(pilot, app)
        assert told(app)["fetch"] == (3, 3, "done")
        await pilot.press("z", "p", "p")
        await at(pilot, screen, "fetch")
        await pilot.press("l", "minus", "minus", "N")
        await wait_for_text(pilot, "struck by kill, inside publish")
        await over(pilot, app)
        await pilot.press("r")
        await wait_for_text(pilot, "✓ done")
        await over(pilot, app)
        assert told(app)["publish"] == (2, 1, "ran again")
        assert told(app)["fetch"][2] == "kept"


async def test_nothing_is_started_while_another_graph_is_being_read(
    project: Path, empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with lab(project, empty) as (app, pilot, screen):
        read, may = app.control.drawing, asyncio.Event()

        async def slowly(graph: GraphRef) -> Drawing:
            await may.wait()
            return await read(graph)

        monkeypatch.setattr(app.control, "drawing", slowly)
        await pilot.press("o")
        await dialog(pilot, Choose)
        await pilot.press("g", "j", "enter")
        await wait_for(pilot, lambda: app.screen is screen)
        for key in ("N", "o", "i", "d", "c"):
            await pilot.press(key)
        await wait_for_text(pilot, "A graph is being read.")
        assert not app.experiment.trials
        may.set()
        await wait_for_text(pilot, "graph  o pipeline")
        assert screen.why_not("start") == ""


async def test_no_run_is_lost_sight_of_when_the_lab_is_left_or_reset_at_once(project: Path, empty: Path) -> None:
    async with lab(project, empty) as (app, pilot, _):
        await pilot.press("N", "escape")
        await wait_for(pilot, lambda: not isinstance(app.screen, LabScreen))
        await pilot.press("X")
        await wait_for_text(pilot, "† crashed")
        await over(pilot, app)
        assert told(app) == {"extract": (1, 1, "kept"), "sentiment": (1, 0, "cut short")}
        await pilot.press("r", "escape")
        await wait_for(pilot, lambda: not isinstance(app.screen, LabScreen))
        await pilot.press("X")
        await wait_for_text(pilot, "✓ done")
        await over(pilot, app)
        assert told(app)["sentiment"] == (2, 1, "ran again")
        assert told(app)["summary"] == (1, 1, "done")

        await pilot.press("z", "N", "z")
        await wait_for(pilot, lambda: len(app.control.runs) == 3)
        await wait_for(pilot, lambda: not any(run.live for run in app.control.runs))
        await wait_for_text(pilot, "not started")
        assert not app.experiment.trials


async def test_the_graph_that_is_tried_may_be_chosen_again(project: Path, empty: Path) -> None:
    async with lab(project, empty) as (app, pilot, screen):
        assert app.experiment.setup is not None
        before = app.experiment.setup.strike.specs
        assert before == ("inside:/sentiment+300=kill",)
        await choose(pilot, app, "documents")
        await wait_for(pilot, lambda: screen.why_not("start") == "")
        assert app.experiment.setup.strike.specs == before


async def test_a_fault_that_nothing_comes_by_is_told_and_the_input_can_be_written(project: Path, empty: Path) -> None:
    async with lab(project, empty) as (app, pilot, _):
        await pilot.press("i")
        given = await dialog(pilot, GiveInput)
        given._entry.area.load_text('{"document_id": "d", "content": ')
        await pilot.press("ctrl+o")
        await wait_for_text(pilot, "✖ ")
        given._entry.area.load_text('{"document_id": "d", "content": " ", "pace": 0}')
        await pilot.press("ctrl+o")
        await wait_for_text(pilot, '"content": " "')
        await pilot.press("N")
        await wait_for_text(pilot, "the fault did not strike: the run did not come by there")
        await over(pilot, app)
        assert told(app) == {"extract": (1, 0, "done"), "report_error": (1, 1, "done")}
        await pilot.press("p")
        await wait_for_text(pilot, "This experiment has begun")

        await pilot.press("z")
        await write_input(pilot, {"document_id": "d", "content": "Sunny days.", "pace": 0})
        await wait_for_text(pilot, "not started")
        await pilot.press("N")
        await wait_for_text(pilot, "sentiment was over within 300 ms")
        await over(pilot, app)
        assert told(app)["sentiment"] == (1, 1, "done")


async def test_crashing_is_asked_for_where_the_store_was_not_opened_for_it_and_refused_where_nothing_is_written(
    project: Path, empty: Path
) -> None:
    async with lab(project, empty, crashes=False) as (app, pilot, _):
        await pilot.press("N")
        await dialog(pilot, Confirm)
        await pilot.press("escape")
        await pilot.pause()
        assert not app.experiment.trials
        await pilot.press("N")
        await dialog(pilot, Confirm)
        await pilot.press("enter")
        await wait_for(pilot, lambda: app.experiment.trials)
        await pilot.press("z")
        await wait_for_text(pilot, "not started")
        await pilot.press("N")
        await wait_for(pilot, lambda: app.experiment.trials)
        assert isinstance(app.screen, LabScreen), "asked once"
        await pilot.press("z")
        await wait_for_text(pilot, "not started")
    async with lab(project, empty, readonly=True) as (app, pilot, screen):
        assert "nothing is written" in screen.why_not("start")
        await pilot.press("N")
        await wait_for_text(pilot, "nothing is written")
        assert not app.experiment.trials


# Threads that exist


async def test_a_thread_with_work_left_is_resumed_with_a_fault_and_the_preview_says_so(controlled: Controlled) -> None:
    async with controlled.open(FAILED, crashes=True) as (app, pilot):
        await pilot.press("x")
        await wait_for_text(pilot, "resume, and crash")
        await pilot.press("enter")
        fault = await dialog(pilot, ChooseFault)
        await wait_for_text(pilot, "· load !")
        await pilot.press("p", "w", "enter")
        await dialog(pilot, Preview)
        await wait_for_text(pilot, "crashes")
        assert "after:/load=exit" in text_of(app)
        await pilot.press("x")
        await wait_for(pilot, lambda: isinstance(app.screen, ChooseFault) and app.screen is not fault)
        await wait_for_text(pilot, "· load !")
        await pilot.press("j", "enter")
        await accept(pilot, "crashes  after:/hold=exit", "--crash")
        await until(pilot, app, FAILED, "crashed")
    found = controlled.state(FAILED)
    assert found.values["log"] == ["loaded"], "hold was struck before what it did was saved"
    assert found.next == ("hold",)


async def test_the_preview_of_a_verb_offers_a_fault_and_takes_it_back(controlled: Controlled) -> None:
    async with controlled.open(FAILED) as (app, pilot):
        await pilot.press("r")
        await dialog(pilot, Preview)
        await pilot.press("x")
        await dialog(pilot, Confirm)
        await pilot.press("enter")
        await dialog(pilot, ChooseFault)
        await pilot.press("enter")
        await dialog(pilot, Preview)
        await wait_for_text(pilot, "inside:/load+300=kill")
        await pilot.press("x")
        await dialog(pilot, ChooseFault)
        await pilot.press("p", "p", "p", "p")
        await wait_for_text(pilot, "undisturbed")
        await pilot.press("enter")
        await wait_for(pilot, lambda: isinstance(app.screen, Preview) and "inside:/load" not in text_of(app))
        await pilot.press("escape")


async def test_the_lab_begins_with_the_graph_and_the_input_of_a_thread(controlled: Controlled) -> None:
    async with controlled.open(FAILED, crashes=True) as (app, pilot):
        await pilot.press("x")
        await wait_for_text(pilot, "crash lab")
        await pilot.press("j", "enter")
        await wait_for(pilot, lambda: app.experiment.setup is not None)
        setup = app.experiment.setup
        assert setup is not None
        assert setup.graph.name == "spending"
        assert set(setup.input) == {"purpose", "amount"}
        await wait_for_text(pilot, "hold !")

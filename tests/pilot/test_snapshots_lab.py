"""What the crash lab and the choice of a fault look like, at 80×24 and at 120×40."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from backends.graphs.drawing import Drawing, Edge, Node
from backends.runs.events import Event, Kind
from backends.runs.spec import GraphRef
from tui.dialogs.fault import ChooseFault
from tui.dialogs.give_input import GiveInput
from tui.lab.book import Page
from tui.lab.saved import Saved
from tui.lab.setup import Setup, Strike
from tui.lab.trial import Trial
from tui.screens.lab import LabScreen

from .conftest import SHOP, everything, head, settled, summary, wait_for, wait_for_text
from .made_runs import RunsApp, made, runs_app

SIZES = [(80, 24), (120, 40)]

LETTERS = Drawing(
    "letters",
    tuple(map(Node, ("__start__", "extract", "sentiment", "summary", "report_error", "__end__"))),
    (
        Edge("__start__", "extract"),
        Edge("extract", "sentiment", True),
        Edge("extract", "report_error", True),
        Edge("sentiment", "summary"),
        Edge("summary", "__end__"),
        Edge("report_error", "__end__"),
    ),
)
SETUP = Setup(
    GraphRef("./letters.py:graph", "/srv/shop", "letters"),
    LETTERS,
    {"document_id": "letter", "content": "Thanks for the good advice. The lamp works well.", "pace": 1.0},
    strike=Strike("sentiment"),
)
NODES = ("extract", "sentiment", "summary")


def task(name: str, phase: str) -> Event:
    step = NODES.index(name) + 1
    return Event(0.0, Kind.TASK, {"phase": phase, "id": name, "name": name, "ns": "", "step": step})


KILL = Event(0.0, Kind.FAULT, {"point": "inside", "node": "sentiment", "how": "kill", "ms": 300})
FIRST = [task("extract", "start"), task("extract", "end"), task("sentiment", "start")]
THEN = [task("sentiment", "start"), task("sentiment", "end"), task("summary", "start"), task("summary", "end")]


def page(begun: int, *effects: str) -> Page:
    return Page(begun, Counter(effects))


def trial(app: RunsApp, mode: str, stage: str) -> Trial:
    """A thread at a stage of the scene."""
    name = f"letters-20270115-0800-k3-{mode}"
    found = Trial(app, SETUP, mode, name, Path("/nowhere"), lambda: None)
    lost = mode == "exit" and stage != "running"
    found.course.next_run()
    for event in FIRST:
        found.course.add(event)
    found.story.armed = True
    book = {"extract": page(1, "read"), "sentiment": page(1)}
    state, status = "running", summary("running", "run 261121", "sentiment")
    if stage != "running":
        found.course.add(KILL)
        found.story.told, state, status = True, "crashed", summary("crashed", "killed", "sentiment")
        found.story.saved = Saved() if lost else Saved(True, steps={"": 1})
    if stage == "resumed":
        found.course.next_run(found.story.kept)
        for event in [*(FIRST[:2] if lost else []), *THEN]:
            found.course.add(event)
        again = page(2, "read", "read") if lost else page(1, "read")
        book = {"extract": again, "sentiment": page(2, "heard"), "summary": page(1, "summed")}
        found.story.armed, state, status = False, "done", summary()
        found.story.saved = Saved(True, True, {"": len(NODES)})
    found.story.pages = book
    found.story.run = made(f"270115-0800-{mode}", name, state, 2, graph="letters", verb="start", nodes={"sentiment": 1})
    app.tell(*everything([*SHOP, (head(name, 2, 1), status)]))
    return found


LOOKS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...], str]] = {
    "new": ("", ("sync",), (), "N starts it"),
    "running": ("running", ("sync",), (), "● sentiment"),
    "crashed": ("crashed", ("sync",), (), "cut short"),
    "resumed": ("resumed", ("sync",), (), "ran again"),
    "lost": ("crashed", ("exit",), (), "nothing was saved"),
    "compared": ("crashed", ("sync", "async", "exit"), (), "lost"),
    "compared-after": ("resumed", ("sync", "async", "exit"), ("tab", "l", "l"), "repeated"),
    "help": ("crashed", ("sync",), ("question_mark",), "Keys · Crash lab"),
}
"""A stage, durabilities, keys, and the text to wait for."""


@pytest.mark.parametrize("size", SIZES, ids=lambda size: "x".join(map(str, size)))
@pytest.mark.parametrize("look", LOOKS)
def test_lab(look: str, size: tuple[int, int], snap_compare: Callable[..., bool]) -> None:
    stage, modes, keys, text = LOOKS[look]
    app = runs_app()

    async def arrange(pilot: Pilot[None]) -> None:
        await pilot.pause()
        app.tell(*everything(SHOP))
        await settled(pilot)
        compare = len(modes) > 1
        app.experiment.setup = Setup(SETUP.graph, LETTERS, SETUP.input, modes[0], SETUP.strike, compare=compare)
        if stage:
            app.experiment.trials = tuple(trial(app, mode, stage) for mode in modes)
        await pilot.press("X")
        await wait_for(pilot, lambda: isinstance(app.screen, LabScreen))
        await wait_for_text(pilot, "extract")
        await pilot.pause()
        await pilot.press(*keys)
        await wait_for_text(pilot, text)
        await settled(pilot)

    assert snap_compare(app, terminal_size=size, run_before=arrange)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: "x".join(map(str, size)))
@pytest.mark.parametrize("look", ["fault", "input"])
def test_dialogs(look: str, size: tuple[int, int], snap_compare: Callable[..., bool]) -> None:
    app = runs_app()

    async def arrange(pilot: Pilot[None]) -> None:
        await pilot.pause()
        app.tell(*everything(SHOP))
        await settled(pilot)
        if look == "fault":
            app.push_screen(ChooseFault("letters", LETTERS, Strike("sentiment")))
            await wait_for_text(pilot, "sentiment !")
        else:
            app.push_screen(GiveInput(LETTERS, SETUP.input))
            await wait_for_text(pilot, "document_id")
        await settled(pilot)

    assert snap_compare(app, terminal_size=size, run_before=arrange)

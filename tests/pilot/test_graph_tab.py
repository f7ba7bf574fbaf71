"""The graph of a thread: which nodes ran, which run, which wait, and what is inside them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from backends.errors import Refused
from backends.graphs.drawing import Drawing, Edge, Node
from backends.model import Analysis, CheckpointKey, CheckpointRow, StatusName, Task, TaskState
from backends.runs.spec import GraphRef
from tests.hostile import STRINGS
from tui.control import Control
from tui.screens.thread import ThreadScreen
from tui.tabs.graph import Mark, NodeState, marks_of, ran_before, with_running
from tui.widgets.graph_pane import inside, nodes_of

from .conftest import DANGEROUS, ScriptedApp, terminal_text, text_of, wait_for, wait_for_text
from .graphs import LOANS, REF, facts, know
from .made_runs import made
from .test_thread import LOAN, right, thread
from .thread_stores import make_threads

SIZES = [(80, 24), (120, 40)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store with a forked, waiting thread."""
    return make_threads(tmp_path / "shop.sqlite")


def picture(app: ScriptedApp) -> list[str]:
    """The picture as it is on screen."""
    screen = app.screen
    assert isinstance(screen, ThreadScreen)
    view = screen.checkpoint.graph.view
    rows = text_of(app).split("\n")[view.region.y : view.region.bottom]
    return [row[view.region.x : view.region.right].rstrip() for row in rows]


def node_under_cursor(app: ScriptedApp) -> str:
    assert isinstance(app.screen, ThreadScreen)
    return app.screen.checkpoint.graph.view.node


# What the marks say


def task(name: str, state: TaskState, error: str | None = None) -> Task:
    return Task(None, name, "pull", "", state, error=error)


def test_a_node_has_the_worst_state_of_its_tasks_and_their_number() -> None:
    tasks = (task("a", TaskState.FINISHED), task("a", TaskState.FAILED, "boom"), task("b", TaskState.DUE))
    marks = marks_of(Analysis(StatusName.FAILED, "", tasks=tasks), ["c", "c", "a"])
    assert marks == {
        "a": Mark(NodeState.FAILED, 2, "boom"),
        "b": Mark(NodeState.NEXT, 1),
        "c": Mark(NodeState.EARLIER, 2),
    }
    assert with_running(marks, {"b": 3, "a": 1})["b"] == Mark(NodeState.RUNNING, 3)
    assert with_running(marks, {"b": 3, "a": 1})["a"].state is NodeState.FAILED


def test_what_ran_before_is_told_since_the_last_input_and_on_this_branch() -> None:
    def row(name: str, parent: str | None, source: str) -> CheckpointRow:
        return CheckpointRow(CheckpointKey("t", "", name), parent, b"{}", 0, source, 0)

    rows = [row("1", None, "input"), row("2", "1", "loop"), row("3", "2", "input"), row("4", "3", "loop")]
    rows += [row("5", "4", "loop"), row("6", "4", "loop")]
    nodes = {row.key: (f"wrote-{row.key.checkpoint_id}",) for row in rows}
    assert ran_before(rows[4].key, rows, nodes) == ["wrote-5", "wrote-4"]
    assert ran_before(rows[2].key, rows, nodes) == []
    assert ran_before(CheckpointKey("t", "", "gone"), rows, nodes) == []


def test_a_namespace_names_the_nodes_that_it_is_inside_of() -> None:
    assert nodes_of("") == ()
    assert nodes_of("review:1f2e|ask:77") == ("review", "ask")
    assert inside(LOANS, ()) is LOANS
    assert inside(LOANS, ("review", "ask")) is None
    assert inside(LOANS, ("nowhere",)) is None


# On screen


async def test_finished_and_waiting_nodes_are_marked_and_the_cursor_is_where_it_matters(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    know(monkeypatch)
    async with thread(path) as (app, pilot, _):
        await pilot.press("6")
        await wait_for_text(pilot, "loans  ./loans.py:graph")
        rows = [row.strip() for row in picture(app)]
        assert "✓ plan" in rows
        assert "✓ lookup   · score   ↑" in rows
        assert "▌? review ▸" in rows
        assert "· ‖ write" in rows
        assert node_under_cursor(app) == "review"
        assert 'waiting  "Approve 12 000 € for ACME GmbH?"' in text_of(app).split("\n")[-3]
        assert "→ write (approved), plan (again) · a router decides · a graph inside" in text_of(app)


async def test_keys_go_from_node_to_node_and_the_lines_below_tell_about_each(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    know(monkeypatch)
    async with thread(path) as (app, pilot, _):
        await pilot.press("6", "tab")
        await wait_for_text(pilot, "▌? review")
        await pilot.press("j")
        await wait_for_text(pilot, "write  not run since the last input")
        assert "→ __end__ · pauses before it" in text_of(app)
        await pilot.press("k", "k", "l")
        await wait_for(pilot, lambda: node_under_cursor(app) == "score")
        await pilot.press("h")
        await wait_for_text(pilot, "lookup  ✓ ran in an earlier step")
        await pilot.press("g")
        assert node_under_cursor(app) == "__start__"
        await pilot.press("G", "y")
        await wait_for(pilot, lambda: app.clipboard == "__end__")


async def test_another_checkpoint_has_other_marks(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    know(monkeypatch)
    async with thread(path) as (app, pilot, _):
        await pilot.press("6")
        await wait_for_text(pilot, "▌? review")
        await pilot.press("G", "k")
        await wait_for_text(pilot, "✓ plan")
        await wait_for(pilot, lambda: "? review" not in text_of(app))
        assert "· lookup" in text_of(app)


async def test_enter_looks_inside_a_node_and_esc_comes_out_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    know(monkeypatch)
    async with thread(path) as (app, pilot, _):
        await pilot.press("6", "tab")
        await wait_for_text(pilot, "▌? review")
        await pilot.press("enter")
        await wait_for_text(pilot, "loans › review")
        assert any(row.strip("▌ ") == "· ask" for row in picture(app))
        assert "the checkpoint belongs to another graph" in text_of(app)
        await pilot.press("escape")
        await wait_for_text(pilot, "▌? review")
        await pilot.press("j", "enter")
        await wait_for(
            pilot, lambda: [toast.message for toast in app._notifications] == ["There is no graph inside write."]
        )


async def test_a_checkpoint_inside_a_node_shows_the_graph_inside(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    know(monkeypatch)
    async with thread(path) as (app, pilot, _):
        await pilot.press("6")
        await wait_for_text(pilot, "▌? review")
        await pilot.press("j", "enter", "j")
        await wait_for_text(pilot, "loans › review")
        await wait_for(pilot, lambda: any(row.strip() == "▌? ask" for row in picture(app)))
        await pilot.press("k", "k")
        await wait_for_text(pilot, "▌? review")


async def test_nodes_of_a_live_run_are_running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    know(monkeypatch)
    path = make_threads(tmp_path / "shop.sqlite")
    async with thread(path) as (app, pilot, _):
        await pilot.press("6", "j", "j", "j")
        await wait_for_text(pilot, "▌○ ‖ write")
        runs = (made("r1", LOAN, "running", 3, nodes={"write": 2}),)
        monkeypatch.setattr(app.control, "_read_runs", lambda: runs)
        await wait_for_text(pilot, "▌● ‖ write ×2")


async def test_a_graph_that_cannot_be_loaded_says_why(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    know(monkeypatch)

    async def broken(self: Control, graph: GraphRef) -> Drawing:
        raise Refused("./loans.py cannot be imported: No module named 'acme'.", "Install it, or name --python.")

    monkeypatch.setattr(Control, "drawing", broken)
    async with thread(path) as (app, pilot, _):
        await pilot.press("6", "tab")
        await wait_for_text(pilot, "No module named 'acme'")
        assert "Install it, or name --python." in text_of(app)
        await pilot.press("j", "k", "l", "h", "enter", "g", "G", "pagedown", "y")
        await pilot.press("1")
        await wait_for(pilot, lambda: any("messages" in row for row in right(app)))


async def test_a_graph_that_is_only_likely_says_so(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    know(monkeypatch, facts(interrupt_before=("*",)), (REF, REF))
    async with thread(path) as (_, pilot, _screen):
        await pilot.press("6")
        await wait_for_text(pilot, "perhaps: 1 more fits")
        await wait_for_text(pilot, "pauses before every node")


async def test_hostile_names_are_only_text(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = tuple(STRINGS.values())
    edges = [Edge("__start__", text) for text in names]
    edges += [edge for text in names for edge in (Edge(text, "b", True, text), Edge(text, text))]
    drawing = Drawing(names[0], tuple(map(Node, ("__start__", *names, "b"))), tuple(edges))
    know(monkeypatch, drawing, tuple(GraphRef(text, "/data", text) for text in names))
    async with thread(path) as (app, pilot, _):
        await pilot.press("6", "tab")
        await wait_for_text(pilot, "__start__")
        await pilot.press("g", "j")
        for name in STRINGS:
            for key in ("enter", "l"):
                await pilot.press(key)
                await pilot.pause()
                shown = terminal_text(app).replace("\n", "")
                assert not {character for character in DANGEROUS if character in shown}, name


async def test_a_graph_wider_than_the_pane_scrolls_with_the_cursor(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"a-node-with-a-long-name-{number}" for number in range(12)]
    edges = tuple(Edge("__start__", name) for name in names)
    know(monkeypatch, Drawing("wide", (Node("__start__"), *map(Node, names)), edges))
    async with thread(path, size=(80, 24)) as (_, pilot, screen):
        await pilot.press("6", "tab")
        await wait_for_text(pilot, "a-node-with-a-long-name")
        await pilot.press("G", *["l"] * 12)
        await wait_for_text(pilot, names[-1])
        assert screen.checkpoint.graph.view.scroll_offset.x > 0
        await pilot.press(*["h"] * 12)
        await wait_for_text(pilot, names[0])


async def test_the_other_tabs_keep_their_keys(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    know(monkeypatch)
    async with thread(path) as (_, pilot, screen):
        await pilot.press("tab", "6")
        await wait_for_text(pilot, "▌? review")
        assert screen.checkpoint.graph.view.has_focus
        await pilot.press("slash")
        assert screen.checkpoint.graph.view.has_focus
        await pilot.press("3")
        await wait_for_text(pilot, "JSON Schema")
        assert screen.checkpoint.view.has_focus
        await pilot.press("escape")
        assert screen.history.has_focus


# What it looks like


@pytest.mark.parametrize("size", SIZES, ids=lambda size: "x".join(map(str, size)))
@pytest.mark.parametrize("look", ["graph", "inside", "unknown"])
def test_look(
    look: str, size: tuple[int, int], path: Path, monkeypatch: pytest.MonkeyPatch, snap_compare: Callable[..., bool]
) -> None:
    from .conftest import scripted, sqlite_address
    from .test_snapshots_thread import tell_everything

    know(monkeypatch)
    if look == "unknown":

        async def fitting(self: Control, thread_id: str) -> list[GraphRef]:
            raise Refused("No graph is known here.", "Start lgtop where langgraph.json is, or name one with --graph.")

        monkeypatch.setattr(Control, "fitting", fitting)
    keys, text = {
        "graph": (["6", "tab"], "▌? review"),
        "inside": (["6", "tab", "enter"], "loans › review"),
        "unknown": (["6"], "No graph is known here."),
    }[look]
    app = scripted(address=sqlite_address(path), thread=LOAN)

    async def arrange(pilot: Pilot[None]) -> None:
        await wait_for(pilot, lambda: isinstance(app.screen, ThreadScreen))
        tell_everything(app, path)
        await wait_for_text(pilot, "head")
        for key in keys:
            await pilot.press(key)
            if key == "6" and look != "unknown":
                await wait_for_text(pilot, "▌? review")
        await wait_for_text(pilot, text)
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=arrange)

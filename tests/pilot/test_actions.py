"""The action log on the screen: what was done, by whom, what became of it, and taking it back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from backends.control import journal
from backends.control.journal import Entry
from backends.control.plan import Intent
from backends.locks.key import store_key
from tests.hostile import STRINGS
from tui.app import LgtopApp
from tui.screens.actions import ActionsScreen, account
from tui.terminal import Terminal
from tui.widgets.action_list import ActionList

from .conftest import DANGEROUS, NOW, lines_of, sqlite_address, terminal_text, text_of, wait_for, wait_for_text
from .made_runs import SHOP_ADDRESS, runs_app

ENTRY = Entry("a1", NOW - 60, "you@laptop", "shop.sqlite", "key", "copy", "doc-7f3a")
LOG = (
    replace(ENTRY, target="doc-7f3a-copy", outcome="done", checkpoints=5, writes=9, summary="copy doc-7f3a whole",
            command="lgtop copy -s shop.sqlite doc-7f3a doc-7f3a-copy"),
    replace(ENTRY, action_id="a2", when=NOW - 90, verb="resume", run_id="270115-0758-c9w4", outcome="failed",
            reason="ConnectionError('refused')", summary="resume doc-7f3a: runs embed", head_before="1f0",
            head_after="1f1", python="await graph.ainvoke(\n    None, config)", command="lgtop resume doc-7f3a"),
    replace(ENTRY, action_id="a3", when=NOW - 4000, verb="edit", thread_id="0b7e9c1a-51d2-4d0f-9c3e-7a1f6f3a9d21",
            as_node="plan", outcome="done", undone=True, summary="edit as plan: next is lookup"),
    replace(ENTRY, action_id="a4", when=NOW - 90_000, verb="start", thread_id="doc-0001", operator="ann@build",
            outcome="running", run_id="r", summary="start doc-0001: runs plan"),
    replace(ENTRY, action_id="a5", when=NOW - 99_000, verb="fork", thread_id="doc-0002", outcome="", ran=False,
            summary="fork at step 3"),
)  # fmt: skip


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> list[Entry]:
    """What the log says; change it as you like."""
    entries = list(LOG)
    monkeypatch.setattr(journal, "entries", lambda key, limit: entries[:limit])
    monkeypatch.setattr("backends.locks.key.store_key", lambda address: "key")
    return entries


async def opened(pilot: Pilot[None]) -> ActionList:
    """Open the log."""
    await pilot.press("L")
    await wait_for(pilot, lambda: pilot.app.screen.query(ActionList))
    return pilot.app.screen.query_one(ActionList)


def toasts(app: LgtopApp) -> list[str]:
    return [toast.message for toast in app._notifications]


async def test_actions_show_who_did_what_and_what_became_of_it(log: list[Entry]) -> None:
    app = runs_app()
    async with app.run_test(size=(120, 24), notifications=True) as pilot:
        await opened(pilot)
        await wait_for_text(pilot, "ConnectionError('refused')")
        rows = [line.replace("▌", " ").split() for line in lines_of(app)[2:7]]
        assert [row[2] for row in rows] == ["copy", "resume", "edit", "start", "fork"]
        assert rows[1][3:6] == ["doc-7f3a", "✖", "failed"]
        assert rows[2][4:6] == ["↶", "undone"]
        assert rows[3][4:7] == ["●", "running", "ann@build"]
        assert "not known" in lines_of(app)[6]


async def test_the_cursor_stays_on_its_action_when_others_come(log: list[Entry]) -> None:
    app = runs_app()
    async with app.run_test(size=(120, 24), notifications=True) as pilot:
        actions = await opened(pilot)
        await wait_for_text(pilot, "ann@build")
        await pilot.press("j")
        log.insert(0, replace(LOG[0], action_id="new", summary="copied just now"))
        app.have()
        await wait_for_text(pilot, "copied just now")
        assert actions.selected is not None
        assert actions.selected.action_id == "a2"


async def test_enter_reads_all_about_an_action(log: list[Entry]) -> None:
    app = runs_app()
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await opened(pilot)
        await wait_for_text(pilot, "ann@build")
        await pilot.press("j", "y")
        await wait_for(pilot, lambda: app.clipboard == "lgtop resume doc-7f3a")
        await pilot.press("enter")
        await wait_for_text(pilot, "head before  1f0")
        assert "    await graph.ainvoke(" in text_of(app)


def test_what_is_not_known_is_not_told() -> None:
    told = "\n".join(account(LOG[0]))
    assert "copied       5 checkpoints, 9 write rows" in told
    assert "head before" not in told
    assert "python" not in told


async def test_what_cannot_be_undone_says_why(log: list[Entry]) -> None:
    app = runs_app()
    async with app.run_test(size=(120, 24), notifications=True) as pilot:
        await opened(pilot)
        await wait_for_text(pilot, "ann@build")
        await pilot.press("j", "u")
        assert toasts(app)[-1].startswith("A resume cannot be undone")
        await pilot.press("j", "u")
        assert toasts(app)[-1] == "It has been undone already."
        assert isinstance(app.screen, ActionsScreen)
        await pilot.press("j", "j", "u")
        await wait_for_text(pilot, "Undo: fork at step 3?")
        assert "The checkpoint that it added is deleted" in text_of(app)
        await pilot.press("escape")


async def test_with_readonly_nothing_is_undone(log: list[Entry]) -> None:
    app = runs_app(readonly=True)
    async with app.run_test(size=(120, 24), notifications=True) as pilot:
        await opened(pilot)
        await wait_for_text(pilot, "ann@build")
        await pilot.press("u")
        assert "--readonly" in toasts(app)[-1]


async def test_an_empty_log_says_so(log: list[Entry]) -> None:
    log.clear()
    app = runs_app()
    async with app.run_test(size=(120, 24), notifications=True) as pilot:
        await opened(pilot)
        await wait_for_text(pilot, "nothing has been done yet")
        await pilot.press("u", "t", "y", "enter", "j", "G")
        assert toasts(app)[-1] == "There is no action here."


async def test_a_log_that_cannot_be_read_says_why(monkeypatch: pytest.MonkeyPatch, log: list[Entry]) -> None:
    def denied(key: str, limit: int) -> list[Entry]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(journal, "entries", denied)
    app = runs_app()
    async with app.run_test(size=(120, 24), notifications=True) as pilot:
        await opened(pilot)
        await wait_for_text(pilot, "Permission denied")


async def test_a_real_copy_is_logged_and_undone(store: Path) -> None:
    app = LgtopApp(sqlite_address(store), terminal=Terminal(), readonly=False)
    async with app.run_test(size=(120, 30), notifications=True) as pilot:
        await wait_for(pilot, lambda: app.index.counts.exact)
        plan = await app.control.plan(Intent("copy", "loan-0042", target="loan-0042-copy"))
        assert not plan.refusal
        await app.control.execute(plan)
        await wait_for(pilot, lambda: "loan-0042-copy" in app.index.rows)
        await opened(pilot)
        await wait_for_text(pilot, "✓ done")
        assert journal.entries(store_key(str(store)))[0].target == "loan-0042-copy"
        await pilot.press("u")
        await wait_for_text(pilot, "Thread loan-0042-copy is deleted")
        await pilot.press("y")
        await wait_for_text(pilot, "was removed")
        await wait_for_text(pilot, "↶ undone")
        await wait_for(pilot, lambda: "loan-0042-copy" not in app.index.rows)
        assert "loan-0042" in app.index.rows
        await pilot.press("G", "u")
        assert toasts(app)[-1] == "It has been undone already."


async def test_a_copy_that_was_used_is_not_undone(store: Path) -> None:
    from .stores import add_thread

    app = LgtopApp(sqlite_address(store), terminal=Terminal(), readonly=False)
    async with app.run_test(size=(120, 30), notifications=True) as pilot:
        await wait_for(pilot, lambda: app.index.counts.exact)
        await app.control.execute(await app.control.plan(Intent("copy", "doc-0001", target="used")))
        add_thread(store, "used", 3)
        await opened(pilot)
        await wait_for_text(pilot, "✓ done")
        await pilot.press("u")
        await wait_for_text(pilot, "Thread used is deleted")
        await pilot.press("enter")
        await wait_for(pilot, lambda: any("has been used since" in toast for toast in toasts(app)))
        assert "used" in app.index.rows


@pytest.mark.parametrize("name", STRINGS)
async def test_hostile_texts_are_only_text(name: str, log: list[Entry]) -> None:
    text = STRINGS[name]
    log[0] = Entry(text, NOW, text, text, "key", "copy", text, text, text, text, text, None, text, text)
    app = runs_app()
    async with app.run_test(size=(120, 30), notifications=True) as pilot:
        await opened(pilot)
        await wait_for_text(pilot, "ann@build")
        seen = [terminal_text(app)]
        for key in ("u", "escape", "y", "enter"):
            await pilot.press(key)
            await pilot.pause()
            seen.append(terminal_text(app))
        for shown in seen:
            assert not {character for character in DANGEROUS if character in shown.replace("\n", "")}


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda size: "x".join(map(str, size)))
@pytest.mark.parametrize("look", ["log", "undo", "entry", "empty"])
def test_look(look: str, size: tuple[int, int], log: list[Entry], snap_compare: Callable[..., bool]) -> None:
    keys, text = {
        "log": (["j"], "ann@build" if size[0] > 80 else "doc-0002"),
        "undo": (["u"], "Undo: copy"),
        "entry": (["j", "enter"], "head before"),
        "empty": ([], "nothing has been done yet"),
    }[look]
    if look == "empty":
        log.clear()
    app = runs_app(SHOP_ADDRESS)

    async def arrange(pilot: Pilot[None]) -> None:
        await opened(pilot)
        await wait_for_text(pilot, "doc-0002" if log else text)
        await pilot.press(*keys)
        await wait_for_text(pilot, text)
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=arrange)

"""One thread: history, tabs, search, pager, and what happens in the store meanwhile."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from backends.errors import StoreBusy, StoreUnreachable
from backends.feed_events import Analysed, Changed, HeadsLoaded, Lost, Recovered
from backends.lineage import FolderKey
from backends.model import CheckpointKey
from backends.reader import Reader
from backends.store import open_store
from tui.screens.pager import Pager
from tui.screens.thread import ThreadScreen
from tui.screens.threads import ThreadsScreen
from tui.tabs.states import States

from .conftest import ScriptedApp, lines_of, opened, scripted, sqlite_address, text_of, wait_for, wait_for_text
from .thread_stores import MESSAGES, ThreadStore, checkpoint_id, make_threads, write_long

LOAN = "loan-0042"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store with a forked, waiting thread and a failed one."""
    return make_threads(tmp_path / "shop.sqlite")


@asynccontextmanager
async def thread(
    path: Path, thread_id: str = LOAN, size: tuple[int, int] = (120, 40), wait: str = "head"
) -> AsyncIterator[tuple[ScriptedApp, Pilot[None], ThreadScreen]]:
    """The app with a thread open, as far as the store's heads and statuses say."""
    app = scripted(address=sqlite_address(path), thread=thread_id)
    reader = Reader(open_store(str(path)))
    heads = list(reader.store.heads_of([LOAN, "etl-2026-11-20", thread_id]).values())
    analyses = reader.analyse_heads(heads)
    reader.store.close()
    async with app.run_test(size=size) as pilot:
        await wait_for(pilot, lambda: isinstance(app.screen, ThreadScreen))
        app.tell(opened(), HeadsLoaded(tuple(heads), complete=True))
        app.tell(Analysed({name: summarise(analysis) for name, analysis in analyses.items()}))
        await wait_for_text(pilot, wait)
        screen = app.screen
        assert isinstance(screen, ThreadScreen)
        await wait_for(pilot, lambda: screen.checkpoint.view.outline.rows and screen.history.lineage.count)
        yield app, pilot, screen


def summarise(analysis: object) -> object:
    from backends.status import summarise as summary_of

    return summary_of(analysis)  # type: ignore[arg-type]


def news(app: ScriptedApp, path: Path, thread_id: str = LOAN) -> None:
    """Let the feed say that the thread changed."""
    store = open_store(str(path))
    heads = store.heads_of([thread_id])
    store.close()
    removed = frozenset() if heads else frozenset([thread_id])
    app.tell(Changed(tuple(heads.values()), removed))


def left(app: ScriptedApp) -> list[str]:
    """The lines of the history as they are on screen."""
    screen = app.screen
    assert isinstance(screen, ThreadScreen)
    history = screen.history
    width = history.size.width
    return [line[:width].rstrip() for line in lines_of(app)[history.region.y : history.region.bottom]]


def right(app: ScriptedApp) -> list[str]:
    """The rows of the tab as they are on screen."""
    screen = app.screen
    assert isinstance(screen, ThreadScreen)
    view = screen.checkpoint.view
    rows = lines_of(app)[view.region.y : view.region.bottom]
    return [row[view.region.x : view.region.right].rstrip() for row in rows]


def row_of(app: ScriptedApp, text: str) -> str:
    return next(row for row in right(app) if text in row)


# The history


async def test_the_history_is_a_tree_with_steps_sources_nodes_and_durations(path: Path) -> None:
    async with thread(path) as (app, pilot, _):
        await wait_for_text(pilot, "plan")
        lines = left(app)
        assert lines[0].split() == ["▌●", "3", "loop", "lookup", "head", "+42s"]
        assert lines[1].split() == ["│", "▸", "review", "2", "checkpoints"]
        assert lines[2].split() == ["○", "2", "fork", "+11m"]
        assert lines[3].split()[:3] == ["│", "○", "3"]
        assert lines[4].split() == ["├─○", "2", "loop", "lookup", "+42s"]
        assert lines[5].split() == ["○", "1", "loop", "plan", "+1.3s"]
        assert lines[7].split()[:3] == ["◇", "-1", "input"]
        assert lines[8] == ""


async def test_status_and_reason_stand_above(path: Path) -> None:
    async with thread(path) as (app, pilot, _):
        await wait_for_text(pilot, "? waiting")
        line = lines_of(app)[1]
        assert "Approve 12 000 € for ACME GmbH?" in line
        assert line.endswith("next review")
        assert lines_of(app)[0].startswith(" lgtop  shop.sqlite › loan-0042")


async def test_a_subgraph_opens_and_closes_and_its_checkpoints_are_looked_at(path: Path) -> None:
    async with thread(path) as (app, pilot, screen):
        await pilot.press("j", "enter")
        assert next(line.strip() for line in left(app)[1:4]).startswith("▌│ ▾ review")
        assert left(app)[2].split()[:4] == ["│", "○", "0", "loop"]
        await pilot.press("j")
        await wait_for_text(pilot, "in review:")
        assert screen.history.selected is not None
        assert screen.history.selected.ns.startswith("review:")
        await pilot.press("h")
        assert isinstance(screen.history.mark, FolderKey)
        await pilot.press("h")
        assert "▸ review" in left(app)[1]


async def test_a_folder_shows_the_checkpoint_that_it_hangs_at(path: Path) -> None:
    async with thread(path) as (_, pilot, screen):
        head = screen.history.selected
        await pilot.press("j")
        assert isinstance(screen.history.mark, FolderKey)
        assert screen.history.selected == head


# Tabs


async def test_the_state_shows_channels_with_types_messages_and_masked_secrets(path: Path) -> None:
    async with thread(path) as (app, pilot, _):
        await wait_for_text(pilot, "messages")
        assert "list 3" in row_of(app, "messages")
        assert "ai     I will look into the contract" in row_of(app, "1  ai")
        assert "tool lookup" in row_of(app, "2  tool")
        assert row_of(app, "key").split()[:3] == ["key", "‹SecretStr›", "••••"]
        assert "hunter2" not in text_of(app)
        assert "branch:to" not in text_of(app)


async def test_the_difference_to_the_parent_is_shown_channel_by_channel(path: Path) -> None:
    async with thread(path) as (app, pilot, _):
        await pilot.press("2")
        await wait_for_text(pilot, "against its parent")
        assert row_of(app, "messages").split() == ["▾", "~", "messages", "+1", "message"]
        assert row_of(app, "log").split() == ["▾", "~", "log", "+1", "item"]
        assert row_of(app, "looked up").split() == ["+", "[1]", '"looked', 'up"']
        assert row_of(app, "− by hand")
        assert row_of(app, "+ line 2 (edited)")
        assert row_of(app, "scores").split()[:3] == ["▾", "+", "scores"]


async def test_a_marked_checkpoint_is_the_base_until_it_is_unmarked(path: Path) -> None:
    async with thread(path) as (app, pilot, screen):
        await pilot.press("j", "j", "j", "j", "d")
        await wait_for_text(pilot, "This is the marked checkpoint")
        assert "base" in left(app)[4]
        await pilot.press("g")
        await wait_for_text(pilot, "against step 2 (loop), which is marked")
        await wait_for_text(pilot, "no change")
        await pilot.press("j", "j", "j", "j", "d")
        await wait_for_text(pilot, "against its parent")
        assert screen.history.base is None


async def test_the_first_checkpoint_is_all_new(path: Path) -> None:
    async with thread(path) as (_app, pilot, _):
        await pilot.press("G", "2")
        await wait_for_text(pilot, "It has no parent")


async def test_tasks_say_what_is_asked_and_how_to_answer(path: Path) -> None:
    async with thread(path) as (app, pilot, _):
        await pilot.press("3")
        await wait_for_text(pilot, "JSON Schema")
        assert row_of(app, "review").split() == ["▌▾", "?", "review", "waiting"]
        assert '"Approve 12 000 € for ACME GmbH?"' in text_of(app)
        assert "dc424276500043e38e5ff87bbb19d02a" in text_of(app)


async def test_tasks_say_what_failed_and_what_was_finished(path: Path) -> None:
    async with thread(path, "etl-2026-11-20", wait="✖ failed") as (app, pilot, _):
        await pilot.press("3")
        await wait_for_text(pilot, "wrote audited")
        assert row_of(app, "✖").split()[-2:] == ["load", "failed"]
        assert row_of(app, "refused by db.internal")


async def test_a_checkpoint_without_tasks_says_so(path: Path) -> None:
    with ThreadStore(path) as store:
        store.put("idle", 0, 0, {"x": 1})
    async with thread(path, "idle") as (_, pilot, _screen):
        await pilot.press("3")
        await wait_for_text(pilot, "No task starts from this checkpoint.")
        await pilot.press("4")
        await wait_for_text(pilot, "No task has written anything from here.")


async def test_writes_are_listed_task_by_task(path: Path) -> None:
    async with thread(path) as (app, pilot, _):
        await pilot.press("j", "j", "4")
        await wait_for_text(pilot, "3 rows")
        assert row_of(app, "lookup").split()[1:2] == ["lookup"]
        assert "msgpack" in row_of(app, "scores")
        assert "#1 msgpack" in row_of(app, "scores")


async def test_raw_shows_ids_versions_and_bytes(path: Path) -> None:
    async with thread(path) as (app, pilot, _):
        await pilot.press("5")
        await wait_for_text(pilot, "channel_versions")
        assert checkpoint_id(742, 3) in row_of(app, "checkpoint_id")
        assert checkpoint_id(700, 2) in row_of(app, "parent_id")
        assert "msgpack" in row_of(app, "stored")


async def test_a_thread_without_a_root_namespace_opens_on_its_newest_one(path: Path) -> None:
    with ThreadStore(path) as store:
        first = store.put("mine", 0, 0, {"x": 1}, ns="my-namespace")
        store.put("mine", 1, 1, {"x": 2}, ns="my-namespace", parent=first)
    async with thread(path, "mine") as (app, pilot, screen):
        assert left(app)[0].split()[:2] == ["▾", "my-namespace"]
        assert left(app)[1].startswith("▌")
        await wait_for_text(pilot, "in my-namespace")
        assert screen.history.on_head


async def test_an_encrypted_checkpoint_says_so_in_every_tab(path: Path) -> None:
    with ThreadStore(path) as store:
        store.put("secret", 0, 0, {"x": 1})
        store.rows.execute("UPDATE checkpoints SET type = 'msgpack+aes' WHERE thread_id = 'secret'")
    async with thread(path, "secret", size=(120, 24)) as (_, pilot, _screen):
        for tab in "1253":
            await pilot.press(tab)
            await wait_for_text(pilot, "encrypted (msgpack+aes)")


async def test_z_folds_everything(path: Path) -> None:
    async with thread(path) as (app, pilot, screen):
        await wait_for_text(pilot, "▾ messages")
        await pilot.press("z")
        await wait_for_text(pilot, "▸ messages")
        assert not any(row.opened for row in screen.checkpoint.view.outline.rows)
        assert "▸ scores" in text_of(app)


async def test_the_info_line_has_time_and_the_applications_metadata(path: Path) -> None:
    async with thread(path) as (app, pilot, _):
        await pilot.press("G")
        await wait_for_text(pilot, "run_id=run-77")
        assert "2027-01-15 00:00:00" in text_of(app)
        assert "tenant=acme" in text_of(app)


async def test_every_tab_keeps_its_cursor_and_its_folds(path: Path) -> None:
    async with thread(path) as (_app, pilot, screen):
        await pilot.press("tab", "j", "j", "enter")
        path_before = screen.checkpoint.view.node.path if screen.checkpoint.view.node else None
        await pilot.press("5")
        await wait_for_text(pilot, "channel_versions")
        await pilot.press("1")
        await wait_for_text(pilot, "▸ messages")
        assert screen.checkpoint.view.node is not None
        assert screen.checkpoint.view.node.path == path_before


async def test_folds_and_cursor_stay_from_checkpoint_to_checkpoint(path: Path) -> None:
    async with thread(path) as (app, pilot, screen):
        view = screen.checkpoint.view
        await pilot.press("tab")
        while view.node is None or view.node.path != ("messages", 0):
            await pilot.press("j")
        await pilot.press("enter", "left_square_bracket")
        await wait_for(pilot, lambda: screen.history.selected is not None and "00:11:40" in text_of(app))
        await wait_for_text(pilot, "by hand")
        assert view.node is not None
        assert view.node.path == ("messages", 0)
        assert view.outline.rows[view.cursor].opened
        await pilot.press("right_square_bracket")
        await wait_for_text(pilot, "00:12:22")


# Moving about


async def test_escape_undoes_one_thing_at_a_time(path: Path) -> None:
    async with thread(path) as (app, pilot, screen):
        await pilot.press("enter")
        assert screen.checkpoint.view.has_focus
        await pilot.press("plus", "slash", *"acme", "enter")
        await wait_for_text(pilot, "1 of 2")
        await pilot.press("escape")
        await wait_for(pilot, lambda: screen.checkpoint.view.pattern is None)
        assert "HISTORY" not in text_of(app)
        await pilot.press("escape")
        await wait_for_text(pilot, "HISTORY")
        assert screen.checkpoint.view.has_focus
        await pilot.press("escape")
        assert screen.history.has_focus
        await pilot.press("escape")
        assert isinstance(app.screen, ThreadsScreen)


async def test_a_pane_can_have_the_whole_width_and_tab_goes_to_the_other(path: Path) -> None:
    async with thread(path) as (_app, pilot, screen):
        await pilot.press("plus")
        await wait_for(pilot, lambda: screen.history.size.width > 100)
        await pilot.press("tab")
        await wait_for(pilot, lambda: screen.checkpoint.view.size.width > 100)
        await pilot.press("underscore")
        await wait_for(pilot, lambda: screen.checkpoint.view.size.width < 100)
        assert screen.checkpoint.view.has_focus


async def test_a_click_on_a_tab_shows_it(path: Path) -> None:
    async with thread(path) as (_, pilot, screen):
        bar = screen.checkpoint.bar
        await pilot.click(bar, offset=(2 + len("1 State  2 D"), 0))
        await wait_for_text(pilot, "against its parent")


async def test_a_click_on_a_fold_mark_folds(path: Path) -> None:
    async with thread(path) as (app, pilot, screen):
        view = screen.checkpoint.view
        await wait_for_text(pilot, "human")
        row = next(number for number, line in enumerate(right(app)) if "messages" in line)
        await pilot.click(view, offset=(1, row))
        await wait_for(pilot, lambda: "human" not in text_of(app))


# Search and pager


async def test_a_search_goes_from_match_to_match_and_round_the_end(path: Path) -> None:
    async with thread(path) as (_app, pilot, screen):
        view = screen.checkpoint.view
        await pilot.press("slash", *"acme")
        await wait_for_text(pilot, "1 of 2")
        await pilot.press("enter")
        assert view.has_focus
        first = view.node.path if view.node else None
        await pilot.press("n")
        await wait_for_text(pilot, "2 of 2")
        assert view.node is not None
        assert view.node.path == ("messages", 1, "tool_calls", 0, "customer"), "folded away until now"
        await pilot.press("n")
        await wait_for_text(pilot, "1 of 2")
        assert view.node.path == first
        await pilot.press("N")
        await wait_for_text(pilot, "2 of 2")


async def test_a_search_without_a_match_says_so_and_stays_where_it_is(path: Path) -> None:
    async with thread(path) as (_, pilot, screen):
        await pilot.press("tab", "j", "slash", *"zebra")
        await wait_for_text(pilot, "no match")
        assert screen.checkpoint.view.cursor == 1


async def test_a_search_goes_on_in_the_next_checkpoint(path: Path) -> None:
    async with thread(path) as (_, pilot, _screen):
        await pilot.press("slash", *"acme", "enter")
        await wait_for_text(pilot, "of 2")
        await pilot.press("left_square_bracket", "left_square_bracket")
        await pilot.press("slash", "ctrl+u", *"looked", "enter")
        await wait_for_text(pilot, "1 of 1")


async def test_a_long_text_opens_in_the_pager(path: Path) -> None:
    with ThreadStore(path) as store:
        text = "".join(f"line {number} of a long report, with some more words\n" for number in range(500))
        store.put("report", 0, 0, {"text": text, "short": "x"})
    async with thread(path, "report") as (app, pilot, _):
        await pilot.press("tab", "enter")
        await wait_for(pilot, lambda: isinstance(app.screen, Pager))
        await wait_for_text(pilot, "line 1 of 501")
        await pilot.press("slash", *"line 321", "enter")
        await wait_for_text(pilot, "1 of 1")
        assert "line 322 of 501" in lines_of(app)[0]
        await pilot.press("escape", "escape")
        await wait_for(pilot, lambda: isinstance(app.screen, ThreadScreen))
        await pilot.press("j", "enter")
        assert isinstance(app.screen, ThreadScreen), "a short text is on its row already"


async def test_the_pager_breaks_lines_or_scrolls_sideways_and_stays_at_its_line(path: Path) -> None:
    with ThreadStore(path) as store:
        store.put("wide", 0, 0, {"text": "\n".join(f"{number} " + "word " * 60 for number in range(50))})
    async with thread(path, "wide", size=(80, 24)) as (app, pilot, _):
        await pilot.press("tab", "enter")
        await wait_for_text(pilot, "line 1 of 50")
        await pilot.press(*["j"] * 30)
        here = lines_of(app)[0].split("line ")[1].split()[0]
        await pilot.press("w")
        await wait_for(pilot, lambda: app.screen.query_one("#text").virtual_size.width > 300)
        assert f"line {here} of 50" in lines_of(app)[0]
        await pilot.press("q")
        await wait_for(pilot, lambda: isinstance(app.screen, ThreadScreen))


async def test_any_value_can_be_read_as_json(path: Path) -> None:
    async with thread(path) as (app, pilot, _):
        await pilot.press("tab", "j", "j", "v")
        await wait_for(pilot, lambda: isinstance(app.screen, Pager))
        await wait_for_text(pilot, '"$type": "langchain_core.messages.human.HumanMessage"')


# Copying


@pytest.fixture
def copied(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What the app was asked to copy."""
    texts: list[tuple[str, str]] = []
    monkeypatch.setattr(ScriptedApp, "copy", lambda self, text, what: texts.append((text, what)))
    return texts


async def test_what_is_under_the_cursor_is_copied(path: Path, copied: list[tuple[str, str]]) -> None:
    async with thread(path) as (_, pilot, _screen):
        await pilot.press("y")
        await wait_for(pilot, lambda: len(copied) == 1)
        assert copied[0] == (checkpoint_id(742, 3), "checkpoint id")
        await pilot.press("j", "y")
        await wait_for(pilot, lambda: len(copied) == 2)
        assert copied[1][1] == "namespace"
        await pilot.press("tab", "y")
        await wait_for(pilot, lambda: len(copied) == 3)
        assert copied[2][0] == "12000"
        await pilot.press("j", "y")
        await wait_for(pilot, lambda: len(copied) == 4)
        assert copied[3][0] == '{\n  "$secret": "SecretStr"\n}'
        await pilot.press("j", "j", "j", "enter", "j", "y")
        await wait_for(pilot, lambda: len(copied) == 5)
        assert copied[4][0] == MESSAGES[1].content


# What happens in the store meanwhile


async def test_new_checkpoints_appear_and_the_cursor_stays(path: Path) -> None:
    async with thread(path) as (app, pilot, screen):
        await pilot.press("j", "j")
        stays = screen.history.mark
        with ThreadStore(path) as store:
            store.put(LOAN, 800, 4, {"amount": 1}, parent=checkpoint_id(742, 3), due=["write"])
        news(app, path)
        await wait_for(pilot, lambda: screen.history.lineage.count == 10)
        assert screen.history.mark == stays
        assert "4" in left(app)[0].split()
        assert "head" in left(app)[0]
        assert left(app)[3].startswith("▌")


async def test_far_down_nothing_moves_when_a_checkpoint_is_added(path: Path) -> None:
    with ThreadStore(path) as store:
        write_long(store, 200)
    async with thread(path, "loop", size=(120, 24)) as (app, pilot, screen):
        await pilot.press("G", "k", "k")
        await wait_for_text(pilot, "00:00:22")
        before = left(app)
        with ThreadStore(path) as store:
            store.put("loop", 500, 200, {"n": 200}, parent=checkpoint_id(219, 199))
        news(app, path, "loop")
        await wait_for(pilot, lambda: screen.history.lineage.count == 201)
        assert left(app) == before


async def test_the_cursor_goes_with_the_head_only_when_asked(path: Path) -> None:
    async with thread(path) as (app, pilot, screen):
        head = screen.history.mark
        for number, follow in enumerate((False, True)):
            if follow:
                await pilot.press("F")
                await wait_for_text(pilot, "follow")
                assert screen.history.on_head
            with ThreadStore(path) as store:
                parent = screen.history.lineage.head
                assert parent is not None
                store.put(LOAN, 800 + number, 4 + number, {"amount": 1}, parent=parent.checkpoint_id)
            news(app, path)
            await wait_for(pilot, lambda count=10 + number: screen.history.lineage.count == count)
            assert screen.history.on_head is follow
            assert (screen.history.mark == head) is not follow


async def test_a_task_that_finishes_is_seen_without_a_new_checkpoint(path: Path) -> None:
    async with thread(path, "etl-2026-11-20", wait="✖ failed") as (app, pilot, _):
        await pilot.press("3")
        await wait_for_text(pilot, "wrote audited")
        with ThreadStore(path) as store:
            store.rows.execute("DELETE FROM writes WHERE channel = '__error__'")
            store.write("etl-2026-11-20", checkpoint_id(10.1, 0), "load", rows=4)
        news(app, path, "etl-2026-11-20")
        app.live._fresh.add("etl-2026-11-20")
        app.live._touch({"etl-2026-11-20"})
        await wait_for_text(pilot, "wrote rows")


async def test_a_deleted_thread_is_kept_on_screen_and_said_to_be_gone(path: Path) -> None:
    async with thread(path) as (app, pilot, screen):
        await wait_for_text(pilot, "messages")
        with ThreadStore(path) as store:
            store.remove(LOAN)
        news(app, path)
        await wait_for_text(pilot, "The thread is not in the store. It was deleted")
        assert screen.history.lineage.count == 9
        assert "messages" in text_of(app)


async def test_checkpoints_that_were_pruned_disappear(path: Path) -> None:
    async with thread(path) as (app, pilot, screen):
        with ThreadStore(path) as store:
            store.rows.execute("DELETE FROM checkpoints WHERE checkpoint_id < ?", (checkpoint_id(700, 2),))
        news(app, path)
        app.live._fresh.add(LOAN)
        app.live._touch({LOAN})
        await wait_for(pilot, lambda: screen.history.lineage.count == 4)
        await pilot.press("G", "2")
        await wait_for_text(pilot, "nothing to compare with")


async def test_a_thread_that_never_was_is_said_not_to_be_there(path: Path) -> None:
    app = scripted(address=sqlite_address(path), thread="nobody")
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for_text(pilot, "The thread is not in the store. Check its id.")
        await pilot.press("1", "2", "3", "4", "5", "j", "enter", "d", "y", "v", "F", "n", "left_square_bracket")
        assert isinstance(app.screen, ThreadScreen)


async def test_a_lost_store_leaves_everything_on_screen(path: Path) -> None:
    async with thread(path) as (app, pilot, screen):
        await wait_for_text(pilot, "messages")
        refused = StoreUnreachable("Connection refused.", "Is the server running?")
        app.tell(Lost(refused.reason, refused.advice, 5.0, refused))
        await wait_for_text(pilot, "✖ Connection refused.")
        assert "messages" in text_of(app)
        assert screen.history.lineage.count == 9
        app.tell(Recovered())
        await wait_for_text(pilot, "connected again")


async def test_a_store_that_cannot_be_read_says_why_and_keeps_what_is_shown(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with thread(path) as (app, pilot, _):
        await wait_for_text(pilot, "messages")

        def busy(self: States, reader: Reader, key: CheckpointKey) -> None:
            raise StoreBusy("The database is locked.", "Wait for the other process.")

        with monkeypatch.context() as patch:
            patch.setattr(States, "of", busy)
            await pilot.press("j", "j")
            await wait_for_text(pilot, "The database is locked.")
            assert "messages" in text_of(app)
        await wait_for_text(pilot, "by hand")
        await wait_for(pilot, lambda: "The database is locked." not in text_of(app))


async def test_an_answer_that_comes_late_is_not_shown(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: Callable[..., object] = States.of
    asked, gate = threading.Event(), threading.Event()

    def slow(self: States, reader: Reader, key: CheckpointKey) -> object:
        state = read(self, reader, key)
        if key.checkpoint_id == checkpoint_id(700, 2):
            asked.set()
            gate.wait(10)
        return state

    monkeypatch.setattr(States, "of", slow)
    async with thread(path) as (app, pilot, _):
        await wait_for_text(pilot, "lookup")
        await pilot.press("j", "j")
        await wait_for(pilot, asked.is_set)
        await wait_for_text(pilot, "reading…")
        await pilot.press("k", "k")
        await wait_for(pilot, lambda: "reading…" not in text_of(app))
        gate.set()
        await pilot.press("5")
        await wait_for_text(pilot, "channel_versions")
        await pilot.press("1")
        await wait_for_text(pilot, "list 3")
        assert "by hand" not in text_of(app)


async def test_resting_the_cursor_reads_once_and_passing_by_reads_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ThreadStore(path) as store:
        write_long(store, 60)
    read: Callable[..., object] = States.of
    keys: list[str] = []

    def counted(self: States, reader: Reader, key: CheckpointKey) -> object:
        keys.append(key.checkpoint_id)
        return read(self, reader, key)

    monkeypatch.setattr(States, "of", counted)
    async with thread(path, "loop") as (_, pilot, screen):
        keys.clear()
        history = screen.history
        for _step in range(30):
            history.action_move(1)
        await wait_for_text(pilot, "00:00:49")
        await wait_for(pilot, lambda: keys)
        await pilot.pause(0.1)
        assert keys == [checkpoint_id(49, 29)]


async def test_a_long_history_is_read_page_by_page_and_says_how_far_it_is(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tui import thread_history

    with ThreadStore(path) as store:
        write_long(store, 120)
    monkeypatch.setattr(thread_history, "FIRST_PAGE", 50)
    gate = threading.Event()
    more = thread_history.ThreadHistory._more

    def gated(self: thread_history.ThreadHistory, reader: Reader, size: int) -> object:
        gate.wait(10)
        return more(self, reader, size)

    monkeypatch.setattr(thread_history.ThreadHistory, "_more", gated)
    async with thread(path, "loop") as (app, pilot, screen):
        await wait_for_text(pilot, "50 of 120")
        gate.set()
        await wait_for(pilot, lambda: screen.history.lineage.count == 120)
        await wait_for(pilot, lambda: "50 of 120" not in text_of(app))
        await pilot.press("G")
        assert screen.history.line_count == 120

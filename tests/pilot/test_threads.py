"""The list of threads."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.feed_events import Analysed, Changed, HeadsLoaded, Lost, Recovered, Reloading
from tui.terminal import Terminal
from tui.widgets.banner import Banner
from tui.widgets.thread_list import ThreadList

from .conftest import (
    NOW,
    SHOP,
    everything,
    head,
    lines_of,
    opened,
    scripted,
    shop,
    sqlite_address,
    summary,
    text_of,
    wait_for,
    wait_for_text,
)
from .stores import add_thread


def rows_of(app: object) -> list[str]:
    """Ids in the order in which they are shown."""
    return list(app.index.order)  # type: ignore[attr-defined]


def row_with(app: object, text: str) -> str:
    """The line on screen that contains a text."""
    return next((line for line in lines_of(app) if text in line), "")  # type: ignore[arg-type]


# A real store


async def test_a_real_store_shows_every_kind_of_thread(store: Path) -> None:
    from tui.app import LgtopApp

    app = LgtopApp(sqlite_address(store), terminal=Terminal())
    async with app.run_test(size=(120, 30)) as pilot:
        await wait_for(pilot, lambda: app.index.counts.exact)
        await wait_for_text(pilot, " 12 threads")
        assert "? 2 waiting" in lines_of(app)[0]
        assert "✖ 1 failed" in lines_of(app)[0]
        assert "checkpoints.sqlite  sqlite · read-only" in lines_of(app)[0]
        waiting = row_with(app, "loan-0042")
        assert waiting.split()[:6] == ["?", "waiting", "loan-0042", "review", "1", waiting.split()[5]]
        assert "Approve 12001 €?" in waiting
        assert "ConnectionError('refused')" in row_with(app, "etl-2026-11-20")
        assert "✓ done" in row_with(app, "doc-0003")


async def test_a_commit_elsewhere_appears_and_the_cursor_stays_on_its_thread(store: Path) -> None:
    from tui.app import LgtopApp

    app = LgtopApp(sqlite_address(store), terminal=Terminal())
    async with app.run_test(size=(120, 30)) as pilot:
        await wait_for(pilot, lambda: app.index.counts.exact)
        threads = app.screen.query_one(ThreadList)
        await pilot.press("j", "j", "j", "j", "j", "j")
        chosen = threads.selected
        assert chosen == "doc-0005"
        add_thread(store, "brand-new", 3)
        add_thread(store, "loan-9999", 700)
        await wait_for_text(pilot, "brand-new")
        await wait_for_text(pilot, "3 waiting")
        assert threads.selected == chosen
        assert next(line for line in lines_of(app) if line.startswith("▌")).split()[3] == chosen


async def test_an_empty_store_says_so_and_fills_by_itself(tmp_path: Path) -> None:
    import sqlite3

    from langgraph.checkpoint.sqlite import SqliteSaver

    from tui.app import LgtopApp

    path = tmp_path / "empty.sqlite"
    connection = sqlite3.connect(path)
    SqliteSaver(connection).setup()
    connection.close()
    app = LgtopApp(sqlite_address(path), terminal=Terminal())
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for_text(pilot, "waiting for the first checkpoint…")
        assert "0 threads" in lines_of(app)[0]
        add_thread(path, "the-first", 3)
        await wait_for_text(pilot, "the-first")
        assert "waiting for the first" not in text_of(app)


# Columns


@pytest.mark.parametrize(
    ("width", "titles"),
    [
        (120, ["STATUS", "THREAD", "NEXT", "STEP", "ACTIVE", "CKPTS", "SIZE", "WHY"]),
        (80, ["STATUS", "THREAD", "NEXT", "STEP", "ACTIVE", "WHY"]),
        (60, ["STATUS", "THREAD", "ACTIVE", "WHY"]),
        (40, ["STATUS", "THREAD", "ACTIVE"]),
        (20, ["STATUS"]),
    ],
)
async def test_columns_drop_in_a_fixed_order_and_nothing_wraps(width: int, titles: list[str]) -> None:
    async with shop(size=(width, 24)) as (app, pilot):
        await pilot.pause()
        assert lines_of(app)[2].split() == titles
        assert all(len(line) <= width for line in lines_of(app))
        assert sum("etl" in line for line in lines_of(app)) == (1 if "THREAD" in titles else 0)


async def test_headings_follow_the_size_of_the_window() -> None:
    async with shop(size=(80, 24)) as (app, pilot):
        for width, last in ((120, "WHY"), (40, "ACTIVE"), (80, "WHY")):
            await pilot.resize_terminal(width, 24)
            await wait_for(pilot, lambda width=width: len(lines_of(app)[0]) > width // 2)
            heading, row = lines_of(app)[2], row_with(app, "loan-0042")
            assert heading.split()[-1] == last
            assert ("CKPTS" in heading) == (width == 120)
            assert heading.index("THREAD") == row.index("loan-0042")


async def test_numbers_end_at_the_right_edge_of_their_column() -> None:
    async with shop() as (app, pilot):
        await pilot.pause()
        heading = lines_of(app)[2]
        for title, values in {"STEP": ("4", "17"), "ACTIVE": ("2m", "3h"), "CKPTS": ("3", "3")}.items():
            end = heading.index(title) + len(title)
            found = [row_with(app, thread)[:end].split()[-1] for thread in ("loan-0042", "batch-9")]
            assert tuple(found) == values


async def test_an_inferred_status_has_a_question_mark() -> None:
    async with shop() as (app, pilot):
        await pilot.pause()
        assert "✓ done? " in row_with(app, "0b7e9c1a")


async def test_long_ids_are_cut_in_the_middle() -> None:
    async with shop(size=(60, 24)) as (app, pilot):
        await pilot.pause()
        row = row_with(app, "0b7e")
        assert "…" in row
        assert "9d21 " in row


async def test_unknown_facts_are_dots() -> None:
    app = scripted()
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.pause()
        app.tell(opened(), HeadsLoaded((head("a"), head("b")), complete=False))
        await wait_for_text(pilot, "reading 2…")
        assert row_with(app, " a ").split() == ["▌", "·", "a", "1", "0s", "·", "·"]
        assert "≈2 threads" in lines_of(app)[0]


async def test_t_shows_exact_times() -> None:
    async with shop() as (app, pilot):
        await pilot.press("t")
        await wait_for_text(pilot, "2027-01-15 07:57:55")
        await pilot.press("t")
        await pilot.pause()
        assert "2027" not in text_of(app)


# Filter


async def test_the_filter_works_as_one_types_and_esc_clears_it() -> None:
    async with shop() as (app, pilot):
        await pilot.press("slash", *"status:waiting")
        await wait_for(pilot, lambda: rows_of(app) == ["loan-0042"])
        await wait_for_text(pilot, "1 shown")
        await pilot.press("enter")
        await wait_for_text(pilot, "/ status:waiting   1 shown")
        assert app.focused is app.screen.query_one(ThreadList)
        await pilot.press("escape")
        await wait_for(pilot, lambda: len(rows_of(app)) == 5)
        await wait_for_text(pilot, "/ all threads")


async def test_escape_in_the_input_clears_and_leaves() -> None:
    async with shop() as (app, pilot):
        await pilot.press("slash", *"etl")
        await wait_for(pilot, lambda: len(rows_of(app)) == 1)
        await pilot.press("escape")
        await wait_for(pilot, lambda: len(rows_of(app)) == 5)
        await wait_for_text(pilot, "/ all threads")


async def test_a_mistake_is_pointed_at_with_what_was_meant_and_leaves_the_list_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tui.screens.threads._REST", 1.0)  # however long a loaded machine takes from key to key
    async with shop() as (app, pilot):
        await pilot.press("slash", *"status:waitng", "space", "a")
        await wait_for_text(pilot, "did you mean waiting?")
        line = lines_of(app)[2]
        assert line.index("▴") == lines_of(app)[1].index("waitng")
        assert len(rows_of(app)) == 5


async def test_an_unfinished_filter_filters_by_what_is_finished() -> None:
    async with shop() as (app, pilot):
        await pilot.press("slash", *"status:stalled", "space", *"node:")
        await wait_for_text(pilot, "needs a value")
        await wait_for(pilot, lambda: rows_of(app) == ["batch-9"])


async def test_a_word_that_is_still_being_typed_is_taken_for_a_beginning() -> None:
    async with shop() as (app, pilot):
        await pilot.press("slash", *"node:em")
        await wait_for(pilot, lambda: rows_of(app) == ["batch-9"])
        await pilot.press("enter")
        await wait_for_text(pilot, "/ node:em*   1 shown")


async def test_tab_completes_from_what_the_store_holds() -> None:
    async with shop() as (app, pilot):
        await pilot.press("slash", *"node:em")
        await wait_for_text(pilot, "node:embed")
        await pilot.press("tab")
        await wait_for(pilot, lambda: rows_of(app) == ["batch-9"])


async def test_letters_go_into_the_input_and_not_to_the_list() -> None:
    async with shop() as (app, pilot):
        await pilot.press("slash", *"opt/q:T? ")
        await wait_for_text(pilot, "/ opt/q:T?")
        assert len(app.screen_stack) == 1
        assert "space" not in lines_of(app)[-1]


async def test_an_empty_result_says_how_to_get_out() -> None:
    async with shop() as (app, pilot):
        await pilot.press("slash", *"nowhere", "enter")
        await wait_for_text(pilot, "no thread fits  nowhere")
        assert "esc clears the filter" in text_of(app)


async def test_the_filter_given_at_the_start_holds() -> None:
    async with shop_with_query("status:failed") as (app, pilot):
        await wait_for(pilot, lambda: rows_of(app) == ["etl-2026-11-20"])
        await wait_for_text(pilot, "/ status:failed")


def shop_with_query(query: str):
    from contextlib import asynccontextmanager

    @asynccontextmanager
    async def opened_shop():
        app = scripted(query=query)
        async with app.run_test(size=(120, 30)) as pilot:
            await pilot.pause()
            app.tell(*everything(SHOP))
            yield app, pilot

    return opened_shop()


async def test_a_click_on_a_count_shows_those_threads() -> None:
    async with shop() as (app, pilot):
        await pilot.pause()
        at = lines_of(app)[0].index("✖ 1 failed")
        await pilot.click(offset=(at + 3, 0))
        await wait_for(pilot, lambda: rows_of(app) == ["etl-2026-11-20"])


# Order


async def test_attention_comes_first() -> None:
    async with shop() as (app, _):
        assert rows_of(app)[:3] == ["loan-0042", "etl-2026-11-20", "batch-9"]


async def test_a_click_on_a_heading_sorts_and_another_turns_round() -> None:
    async with shop() as (app, pilot):
        await pilot.pause()
        at = lines_of(app)[2].index("THREAD")
        await pilot.click(offset=(at, 2))
        await wait_for_text(pilot, "THREAD▾")
        assert rows_of(app)[0].startswith("0b7e")
        await pilot.click(offset=(at, 2))
        await wait_for_text(pilot, "THREAD▴")
        assert rows_of(app)[-1].startswith("0b7e")
        assert "thread id, reversed" in lines_of(app)[1]


async def test_o_asks_for_the_order() -> None:
    async with shop() as (app, pilot):
        await pilot.press("o")
        await wait_for_text(pilot, "last activity")
        await pilot.press("j", "enter")
        await wait_for_text(pilot, "ACTIVE▾")
        assert rows_of(app)[0] == "doc-7f3a"


# Marks, pause, glow


async def test_marks_survive_changes_and_filters_and_are_counted() -> None:
    async with shop() as (app, pilot):
        threads = app.screen.query_one(ThreadList)
        await pilot.press("space", "space")
        await wait_for_text(pilot, "◆ 2 marked")
        app.tell(Changed((head("loan-0042", 0, 5),)))
        await pilot.press("slash", *"batch", "enter")
        await wait_for_text(pilot, "1 shown")
        await pilot.press("escape")
        await wait_for_text(pilot, "loan-0042")
        assert threads.marked == {"loan-0042", "etl-2026-11-20"}
        assert "◆" in row_with(app, "loan-0042")
        await pilot.press("u")
        await pilot.pause()
        assert "marked" not in lines_of(app)[1]


async def test_marks_of_deleted_threads_go() -> None:
    async with shop() as (app, pilot):
        await pilot.press("space")
        app.tell(Changed((), frozenset({"loan-0042"})))
        await wait_for(pilot, lambda: "loan-0042" not in text_of(app))
        assert "marked" not in lines_of(app)[1]


async def test_pause_freezes_the_order_and_counts_what_is_new() -> None:
    async with shop() as (app, pilot):
        before = rows_of(app)
        await pilot.press("p")
        await wait_for_text(pilot, "paused")
        app.tell(Changed((head("new-1"), head("doc-7f3a", 0, 9))))
        await wait_for_text(pilot, "paused · 1 new")
        assert rows_of(app) == before
        assert row_with(app, "doc-7f3a").split()[3] == "9"
        await pilot.press("p")
        await wait_for_text(pilot, "new-1")
        assert "paused" not in lines_of(app)[1]


async def test_a_changed_row_glows_and_stops() -> None:
    async with shop() as (app, pilot):
        threads = app.screen.query_one(ThreadList)
        app.tell(Changed((head("doc-7f3a", 0, 9),)))
        await wait_for(pilot, lambda: threads.glowing == {"doc-7f3a"})
        y = app.index.position("doc-7f3a")
        assert y is not None
        glow = threads.ink("on glow").bgcolor
        assert glow in {segment.style.bgcolor for segment in threads.render_line(y) if segment.style}
        await wait_for(pilot, lambda: not threads.glowing)
        assert glow not in {segment.style.bgcolor for segment in threads.render_line(y) if segment.style}


async def test_nothing_glows_over_ssh_and_facts_read_later_do_not_glow() -> None:
    async with shop(terminal=Terminal(remote=True)) as (app, pilot):
        app.tell(Changed((head("doc-7f3a", 0, 9),)))
        await wait_for(pilot, lambda: row_with(app, "doc-7f3a").split()[3:4] == ["9"])
        assert not app.screen.query_one(ThreadList).glowing
    async with shop() as (app, pilot):
        app.tell(Analysed({"doc-7f3a": summary("failed", "late")}))
        await wait_for_text(pilot, "late")
        assert not app.screen.query_one(ThreadList).glowing


async def test_the_cursor_follows_its_thread_through_every_move() -> None:
    async with shop() as (app, pilot):
        threads = app.screen.query_one(ThreadList)
        await pilot.press("j", "j")
        assert threads.selected == "batch-9"
        app.tell(Analysed({"batch-9": summary()}))
        await wait_for(pilot, lambda: threads.cursor == 3)
        assert threads.selected == "batch-9"
        app.tell(Changed((), frozenset({"batch-9"})))
        await wait_for(pilot, lambda: threads.selected != "batch-9")
        assert threads.selected == rows_of(app)[threads.cursor]


async def test_while_reading_the_cursor_stays_at_the_top() -> None:
    app = scripted()
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.pause()
        threads = app.screen.query_one(ThreadList)
        app.tell(opened(), HeadsLoaded((head("calm", 1),), complete=False))
        await wait_for_text(pilot, "calm")
        app.tell(*everything([(head("calm", 1), summary()), (head("urgent", 9), summary("waiting", "now?"))])[1:])
        await wait_for_text(pilot, "now?")
        assert threads.selected == "urgent"


# Connection


async def test_a_lost_connection_says_why_and_when_it_is_tried_again() -> None:
    now = [NOW]
    async with shop(clock=lambda: now[0]) as (app, pilot):
        app.tell(Lost("The file is gone.", "Put it back.", 4.0, OSError()))
        await wait_for_text(pilot, "✖ The file is gone. Put it back. · trying again in 4 s")
        assert "loan-0042" in text_of(app)
        now[0] += 3
        await wait_for_text(pilot, "trying again in 1 s")
        app.tell(opened())
        await wait_for_text(pilot, "reading it again…")
        app.tell(Recovered())
        await wait_for_text(pilot, "✓ connected again")
        now[0] += 10
        app.screen.query_one(Banner)._say()
        await wait_for(pilot, lambda: "connected again" not in text_of(app))


async def test_a_store_that_was_replaced_is_said_so() -> None:
    async with shop() as (app, pilot):
        app.tell(Reloading("The file was replaced."))
        await wait_for_text(pilot, "The file was replaced. · reading it again…")
        app.tell(HeadsLoaded((), complete=True))
        await wait_for_text(pilot, "✓ connected again")


async def test_warnings_of_the_store_stay_on_screen() -> None:
    async with shop() as (app, pilot):
        app.tell(opened(warnings=("Opened immutable: what is still in the WAL is not shown.",)))
        await wait_for_text(pilot, "! Opened immutable: what is still in the WAL is not shown.")


async def test_nothing_is_ever_blank() -> None:
    app = scripted()
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for_text(pilot, "opening shop.sqlite…")
        app.tell(Lost("No route to host.", "", 2.0, OSError()))
        await wait_for_text(pilot, "no connection")
        app.tell(opened(), HeadsLoaded((), complete=True))
        await wait_for_text(pilot, "no threads yet")


async def test_a_thread_that_has_gone_while_its_row_was_there_is_not_weighed() -> None:
    async with shop(readonly=True) as (app, pilot):
        threads = app.screen.query_one(ThreadList)
        threads._shown = [*threads._shown, "gone"]
        threads.weigh_with(app.scales)
        await pilot.pause()
        assert app.is_running

"""What every screen shares: keys, help, palette, themes, copying, safety."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from rich.segment import Segment
from textual import events
from textual.color import Color
from textual.command import CommandList

from backends.address import Address
from backends.feed_events import Changed
from tests.hostile import STRINGS, hostile_sqlite
from tests.work import calls
from tui.app import LgtopApp
from tui.guard import AsciiGuard, ControlGuard, to_ascii
from tui.keymap import KeymapError, checked, groups
from tui.palette import Palette
from tui.screens.threads import ThreadsScreen
from tui.terminal import Terminal
from tui.theme import THEMES
from tui.widgets.thread_list import ThreadList

from .conftest import (
    DANGEROUS,
    SHOP,
    everything,
    head,
    lines_of,
    scripted,
    shop,
    sqlite_address,
    summary,
    terminal_text,
    text_of,
    wait_for,
    wait_for_text,
)

WIDGETS = ("lines", "filter", "history", "outline", "choose", "help", "picker", "form", "graph", "tour")
"""First words of ids of bindings that belong to a widget, a dialog or the tour; they win over what lies below."""


# Keys


def test_every_binding_has_an_id_and_a_tooltip_and_no_key_means_two_things() -> None:
    for group in groups():
        owners: dict[tuple[str, str], str] = {}
        for binding in group:
            assert binding.id
            assert binding.tooltip, binding
            owner = "widget" if binding.id.split(".")[0] in WIDGETS else "screen"
            for key in binding.key.split(","):
                assert owners.setdefault((owner, key), binding.id) == binding.id, key


def test_a_keymap_is_refused_when_it_cannot_work() -> None:
    everything_known = groups()
    assert checked({"threads.filter": "w"}, everything_known) == {"threads.filter": "w"}
    with pytest.raises(KeymapError, match=r"'p' would mean both"):
        checked({"threads.filter": "p"}, everything_known)
    with pytest.raises(KeymapError, match=r"Did you mean 'threads.filter'"):
        checked({"threads.filtr": "f"}, everything_known)
    with pytest.raises(KeymapError, match="never arrives"):
        checked({"threads.filter": "ctrl+i"}, everything_known)
    swapped = {"threads.pause": "o", "threads.sort": "p"}
    assert checked(swapped, everything_known) == swapped


async def test_keys_can_be_bound_anew() -> None:
    async with shop(keymap={"threads.filter": "w"}) as (app, pilot):
        await pilot.press("w")
        await wait_for(pilot, lambda: app.screen.query("FilterInput"))
        assert "b filter" not in lines_of(app)[-1]


async def test_the_last_line_shows_what_works_here() -> None:
    async with shop(size=(180, 30)) as (app, pilot):
        await pilot.pause()
        last = lines_of(app)[-1]
        for key in ("↵ open", "/ filter", "o sort", "space mark", "p pause", ": command", "? help", "q quit"):
            assert key in last
        await pilot.press("slash")
        await wait_for_text(pilot, "esc clear")
        assert "p pause" not in lines_of(app)[-1]


async def test_what_is_typed_fast_behind_the_slash_goes_into_the_filter() -> None:
    async with shop() as (app, pilot):
        for character in "/stalled/":
            app.post_message(events.Key("slash" if character == "/" else character, character))
        await wait_for_text(pilot, "/ stalled/")
        assert len(app.screen_stack) == 1


async def test_a_click_on_a_key_presses_it() -> None:
    async with shop(size=(180, 30)) as (app, pilot):
        await pilot.pause()
        at = lines_of(app)[-1].index("p pause")
        await pilot.click(offset=(at, 29))
        await wait_for_text(pilot, "paused")


async def test_help_lists_every_key_of_the_screen_and_esc_closes_it() -> None:
    async with shop(size=(120, 50)) as (app, pilot):
        await pilot.press("question_mark")
        await wait_for_text(pilot, "Keys · Threads")
        shown = text_of(app)
        for key in ("ctrl+d", "ctrl+d", "G"):
            await pilot.press(key)
            await pilot.pause()
            shown += text_of(app)
        for binding in [*ThreadsScreen.BINDINGS, *LgtopApp.BINDINGS]:
            if "saved(" not in binding.action:  # type: ignore[union-attr] # there are no saved filters
                assert binding.tooltip in shown  # type: ignore[union-attr]
        await pilot.press("escape")
        await wait_for(pilot, lambda: "Keys ·" not in text_of(app))


async def test_the_palette_runs_actions_and_finds_threads() -> None:
    async with shop() as (app, pilot):
        opened: list[str] = []
        app.open_thread = opened.append  # type: ignore[method-assign]
        await pilot.press("colon")
        await wait_for_text(pilot, "Choose the order")
        await pilot.press(*"batch")
        await wait_for_text(pilot, "Go to thread batch-9")
        await pilot.press("enter")
        await wait_for(pilot, lambda: opened == ["batch-9"])
        await pilot.press("colon", *"freeze")
        await wait_for_text(pilot, "Freeze the order of the rows")
        await pilot.press("enter")
        await wait_for_text(pilot, "paused")


@pytest.mark.parametrize(("opens", "closes"), [("question_mark", "escape"), ("o", "enter"), ("colon", "escape")])
async def test_a_dialog_closed_twice_in_a_hurry_closes_once(opens: str, closes: str) -> None:
    async with shop() as (app, pilot):
        for _ in range(3):
            await pilot.press(opens)
            await wait_for(pilot, lambda: app.screen.is_mounted and len(app.screen_stack) == 2)
            if opens == "colon":
                await wait_for(pilot, lambda: app.screen.query_one(CommandList).option_count)
                await pilot.press("down")
            for _ in range(3):
                app.post_message(events.Key(closes, None))
            await pilot.pause()
            app.post_message(events.Key("escape", None))
            await wait_for(pilot, lambda: len(app.screen_stack) == 1)
        assert isinstance(app.screen, ThreadsScreen)
        assert not app._notifications


async def test_keys_that_come_before_a_screen_or_the_palette_is_made_do_no_harm() -> None:
    async with shop() as (app, pilot):
        for keys in (
            ("i", "y", "G", "enter"),
            ("colon", "pagedown", "down", "enter", "pageup"),
            ("enter", "n", "d", "+"),
        ):
            for key in keys:
                app.post_message(events.Key(key, None))
            await pilot.pause()
            while len(app.screen_stack) > 1:
                await pilot.press("escape")
                await pilot.pause()
        assert not app._notifications
        await pilot.press("colon")
        await wait_for(pilot, lambda: app.screen.is_mounted and isinstance(app.screen, Palette))


async def test_enter_opens_the_thread_under_the_cursor() -> None:
    async with shop() as (app, pilot):
        opened: list[str] = []
        app.open_thread = opened.append  # type: ignore[method-assign]
        await pilot.press("j", "enter")
        await wait_for(pilot, lambda: opened == ["etl-2026-11-20"])


async def test_q_quits_and_ctrl_c_says_so() -> None:
    async with shop() as (_, pilot):
        await pilot.press("ctrl+c")
        await wait_for_text(pilot, "Press q to quit")
    app = scripted()
    async with app.run_test() as pilot:
        await pilot.press("q")
    assert app.return_code == 0


async def test_ctrl_l_draws_everything_anew() -> None:
    async with shop() as (app, pilot):
        await pilot.pause()
        before = text_of(app)
        await pilot.press("ctrl+l")
        await pilot.pause()
        assert text_of(app) == before


# Looks


@pytest.mark.parametrize("theme", [theme.name for theme in THEMES])
async def test_every_theme_draws_everything(theme: str) -> None:
    async with shop(theme=theme) as (app, pilot):
        await pilot.press("space", "o")
        await wait_for_text(pilot, "attention first")
        await pilot.press("escape", "question_mark")
        await wait_for_text(pilot, "Keys · Threads")
        assert app.theme == theme


async def test_the_theme_key_goes_round() -> None:
    async with shop() as (app, pilot):
        names = []
        for _ in THEMES:
            names.append(app.theme)
            await pilot.press("T")
        assert names == [theme.name for theme in THEMES]
        assert app.theme == names[0]


async def test_a_terminal_with_sixteen_colours_gets_them() -> None:
    async with shop(terminal=Terminal(sixteen=True)) as (app, pilot):
        await pilot.pause()
        colours = {
            colour
            for strip in app.screen._compositor.render_strips()
            for segment in strip
            if segment.style
            for colour in (segment.style.color, segment.style.bgcolor)
            if colour is not None
        }
        assert {colour.number for colour in colours if not colour.is_default} <= set(range(16))


async def test_a_terminal_without_utf8_gets_ascii_cell_for_cell() -> None:
    async with shop(terminal=Terminal(unicode=False)) as (app, pilot):
        app.tell(*everything([*SHOP, (head("漢字-thread"), summary("waiting", "Größe — 3 €?"))])[1:])
        await wait_for_text(pilot, "-thread")
        shown = terminal_text(app)
        assert shown.isascii()
        assert "????-thread" in shown
        assert "* running" not in shown
        assert "x failed" in shown


def test_ascii_keeps_the_width() -> None:
    from rich.cells import cell_len

    for text in ("● ▌ ✖ ↯ … — “x”", "Größe", "漢字", "│─┌╯", *STRINGS.values()):
        if text.isprintable():
            assert len(to_ascii(text)) == cell_len(text), text


def test_the_terminal_is_found_out() -> None:
    assert Terminal.detect({"SSH_CONNECTION": "1"}, "utf-8").remote
    assert not Terminal.detect({"SSH_CONNECTION": "1", "LGTOP_TERMINAL": "local"}, "utf-8").remote
    assert Terminal.detect({"LGTOP_TERMINAL": "remote"}, "utf-8").remote
    assert not Terminal.detect({}, "ANSI_X3.4-1968").unicode
    assert Terminal.detect({}, "UTF-8").unicode
    assert Terminal.detect({"TERM": "linux"}, "utf-8").sixteen
    assert not Terminal.detect({"TERM": "xterm-256color"}, "utf-8").sixteen
    assert not Terminal.detect({"TERM": "xterm", "COLORTERM": "truecolor"}, "utf-8").sixteen


@pytest.mark.parametrize("size", [(20, 5), (10, 3), (1, 1), (300, 100)])
async def test_no_size_breaks_anything(size: tuple[int, int]) -> None:
    async with shop() as (app, pilot):
        await pilot.resize_terminal(*size)
        for keys in (["space"], ["slash", *"abc", "escape"], ["question_mark"], ["escape"], ["o"], ["escape"]):
            await pilot.press(*keys)
            await pilot.pause()
        await pilot.press("colon", *"theme")
        await pilot.pause(0.2)
        await pilot.press("escape")
        assert app.is_running


# Copying


async def test_copying_says_where_the_text_went(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = tmp_path / "taken"
    tmux = tmp_path / "bin" / "tmux"
    tmux.parent.mkdir()
    tmux.write_text(f"#!/bin/sh\ncat > {taken}\n")
    tmux.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmux.parent}:/usr/bin:/bin")
    monkeypatch.setenv("TMUX", "/tmp/tmux,1,0")
    monkeypatch.setenv("SSH_CONNECTION", "elsewhere")
    async with shop(terminal=Terminal()) as (app, pilot):
        await pilot.press("y")
        await wait_for_text(pilot, "Copied the thread id to tmux buffer")
        assert taken.read_text() == "loan-0042"
        assert app.clipboard == "loan-0042"


async def test_copying_admits_that_the_terminal_does_not_answer() -> None:
    async with shop() as (_, pilot):
        await pilot.press("y")
        await wait_for_text(pilot, "Asked the terminal to copy the thread id (OSC 52)")


# Hostile text


async def test_a_hostile_thread_id_is_only_ever_text() -> None:
    rows = [*((head(text), summary("waiting", text, text)) for text in STRINGS.values()), *SHOP]
    app = scripted()
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await pilot.pause()
        app.tell(*everything(rows))
        await wait_for_text(pilot, "loan-0042")
        threads = app.screen.query_one(ThreadList)
        for name, text in STRINGS.items():
            await wait_for(pilot, lambda text=text: threads.select(text))  # type: ignore[misc]
            seen = [terminal_text(app)]
            await pilot.press("y")
            seen.append(terminal_text(app))
            app.screen.filter_by(f'"{text}"' if '"' not in text else "x")  # type: ignore[attr-defined]
            app.notify(text)
            await pilot.pause()
            seen.append(terminal_text(app))
            app.screen.filter_by("")  # type: ignore[attr-defined]
            for shown in seen:
                assert not {character for character in DANGEROUS if character in shown.replace("\n", "")}, name
        for keys in (["question_mark"], ["escape"], ["colon", *"go to"], ["escape"], ["slash", *"status:w"]):
            await pilot.press(*keys)
            await pilot.pause()
            shown = terminal_text(app).replace("\n", "")
            assert not {character for character in DANGEROUS if character in shown}
        assert app.title == "lgtop"


async def test_a_hostile_store_is_listed(tmp_path: Path) -> None:
    path = tmp_path / "hostile.sqlite"
    canary = hostile_sqlite(path)
    app = LgtopApp(sqlite_address(path), terminal=Terminal())
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_for(pilot, lambda: app.index.counts.exact)
        for key in ("G", "pageup", "t", "o", "escape", "end"):
            await pilot.press(key)
            await pilot.pause()
            shown = terminal_text(app).replace("\n", "")
            assert not {character for character in DANGEROUS if character in shown}
    assert not canary.exists()


def test_the_guard_replaces_what_acts_on_a_terminal() -> None:
    guard, black = ControlGuard(), Color(0, 0, 0)
    for text in STRINGS.values():
        shown = "".join(segment.text for segment in guard.apply([Segment("ok "), Segment(text)], black))
        assert not {character for character in DANGEROUS if character in shown}
        shown.encode()
    harmless = [Segment("plain 漢字 ● ✖")]
    assert guard.apply(harmless, black) is harmless
    assert AsciiGuard().apply(harmless, black)[0].text == "plain ???? * x"


# Failure


SECRET = Address("postgres", "postgresql://app:••••@db/app", None, "postgresql://app:hunter2@db/app", "app@db")


async def test_an_error_of_our_own_leaves_a_private_log_and_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = scripted(address=SECRET)

    def fail() -> None:
        password = "hunter2"
        raise ValueError(f"cannot connect to postgresql://app:{password}@db/app")

    async def run() -> None:
        async with app.run_test() as pilot:
            app.call_later(fail)
            await pilot.pause()

    with pytest.raises(ValueError, match="cannot connect"):
        await run()
    app._print_error_renderables()
    said = capsys.readouterr().err
    assert "lgtop stopped because of an error of its own (ValueError)." in said.replace("\n", " ")
    assert "Traceback" not in said
    assert "hunter2" not in said
    log = next((tmp_path / "state" / "lgtop").iterdir())
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert "ValueError" in log.read_text()
    assert "hunter2" not in log.read_text()


async def test_the_password_is_nowhere_on_screen() -> None:
    async with shop(address=SECRET) as (app, pilot):
        await pilot.press("question_mark")
        await pilot.pause()
        assert "app@db" in text_of(app)
        assert "hunter2" not in text_of(app) + app.title + app.sub_title


async def test_a_dying_thread_is_a_toast_and_a_log(tmp_path: Path) -> None:
    import threading

    async with shop() as (_, pilot):

        def die() -> None:
            raise KeyError("of our own")

        thread = threading.Thread(target=die)
        thread.start()
        thread.join()
        await wait_for_text(pilot, "failed in the background (KeyError)")
        assert "of our own" in next((tmp_path / "state" / "lgtop").iterdir()).read_text()
    assert threading.excepthook is threading.__excepthook__


# Size


async def test_a_hundred_thousand_threads_never_hold_up_a_key() -> None:
    """Every turn of the event loop stays short while a large list moves, sorts, filters and changes."""
    app = scripted()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        heads = [head(f"thread-{number:06d}", number) for number in range(100_000)]
        for start in range(0, len(heads), 1000):
            app.tell(*everything([(found, summary()) for found in heads[start : start + 1000]])[1:])
        await wait_for_text(pilot, "100,000 threads")
        threads = app.screen.query_one(ThreadList)
        drawn: list[int] = []
        render = threads.render_row
        threads.render_row = lambda y, *rest: (drawn.append(y), render(y, *rest))[1]  # type: ignore[method-assign]
        await pilot.press("G")
        assert threads.cursor == 99_999
        assert len(set(drawn)) <= 40
        drawn.clear()
        app.tell(Changed((head("thread-099990", 0, 9),)))
        await wait_for_text(pilot, "thread-099963")
        assert threads.selected == "thread-099999"
        assert len(set(drawn)) <= 40
        async with longest_turn() as turn:
            await pilot.press("slash", *"0999")
            await wait_for(pilot, lambda: 0 < app.index.counts.shown < 1000)
            await pilot.press("escape")
            await wait_for(pilot, lambda: app.index.counts.shown == 100_000)
            app.screen.action_sort_by("thread")  # type: ignore[attr-defined]
            await wait_for_text(pilot, "THREAD▾")
        assert turn() < 250_000


@asynccontextmanager
async def longest_turn() -> AsyncIterator[Callable[[], int]]:
    """Measure the longest turn of the event loop, in calls of functions."""
    longest = 0

    async def watch() -> None:
        nonlocal longest
        while True:
            before = made.number
            await asyncio.sleep(0.001)
            longest = max(longest, made.number - before)

    with calls() as made:
        watcher = asyncio.create_task(watch())
        yield lambda: longest
        watcher.cancel()


async def test_a_thread_can_be_opened_from_the_start_and_esc_leads_to_the_list(store: Path) -> None:
    app = LgtopApp(sqlite_address(store), terminal=Terminal(), thread="loan-0042")
    async with app.run_test(size=(120, 30)) as pilot:
        await wait_for_text(pilot, "checkpoints.sqlite › loan-0042")
        await wait_for_text(pilot, "Approve 12001 €?")
        await pilot.press("escape")
        await wait_for_text(pilot, "12 threads")
        assert "STATUS" in text_of(app)

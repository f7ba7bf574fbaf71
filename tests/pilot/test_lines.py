"""The virtual list base: cursor, paging, drawing, highlighting, selection."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.app import App, ComposeResult
from textual.geometry import Offset
from textual.selection import Selection

from tui.widgets.lines import Lines


class Numbers(Lines):
    def __init__(self, count: int, width: int = 0) -> None:
        super().__init__()
        self.count = count
        self.wide = width
        self.drawn: list[int] = []

    @property
    def line_count(self) -> int:
        return self.count

    @property
    def content_width(self) -> int:
        return self.wide

    def render_row(self, y: int, width: int, selected: bool) -> Sequence[Segment]:
        self.drawn.append(y)
        mark = ">" if selected else " "
        return [Segment(mark, Style(bold=True)), Segment(f"row {y} 漢字 {'x' * self.wide}")]


class Host(App[None]):
    def __init__(self, lines: Lines) -> None:
        super().__init__()
        self.lines = lines
        self.moved: list[int] = []
        self.activated: list[int] = []

    def compose(self) -> ComposeResult:
        yield self.lines

    def on_lines_cursor_moved(self, event: Lines.CursorMoved) -> None:
        self.moved.append(event.row)

    def on_lines_activated(self, event: Lines.Activated) -> None:
        self.activated.append(event.row)


def screen(app: App[None]) -> list[str]:
    """Text on screen."""
    return [strip.text.rstrip() for strip in app.screen._compositor.render_strips()]


async def test_only_visible_rows_are_drawn_of_a_million() -> None:
    lines = Numbers(1_000_000)
    async with Host(lines).run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        assert len(set(lines.drawn)) == 10
        await pilot.press("G")
        assert lines.cursor == 999_999
        assert screen(pilot.app)[-1].startswith(">row 999999")
        assert len(set(lines.drawn)) == 20


@pytest.mark.parametrize(
    ("keys", "cursor", "top"),
    [
        ("j", 1, 0),
        ("down j k", 1, 0),
        ("k", 0, 0),
        ("pagedown", 10, 10),
        ("pagedown pagedown pageup", 10, 10),
        ("ctrl+d", 5, 5),
        ("ctrl+d ctrl+u", 0, 0),
        ("G", 99, 90),
        ("end home", 0, 0),
        ("G k k", 97, 90),
        ("G g", 0, 0),
    ],
)
async def test_keys(keys: str, cursor: int, top: int) -> None:
    lines = Numbers(100)
    async with Host(lines).run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        await pilot.press(*keys.split())
        assert (lines.cursor, lines.scroll_offset.y) == (cursor, top)
        assert screen(pilot.app)[cursor - top].startswith(">")


async def test_a_move_draws_two_rows() -> None:
    lines = Numbers(100)
    async with Host(lines).run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        lines.drawn.clear()
        await pilot.press("j")
        assert sorted(lines.drawn) == [0, 1]
        lines.drawn.clear()
        lines.refresh_row(7)
        lines.refresh_row(70)
        await pilot.pause()
        assert lines.drawn == [7]


async def test_messages_name_the_row() -> None:
    app = Host(Numbers(100))
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        await pilot.press("j", "enter")
        await pilot.click(Numbers, offset=(3, 4))
        await pilot.click(Numbers, offset=(3, 6), times=2)
        await pilot.pause()
        assert app.moved == [1, 4, 6]
        assert app.activated == [1, 6]


async def test_double_click_does_not_select_every_row() -> None:
    app = Host(Numbers(100))
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        await pilot.click(Numbers, offset=(3, 6), times=2)
        assert not app.screen.selections


async def test_empty_list_takes_every_key() -> None:
    app = Host(Numbers(0))
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        await pilot.press("j", "k", "G", "g", "pagedown", "pageup", "ctrl+d", "ctrl+u", "enter")
        await pilot.click(Numbers, offset=(3, 6))
        assert (app.lines.cursor, app.activated) == (0, [])


async def test_rows_above_do_not_move_the_cursor_row_on_screen() -> None:
    lines = Numbers(100)
    async with Host(lines).run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        await pilot.press("pagedown", "j", "j", "j")
        assert (lines.cursor, lines.scroll_offset.y) == (13, 10)
        lines.count = 105
        lines.rows_changed(cursor=18)
        await pilot.pause()
        assert (lines.cursor, lines.scroll_offset.y) == (18, 15)


async def test_at_the_top_new_rows_are_seen_until_the_cursor_would_leave() -> None:
    lines = Numbers(100)
    async with Host(lines).run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        await pilot.press("j")
        lines.rows_changed(cursor=9)
        assert lines.scroll_offset.y == 0
        lines.rows_changed(cursor=12)
        await pilot.pause()
        assert lines.scroll_offset.y == 3
        assert screen(pilot.app)[9].startswith(">row 12")


async def test_fewer_rows_bring_the_cursor_back() -> None:
    app = Host(Numbers(100))
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        await pilot.press("G")
        app.lines.count = 3  # type: ignore[attr-defined]
        app.lines.rows_changed()
        await pilot.pause()
        assert (app.lines.cursor, app.lines.scroll_offset.y) == (2, 0)
        assert app.moved[-1] == 2


async def test_pattern_is_highlighted_in_characters_not_cells() -> None:
    lines = Numbers(20)
    async with Host(lines).run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        lines.pattern = re.compile("字|row")
        await pilot.pause()
        match = lines.get_component_rich_style("lines--match").bgcolor
        marked = [s.text for s in lines.render_line(3) if s.style and s.style.bgcolor == match]
        assert marked == ["row", "字"]


async def test_sideways_scrolling_cuts_wide_rows() -> None:
    lines = Numbers(20, width=200)
    lines.styles.overflow_x = "auto"
    async with Host(lines).run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        await pilot.press("right")
        await pilot.press("right")
        await pilot.pause()
        assert lines.scroll_offset.x == 2
        assert screen(pilot.app)[0].startswith("ow 0")


async def test_selected_text_is_the_text_of_the_rows() -> None:
    lines = Numbers(1_000_000)
    async with Host(lines).run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        assert lines.get_selection(Selection(Offset(5, 2), Offset(4, 4))) == ("2 漢字\n row 3 漢字\n row", "\n")
        assert lines.get_selection(Selection(Offset(1, 2), Offset(6, 2))) == ("row 2", "\n")
        await pilot.press("G")
        assert lines.get_selection(Selection(Offset(0, 999_999), None)) == (">row 999999 漢字", "\n")

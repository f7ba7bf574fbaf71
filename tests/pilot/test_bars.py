"""The lines around every screen: what they drop where there is too little room, and what they never drop."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from backends.model import StatusName
from tui.glyphs import LEGEND, STATUS
from tui.screens.threads import ThreadsScreen
from tui.widgets.key_bar import KeyBar
from tui.widgets.lines import Lines
from tui.widgets.one_line import OneLine, Piece
from tui.widgets.thread_bars import TabBar
from tui.widgets.top_bar import TopBar

from .conftest import everything, head, lines_of, scripted, shop, summary, wait_for, wait_for_text

STATUSES = [status for status in StatusName if status not in (StatusName.DONE, StatusName.UNKNOWN)]
EVERY = [(head(f"{status}-{n}", 60 + n), summary(status)) for status in STATUSES for n in range(3)]


def said(pieces: list[Piece]) -> str:
    return "".join(piece[0] for piece in pieces)


def drawn(bar: OneLine, width: int) -> tuple[str, str]:
    left, right = bar.pieces(width)
    return said(list(left)), said(list(right))


@pytest.mark.parametrize("width", [40, 50, 60, 80, 100, 110, 160, 240])
async def test_the_first_line_never_loses_its_name_nor_the_total(width: int) -> None:
    async with scripted().run_test(size=(width, 24)) as pilot:
        pilot.app.tell(*everything(EVERY))  # type: ignore[attr-defined]
        await wait_for_text(pilot, "21 threads")
        first = lines_of(pilot.app)[0]
        assert first.startswith(" lgtop  ")
        assert first.rstrip().endswith("21 threads")
        assert cell_len(first) <= width
        counted = [status for status in STATUSES if f"{STATUS[status]} 3" in first]
        named = [status for status in STATUSES if f"{STATUS[status]} 3 {status.value}" in first]
        assert named in ([], STATUSES)
        assert counted == STATUSES or width < 80
        assert not counted or StatusName.WAITING in counted


async def test_words_go_first_and_then_the_least_urgent() -> None:
    async with scripted().run_test() as pilot:
        pilot.app.tell(*everything(EVERY))  # type: ignore[attr-defined]
        await wait_for_text(pilot, "21 threads")
        bar = pilot.app.screen.query_one(TopBar)
        forms = list(dict.fromkeys(drawn(bar, width)[1] for width in range(200, 30, -1)))
        assert "3 waiting" in forms[0]
        assert [form.count("3") for form in forms] == [7, 7, 6, 5, 4, 3, 2, 1, 0]
        assert "?" in forms[-2]
        assert forms[-1] == " 21 threads"


async def test_words_go_before_the_word_that_nothing_is_written() -> None:
    async with shop(size=(80, 24), readonly=True) as (app, _):
        bar = app.screen.query_one(TopBar)
        assert "read-only" in lines_of(app)[0]
        worded = [left for left, right in (drawn(bar, width) for width in range(30, 200)) if "waiting" in right]
        assert worded
        assert all("read-only" in left for left in worded)


async def test_keys_that_can_do_nothing_leave_first() -> None:
    async with shop(size=(80, 24)) as (app, _):
        assert "r resume" not in lines_of(app)[-1]
        wide = drawn(app.screen.query_one(KeyBar), 300)[0]
        assert "r resume" in wide
        assert "o sort" in lines_of(app)[-1]


async def test_keys_are_drawn_again_when_they_were_drawn_for_something_else() -> None:
    async with shop(size=(80, 24), readonly=False) as (app, pilot):
        bar, screen = app.screen.query_one(KeyBar), app.screen
        assert isinstance(screen, ThreadsScreen)
        await wait_for(pilot, lambda: bar.drawn.get("resume") and "r resume" in lines_of(app)[-1])
        bar.drawn = {**bar.drawn, "resume": False}
        screen.see_verbs()
        await wait_for(pilot, lambda: bar.drawn["resume"])


async def test_tabs_without_room_are_numbers() -> None:
    async with scripted().run_test() as pilot:
        bar = TabBar(["State", "Diff", "Tasks"])
        await pilot.app.screen.mount(bar)
        bar.said = "1 of 2"
        assert drawn(bar, 60) == ("1 State  2 Diff  3 Tasks", " 1 of 2")
        assert drawn(bar, 30)[0] == "1 State 2 Diff 3 Tasks"
        assert drawn(bar, 20)[0] == "1 State  2  3"


class Nothing(Lines):
    @property
    def line_count(self) -> int:
        return 0


@pytest.mark.parametrize("width", [20, 40])
async def test_what_stands_in_an_empty_list_is_broken_to_its_width(width: int) -> None:
    async with scripted().run_test(size=(width, 24)) as pilot:
        empty = Nothing()
        empty.placeholder = ("No graph is known here at all.", "Start lgtop where langgraph.json is.")
        await pilot.app.screen.mount(empty, before=0)
        await wait_for(pilot, lambda: empty.size.width == width)
        words = " ".join(" ".join(line.split()) for line in lines_of(pilot.app))
        await wait_for(pilot, lambda: "known" in " ".join(lines_of(pilot.app)))
        words = " ".join(" ".join(line.split()) for line in lines_of(pilot.app))
        assert "No graph is known here at all. Start lgtop where langgraph.json is." in " ".join(words.split())


async def test_the_help_explains_every_sign_of_the_list() -> None:
    async with shop(size=(100, 60)) as (app, pilot):
        await pilot.press("question_mark")
        await wait_for_text(pilot, "Signs")
        shown = "\n".join(lines_of(app))
        for sign, meaning in LEGEND:
            assert sign in shown
            assert meaning in shown
        assert {status.value for status in StatusName} <= {sign.split()[-1] for sign, _ in LEGEND}

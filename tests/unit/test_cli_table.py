"""Tables: aligned by cells, columns dropped in order, nothing wider than the terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.text import one_line
from backends.wrap import cells
from tui.cli.table import Column, clip, draw
from tui.words import age, short_id, size

COLUMNS = (
    Column("ID", least=6, middle=True),
    Column("N", right=True, drop=1),
    Column("NOTE", drop=2),
    Column("WHY", least=5),
)
ROWS = [["alpha-0001", "7", "note", "because of it"], ["b", "1234", "-", "日本語の理由"]]


def plain(width=None, columns=COLUMNS, rows=ROWS):
    return list(draw(columns, rows, width, coloured=False))


def test_a_pipe_gets_everything_aligned():
    assert plain() == [
        "ID             N  NOTE  WHY",
        "alpha-0001     7  note  because of it",
        "b           1234  -     日本語の理由",
    ]


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (30, ["ID             N  NOTE  WHY", "alpha-0001     7  note  becau…", "b           1234  -     日本…"]),
        (24, ["ID             N  WHY", "alpha-0001     7  becau…", "b           1234  日本…"]),
        (14, ["ID       WHY", "alp…001  beca…", "b        日本…"]),
    ],
)
def test_columns_go_in_order_then_texts_are_cut(width, lines):
    assert plain(width) == lines


@given(
    st.lists(st.lists(st.text().map(lambda t: one_line(t, 40)), min_size=4, max_size=4), max_size=6),
    st.integers(min_value=14, max_value=120),
)
def test_no_line_is_wider_than_the_terminal(rows, width):
    assert all(cells(line) <= width for line in plain(width, rows=rows))


@given(st.text().map(one_line), st.integers(min_value=1, max_value=30), st.booleans())
def test_clip_keeps_to_its_cells(text, width, middle):
    clipped = clip(text, width, middle)
    assert cells(clipped) <= width
    assert clipped == text or "…" in clipped


def test_clip_in_the_middle_keeps_both_ends():
    assert clip("1f0c4c2e-0000-6abc", 9, middle=True) == "1f0c…6abc"


def test_colour_is_outside_the_alignment():
    painted = Column("S", paint=lambda cell: "31" if cell == "bad" else "")
    lines = list(draw((painted, Column("T")), [["bad", "x"], ["good", "y"]], None, coloured=True))
    assert lines[1:] == ["\x1b[31mbad \x1b[0m  x", "good  y"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "-"), (-3, "0s"), (59.9, "59s"), (60, "1m"), (7199, "1h"), (86400 * 364, "364d"), (86400 * 800, "2y")],
)
def test_ages(seconds, text):
    assert age(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (2_840, "2.8 k"), (690_000, "690 k"), (4_600_000_000, "4.6 G"), (999_999, "1.0 M")],
)
def test_sizes(count, text):
    assert size(count) == text


@given(st.text(min_size=1), st.integers(min_value=1, max_value=20))
def test_short_ids(text, limit):
    short = short_id(text, limit)
    assert len(short) <= limit
    assert short == text or "…" in short

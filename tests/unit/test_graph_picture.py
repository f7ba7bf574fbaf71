"""Graphs as characters: every edge can be followed with a finger, and nothing else can."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.graphs.drawing import Edge
from backends.wrap import cells
from tui.drawing.layers import Spot, arrange
from tui.drawing.picture import Picture, draw

SIDES = {
    "│": "ud", "╎": "ud", "↓": "ud", "↑": "ud", "↕": "ud", "─": "lr", "╌": "lr", "└": "ur", "┘": "ul", "┌": "dr",
    "┐": "dl", "├": "udr", "┤": "udl", "┬": "dlr", "┴": "ulr", "┼": "udlr",
}  # fmt: skip
"""Sides that a character joins."""

STEPS = {"d": (1, 0), "l": (0, -1), "r": (0, 1)}
FROM = {"d": "u", "l": "r", "r": "l"}


def drawn(names: str, *edges: str) -> list[str]:
    """The rows of a graph with nodes of one letter; ``a>b`` is an edge, ``a?b`` a conditional one."""
    found = [Edge(text[0], text[2], text[1] == "?") for text in edges]
    return rows_of(draw(names, found, {name: name for name in names}))


def rows_of(picture: Picture) -> list[str]:
    return ["".join(text for text, _ in row).rstrip() for row in picture.rows]


def below(picture: Picture, node: str) -> set[str]:
    """Nodes that one gets to from the lower side of a node, following the lines down and never up."""
    rows = rows_of(picture)
    owner = {
        (box.row, column): name
        for name, box in picture.boxes.items()
        for column in range(box.left, box.left + box.width)
    }
    box = picture.boxes[node]
    ahead = [(box.row, column, "d") for column in range(box.left, box.left + box.width)]
    seen, found = set(ahead), set()
    while ahead:
        row, column, way = ahead.pop()
        y, x = row + STEPS[way][0], column + STEPS[way][1]
        if (y, x) in owner:
            found.add(owner[y, x])
            continue
        sign = rows[y][x] if y < len(rows) and 0 <= x < len(rows[y]) else " "
        if FROM[way] in SIDES.get(sign, ""):
            following = set(SIDES[sign]) - {FROM[way], "u"}
        else:
            following = {way} if sign in "│╎" and way in "lr" else set()  # a level line passes behind an upright one
        fresh = {(y, x, other) for other in following} - seen
        seen |= fresh
        ahead += fresh
    return found


def led_to(names: Sequence[str], edges: Sequence[Edge]) -> dict[str, set[str]]:
    """Nodes that a line must lead down to from each node, edges that lead back turned round."""
    found: dict[Spot, set[str]] = {}
    for links in reversed(arrange(names, edges).gaps):
        for link in links:
            ends = found.get(link.bottom, set()) if link.bottom[1] else {link.bottom[0]}
            found.setdefault(link.top, set()).update(ends)
    return {name: found.get((name, 0), set()) for name in names}


def test_a_chain_is_a_column() -> None:
    assert drawn("abc", "a>b", "b>c") == ["a", "↓", "b", "↓", "c"]


def test_a_fan_and_its_join_are_symmetrical() -> None:
    assert drawn("abcd", "a>b", "a>c", "b>d", "c>d") == [
        "  a",
        "┌─┴─┐",
        "↓   ↓",
        "b   c",
        "└─┬─┘",
        "  ↓",
        "  d",
    ]


def test_a_loop_is_one_line_with_two_heads_and_a_router_is_dashed() -> None:
    assert drawn("satz", "s>a", "a?t", "t>a", "a?z") == ["  s", "  ↓", "  a", "┌╌┴╌┐", "↕   ↓", "t   z"]


def test_a_long_way_back_runs_beside_the_nodes_with_its_arrow_up() -> None:
    assert drawn("abc", "a>b", "b>c", "c>a") == ["a", "├───┐", "↓   │", "b   ↑", "├───┘", "↓", "c"]


def test_nodes_that_nothing_leads_to_are_drawn_as_well() -> None:
    assert drawn("ab") == ["a   b"]
    assert drawn("") == []


def test_edges_to_unknown_nodes_and_to_the_node_itself_draw_no_line() -> None:
    assert drawn("ab", "a>a", "a>b", "a>x") == ["a", "↓", "b"]
    assert arrange("ab", [Edge("a", "a")]).loops == {"a"}


def test_wide_characters_take_their_cells() -> None:
    picture = draw(["漢", "b", "c"], [Edge("漢", "b"), Edge("漢", "c")], {"漢": "漢字漢字", "b": "b", "c": "字"})
    assert picture.boxes["漢"].width == 8
    for row in picture.rows:
        end = 0
        for text, name in row:
            if name:
                assert picture.boxes[name].left == end
            end += cells(text)
        assert end <= picture.width


def test_two_fans_with_a_common_part_are_told_apart() -> None:
    edges = [Edge(*pair) for pair in ("sa", "sb", "ax", "ay", "az", "bx", "bz")]
    picture = draw("sabxyz", edges, {name: name * 3 for name in "sabxyz"})
    assert below(picture, "a") == {"x", "y", "z"}
    assert below(picture, "b") == {"x", "z"}


@st.composite
def graphs(draw_from: st.DrawFn) -> tuple[list[str], list[Edge]]:
    count = draw_from(st.integers(1, 9))
    names = [f"node{number}" for number in range(count)]
    pairs = draw_from(st.lists(st.tuples(st.sampled_from(names), st.sampled_from(names), st.booleans()), max_size=14))
    return names, [Edge(*pair) for pair in pairs]


@settings(max_examples=300)
@given(graphs())
def test_the_lines_lead_where_the_edges_do_and_nowhere_else(graph: tuple[list[str], list[Edge]]) -> None:
    names, edges = graph
    picture = draw(names, edges, {name: f"· {name}" for name in names})
    assert sorted(name for layer in picture.layers for name in layer) == sorted(names)
    for row in picture.rows:
        assert sum(cells(text) for text, _ in row) <= picture.width
    by_row: dict[int, list[tuple[int, int]]] = {}
    for box in picture.boxes.values():
        by_row.setdefault(box.row, []).append((box.left, box.left + box.width))
    for spans in by_row.values():
        spans.sort()
        assert all(left[1] < right[0] for left, right in pairwise(spans))
    wanted = led_to(names, edges)
    for name in names:
        assert below(picture, name) == wanted[name], f"{name}:\n" + "\n".join(rows_of(picture))


@pytest.mark.parametrize("count", [40, 120])
def test_a_large_graph_is_drawn(count: int) -> None:
    names = [f"n{number}" for number in range(count)]
    edges = [Edge(names[number], names[(number * 7 + 3) % count], number % 3 == 0) for number in range(count)]
    edges += [Edge(one, other) for one, other in pairwise(names)]
    assert len(draw(names, edges, {name: name for name in names}).boxes) == count

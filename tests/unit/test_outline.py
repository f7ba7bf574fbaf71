"""Outlines: folding, finding, and what values unfold to."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.outline import Node, Outline, Tone, search
from backends.unfold import CHUNK, LINES, text_nodes, value_node
from backends.values import Encrypted, Secret, Typed, Undecodable
from backends.wrap import cells, wrap
from tests.work import steps


def roots(**values: object) -> list[Node]:
    return [value_node((name,), name, value) for name, value in values.items()]


def shown(outline: Outline) -> list[str]:
    return [f"{'  ' * row.depth}{row.node.name}" for row in outline.rows]


# Folding


def test_unfolding_shows_what_is_inside_and_folding_hides_it():
    outline = Outline(roots(a={"x": 1, "y": [10, 20]}, b=2))
    assert outline.unfold(0)
    assert outline.unfold(2)
    assert shown(outline) == ["a", "  x", "  y", "    0", "    1", "b"]
    assert not outline.unfold(2)
    assert outline.fold(0)
    assert not outline.fold(0)
    assert shown(outline) == ["a", "b"]
    assert outline.unfold(0)
    assert shown(outline) == ["a", "  x", "  y", "    0", "    1", "b"], "what was unfolded inside is remembered"


def test_leaves_do_not_fold():
    outline = Outline(roots(a=1, b="text", c=None, d=[], e={}))
    assert not any(outline.toggle(index) for index in range(5))


def test_folds_are_kept_when_other_roots_have_the_same_paths():
    outline = Outline(roots(a={"x": [1]}, b=[1]))
    outline.unfold(0)
    outline.unfold(1)
    outline.show(roots(a={"x": [1, 2], "new": 3}, c=[4]))
    assert shown(outline) == ["a", "  x", "    0", "    1", "  new", "c"]


def test_a_node_that_starts_unfolded_stays_folded_once_folded():
    node = Node(("a",), "a", unfold=lambda: [Node(("a", "b"), "b")], open=True)
    outline = Outline([node])
    assert shown(outline) == ["a", "  b"]
    outline.fold(0)
    outline.show([node])
    assert shown(outline) == ["a"]


def test_parents_ends_and_places():
    outline = Outline(roots(a={"x": {"y": 1}}, b=2))
    outline.unfold(0)
    outline.unfold(1)
    assert [outline.parent(index) for index in range(4)] == [None, 0, 1, None]
    assert [outline.end(index) for index in range(4)] == [3, 3, 3, 4]
    assert outline.index_of(("a", "x", "y")) == 2
    assert outline.index_of(("a", "z")) is None
    assert outline.nearest(("a", "x", "gone", "deeper")) == 1
    assert outline.nearest(("gone",)) == 0


def test_fold_all_shows_only_the_roots():
    outline = Outline(roots(a={"x": {"y": 1}}, b=2))
    assert not outline.fold_all()
    outline.unfold(0)
    outline.unfold(1)
    assert outline.fold_all()
    assert shown(outline) == ["a", "b"]


# Ranges


@pytest.mark.parametrize("count", [1, CHUNK, CHUNK + 1, 1234, 25_802, 336_000])
def test_no_unfolding_shows_more_than_a_hundred_rows_and_every_item_is_in_reach(count: int):
    outline = Outline(roots(items=list(range(count))))
    for wanted in {0, count // 2, count - 1}:
        index = 0
        for _ in range(6):
            row = outline.rows[index]
            if row.node.value == wanted and row.node.unfold is None:
                break
            outline.unfold(index)
            end = outline.end(index)
            below = [at for at in range(index + 1, end) if outline.rows[at].depth == row.depth + 1]
            assert len(below) <= CHUNK
            index = next(at for at in below if _covers(outline.rows[at].node, wanted))
        assert outline.rows[index].node.name == str(wanted)


def _covers(node: Node, item: int) -> bool:
    last = node.path[-1]
    return last[1] <= item < last[2] if isinstance(last, tuple) else last == item


def test_ranges_say_how_much_of_the_whole_they_are():
    outline = Outline(roots(items=list(range(3412))))
    outline.unfold(0)
    assert (outline.rows[1].node.name, outline.rows[1].node.label) == ("0 … 99", "100 of 3,412")
    assert (outline.rows[-1].node.name, outline.rows[-1].node.label) == ("3,400 … 3,411", "12 of 3,412")


def test_ranges_of_a_mapping_name_its_first_and_last_key():
    outline = Outline(roots(table={f"key-{n:04}": n for n in range(150)}))
    outline.unfold(0)
    assert [row.node.text for row in outline.rows[1:]] == ["key-0000 … key-0099", "key-0100 … key-0149"]


def test_opening_a_huge_mapping_costs_little():
    outline = Outline(roots(table={f"key{n}": {"n": n} for n in range(300_000)}))
    assert steps(lambda: outline.unfold(0)) < 200_000
    assert steps(lambda: outline.unfold(len(outline.rows) - 1)) < 200_000


# Messages and texts


def ai(text: str, **fields: object) -> Typed:
    return Typed("langchain_core.messages.ai", "AIMessage", {"content": text, "type": "ai", **fields}, "pydantic2")


def test_a_message_is_a_row_with_its_role_and_unfolds_to_text_calls_and_the_rest():
    message = ai("one\ntwo", id="m1", tool_calls=[{"name": "find", "args": {"q": "x"}, "id": "c"}], name=None, extra={})
    node = value_node(("messages", 0), "0", message)
    assert (node.label, node.tone, node.text) == ("ai", Tone.SPEAKER, 'one⏎two  → find({q: "x"})')
    assert node.unfold is not None
    below = node.unfold()
    assert [(row.name, row.text) for row in below[:2]] == [("", "one"), ("", "two")]
    assert (below[2].mark, below[2].name, below[2].value) == ("→", "find", {"q": "x"})
    assert [row.name for row in below[3:]] == ["type", "id"]


def test_long_texts_unfold_to_some_lines_and_say_how_long_they_are():
    rows = text_nodes(("t",), "word " * 10_000, 80)
    assert len(rows) == LINES + 1
    assert rows[-1].text == "… 50,000 characters in all"
    assert all(row.value == "word " * 10_000 for row in rows)


def test_texts_are_broken_to_the_width():
    rows = text_nodes(("t",), "lorem ipsum " * 20, 60)
    assert all(cells(row.text or "") <= 60 for row in rows)
    assert "".join((row.text or "") + " " for row in rows).split() == ("lorem ipsum " * 20).split()


@pytest.mark.parametrize("value", [Undecodable("broken", b"\xff"), Encrypted("msgpack+aes", "no key", b"x" * 40)])
def test_what_cannot_be_read_stands_out(value: object):
    assert value_node(("x",), "x", value).tone is Tone.FAILED


def test_a_secret_is_a_leaf():
    assert value_node(("x",), "x", Secret("SecretStr", 7)).unfold is None


def test_keys_that_are_no_text_have_rows_too():
    outline = Outline([value_node(("m",), "m", {1: "a", (2, 3): "b", None: "c", b"\x00": "d", 1.5: {"x": 1}})])
    outline.unfold(0)
    assert len({row.node.path for row in outline.rows}) == 6


# Search


def found(nodes: list[Node], text: str) -> list[tuple[object, ...]]:
    return [trail[-1] for trail in search(nodes, re.compile(re.escape(text), re.IGNORECASE))]


def test_a_search_looks_into_names_and_leaves_whatever_is_folded():
    nodes = roots(order={"customer": "ACME", "lines": [{"sku": "a-1"}, {"sku": "b-2", "note": "for acme"}]}, acme=None)
    assert found(nodes, "acme") == [("order", "customer"), ("order", "lines", 1, "note"), ("acme",)]
    assert found(nodes, "b-2") == [("order", "lines", 1, "sku")]
    assert found(nodes, "nowhere") == []


def test_numbers_and_placeholders_are_found_by_what_they_look_like():
    nodes = roots(n=1250, when=Typed("datetime", "date", [2026, 11, 20], "call*"), bad=Undecodable("no such ext", b""))
    assert found(nodes, "125") == [("n",)]
    assert found(nodes, "2026-11") == [("when",)]
    assert found(nodes, "no such") == [("bad",)]


def test_a_message_is_found_once_by_its_whole_text():
    long = "x" * 5000 + "needle"
    assert found(roots(messages=[ai("hay"), ai(long)]), "needle") == [("messages", 1)]


def test_the_end_of_a_long_text_is_found():
    assert found(roots(text="a" * 100_000 + "needle"), "needle") == [("text",)]


def test_secrets_cannot_be_searched():
    assert found(roots(key=Secret("SecretStr", 7)), "hunter2") == []


def test_revealing_a_match_unfolds_what_hides_it():
    nodes = roots(items=[{"n": f"sku {n}"} for n in range(3000)])
    (trail,) = search(nodes, re.compile("^sku 2345$"))
    outline = Outline(nodes)
    index = outline.reveal(trail)
    assert index is not None
    assert outline.rows[index].node.path == ("items", 2345, "n")
    assert outline.reveal(trail) == index, "again changes nothing"
    assert outline.reveal((("items",), ("items", "gone"))) is None


def test_a_search_can_be_cancelled():
    nodes = roots(items=list(range(100_000)))
    assert len(list(search(nodes, re.compile("."), cancelled=lambda: True))) < 2000


# Properties

values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.binary(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=6),
        st.dictionaries(st.text(max_size=6), inner, max_size=6),
        st.builds(Typed, st.just("app"), st.text(max_size=6), inner, st.just("call")),
    ),
    max_leaves=30,
)


def unfold_everything(outline: Outline) -> None:
    index = 0
    while index < len(outline.rows):
        outline.unfold(index)
        index += 1


@given(st.dictionaries(st.text(max_size=6), values, max_size=4))
def test_folding_undoes_unfolding(state: dict[str, object]):
    outline = Outline(roots(**{f"k{number}": value for number, value in enumerate(state.values())}))
    before = [row.node.path for row in outline.rows]
    unfold_everything(outline)
    for index in range(len(outline.rows) - 1, -1, -1):
        outline.fold(index)
    assert [row.node.path for row in outline.rows] == before


@given(values)
def test_showing_the_same_roots_again_changes_nothing(value: object):
    outline = Outline(roots(a=value))
    unfold_everything(outline)
    before = [(row.node.path, row.depth, row.opened) for row in outline.rows]
    outline.show(roots(a=value))
    assert [(row.node.path, row.depth, row.opened) for row in outline.rows] == before


@given(values)
def test_every_match_can_be_revealed(value: object):
    nodes = roots(a=value)
    for trail in search(nodes, re.compile("a|1")):
        outline = Outline(nodes)
        index = outline.reveal(trail)
        assert index is not None
        assert outline.rows[index].node.path == trail[-1]


@given(st.text(alphabet=st.sampled_from("ab 漢é\u0301\t\n-"), max_size=200), st.integers(2, 30))
def test_wrapping_fits_and_loses_nothing_but_spaces(text: str, width: int):
    lines = list(wrap(text, width))
    assert all(cells(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())

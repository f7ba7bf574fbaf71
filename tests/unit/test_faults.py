"""The notation of faults."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.errors import Refused
from backends.faults import Fault, How, Point, parse

NAMES = st.text(st.characters(codec="ascii", categories=("L", "N"), include_characters="_- /=."), min_size=1)
"""A name that ends with ``+`` and digits reads as milliseconds."""


@given(st.sampled_from(Point), NAMES, st.sampled_from(How), st.integers(0, 10**6))
def test_what_is_written_is_read(point: Point, node: str, how: How, ms: int) -> None:
    fault = Fault(point, node, how, ms if point is Point.INSIDE else 0)
    read = parse(str(fault))
    assert str(read) == str(fault)


def test_the_parts() -> None:
    assert parse("inside:analyze+250=kill") == Fault(Point.INSIDE, "analyze", How.KILL, 250)
    assert parse("after:research/search=raise") == Fault(Point.AFTER, "research/search", How.RAISE)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is not a fault"),
        ("kill", "is not a fault"),
        ("before:=kill", "is not a fault"),
        ("during:a=kill", "no point 'during'"),
        ("before:a=explode", "no way 'explode'"),
        ("before:a+5=kill", "Milliseconds belong to inside"),
    ],
)
def test_what_is_none_is_refused_with_the_choice(text: str, told: str) -> None:
    with pytest.raises(Refused, match=told):
        parse(text)


def test_a_name_is_found_at_every_depth_and_a_path_only_in_its_place() -> None:
    inner = "research:6f1c|dig:77"
    assert Fault(Point.BEFORE, "search", How.KILL).strikes("search", inner)
    assert Fault(Point.BEFORE, "research/dig/search", How.KILL).strikes("search", inner)
    assert not Fault(Point.BEFORE, "dig/search", How.KILL).strikes("search", inner)
    assert not Fault(Point.BEFORE, "search", How.KILL).strikes("plan", "")
    assert Fault(Point.BEFORE, "/search", How.KILL).strikes("search", "")
    assert not Fault(Point.BEFORE, "/search", How.KILL).strikes("search", inner)

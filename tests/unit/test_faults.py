"""The notation of faults."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.errors import Refused
from backends.faults import Fault, How, Point, parse

NAMES = st.text(min_size=1) | st.text("a+/=:1", min_size=1)


@given(st.sampled_from(Point), NAMES, st.sampled_from(How), st.integers(0, 10**6), st.booleans())
def test_what_is_written_is_read(point: Point, node: str, how: How, ms: int, exact: bool) -> None:
    fault = Fault(point, node, how, ms if point is Point.INSIDE else 0, exact or node.startswith("/"))
    assert parse(str(fault)) == fault


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
    assert parse("before:/search=kill").strikes("search", "")
    assert not parse("before:/search=kill").strikes("search", inner)
    assert parse("before:/research/dig/search=kill").strikes("search", inner)


def test_a_name_may_look_like_one_with_milliseconds() -> None:
    assert parse("before:try+1=kill") == Fault(Point.BEFORE, "try+1", How.KILL)
    assert parse("inside:try+1=kill") == Fault(Point.INSIDE, "try", How.KILL, 1)
    assert parse("inside:try+1+0=kill") == Fault(Point.INSIDE, "try+1", How.KILL)

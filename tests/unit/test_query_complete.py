"""Completion of filters: names, and values that the store really holds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from backends.model import StatusName
from backends.query import parse
from backends.query_complete import Facets, collect_facets, complete

from .test_query import ROWS, row

FACETS = Facets(
    statuses=("done", "waiting"),
    nodes=("review", "re think"),
    sources=("loop", "input"),
    metadata={"tenant": ("t1", "t3", "acme"), "status": ("new",)},
)


def done(text: str, cursor: int | None = None) -> list[str]:
    return complete(text, len(text) if cursor is None else cursor, FACETS)


def test_names():
    assert done("st") == ["status:", "step>"]
    assert done("te") == ["tenant:"]
    assert done("!te") == ["!tenant:"]
    assert done("foo st") == ["foo status:", "foo step>"]
    assert "meta.status:" in done("me")
    assert done("")[0] == "status:"


def test_values():
    assert done("status:") == ["status:done", "status:waiting"]
    assert done("status:w") == ["status:waiting"]
    assert done("status:!w") == ["status:!waiting"]
    assert done("!status:w") == ["!status:waiting"]
    assert done("status:done,") == ["status:done,waiting"]
    assert done("tenant:t") == ["tenant:t1", "tenant:t3"]
    assert done("tenant:c") == ["tenant:acme"]
    assert done("meta.status:") == ["meta.status:new"]
    assert done("node:re") == ["node:review", 'node:"re think"']
    assert done('node:"re') == ["node:review", 'node:"re think"']
    assert done("source:") == ["source:loop", "source:input"]


def test_in_the_middle():
    assert done("st tenant:t3", cursor=2) == ["status: tenant:t3", "step> tenant:t3"]


def test_nothing_to_offer():
    assert done("status:done") == []
    assert done("step>") == []
    assert done("unknown:") == []
    assert done('"an open quote st') == []


def test_facets_are_counted():
    rows = [
        row(metadata={"tenant": "a", "long": "x" * 100, "nested": {}}),
        row(metadata={"tenant": "b"}, status=StatusName.DONE, next_nodes=()),
        row(metadata={"tenant": "b"}, status=None),
    ]
    facets = collect_facets(rows)
    assert facets.metadata == {"tenant": ("b", "a")}
    assert facets.statuses == ("done", "waiting")
    assert facets.nodes == ("review",)
    assert facets.sources == ("loop",)
    assert collect_facets([]).statuses == tuple(StatusName)


def test_facets_are_bounded():
    rows = [row(metadata={f"k{i}": f"v{i}", "same": f"v{i}"}) for i in range(20)]
    facets = collect_facets(rows, keys=5, values=3)
    assert len(facets.metadata) == 5
    assert len(facets.metadata["same"]) == 3


@given(
    st.lists(ROWS, max_size=5), st.text(max_size=10), st.sampled_from(["", "status:", "node:", "a:", "tenant:", "!"])
)
def test_whatever_is_offered_for_a_finished_term_can_be_read(rows, text, lead):
    facets = collect_facets(rows)
    for choice in complete(lead, len(lead), facets):
        if not choice.endswith((":", "<", ">")):
            parse(choice)
    for cursor in range(len(text) + 1):
        complete(text, cursor, facets)

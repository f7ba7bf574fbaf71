"""Which of the known graphs has written a thread."""

from dataclasses import replace

import pytest

from backends.graphs.belongs import fitting
from backends.graphs.drawing import Drawing, Node


def drawing(name, *nodes, **inner):
    return Drawing(
        name,
        (Node("__start__"), *(Node(node, inner.get(node)) for node in nodes), Node("__end__")),
    )


DRAWINGS = {
    "wide": drawing("wide", "fetch", "load", "check", "report"),
    "narrow": drawing("narrow", "fetch", "load"),
    "other": drawing("other", "draft", "review"),
    "nested": drawing("nested", "plan", "research", research=drawing("inner", "search", "read")),
}


@pytest.mark.parametrize(
    ("names", "fits"),
    [
        ({"fetch", "load"}, ["narrow", "wide"]),
        ({"fetch", "check"}, ["wide"]),
        ({"draft"}, ["other"]),
        ({"draft", "fetch"}, []),
        ({"plan", "search"}, ["nested"]),
        ({"__start__", "__error_handler__load", "load"}, ["narrow", "wide"]),
        ({"__start__", ""}, []),
        (set(), []),
    ],
)
def test_a_graph_fits_that_has_all_of_the_names(names, fits):
    assert fitting(names, None, DRAWINGS) == fits


def test_what_our_own_run_has_stamped_goes_first():
    assert fitting({"fetch"}, "wide", DRAWINGS) == ["wide", "narrow"]
    assert fitting({"fetch"}, "other", DRAWINGS) == ["other", "narrow", "wide"]
    assert fitting(set(), "other", DRAWINGS) == ["other"]
    assert fitting({"draft"}, "unknown", DRAWINGS) == ["other"]


def test_an_entrypoint_fits_whatever_it_calls_unless_a_graph_has_all_of_the_names():
    calling = {**DRAWINGS, "calling": replace(drawing("calling", "report"), functional=True)}
    assert fitting({"report", "publish"}, None, calling) == ["calling"]
    assert fitting({"publish"}, None, calling) == []
    assert fitting({"report", "fetch"}, None, calling) == ["wide"]

"""Ids for new threads."""

from __future__ import annotations

import re

import pytest

from backends.control.names import propose_thread_id


@pytest.mark.parametrize(
    ("graph", "begins"),
    [
        ("documents", "documents-"),
        ("./src/my_graph.py:graph", "my-graph-"),
        ("app.agents.support:build", "app-agents-support-"),
        ("Überprüfung $(rm)", "berpr-fung-rm-"),
        ("\x1b[31m", "31m-"),
        ("", "thread-"),
        ("x" * 99, f"{'x' * 24}-"),
    ],
)
def test_an_id_says_which_graph_and_when_and_needs_no_quotes(graph: str, begins: str) -> None:
    proposed = propose_thread_id(graph, now=1_795_251_000.0)
    assert proposed.startswith(begins)
    assert re.fullmatch(r"[a-z0-9-]+-2026\d{4}-\d{4}-[2-9a-z]{2}", proposed)


def test_an_id_is_never_one_that_is_taken() -> None:
    class AllShort:
        def __contains__(self, one: object) -> bool:
            return len(str(one).rpartition("-")[2]) < 4

    assert len(propose_thread_id("g", AllShort()).rpartition("-")[2]) == 4
    assert len({propose_thread_id("g") for _ in range(20)}) > 10

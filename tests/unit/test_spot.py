"""Which verbs make sense where, without asking the store; and what an edit in a node's name leads to."""

from __future__ import annotations

import pytest

from backends.graphs.drawing import Drawing, Node
from backends.model import StatusName, Summary
from backends.runs.run import Run, RunState
from tui.dialogs.edit import consequence, drawing_at
from tui.verbs.spot import VERBS, Spot, why_not


def spot(status: str | None, questions: int = 0) -> Spot:
    summary = None if status is None else Summary(StatusName(status), "worker@elsewhere", (), questions, False)
    return Spot("doc-7", "1f0c", summary)


def run(state: str) -> Run:
    return Run(
        "1121-k3", "/r", "doc-7", "s", "k", "g", "t", "resume", operator="you@laptop", pid=7, state=RunState(state)
    )


def possible(status: str | None, questions: int = 0, newest: Run | None = None) -> set[str]:
    return {verb for verb in VERBS if not why_not(verb, spot(status, questions), newest, "")}


@pytest.mark.parametrize(
    ("status", "questions", "newest", "verbs"),
    [
        (None, 0, None, {"resume", "answer", "fork", "edit", "start"}),
        ("done", 0, None, {"fork", "edit", "start"}),
        ("done", 0, "done", {"fork", "edit", "start"}),
        ("waiting", 2, None, {"resume", "answer", "fork", "edit", "start"}),
        ("failed", 0, "failed", {"resume", "fork", "edit", "start"}),
        ("running", 0, None, {"fork"}),
        ("stalled", 0, "running", {"fork", "stop"}),
        ("crashed", 0, "running", {"resume", "fork", "edit", "start", "stop"}),
    ],
)
def test_what_can_be_done(status: str | None, questions: int, newest: str | None, verbs: set[str]) -> None:
    rows = {"export"} if "edit" not in verbs else {"export", "delete", "prune"}
    assert possible(status, questions, run(newest) if newest else None) == verbs | rows | {"crash"}


def test_every_refusal_says_why() -> None:
    assert "run 1121-k3 · you@laptop · pid 7" in why_not("resume", spot("stalled"), run("running"), "")
    assert "worker@elsewhere" in why_not("resume", spot("running"), None, "")
    assert "worker@elsewhere" in why_not("stop", spot("running"), None, "")
    assert why_not("fork", None, None, "") == "No thread is selected."
    assert why_not("start", None, None, "") == ""
    assert {why_not(verb, spot("waiting", 1), None, "read-only") for verb in VERBS} == {"read-only", ""}
    assert why_not("export", spot("waiting", 1), None, "read-only") == ""


def test_the_consequence_of_a_node_comes_from_the_graph() -> None:
    inner = Drawing("inner", (Node("ask"),), next_after={"ask": ()})
    outer = Drawing(
        "outer",
        (Node("load"), Node("review", inner)),
        next_after={"load": ("review",), "review": None, "x": ("__end__",)},
    )
    assert consequence(outer, "load") == "next: review"
    assert consequence(outer, "review") == "next: as its router decides"
    assert consequence(outer, "x") == "next: nothing, the thread is done"
    assert drawing_at(outer, "") is outer
    assert drawing_at(outer, "review:1f0c") is inner
    assert drawing_at(outer, "review:1f0c|gone:2") is inner

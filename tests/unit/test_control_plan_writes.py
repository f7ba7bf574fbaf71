"""What a plan says of edits and forks: where they lead, what they drop, what becomes of the head."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from langgraph.graph import END, START, StateGraph

from .control_rig import Rig, State, T, ask, fan, opened, say


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with opened(tmp_path / "store.db") as made:
        yield made


# --- other states ----------------------------------------------------------------------------------------------------


def test_an_edit_says_what_it_drops_and_where_it_leads(rig: Rig) -> None:
    graph = rig.compile(fan(good=say("good"), ask=ask))
    graph.invoke({"log": []}, T)
    plan = rig.plan("edit", values={"x": 1}, as_node="first")
    assert plan.refusal == ""
    assert plan.intent.checkpoint is None
    assert sorted(plan.summary.partition("next: ")[2].split(", ")) == ["ask", "good"]
    assert "good finished, and what it saved is dropped" in plan.warnings[0]
    assert len(plan.warnings) == 1
    skipping = rig.plan("edit", values={"x": 1}, as_node="ask")
    assert "a router, a Command or a join decides" in skipping.summary
    assert "ask and its questions stays pending only if" in skipping.warnings[1]
    graph.update_state(T, {"x": 1}, as_node="first")
    assert sorted(graph.get_state(T).next) == ["ask", "good"]


def test_an_edit_of_an_older_branch_that_is_not_finished_says_what_it_drops_there(rig: Rig) -> None:
    graph = rig.compile(fan(good=say("good"), ask=ask))
    graph.invoke({"log": []}, T)
    left = rig.reader.head("t").checkpoint_id
    graph.update_state(graph.get_state(T).parent_config, {"x": 1}, as_node="first")
    plan = rig.plan("edit", checkpoint=left, values={"x": 1}, as_node="first")
    assert plan.intent.checkpoint == left
    assert "good finished, and what it saved is dropped" in plan.warnings[0]
    assert "1 later checkpoint stays as another branch" in " ".join(plan.notes)


def test_an_edit_never_guesses(rig: Rig) -> None:
    rig.compile(fan(good=say("good"))).invoke({"log": []}, T)
    assert "Nodes: first, last, good" in rig.plan("edit", values={"x": 1}).refusal
    assert "Did you mean good?" in rig.plan("edit", values={"x": 1}, as_node="goood").refusal
    assert "no channel xx" in rig.plan("edit", values={"xx": 1}, as_node="good").refusal
    assert "no values" in rig.plan("edit", as_node="good").refusal
    assert "no value to replace log" in rig.plan("edit", values={"x": 1}, replace=("log",), as_node="good").refusal
    assert rig.plan("edit", as_node=END).summary == "edit t: edits step 3: clears all pending tasks; next: nothing"


def test_reducers_are_told_and_passed_by_where_asked(rig: Rig) -> None:
    rig.compile(fan(good=say("good"))).invoke({"log": []}, T)
    plan = rig.plan("edit", values={"log": ["a"], "x": 1}, as_node="good")
    assert any("log goes through its reducer" in note for note in plan.notes)
    plan = rig.plan("edit", values={"log": ["a"], "x": 1}, replace=("log", "x"), as_node="good")
    assert plan.intent.replace == ("log",), "x takes no Overwrite"
    assert "'log': Overwrite(['a'])" in plan.python
    assert not any("reducer" in note for note in plan.notes)


def test_a_fork_says_what_becomes_of_the_head(rig: Rig) -> None:
    rig.compile(fan(good=say("good"))).invoke({"log": []}, T)
    plan = rig.plan("fork", checkpoint="@1")
    assert plan.runs == ("good",)
    assert len(plan.intent.checkpoint or "") == 36
    assert "becomes the head of the thread; 2 later checkpoints stay as another branch" in plan.notes[0]
    assert "good finished, and runs again all the same: what it does outside" in plan.warnings[0]
    assert "Nothing follows" in rig.plan("fork").refusal
    assert "No checkpoint" in rig.plan("fork", checkpoint="ffff").refusal
    written = rig.plan("fork", checkpoint="@1", values={"x": 1}, as_node="first")
    assert (written.runs, written.warnings) == (("good",), ())
    still = rig.plan("fork", checkpoint="@1", run_after=False)
    assert (still.intent.as_node, still.runs) == ("__copy__", ())
    assert "next: good" in still.summary


def test_a_subgraph_is_edited_by_its_own_nodes(rig: Rig) -> None:
    inner = StateGraph(State).add_node("deep", ask).add_edge(START, "deep").compile()
    rig.compile(fan(sub=inner)).invoke({"log": []}, T)  # type: ignore[arg-type]
    ns = next(ns for ns in rig.reader.store.namespaces("t") if ns)
    assert "Nodes: deep" in rig.plan("edit", ns=ns, values={"x": 1}).refusal
    plan = rig.plan("edit", ns=ns, values={"x": 1}, as_node="deep")
    assert (plan.refusal, plan.intent.ns) == ("", ns)
    assert "cannot be run by itself" in rig.plan("fork", ns=ns).refusal

"""What a plan says before anything is done: of threads that stand in every awkward way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt
from pydantic import BaseModel

from backends.address import parse_address
from backends.control.gate import Gate
from backends.control.plan import Intent
from backends.control.planning import make_plan
from backends.locks.holder import Holder
from backends.worker.drawing import draw

from .control_rig import REF, Rig, State, T, ask, ask_then_fail, fail, fan, opened, say


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with opened(tmp_path / "store.db") as made:
        yield made


# --- a new input -----------------------------------------------------------------------------------------------------


def test_a_start_on_a_new_thread(rig: Rig) -> None:
    rig.compile(fan(good=say("good")))
    plan = rig.plan("start", "new", input={"log": []}, seen_head="")
    assert (plan.refusal, plan.head, plan.runs, plan.warnings) == ("", "", ("first",), ())
    assert plan.summary == "start new: starts a new thread: runs first"


def test_a_single_step_of_a_new_thread_only_saves_the_input(rig: Rig) -> None:
    graph = rig.compile(fan(good=say("good")))
    plan = rig.plan("start", "t", input={"log": []}, step=True)
    assert (plan.runs, plan.notes) == ((), ("The input is saved, and the run pauses before its first step.",))
    graph.invoke({"log": []}, T, interrupt_before="*")
    assert graph.get_state(T).next == ("first",)
    plan = rig.plan("resume", step=True)
    assert (plan.runs, plan.notes) == (("first",), ("It runs one step, and pauses before the next one.",))
    graph.invoke(None, T, interrupt_before="*")
    assert graph.get_state(T).next == ("good",)


def test_a_start_makes_the_store_only_where_that_is_meant(rig: Rig) -> None:
    gate = Gate(parse_address(str(rig.path.parent / "new.db"), {}))
    refused = make_plan(None, Intent("start", "t", input={}), REF, None, gate)
    assert "does not exist" in refused.refusal
    plan = make_plan(None, Intent("start", "t", input={}, create_store=True), REF, None, gate)
    assert plan.refusal == ""
    assert any("made first" in note for note in plan.notes)
    for verb in ("resume", "copy", "fork"):
        assert "no thread" in make_plan(None, Intent(verb, "t"), REF, None, gate).refusal


def test_a_start_says_what_it_drops(rig: Rig) -> None:
    graph = rig.compile(fan(good=say("good"), ask=ask))
    graph.invoke({"log": []}, T)
    plan = rig.plan("start", input={"log": []})
    assert plan.refusal == ""
    assert "drops the pending ask and its open questions and what good saved" in plan.warnings[0]
    assert graph.get_state(T).values["log"] == ["first", "good"]
    assert graph.invoke({"log": []}, T)["log"] == ["first", "first", "good"]
    assert "already" in rig.plan("start", input={"log": []}, seen_head="").refusal


def test_an_input_is_held_against_the_schema(rig: Rig) -> None:
    rig.compile(fan(good=say("good")))
    assert "input" in rig.plan("start", "new").refusal
    assert any(
        "lug is not known (did you mean log?)" in one for one in rig.plan("start", "n", input={"lug": 1}).warnings
    )
    assert any("it must be an object" in one for one in rig.plan("start", "n", input=[1]).warnings)
    assert rig.plan("start", "n", input={"x": 1}).warnings == ()


# --- going on --------------------------------------------------------------------------------------------------------


def test_a_resume_runs_what_is_open_and_reuses_the_rest(rig: Rig) -> None:
    with suppress(ConnectionError):
        rig.compile(fan(good=say("good"), bad=fail)).invoke({"log": []}, T, durability="sync")
    plan = rig.plan("resume")
    assert (plan.refusal, plan.runs, plan.reuses) == ("", ("bad",), ("good",))
    assert plan.head == rig.reader.head("t").checkpoint_id


def test_what_is_done_is_not_resumed(rig: Rig) -> None:
    rig.compile(fan(good=say("good"))).invoke({"log": []}, T)
    assert "nothing to resume" in rig.plan("resume").refusal
    assert "no step to retry" in rig.plan("retry").refusal
    assert "asks nothing" in rig.plan("answer", answers={"": 1}).refusal
    assert "no thread nobody" in rig.plan("resume", "nobody").refusal


def test_a_resume_of_a_question_is_told_to_answer(rig: Rig) -> None:
    rig.compile(fan(ask=ask)).invoke({"log": []}, T)
    plan = rig.plan("resume")
    assert plan.asks == (rig.question(),)
    assert "Answer it instead" in plan.warnings[0]


def test_a_router_that_raised_is_to_be_retried(rig: Rig) -> None:
    def route(state: State) -> str:
        raise LookupError("where?")

    builder = StateGraph(State).add_node("a", say("a")).add_node("b", say("b")).add_edge(START, "a")
    with suppress(LookupError):
        rig.compile(builder.add_conditional_edges("a", route, ["b", END])).invoke({"log": []}, T, durability="sync")
    assert any("Retry the step instead" in warning for warning in rig.plan("resume").warnings)
    plan = rig.plan("retry")
    assert plan.runs == ("a",)
    assert "finished, and runs again all the same: what it does outside" in plan.warnings[0]
    assert plan.intent.checkpoint == plan.head


def test_a_retry_is_of_the_last_step_only(rig: Rig) -> None:
    rig.compile(fan(good=say("good"), ask=ask)).invoke({"log": []}, T)
    assert rig.plan("retry", checkpoint="head").refusal == ""
    assert "last step" in rig.plan("retry", checkpoint="~1").refusal
    assert "ask asks again, under a new id;" in " ".join(rig.plan("retry").warnings)


def test_several_are_told_as_several(rig: Rig) -> None:
    rig.compile(fan(a=say("a"), b=say("b"), x=ask, y=ask)).invoke({"log": []}, T)
    warnings = rig.plan("retry").warnings
    assert "a, b finished, and run again all the same: what they do outside happens again." in warnings
    assert "x, y ask again, under new ids; answers given so far are not used." in warnings


def test_a_graph_without_the_due_node_would_end_the_thread_silently(rig: Rig) -> None:
    rig.compile(fan(good=say("good"), ask=ask)).invoke({"log": []}, T)
    rig.compile(fan(other=say("other")))
    assert "has no node ask" in rig.plan("resume").refusal
    rig.compile(fan(ask=ask))
    assert rig.plan("resume").refusal == ""
    rig.compile(StateGraph(State).add_node("ask", ask).add_edge(START, "ask"))
    assert any("Is it the right graph?" in warning for warning in rig.plan("resume").warnings)


def test_a_fault_at_a_node_that_nobody_drew_is_told(rig: Rig) -> None:
    rig.compile(fan(good=say("good")))

    def warnings(fault: str) -> tuple[str, ...]:
        return rig.plan("start", "new", input={"log": []}, seen_head="", faults=(fault,)).warnings

    assert warnings("after:good=kill") == warnings("after:/good=kill") == ()
    assert warnings("after:god=kill") == ("The drawing of the graph has no node god to crash. Is good meant?",)
    assert warnings("after:research/search=kill") == ("The drawing of the graph has no node research/search to crash.",)


def test_breakpoints_and_modes_are_told(rig: Rig) -> None:
    graph = rig.compile(fan(good=say("good")), interrupt_before=["last"])
    graph.invoke({"log": []}, T)
    plan = rig.plan("resume", step=True, durability="exit")
    assert "pauses before last" in " ".join(plan.notes)
    assert "a crash loses all of it" in " ".join(plan.warnings)
    assert "a finished step may run again" in " ".join(rig.plan("resume", durability="async").notes)
    assert "no durability" in rig.plan("resume", durability="bogus").refusal
    assert "recursion" in rig.plan("resume", recursion_limit=0).refusal


# --- answers ---------------------------------------------------------------------------------------------------------


def test_an_answer_names_its_question(rig: Rig) -> None:
    rig.compile(fan(good=say("good"), ask=ask, also=ask)).invoke({"log": []}, T)
    ids = [one.id for one in rig.reader.analyse_heads([rig.reader.head("t")])["t"].interrupts]
    assert "2 questions are open" in rig.plan("answer", answers={"": 1}).refusal
    assert "No open question" in rig.plan("answer", answers={"ffff": 1}).refusal
    assert "no answer" in rig.plan("answer").refusal
    assert "Two answers" in rig.plan("answer", answers={ids[0]: 1, ids[0][:-1]: 2}).refusal
    plan = rig.plan("answer", answers={ids[0][:8]: "yes"})
    assert plan.intent.answers == {ids[0]: "yes"}
    assert (sorted(plan.runs), plan.reuses, plan.asks) == (["also", "ask"], ("good",), (ids[1],))
    assert "1 question stays open" in plan.notes[0]


def test_an_answer_is_checked_before_it_is_sent(rig: Rig) -> None:
    class Approval(BaseModel):
        ok: bool

    def strict(state: State) -> State:
        interrupt("ok?", response_schema=Approval)
        return {"log": []}

    rig.compile(fan(strict=strict)).invoke({"log": []}, T)
    assert "ok must be true or false" in rig.plan("answer", answers={"": {"ok": "sure"}}).refusal
    assert "ok is missing" in rig.plan("answer", answers={"": {}}).refusal
    plan = rig.plan("answer", answers={"": {"ok": True}})
    assert (plan.refusal, plan.intent.answers) == ("", {rig.question(): {"ok": True}})


def test_an_answer_given_without_an_id_would_answer_the_next_question_too(rig: Rig) -> None:
    graph = rig.compile(fan(ask=ask))
    graph.invoke({"log": []}, T)
    graph.invoke(Command(resume="one"), T)
    question = rig.question()
    for verb, more in (("resume", {}), ("answer", {"answers": {question: "two"}}), ("start", {"input": {"log": []}})):
        assert "without naming the question" in rig.plan(verb, **more).refusal
    graph.update_state(T, None, as_node="__copy__")  # what the advice says
    assert rig.plan("resume").refusal == ""
    graph.invoke(None, T)
    assert rig.question() != question
    values = graph.get_state(T).values
    assert "one" not in values["log"]


def test_what_failed_after_its_answer_is_not_answered_again(rig: Rig) -> None:
    graph = rig.compile(fan(ask=ask_then_fail))
    graph.invoke({"log": []}, T)
    question = rig.question()
    with suppress(ConnectionError):
        graph.invoke(Command(resume={question: "one"}), T)
    assert [one.id for one in graph.get_state(T).interrupts] == [question], "LangGraph still lists it"
    plan = rig.plan("answer", answers={question: "two"})
    assert "asks nothing" in plan.refusal
    assert "resume repeats it with that answer" in plan.refusal
    assert "the saved answer" not in " ".join(rig.plan("resume").warnings)
    assert "ask failed after the answer" in " ".join(rig.plan("resume").notes)


def test_an_answer_inside_a_task_call_is_used_up_too(rig: Rig) -> None:
    @task
    def inner() -> None:
        raise ConnectionError(interrupt("?"))

    @entrypoint(checkpointer=rig.saver)
    def flow(given: str) -> None:
        inner().result()

    flow.invoke("go", T)
    question = rig.question()
    with suppress(ConnectionError):
        flow.invoke(Command(resume={question: "one"}), T)
    assert [one.id for one in flow.get_state(T).interrupts] == [question], "LangGraph would take another answer"
    rig.drawing = draw(flow, "flow")
    assert "resume repeats it with that answer" in rig.plan("answer", answers={question: "two"}).refusal
    plan = rig.plan("resume")
    assert plan.runs == ("flow",)
    assert "flow failed after the answer" in " ".join(plan.notes)


# --- for all of them -------------------------------------------------------------------------------------------------


def test_copies_need_no_graph_and_a_free_name(rig: Rig) -> None:
    rig.compile(fan(good=say("good"))).invoke({"log": []}, T)
    for verb, more in (("copy", {}), ("branch", {"checkpoint": "~1"})):
        plan = make_plan(rig.reader, Intent(verb, "t", target="new", **more), None, None, rig.gate)
        assert (plan.refusal, plan.graph) == ("", None)
        assert "already" in rig.plan(verb, target="t", **more).refusal
        assert "needs an id" in rig.plan(verb, **more).refusal
        assert "characters" in rig.plan(verb, target="a\0b", **more).refusal
        running = rig.plan(verb, target="new", holder=Holder("t", 7, "you"), **more)
        assert "is running" in running.warnings[0]


def test_what_stands_in_the_way_of_every_verb(rig: Rig) -> None:
    rig.compile(fan(ask=ask)).invoke({"log": []}, T)
    held = rig.plan("resume", holder=Holder("t", 4312, "you@laptop", run_id="k3f2"))
    assert held.refusal == "t is already running: run k3f2 · you@laptop · pid 4312. Stop that run, or wait."
    assert "--readonly" in rig.plan("resume", gate=Gate(rig.gate.address, readonly=True)).refusal
    assert "--readonly" in rig.plan("copy", target="n", gate=Gate(rig.gate.address, readonly=True)).refusal
    assert "needs an id" in rig.plan("resume", "").refusal
    assert "no verb" in rig.plan("explode").refusal
    rig.drawing = None
    assert rig.plan("resume").refusal == "", "a graph that was not drawn may still be run"
    assert rig.plan("resume", graph_problem="No module named 'x'.").refusal == "No module named 'x'."
    unknown = make_plan(rig.reader, Intent("resume", "t"), None, None, rig.gate)
    assert "which graph" in unknown.refusal


def test_a_head_that_has_moved_is_told(rig: Rig) -> None:
    rig.compile(fan(ask=ask)).invoke({"log": []}, T)
    head = rig.reader.head("t").checkpoint_id
    assert rig.plan("resume", seen_head=head).warnings[0].startswith("It waits")
    assert "moved on since you looked: it is at step 1" in rig.plan("resume", seen_head="1f0c").warnings[0]


def test_a_thread_without_a_root_cannot_be_continued(rig: Rig) -> None:
    config: Any = {"configurable": {"thread_id": "t", "checkpoint_ns": "app"}}
    from langgraph.checkpoint.base import empty_checkpoint

    rig.saver.put(config, empty_checkpoint(), {"source": "loop", "step": 1, "parents": {}}, {})
    assert "no root namespace" in rig.plan("resume").refusal
    assert rig.plan("copy", target="new").refusal == ""


def test_hostile_names_are_safe_to_print(rig: Rig) -> None:
    evil = "a\x1b[31m\u202e\nb"
    builder = StateGraph(State).add_node(evil, ask).add_edge(START, evil)
    rig.compile(builder).invoke({"log": []}, {"configurable": {"thread_id": evil}})
    for verb, more in (
        ("resume", {}),
        ("retry", {}),
        ("edit", {"values": {"x": 1}, "as_node": evil}),
        ("start", {"input": 1}),
    ):
        plan = rig.plan(verb, evil, **more)
        told = (plan.summary, *plan.runs, *plan.notes, *plan.warnings, plan.refusal, plan.command, plan.python)
        assert all(line.isprintable() for line in told), verb

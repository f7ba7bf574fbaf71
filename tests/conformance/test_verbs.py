"""Every verb leaves in the store what LangGraph itself makes of the same call.

Each case brings two threads of one store to the same point by plain calls; then one gets the verb, by the child, and
the other LangGraph's own call, here. Rows and ``get_state`` must be the same.
"""

from __future__ import annotations

import copy
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Command, Overwrite

from backends.runs.events import Kind, Outcome
from backends.runs.spec import GraphRef, Verb
from tests import verb_graphs
from tests.child import ROOT, Bench, Child
from tests.rows import rows, state_of


@dataclass
class Pair:
    """Two threads of one store that go the same way.

    Attributes:
        bench: Starts runs.
        saver: The application's saver on the same store.
        gate: A file that one of the graphs waits for.
    """

    bench: Bench
    saver: BaseCheckpointSaver[Any]
    gate: Path
    graph: Any = None

    def use(self, name: str, drive: str = "plain") -> Pair:
        """Choose a graph of ``verb_graphs``, and which of LangGraph's loops the child drives it by."""
        module = "tests.verb_graphs" if drive == "plain" else "tests.awaited_graphs"
        self.bench.graph = GraphRef(f"{module}:{name}", str(ROOT), name)
        self.graph = copy.copy(getattr(verb_graphs, name))
        self.graph.checkpointer = self.saver
        return self

    def call(self, given: Any, thread_id: str, durability: str = "sync", **more: Any) -> None:
        """LangGraph's own call; what a node raises is left in the store."""
        options = {name: more.pop(name) for name in ("interrupt_before",) if name in more}
        config = {"configurable": {"thread_id": thread_id, **more}}
        with suppressed():
            self.graph.invoke(given, config, durability=durability, **options)

    def both(self, given: Any, **more: Any) -> None:
        """Bring both threads to the same point."""
        for thread_id in ("bare", "ours"):
            self.call(given, thread_id, **more)

    def fail(self) -> None:
        """Bring both threads to where one node of a step has failed and the other one's writes are saved."""
        self.both({"gate": str(self.gate)})
        for thread_id in ("bare", "ours"):
            while "beside" in self.graph.get_state({"configurable": {"thread_id": thread_id}}).next:
                self.call(None, thread_id)

    def update(self, values: Any, as_node: str, **place: Any) -> None:
        """LangGraph's own ``update_state`` on the bare thread."""
        self.graph.update_state({"configurable": {"thread_id": "bare", **place}}, values, as_node=as_node)

    def do(self, verb: Verb, outcome: Outcome | None = None, **more: Any) -> Child:
        """The verb on our thread."""
        child = self.bench.do(verb, "ours", **more)
        if outcome is not None:
            assert child.end["outcome"] == outcome, child.report()
        return child

    def same(self) -> None:
        """Both threads hold the same."""
        ours, bare = rows(self.bench.store, "ours"), rows(self.bench.store, "bare")
        assert len(ours) == len(bare)
        for mine, theirs in zip(ours, bare, strict=True):
            assert mine == theirs
        assert state_of(self.graph, "ours") == state_of(self.graph, "bare")

    def head(self, thread_id: str) -> str:
        """Newest checkpoint."""
        return str(self.history(thread_id)[0].config["configurable"]["checkpoint_id"])

    def history(self, thread_id: str) -> list[Any]:
        """Checkpoints, newest first."""
        return list(self.graph.get_state_history({"configurable": {"thread_id": thread_id}}))

    def at(self, thread_id: str, step: int) -> str:
        """The checkpoint of a step."""
        found = next(s for s in self.history(thread_id) if s.metadata["step"] == step)
        return str(found.config["configurable"]["checkpoint_id"])

    def pending(self, thread_id: str) -> dict[str, str]:
        """Ids of the pending questions by what they ask."""
        state = self.graph.get_state({"configurable": {"thread_id": thread_id}})
        return {str(i.value): i.id for task in state.tasks for i in task.interrupts}


DRIVES = pytest.mark.parametrize("drive", ["plain", "awaited"])


@contextmanager
def suppressed() -> Iterator[None]:
    """Swallow what the graphs raise on purpose."""
    try:
        yield
    except ValueError as error:
        if str(error) not in ("the gate is shut", "bad answer"):
            raise


@pytest.fixture(params=["sqlite", "postgres"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
        with PostgresSaver.from_conn_string(url) as saver:
            yield Pair(Bench(tmp_path, url, GraphRef("", "", "")), saver, tmp_path / "gate")
        return
    path = tmp_path / "store.sqlite"
    connection = sqlite3.connect(path, check_same_thread=False)
    try:
        saver = SqliteSaver(connection)
        saver.setup()
        yield Pair(Bench(tmp_path, str(path), GraphRef("", "", "")), saver, tmp_path / "gate")
    finally:
        connection.close()


# --- start -----------------------------------------------------------------------------------------------------------


@DRIVES
@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
def test_start(pair: Pair, durability: str, drive: str):
    pair.use("routed", drive).call({"log": ["in"]}, "bare", durability)
    child = pair.do(Verb.START, Outcome.DONE, input={"log": ["in"]}, durability=durability, expected_head="")
    pair.same()
    assert child.end["head"] == pair.head("ours")
    told = {event["id"] for event in child.of(Kind.CHECKPOINT)}
    assert told == {s.config["configurable"]["checkpoint_id"] for s in pair.history("ours")}


def test_start_with_pending_tasks_drops_them(pair: Pair):
    pair.use("questions").both({"log": ["one"]})
    pair.call({"log": ["two"]}, "bare")
    pair.do(Verb.START, Outcome.WAITING, input={"log": ["two"]})
    pair.same()


def test_start_with_messages_and_objects(pair: Pair):
    pair.gate.touch()
    human = {"$type": "langchain_core.messages.human.HumanMessage", "value": {"content": "hello", "id": "m1"}}
    point = {"$type": "tests.verb_graphs.Point", "value": {"x": 5, "y": 6}}
    from langchain_core.messages import HumanMessage

    given = {"messages": [HumanMessage("hello", id="m1")], "point": verb_graphs.Point(5, 6), "gate": str(pair.gate)}
    pair.use("steps").call(given, "bare")
    pair.do(Verb.START, Outcome.DONE, input={"messages": [human], "point": point, "gate": str(pair.gate)})
    pair.same()


@DRIVES
def test_start_a_functional_graph_twice(pair: Pair, drive: str):
    pair.use("functional", drive).both(3)
    (bare,), (ours,) = pair.pending("bare").values(), pair.pending("ours").values()
    pair.call(Command(resume={bare: 4}), "bare")
    pair.do(Verb.ANSWER, Outcome.DONE, answers={ours: 4})
    pair.same()
    pair.call(5, "bare")
    pair.do(Verb.START, Outcome.WAITING, input=5)
    pair.same()


# --- resume, retry, step ---------------------------------------------------------------------------------------------


@DRIVES
def test_resume_a_failed_step(pair: Pair, drive: str):
    pair.use("steps", drive).fail()
    pair.call(None, "bare")
    child = pair.do(Verb.RESUME, Outcome.FAILED)
    pair.same()
    assert child.of(Kind.ERROR)[0]["node"] == "gated"
    assert [e["name"] for e in child.of(Kind.TASK) if e["phase"] == "start"] == ["gated"]
    pair.gate.touch()
    pair.call(None, "bare")
    pair.do(Verb.RESUME, Outcome.DONE)
    pair.same()


def test_resume_at_breakpoints(pair: Pair):
    pair.gate.touch()
    pair.use("paused").call({"gate": str(pair.gate)}, "bare")
    child = pair.do(Verb.START, Outcome.PAUSED, input={"gate": str(pair.gate)})
    assert set(child.end["next"]) == {"beside", "gated"}
    pair.same()
    for outcome in (Outcome.PAUSED, Outcome.DONE):
        pair.call(None, "bare")
        pair.do(Verb.RESUME, outcome)
        pair.same()


def test_single_steps(pair: Pair):
    pair.gate.touch()
    pair.use("steps").call({"gate": str(pair.gate)}, "bare", interrupt_before="*")
    pair.do(Verb.START, Outcome.PAUSED, input={"gate": str(pair.gate)}, step=True)
    pair.same()
    for outcome in (Outcome.PAUSED, Outcome.PAUSED, Outcome.DONE):
        pair.call(None, "bare", interrupt_before="*")
        pair.do(Verb.RESUME, outcome, step=True)
        pair.same()


@DRIVES
def test_retry_a_step(pair: Pair, drive: str):
    pair.use("steps", drive).fail()
    pair.gate.touch()
    pair.call(None, "bare", checkpoint_id=pair.head("bare"))
    child = pair.do(Verb.RETRY, Outcome.DONE)
    pair.same()
    again = {event["name"] for event in child.of(Kind.TASK) if event["phase"] == "start"}
    assert again == {"beside", "gated", "last"}


# --- answer ----------------------------------------------------------------------------------------------------------

ORDERS = {
    "one by one": [["twice 0"], ["decide"], ["left"], ["right"], ["twice 1"]],
    "nested first, in subsets": [["right", "twice 0"], ["left", "decide"], ["twice 1"]],
    "all at once": [["twice 0", "decide", "left", "right"], ["twice 1"]],
}
ASKED = {
    "twice 0": ("{'ask': 'twice', 'number': 0}", "A"),
    "twice 1": ("{'ask': 'twice', 'number': 1}", {"deep": ["B"]}),
    "left": ("{'ask': 'left', 'number': 0}", None),
    "right": ("{'ask': 'right', 'number': 0}", [1, 2]),
    "decide": ("approve?", {"approved": True}),
}


@pytest.mark.parametrize(("order", "drive"), [*((order, "plain") for order in ORDERS), ("all at once", "awaited")])
def test_answers_in_any_order_and_subset(pair: Pair, order: str, drive: str):
    pair.use("questions", drive).both({"log": ["in"]})
    for group in ORDERS[order]:
        bare, ours = pair.pending("bare"), pair.pending("ours")
        pair.call(Command(resume={bare[ASKED[n][0]]: ASKED[n][1] for n in group}), "bare")
        pair.do(Verb.ANSWER, answers={ours[ASKED[n][0]]: ASKED[n][1] for n in group})
        pair.same()
    assert pair.graph.get_state({"configurable": {"thread_id": "ours"}}).tasks == ()


def test_an_invalid_answer_leaves_the_question_as_it_was(pair: Pair):
    pair.use("questions").both({"log": ["in"]})
    asked = pair.pending("ours")["approve?"]
    for wrong in ({asked: {"approved": "perhaps"}}, {asked: "yes"}, {"0" * 32: 1}, {}):
        assert "Nothing" in pair.do(Verb.ANSWER, Outcome.REFUSED, answers=wrong).end["reason"] or asked not in wrong
        pair.same()


# --- fork and edit ---------------------------------------------------------------------------------------------------


def test_fork_from_the_past(pair: Pair):
    pair.gate.touch()
    pair.use("steps").both({"gate": str(pair.gate)})
    pair.call(None, "bare", checkpoint_id=pair.at("bare", 1))
    pair.do(Verb.FORK, Outcome.DONE, checkpoint_id=pair.at("ours", 1))
    pair.same()


def test_fork_where_questions_had_been_answered(pair: Pair):
    pair.use("failing_answer").both({"log": []})
    for thread_id in ("bare", "ours"):
        pair.call(Command(resume={pair.pending(thread_id)["first?"]: "good"}), thread_id)
        pair.call(Command(resume={pair.pending(thread_id)["second?"]: "fine"}), thread_id)
    pair.call(None, "bare", checkpoint_id=pair.at("bare", 0))
    pair.do(Verb.FORK, Outcome.WAITING, checkpoint_id=pair.at("ours", 0))
    pair.same()


@pytest.mark.parametrize("run_after", [True, False])
def test_fork_with_edited_values(pair: Pair, run_after: bool):
    pair.gate.touch()
    pair.use("steps").both({"gate": str(pair.gate)})
    order = {"$type": "tests.verb_graphs.Order", "value": {"number": 9, "colour": "blue"}}
    values = {"order": verb_graphs.Order(number=9, colour=verb_graphs.Colour.BLUE), "log": Overwrite(["new"])}
    pair.update(values, "first", checkpoint_id=pair.at("bare", 1), checkpoint_ns="")
    if run_after:
        pair.call(None, "bare")
    pair.do(
        Verb.FORK,
        Outcome.DONE,
        checkpoint_id=pair.at("ours", 1),
        values={"order": order, "log": ["new"]},
        replace=("log", "order"),
        as_node="first",
        run_after=run_after,
    )
    pair.same()


def test_fork_without_running(pair: Pair):
    pair.gate.touch()
    pair.use("steps").both({"gate": str(pair.gate)})
    pair.update(None, "__copy__", checkpoint_id=pair.at("bare", 1), checkpoint_ns="")
    pair.do(Verb.FORK, Outcome.DONE, checkpoint_id=pair.at("ours", 1), run_after=False)
    pair.same()


def test_edit_and_go_on(pair: Pair):
    pair.use("steps").fail()
    message = {"$type": "langchain_core.messages.ai.AIMessage", "value": {"content": "hi", "id": "m2"}}
    from langchain_core.messages import AIMessage

    pair.update({"log": ["edited"], "messages": [AIMessage("hi", id="m2")]}, "gated")
    pair.do(Verb.EDIT, Outcome.DONE, values={"log": ["edited"], "messages": [message]}, as_node="gated")
    pair.same()
    pair.call(None, "bare")
    child = pair.do(Verb.RESUME)
    pair.same()
    assert child.end["outcome"] in (Outcome.DONE, Outcome.REFUSED)


def test_edit_replaces_past_reducers_and_clears_pending_tasks(pair: Pair):
    pair.use("questions").both({"log": ["in"]})
    pair.update({"log": Overwrite(["only this"]), "note": "x"}, "twice")
    pair.do(
        Verb.EDIT, Outcome.DONE, values={"log": ["only this"], "note": "x"}, replace=("log", "note"), as_node="twice"
    )
    pair.same()
    pair.update(None, "__end__")
    pair.do(Verb.EDIT, Outcome.DONE, values=None, as_node="__end__")
    pair.same()


@DRIVES
def test_edit_inside_a_subgraph(pair: Pair, drive: str):
    pair.use("questions", drive).both({"log": ["in"]})
    places = {}
    for thread_id in ("bare", "ours"):
        state = pair.graph.get_state({"configurable": {"thread_id": thread_id}}, subgraphs=True)
        inner = next(task.state for task in state.tasks if task.name == "nested")
        places[thread_id] = inner.config["configurable"]
    bare, ours = places["bare"], places["ours"]
    pair.update({"log": ["edited"]}, "left", checkpoint_ns=bare["checkpoint_ns"], checkpoint_id=bare["checkpoint_id"])
    pair.do(
        Verb.EDIT,
        Outcome.DONE,
        values={"log": ["edited"]},
        as_node="left",
        ns=ours["checkpoint_ns"],
        checkpoint_id=ours["checkpoint_id"],
    )
    pair.same()
    pair.call(None, "bare")
    pair.do(Verb.RESUME, Outcome.WAITING)
    pair.same()


# --- hazards of calls that are not made with care --------------------------------------------------------------------


def test_h1_an_unnamed_answer_never_reaches_the_next_question(pair: Pair):
    pair.use("failing_answer").both({"log": []})
    for thread_id in ("bare", "ours"):
        pair.call(Command(resume="one"), thread_id)  # an application's habit
    before = rows(pair.bench.store, "ours")
    second = pair.pending("ours")["second?"]
    for verb, more in ((Verb.RESUME, {}), (Verb.ANSWER, {"answers": {second: "two"}})):
        assert "without naming" in pair.do(verb, Outcome.REFUSED, **more).end["reason"]
    assert rows(pair.bench.store, "ours") == before
    pair.call(None, "bare", checkpoint_id=pair.head("bare"))
    pair.do(Verb.RETRY, Outcome.WAITING)
    pair.same()
    assert set(pair.pending("ours")) == {"first?"}


def test_h2_an_answer_sent_to_a_finished_thread_never_reaches_the_next_run(pair: Pair):
    pair.use("functional").both(3)
    for thread_id in ("bare", "ours"):
        pair.call(Command(resume={next(iter(pair.pending(thread_id).values())): 4}), thread_id)
        pair.call(Command(resume=100), thread_id)
    assert "without naming" in pair.do(Verb.START, Outcome.REFUSED, input=5).end["reason"]
    pair.same()
    pair.update(None, "__end__")
    pair.do(Verb.EDIT, Outcome.DONE, values=None, as_node="__end__")
    pair.call(5, "bare")
    pair.do(Verb.START, Outcome.WAITING, input=5)
    pair.same()


def test_h3_a_question_that_was_answered_before_the_failure_cannot_be_answered_again(pair: Pair):
    pair.use("failing_answer").both({"log": []})
    asked = {thread_id: pair.pending(thread_id)["first?"] for thread_id in ("bare", "ours")}
    for thread_id in ("bare", "ours"):
        pair.call(Command(resume={asked[thread_id]: "bad"}), thread_id)
    child = pair.do(Verb.ANSWER, Outcome.REFUSED, answers={asked["ours"]: "good"})
    assert "failed after its questions had been answered" in child.end["reason"]
    pair.same()
    pair.call(None, "bare")
    pair.do(Verb.RESUME, Outcome.FAILED)
    pair.same()


def test_an_answer_to_what_is_not_asked_any_more_is_refused(pair: Pair):
    pair.use("failing_answer").both({"log": []})
    first = pair.pending("ours")["first?"]
    for thread_id in ("bare", "ours"):
        pair.call(Command(resume={pair.pending(thread_id)["first?"]: "good"}), thread_id)
    pair.do(Verb.ANSWER, Outcome.REFUSED, answers={first: "again"})
    pair.same()


# --- preconditions ---------------------------------------------------------------------------------------------------


def test_what_is_refused_writes_nothing(pair: Pair):
    pair.gate.touch()
    pair.use("steps").both({"gate": str(pair.gate)})
    old, head = pair.at("ours", 1), pair.head("ours")
    refused: list[tuple[Verb, dict[str, Any], str]] = [
        (Verb.RESUME, {}, "nothing to resume"),
        (Verb.RETRY, {}, "nothing to resume"),
        (Verb.RESUME, {"expected_head": old}, f"its head is {head} now"),
        (Verb.START, {"input": {"log": []}, "expected_head": ""}, "already"),
        (Verb.START, {}, "No input"),
        (Verb.ANSWER, {"answers": {"0" * 32: 1}}, "asks nothing"),
        (Verb.EDIT, {"values": {"log": []}}, "No node"),
        (Verb.EDIT, {"values": {"log": []}, "as_node": "nobody"}, "no node 'nobody'"),
        (Verb.EDIT, {"values": {"unheard": 1}, "as_node": "first"}, "unheard"),
        (Verb.EDIT, {"values": {"order": {"$type": "os.system", "value": "true"}}, "as_node": "first"}, "os.system"),
        (Verb.EDIT, {"values": {"note": {"$secret": "SecretStr"}}, "as_node": "first"}, "not shown"),
        (Verb.FORK, {"checkpoint_id": "1" * 36}, "no checkpoint"),
    ]
    for verb, more, said in refused:
        child = pair.do(verb, Outcome.REFUSED, **more)
        assert said in child.end["reason"], child.report()
        assert child.process.returncode == 5
        assert not child.of(Kind.RUNNING)
    pair.same()

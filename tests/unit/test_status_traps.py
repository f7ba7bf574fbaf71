"""What misleads a reader of checkpoint rows, each really produced by LangGraph in a SQLite file."""

from __future__ import annotations

import asyncio
import operator
import sqlite3
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.channels.delta import DeltaChannel
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send, interrupt

from backends.decode import Decoder
from backends.model import Analysis, StatusName, TaskState
from backends.reader import Reader
from backends.store import open_store
from backends.values import DeltaValue

CONFIG: Any = {"configurable": {"thread_id": "t"}}


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]


class Lab:
    """One SQLite file, written by LangGraph and read by us."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.connection = sqlite3.connect(path, check_same_thread=False)
        self.saver = SqliteSaver(self.connection)
        self.saver.setup()
        self.reader = Reader(open_store(str(path)), Decoder())

    def graph(self, edges: list[tuple[Any, str]], state: type = State, **nodes: Any) -> Any:
        builder = StateGraph(state)
        for name, function in nodes.items():
            options = function if isinstance(function, dict) else {"action": function}
            builder.add_node(name, **options)
        for start, end in edges:
            builder.add_edge(start, end)
        return builder.compile(checkpointer=self.saver)

    def run(self, graph: Any, argument: Any = None, **options: Any) -> None:
        try:
            graph.invoke(argument, CONFIG, **options)
        except Exception as error:
            self.error = error

    def sql(self, statement: str, *values: Any) -> None:
        self.connection.execute(statement, values)
        self.connection.commit()

    def without_paths(self) -> None:
        """Make the store one of an old release, whose rows hold no task paths."""
        self.sql("ALTER TABLE writes DROP COLUMN task_path")
        self.reader = Reader(open_store(str(self.path)), Decoder())

    def analysis(self) -> Analysis:
        return self.reader.analyse_heads([self.reader.head("t")])["t"]

    def states(self) -> dict[str, TaskState]:
        return {task.name: task.state for task in self.analysis().tasks}


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    laboratory = Lab(tmp_path / "store.sqlite")
    yield laboratory
    laboratory.reader.store.close()
    laboratory.connection.close()


def write(name: str) -> Callable[[Any], Any]:
    return lambda state: {"log": [name]}


def ask(name: str) -> Callable[[Any], Any]:
    return lambda state: {"log": [str(interrupt(f"{name}?"))]}


def fail(name: str) -> Callable[[Any], Any]:
    def run(state: Any) -> Any:
        raise ValueError(name)

    return run


FAN: list[tuple[Any, str]] = [(START, "a"), (START, "b")]
LINE: list[tuple[Any, str]] = [(START, "a"), ("a", "b")]
INPUT = {"log": ["in"]}


def test_done(lab: Lab) -> None:
    lab.run(lab.graph(LINE, a=write("a"), b=write("b")), INPUT)
    assert lab.analysis() == Analysis(StatusName.DONE, "")


def test_waiting_names_the_question(lab: Lab) -> None:
    lab.run(lab.graph(LINE, a=write("a"), b=ask("b")), INPUT)
    found = lab.analysis()
    assert (found.status, found.reason, found.next) == (StatusName.WAITING, '"b?"', ("b",))
    assert [(one.node, one.value) for one in found.interrupts] == [("b", "b?")]


def test_parallel_questions_are_counted(lab: Lab) -> None:
    lab.run(lab.graph(FAN, a=ask("a"), b=ask("b")), INPUT)
    assert lab.analysis().reason == '"a?" (and 1 more)'
    assert lab.analysis().next == ("a", "b")


def test_failed_beside_a_finished_sibling(lab: Lab) -> None:
    lab.run(lab.graph(FAN, a=fail("boom"), b=write("b")), INPUT)
    found = lab.analysis()
    assert (found.status, found.reason, found.next) == (StatusName.FAILED, "ValueError('boom')", ("a",))
    assert lab.states() == {"a": TaskState.FAILED, "b": TaskState.FINISHED}


def test_a_later_try_without_output_is_no_failure(lab: Lab) -> None:
    tries: list[str] = []

    def quiet(_: State) -> None:
        tries.append("quiet")
        if len(tries) == 1:
            raise ConnectionError("first try")

    def broken(_: State) -> None:
        raise ValueError("every try")

    graph = lab.graph(
        [(START, "quiet"), (START, "broken"), ("quiet", END), ("broken", END)], quiet=quiet, broken=broken
    )
    lab.run(graph, {"log": []})
    lab.run(graph)
    analysis = lab.analysis()
    assert tries == ["quiet", "quiet"]
    assert analysis.next == graph.get_state(CONFIG).next == ("broken",)
    assert analysis.status is StatusName.FAILED
    assert analysis.errors == ("ValueError('every try')",)


def test_a_breakpoint_cannot_be_told_from_a_crash(lab: Lab) -> None:
    lab.run(lab.graph(LINE, a=write("a"), b=write("b")), INPUT, interrupt_before=["b"])
    found = lab.analysis()
    assert (found.status, found.next, found.inferred) == (StatusName.STALLED, ("b",), False)
    assert found.reason == "crashed, running elsewhere, or stopped at a breakpoint"


def test_rows_beside_a_due_task_rule_a_breakpoint_out(lab: Lab) -> None:
    graph = lab.graph(FAN, a=fail("boom"), b=write("b"))
    lab.run(graph, INPUT)
    lab.sql("DELETE FROM writes WHERE channel = '__error__'")  # as if the process had died in a
    assert (lab.analysis().status, lab.analysis().reason) == (StatusName.STALLED, "crashed, or running elsewhere")


def test_uncommitted_superstep_is_not_done(lab: Lab) -> None:
    lab.run(lab.graph(LINE, a=write("a"), b=write("b")), INPUT)
    lab.sql("DELETE FROM checkpoints WHERE checkpoint_id = (SELECT max(checkpoint_id) FROM checkpoints)")
    found = lab.analysis()
    assert (found.status, found.next) == (StatusName.STALLED, ())
    assert found.reason == "step finished, its checkpoint is missing; resume commits it"


def test_router_that_raised_has_output_and_is_failed(lab: Lab) -> None:
    builder = StateGraph(State)
    builder.add_node("a", write("a")).add_node("b", write("b")).add_edge(START, "a")
    builder.add_conditional_edges("a", fail("no route"), ["b"])
    graph = builder.compile(checkpointer=lab.saver)
    lab.run(graph, INPUT)
    assert graph.get_state(CONFIG).next == ()
    found = lab.analysis()
    assert (found.status, found.next) == (StatusName.FAILED, ())
    assert found.reason.startswith("ValueError('no route'); raised after its output was saved")


def test_answered_then_failed_is_failed(lab: Lab) -> None:
    def run(state: Any) -> Any:
        interrupt("sure?")
        raise ValueError("after the answer")

    graph = lab.graph([(START, "a")], a=run)
    lab.run(graph, INPUT)
    assert lab.analysis().status is StatusName.WAITING
    lab.run(graph, Command(resume="yes"))
    assert graph.get_state(CONFIG).interrupts, "LangGraph still lists the question"
    found = lab.analysis()
    assert (found.status, found.reason, found.interrupts) == (StatusName.FAILED, "ValueError('after the answer')", ())


def test_second_question_is_open_although_the_first_was_answered(lab: Lab) -> None:
    def run(state: Any) -> Any:
        return {"log": [interrupt("first?"), interrupt("second?")]}

    graph = lab.graph([(START, "a")], a=run)
    lab.run(graph, INPUT)
    lab.run(graph, Command(resume="one"))
    assert (lab.analysis().status, lab.analysis().reason) == (StatusName.WAITING, '"second?"')


def test_refused_answer_leaves_the_question_open(lab: Lab) -> None:
    def run(state: Any) -> Any:
        return {"log": [str(interrupt("how many?", response_schema=int))]}

    graph = lab.graph([(START, "a")], a=run)
    lab.run(graph, INPUT)
    lab.run(graph, Command(resume="no number"))
    found = lab.analysis()
    assert found.tasks[0].error is not None
    assert (found.status, found.reason) == (StatusName.WAITING, '"how many?"')
    assert found.interrupts[0].response_schema == {"type": "integer"}


def test_handled_error_is_no_failure(lab: Lab) -> None:
    def handler(state: Any) -> Any:
        return {"log": [interrupt("what now?")]}

    lab.run(lab.graph([(START, "a")], a={"action": fail("boom"), "error_handler": handler}), INPUT)
    found = lab.analysis()
    assert (found.status, found.reason, found.next) == (StatusName.WAITING, '"what now?"', ("a",))
    assert lab.states() == {"a": TaskState.HANDLED, "__error_handler__a": TaskState.WAITING}


def test_handler_that_failed_is_a_failure(lab: Lab) -> None:
    lab.run(lab.graph([(START, "a")], a={"action": fail("first"), "error_handler": fail("second")}), INPUT)
    assert (lab.analysis().status, lab.analysis().reason) == (StatusName.FAILED, "ValueError('second')")


@pytest.mark.parametrize("column", [True, False])
def test_handlers_whose_failed_task_lost_its_rows(lab: Lab, column: bool) -> None:
    """A handler can end the run before LangGraph has saved the error that it was called for."""
    builder = StateGraph(State)
    builder.add_node("plan", write("plan"))
    builder.add_node("work", fail("first"), error_handler=ask("handler"))
    builder.add_edge(START, "plan").add_edge("plan", "work")
    builder.add_conditional_edges("plan", lambda state: [Send("work", {}), Send("work", {})], ["work"])
    lab.run(builder.compile(checkpointer=lab.saver), INPUT)
    lab.sql(
        "DELETE FROM writes WHERE checkpoint_id = (SELECT max(checkpoint_id) FROM checkpoints)"
        " AND task_path NOT LIKE '%error_handler%'"
    )
    if not column:
        lab.without_paths()
    found = lab.analysis()
    assert (found.status, len(found.interrupts)) == (StatusName.WAITING, 3)
    assert found.next == ("work", "work", "work")
    assert {one.name for one in found.tasks} == {"work", "__error_handler__work"}


def test_cancelled(tmp_path: Path) -> None:
    """LangGraph saves what was cancelled beside its own cancellation; now and then that is too late."""
    path = str(tmp_path / "async.sqlite")

    async def cancel(thread_id: str) -> bool:
        started = asyncio.Barrier(3)

        async def hang(state: Any) -> Any:
            await started.wait()
            await asyncio.Event().wait()

        async with AsyncSqliteSaver.from_conn_string(path) as saver:
            builder = StateGraph(State)
            builder.add_node("a", hang).add_node("b", hang).add_edge(START, "a").add_edge(START, "b")
            config: Any = {"configurable": {"thread_id": thread_id}}
            run = asyncio.create_task(builder.compile(checkpointer=saver).ainvoke(INPUT, config))
            await started.wait()
            run.cancel()
            with pytest.raises(asyncio.CancelledError):
                await run
            saved = await saver.aget_tuple(config)
            return any(channel == "__error__" for _, channel, _ in saved.pending_writes)

    thread_id = next(name for name in map(str, range(50)) if asyncio.run(cancel(name)))
    reader = Reader(open_store(path))
    found = reader.analyse_heads([reader.head(thread_id)])[thread_id]
    assert (found.status, found.reason, found.next) == (StatusName.CANCELLED, "cancelled", ("a", "b"))


def test_deferred_node_is_due_last(lab: Lab) -> None:
    edges = [*FAN, ("a", "late"), ("b", "c"), ("c", "late")]
    graph = lab.graph(edges, a=write("a"), b=write("b"), c=write("c"), late={"action": write("l"), "defer": True})
    lab.run(graph, INPUT, interrupt_before=["c"])
    assert lab.analysis().next == ("c",), "late is triggered, but not before the others are through"
    lab.run(graph, None, interrupt_before=["late"])
    assert lab.analysis().next == ("late",)


def test_join_waits_for_all(lab: Lab) -> None:
    edges = [*FAN, ("b", "c"), (["a", "c"], "merge+it"), ("merge+it", END)]
    graph = lab.graph(edges, a=write("a"), b=write("b"), c=write("c"), **{"merge+it": write("m")})
    lab.run(graph, INPUT, interrupt_before=["c"])
    assert lab.analysis().next == ("c",)
    lab.run(graph, None, interrupt_before=["merge+it"])
    assert lab.analysis().next == ("merge+it",)


def test_sends_are_due_in_their_order_before_other_nodes(lab: Lab) -> None:
    builder = StateGraph(State)
    for name in ("plan", "work", "also"):
        builder.add_node(name, write(name))
    builder.add_edge(START, "plan").add_edge("plan", "also")
    builder.add_conditional_edges("plan", lambda state: [Send("work", {}), Send("work", {})], ["work"])
    lab.run(builder.compile(checkpointer=lab.saver), INPUT, interrupt_before=["work"])
    found = lab.analysis()
    assert found.next == ("work", "work", "also")
    assert [one.kind for one in found.tasks] == ["push", "push", "pull"]


def test_subgraph_crash_leaves_the_node_due(lab: Lab) -> None:
    inner = StateGraph(State)
    inner.add_node("x", write("x")).add_node("y", fail("deep")).add_edge(START, "x").add_edge("x", "y")
    lab.run(lab.graph(LINE, a=write("a"), b=inner.compile()), INPUT)
    assert (lab.analysis().status, lab.analysis().next) == (StatusName.FAILED, ("b",))
    lab.sql("DELETE FROM writes WHERE channel = '__error__'")
    head = lab.reader.head("t")
    assert head.newest_id > head.checkpoint_id
    assert (lab.analysis().status, lab.analysis().next) == (StatusName.STALLED, ("b",))


def test_question_inside_a_subgraph_is_told_once(lab: Lab) -> None:
    inner = StateGraph(State)
    inner.add_node("x", ask("x")).add_edge(START, "x")
    lab.run(lab.graph(LINE, a=write("a"), b=inner.compile()), INPUT)
    found = lab.analysis()
    assert (found.status, found.reason, len(found.interrupts)) == (StatusName.WAITING, '"x?"', 1)


def test_answered_inside_a_subgraph_then_died_is_not_waiting(lab: Lab) -> None:
    inner = StateGraph(State)
    inner.add_node("x", ask("x")).add_node("y", fail("deep")).add_edge(START, "x").add_edge("x", "y")
    graph = lab.graph(LINE, a=write("a"), b=inner.compile())
    lab.run(graph, INPUT)
    lab.run(graph, Command(resume="yes"))
    assert lab.analysis().status is StatusName.FAILED
    lab.sql("DELETE FROM writes WHERE channel = '__error__'")
    assert graph.get_state(CONFIG).interrupts, "LangGraph still lists the question"
    assert (lab.analysis().status, lab.analysis().interrupts) == (StatusName.STALLED, ())


def test_functional_graph(lab: Lab) -> None:
    @task
    def double(value: int) -> int:
        return value * 2

    @task
    def check(value: int) -> str:
        return str(interrupt(f"is {value} right?"))

    @entrypoint(checkpointer=lab.saver)
    def workflow(value: int) -> str:
        return check(double(value).result()).result()

    lab.run(workflow, 4)
    found = lab.analysis()
    assert (found.status, found.reason, found.next) == (StatusName.WAITING, '"is 8 right?"', ("workflow",))
    assert [one.kind for one in found.tasks] == ["pull", "call", "call"]
    lab.run(workflow, Command(resume="yes"))
    assert lab.analysis().status is StatusName.DONE
    lab.run(workflow, 5)
    assert [one.name for one in lab.analysis().tasks] == ["workflow", "double", "check"]


def test_durability_exit_keeps_only_the_end(lab: Lab) -> None:
    lab.run(lab.graph(LINE, a=write("a"), b=ask("b")), INPUT, durability="exit")
    assert len(lab.reader.store.history("t")) == 1
    assert (lab.analysis().status, lab.analysis().next) == (StatusName.WAITING, ("b",))


def test_delta_channel_shows_seed_and_writes(lab: Lab) -> None:
    class Deltas(TypedDict, total=False):
        log: Annotated[list[str], DeltaChannel(lambda state, writes: [*(state or []), *chain(*writes)])]

    lab.run(lab.graph(LINE, state=Deltas, a=write("a"), b=ask("b")), INPUT, durability="exit")
    found = lab.analysis()
    assert (found.status, found.next) == (StatusName.WAITING, ("b",))
    assert {one.name for one in found.tasks} == {"b"}, "copies of writes for replaying are no tasks"
    value = lab.reader.state(lab.reader.head("t").key)["log"]
    assert isinstance(value, DeltaValue)
    assert [item for one in value.writes for item in one] == ["in", "a"]


def test_orphan_writes_are_ignored(lab: Lab) -> None:
    lab.run(lab.graph(LINE, a=write("a"), b=write("b")), INPUT)
    lab.sql(
        "INSERT INTO writes (thread_id, checkpoint_ns, checkpoint_id, task_id, idx, channel, type, value)"
        " VALUES ('t', '', 'ffffffff-ffff-6fff-bfff-ffffffffffff', 'x', -1, '__error__', 'null', x'')"
    )
    assert lab.analysis().status is StatusName.DONE


def test_edited_thread_says_so(lab: Lab) -> None:
    graph = lab.graph(LINE, a=write("a"), b=write("b"))
    lab.run(graph, INPUT)
    graph.update_state(CONFIG, {"log": ["edited"]}, as_node="a")
    assert (lab.analysis().status, lab.analysis().next) == (StatusName.STALLED, ("b",))
    assert lab.analysis().reason == "edited and not resumed since, crashed, or running elsewhere"


def test_goto_given_with_an_answer_is_due(lab: Lab) -> None:
    graph = lab.graph([(START, "a"), (START, "b")], a=ask("a"), b=ask("b"), c=fail("gone to"))
    lab.run(graph, INPUT)
    first = lab.analysis().interrupts[0]
    lab.run(graph, Command(resume={first.id: "yes"}, goto="c"))
    assert lab.analysis().next == ("b", "c")


def test_checkpoints_of_the_past_have_nothing_due(lab: Lab) -> None:
    graph = lab.graph(LINE, a=write("a"), b=ask("b"))
    lab.run(graph, INPUT)
    lab.run(graph, {"log": ["again"]})
    rows = lab.reader.store.history("t")
    found = {row.step: lab.reader.analysis(row.key) for row in rows}
    assert [found[step].status for step in sorted(found)][:-1] == [StatusName.DONE] * (len(rows) - 1)
    assert found[1].reason == "given up for a later input: b"
    assert {one.name: one.state for one in found[0].tasks} == {"a": TaskState.FINISHED}


def test_thread_without_a_root_namespace(lab: Lab) -> None:
    graph = lab.graph(LINE, a=write("a"), b=ask("b"))
    lab.run(graph, INPUT)
    for table in ("checkpoints", "writes"):
        lab.sql(f"UPDATE {table} SET checkpoint_ns = 'mine'")
    found = lab.analysis()
    assert lab.reader.head("t").ns == "mine"
    assert (found.status, found.next) == (StatusName.WAITING, ("b",))


@pytest.mark.parametrize("column", [True, False])
def test_the_same_without_the_task_path_column(lab: Lab, column: bool) -> None:
    builder = StateGraph(State)
    for name, function in {"a": write("a"), "b": ask("b"), "c": fail("boom"), "d": write("d")}.items():
        builder.add_node(name, function)
    for name in "abc":
        builder.add_edge(START, name)
    builder.add_edge(["a", "b"], "d")
    lab.run(builder.compile(checkpointer=lab.saver), INPUT)
    if not column:
        lab.without_paths()
    assert lab.states() == {"a": TaskState.FINISHED, "b": TaskState.WAITING, "c": TaskState.FAILED}
    assert (lab.analysis().status, lab.analysis().next) == (StatusName.WAITING, ("b", "c"))

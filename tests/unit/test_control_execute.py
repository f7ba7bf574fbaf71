"""Plans carried out, with real processes: what is in the store, in the log, and nowhere else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from backends.address import parse_address
from backends.control import journal
from backends.control.copy import Copied
from backends.control.execute import execute
from backends.control.gate import Gate
from backends.control.plan import Intent, Plan
from backends.control.planning import make_plan
from backends.errors import AlreadyRunning, NotFound, Refused
from backends.locks.key import store_key
from backends.locks.take import take
from backends.reader import Reader
from backends.runs.follow import follow
from backends.runs.read import read_run
from backends.runs.run import Run, RunState
from backends.runs.spec import GraphRef
from backends.store import open_store
from tests.postgres import PASSWORD, role_url

GRAPH = """
import operator
from typing import Annotated, TypedDict
from langgraph.graph import START, StateGraph
from langgraph.types import interrupt

class State(TypedDict):
    log: Annotated[list, operator.add]

def ask(state):
    return {"log": [interrupt("sure?")]}

graph = StateGraph(State).add_node("ask", ask).add_edge(START, "ask").compile()
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("STATE_HOME", "RUNTIME_DIR", "CONFIG_HOME"):
        (tmp_path / name).mkdir(mode=0o700)
        monkeypatch.setenv(f"XDG_{name}", str(tmp_path / name))
    (tmp_path / "graph.py").write_text(GRAPH)
    return tmp_path


@pytest.fixture
def ref(project: Path) -> GraphRef:
    return GraphRef("./graph.py:graph", str(project), "graph")


@pytest.fixture(params=["sqlite", "postgres"])
def gate(request: pytest.FixtureRequest, project: Path) -> Gate:
    if request.param == "sqlite":
        return Gate(parse_address(str(project / "store.db"), {}))
    return Gate(parse_address(request.getfixturevalue("with_password"), {}))


@pytest.fixture
def with_password(postgres_url: str) -> Iterator[str]:
    """A URL with a password in it."""
    name = f"writer_{os.getpid()}"
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE ROLE {} SUPERUSER LOGIN PASSWORD {}").format(sql.Identifier(name), PASSWORD))
        yield role_url(postgres_url, name, PASSWORD)
        admin.execute(sql.SQL("DROP OWNED BY {0}").format(sql.Identifier(name)))
        admin.execute(sql.SQL("DROP ROLE {0}").format(sql.Identifier(name)))


def plan_of(gate: Gate, ref: GraphRef | None, intent: Intent) -> Plan:
    if gate.address.path is not None and not os.path.exists(gate.address.path):
        return make_plan(None, intent, ref, None, gate)
    with closing(open_store(gate.target)) as store:
        return make_plan(Reader(store), intent, ref, None, gate)


def run(gate: Gate, ref: GraphRef, intent: Intent) -> Run:
    """Carry out a verb and wait for its end."""
    plan = plan_of(gate, ref, intent)
    assert plan.refusal == ""
    begun = execute(plan, gate, operator="me@here")
    assert isinstance(begun, Run)
    for _ in follow(begun.folder):
        pass
    return read_run(begun.folder)


def analysis(gate: Gate, thread_id: str) -> Any:
    with closing(open_store(gate.target)) as store:
        reader = Reader(store)
        return reader.analyse_heads([reader.head(thread_id)])[thread_id]


def test_the_life_of_a_thread(gate: Gate, ref: GraphRef, project: Path) -> None:
    started = run(gate, ref, Intent("start", "t", input={"log": ["in"]}, create_store=True))
    assert (started.state, started.operator) == (RunState.WAITING, "me@here")
    copied = execute(plan_of(gate, None, Intent("copy", "t", target="twin")), gate)
    assert isinstance(copied, Copied)
    (question,) = analysis(gate, "t").interrupts
    edited = run(gate, ref, Intent("edit", "t", values={"log": ["edited"]}, as_node="ask"))
    assert edited.state is RunState.DONE
    assert analysis(gate, "t").interrupts == ()

    log = journal.entries(store_key(gate.target))
    assert [(one.verb, one.operator, one.outcome) for one in log[::2]] == [
        ("edit", "me@here", "done"), ("start", "me@here", "waiting")]  # fmt: skip
    assert (log[0].head_before, log[0].head_after) == (started.head, edited.head)
    assert log[0].as_node == "ask"
    assert (log[1].verb, log[1].target, log[1].outcome) == ("copy", "twin", "done")
    with closing(open_store(gate.target)) as store:
        assert "was removed" in journal.undo(log[0], gate, Reader(store))
    assert analysis(gate, "t").interrupts == (question,)

    answered = run(gate, ref, Intent("answer", "twin", answers={"": "yes"}))
    assert answered.state is RunState.DONE
    with closing(open_store(gate.target)) as store:
        reader = Reader(store)
        assert reader.state(reader.head("twin").key)["log"] == ["in", "yes"]
        assert reader.head("twin").metadata["lgtop_run"] == answered.run_id
        assert reader.head("twin").metadata["lgtop_operator"] == "me@here"
    assert not _mentions(project / "STATE_HOME", PASSWORD)


def _mentions(folder: Path, secret: str) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]


def test_a_held_thread_is_left_alone(gate: Gate, ref: GraphRef) -> None:
    run(gate, ref, Intent("start", "t", input={"log": []}, create_store=True))
    plan = plan_of(gate, ref, Intent("resume", "t"))
    copying = plan_of(gate, None, Intent("copy", "t", target="twin"))
    with take(gate.target, "t", who="someone"), take(gate.target, "twin", who="someone"):
        begun = execute(plan, gate)
        assert isinstance(begun, Run)
        for _ in follow(begun.folder):
            pass
        ended = read_run(begun.folder)
        assert (ended.state, "someone" in ended.reason) == (RunState.BUSY, True)
        with pytest.raises(AlreadyRunning, match="someone"):
            execute(copying, gate)
    assert journal.entries()[0].outcome == "busy"
    with pytest.raises(NotFound):
        execute(replace(copying, intent=replace(copying.intent, thread_id="gone")), gate)
    assert journal.entries()[0].outcome == "failed"


def test_what_is_refused_starts_nothing(project: Path, ref: GraphRef) -> None:
    gate = Gate(parse_address(str(project / "store.db"), {}))
    intent = Intent("start", "t", input={"log": []}, create_store=True)
    plan = plan_of(gate, ref, intent)
    for refused in (replace(plan, refusal="No."), replace(plan, graph=None)):
        with pytest.raises(Refused):
            execute(refused, gate)
    with pytest.raises(Refused, match="--readonly"):
        execute(plan, Gate(gate.address, readonly=True))
    assert journal.entries() == []
    with pytest.raises(Refused):
        execute(replace(plan, graph=replace(ref, python="/no/such/python")), gate)
    assert journal.entries()[0].outcome == "refused"
    assert not (project / "store.db").exists()


def test_without_a_log_nothing_is_done(project: Path, ref: GraphRef, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate(parse_address(str(project / "store.db"), {}))
    plan = plan_of(gate, ref, Intent("start", "t", input={"log": []}, create_store=True))
    monkeypatch.setenv("XDG_STATE_HOME", str(project / "graph.py"))
    with pytest.raises(Refused, match="XDG_STATE_HOME"):
        execute(plan, gate)
    assert not (project / "store.db").exists()

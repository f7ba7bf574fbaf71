"""The audit of graphs that are not ours, by real runs and real kills, on both stores."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests import schemas
from tui.cli import main

ROOT = Path(__file__).resolve().parents[2]

INVOICES = '''
"""An application with two mistakes: it counts in the process, and sends before it asks."""

import operator
from typing import Annotated, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt

NUMBER = 0


class State(TypedDict, total=False):
    outbox: str
    numbers: Annotated[list[int], operator.add]
    approved: str


def _next():
    global NUMBER
    NUMBER += 1
    return {"numbers": [NUMBER]}


def first(state):
    return _next()


def second(state):
    return _next()


def ask(state):
    if "outbox" in state:
        with open(state["outbox"], "a") as outbox:
            outbox.write("invoice sent\\n")
    return {"approved": interrupt("Was that right?")}


builder = StateGraph(State)
builder.add_sequence([first, second, ask])
builder.add_edge(START, "first")
builder.add_edge("ask", END)
graph = builder.compile()
'''

CAREFUL = '''
"""An application without mistakes: parallel branches, a clock in the state, and a ledger."""

import json
import operator
import os
import time
from typing import Annotated, TypedDict

from langgraph.graph import END, START, StateGraph


class State(TypedDict, total=False):
    begun: float
    seen: Annotated[list[str], operator.add]


def _done(node, what):
    with open(os.environ["LGTOP_LEDGER"], "a") as ledger:
        ledger.write(json.dumps({"node": node, "kind": "effect", "what": what, "pid": os.getpid()}) + "\\n")


def begin(state):
    return {"begun": time.time()}


def left(state):
    _done("left", "left")
    return {"seen": ["left"]}


async def right(state):
    return {"seen": ["right"]}


def end(state):
    _done("end", "end")
    return {"seen": ["end"]}


builder = StateGraph(State)
for node in (begin, left, right, end):
    builder.add_node(node)
builder.add_edge(START, "begin")
builder.add_edge("begin", "left")
builder.add_edge("begin", "right")
builder.add_edge(["left", "right"], "end")
builder.add_edge("end", END)
graph = builder.compile()
'''

ONCE = '''
"""An application that cannot do a thing twice, and does not say so before it is asked to."""

import os
from pathlib import Path
from typing import TypedDict

from langgraph.graph import END, START, StateGraph


class State(TypedDict, total=False):
    folder: str
    made: bool


def make(state):
    Path(state["folder"], "lock").mkdir()
    return {"made": True}


builder = StateGraph(State)
builder.add_sequence([make])
builder.add_edge(START, "make")
builder.add_edge("make", END)
graph = builder.compile()
'''

SQLITE = pytest.mark.parametrize("kind", ["sqlite"])
POSTGRES = pytest.mark.parametrize("kind", ["postgres"])
"""Each test on one of them: ``python -m tests.torture faults`` holds the audit against both, cell by cell."""


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("XDG_STATE_HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "TMPDIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
        (tmp_path / name).mkdir()
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setenv("LGTOP_DEBUG", "1")
    project = tmp_path / "project"
    project.mkdir()
    for name, text in (("invoices", INVOICES), ("careful", CAREFUL), ("once", ONCE)):
        (project / f"{name}.py").write_text(text)
    monkeypatch.chdir(project)


@pytest.fixture
def database(request: pytest.FixtureRequest, kind: str) -> str | None:
    return request.getfixturevalue("postgres_database")(None) if kind == "postgres" else None


Audit = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def audit(database: str | None, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Audit:
    """Run an audit; nothing may stay behind."""

    def run(graph: str, *words: str) -> tuple[int, dict[str, Any]]:
        where = ("-s", database) if database else ()
        code = main.run(["audit", "--graph", f"{graph}.py:graph", "--jobs", "2", "--json", *where, *words])
        out = capsys.readouterr().out
        assert_nothing_left(database, tmp_path)
        return code, schemas.checked(json.loads(out), schemas.AUDIT)

    return run


def assert_nothing_left(database: str | None, tmp_path: Path) -> None:
    assert list((tmp_path / "TMPDIR").glob("lgtop-audit-*")) == []
    if database:
        with psycopg.connect(database) as connection:
            query = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'lgtop%'"
            assert connection.execute(query).fetchall() == []
            assert connection.execute("SELECT to_regclass('public.checkpoints')").fetchone() == (None,)


def verdicts(report: dict[str, Any]) -> dict[str, str]:
    return {f"{cell['point']}:{cell['node']} {cell['durability']}": cell["verdict"] for cell in report["cells"]}


def cell(report: dict[str, Any], point: str, node: str) -> dict[str, Any]:
    return next(cell for cell in report["cells"] if (cell["point"], cell["node"]) == (point, node))


@POSTGRES
def test_a_counter_outside_the_state_and_a_write_before_the_question_are_found(audit: Audit) -> None:
    code, report = audit(
        *("invoices", "--input", '{"outbox": "$LGTOP_AUDIT/outbox.txt"}', "--answer", '"yes"'),
        *("--durability", "sync", "--points", "after", "--nodes", "second,ask"),
    )
    assert code == 1
    assert not report["passed"]
    assert report["effects_from"] == "outside"
    assert verdicts(report) == {"after:second sync": "different result", "after:ask sync": "repeated work"}
    counter = cell(report, "after", "second")
    assert counter["differences"] == [{"path": ["state", "numbers", 1], "undisturbed": 2, "found": 1}]
    assert "state.numbers[1] is 1, undisturbed 2" in counter["reason"]
    sent = {"where": "outbox.txt", "what": "invoice sent", "key": None}
    assert report["undisturbed"]["done_before_questions"] == [{**sent, "times": 2}]
    assert any("ask before interrupt()" in warning for warning in report["undisturbed"]["warnings"])
    assert cell(report, "after", "ask")["repeated"] == [{**sent, "times": 1}]
    assert counter["repeated"] == []


@SQLITE
def test_what_cannot_be_seen_is_said_to_be_unseen(audit: Audit) -> None:
    code, report = audit(
        *("invoices", "--input", '{"numbers": []}', "--answer", '"yes"'),
        *("--durability", "sync", "--points", "inside", "--nodes", "ask"),
    )
    assert code == 0
    assert report["effects_from"] == "starts"
    assert report["undisturbed"]["began_again_when_answered"] == ["ask"]
    assert any("ask begins again" in warning for warning in report["undisturbed"]["warnings"])
    assert verdicts(report) == {"inside:ask sync": "repeated work"}


@SQLITE
def test_without_an_answer_waiting_is_the_result(audit: Audit) -> None:
    code, report = audit(
        *("invoices", "--input", '{"outbox": "$LGTOP_AUDIT/outbox.txt"}', "--nodes", "ask"),
        *("--durability", "sync", "--points", "after,written"),
    )
    assert code == 0
    assert report["undisturbed"]["status"] == "waiting"
    assert verdicts(report) == {"after:ask sync": "did not strike", "written:ask sync": "survived"}


@SQLITE
def test_modes_differ_as_their_rows_do(audit: Audit) -> None:
    where = ("--nodes", "end", "--points", "after,written", "--durability", "sync,exit")
    code, report = audit("careful", "--input", "{}", *where)
    assert code == 0
    assert report["undisturbed"]["not_compared"] == [["state", "begun"]]
    assert verdicts(report) == {
        "after:end sync": "repeated work",
        "written:end sync": "survived",
        "after:end exit": "lost work",
        "written:end exit": "did not strike",
    }
    lost = next(c for c in report["cells"] if (c["point"], c["node"], c["durability"]) == ("after", "end", "exit"))
    assert lost["started_again"]
    assert lost["lost"] == {"begin": 1, "left": 1, "right": 1}
    assert {(e["where"], e["times"]) for e in lost["repeated"]} == {("left", 1), ("end", 1)}


@SQLITE
def test_work_that_cannot_be_done_twice_cannot_be_resumed(audit: Audit) -> None:
    code, report = audit(
        *("once", "--input", '{"folder": "$LGTOP_AUDIT"}', "--durability", "sync"),
        *("--points", "after", "--how", "kill,hang"),
    )
    assert code == 1
    assert {c["how"]: c["verdict"] for c in report["cells"]} == dict.fromkeys(("kill", "hang"), "cannot resume")
    assert "FileExistsError" in cell(report, "after", "make")["reason"]


@SQLITE
def test_a_run_that_does_not_end_by_itself_is_refused(database: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["audit", "--graph", "once.py:graph", "--input", '{"folder": "/nowhere"}']) == 5
    assert "FileNotFoundError" in capsys.readouterr().err
    assert main.run(["audit", "--graph", "careful.py:graph", "--input", "{}", "--nodes", "lft"]) == 5
    assert "It passes: begin, left, right, end" in capsys.readouterr().err


@POSTGRES
def test_stopping_it_leaves_nothing_behind(database: str | None, tmp_path: Path) -> None:
    where = ("-s", database) if database else ()
    command = [sys.executable, "-m", "lgtop", "audit", "--graph", "careful.py:graph", "--input", "{}", *where]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    assert child.stderr is not None
    for line in child.stderr:
        if "survived" in line or "work" in line:
            break
    for _ in range(20):  # one that comes while the first is being followed
        child.send_signal(signal.SIGINT)
        time.sleep(0.02)
    out, err = child.communicate(timeout=60)
    assert (child.returncode, out) == (130, "")
    assert "Stopped" in err
    assert_nothing_left(database, tmp_path)
    deadline = time.monotonic() + 10
    while (left := workers_in(tmp_path)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == []


def workers_in(tmp_path: Path) -> list[int]:
    """Processes that have the project of this test as their directory."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if Path(os.readlink(entry / "cwd")).is_relative_to(tmp_path):
                    found.append(int(entry.name))
            except OSError:
                continue
    return found

"""Graphs that misbehave, run from a real terminal: nothing reaches it, and the record says what happened."""

import os
import signal
import sqlite3
import sys
import textwrap
from contextlib import closing, suppress
from pathlib import Path

import pytest

from backends.runs.events import Kind
from backends.runs.read import EventTail, alive, read_run
from backends.runs.record import runs_folder
from backends.runs.run import RunState
from backends.runs.stop import stop

from ..terminal import PtyTerminal
from ..unit.runs_rig import eventually

ROOT = Path(__file__).resolve().parents[2]

PARENT = """
import sys
from backends.runs.follow import follow
from backends.runs.record import new_record
from backends.runs.spawn import spawn
from backends.runs.spec import GraphRef, RunSpec, Verb

root = sys.argv[1]
run_id, folder = new_record()
graph = GraphRef("./g.py:graph", root, "g")
store = root + "/s.sqlite"
spec = RunSpec(run_id, str(folder), Verb.START, graph, store, "t", "me@here", input={"n": 1}, create_store=True)
run = spawn(spec, store_key="sqlite:x")
print("begun")
for _ in follow(run.folder):
    pass
print("over")
"""

GRAPH = """
import ctypes, logging, os, signal, sys, time
from typing import TypedDict
from langgraph.graph import START, StateGraph

class State(TypedDict):
    n: int

def node(state):
    {body}
    return {{"n": state["n"] + 1}}

builder = StateGraph(State)
builder.add_node("node", node)
builder.add_edge(START, "node")
graph = builder.compile()
"""


@pytest.fixture(autouse=True)
def isolated(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def terminal(tmp_path, monkeypatch):
    """Run a graph from a terminal; gives the terminal when the run has begun."""
    opened = []

    def run(source):
        (tmp_path / "g.py").write_text(source)
        monkeypatch.chdir(ROOT)
        opened.append(PtyTerminal([sys.executable, "-c", PARENT, str(tmp_path)]))
        opened[0].wait_for("begun", 60)
        return opened[0]

    yield run
    for screen in opened:
        screen.close()


def node(body):
    return GRAPH.format(body=textwrap.indent(textwrap.dedent(body).strip(), "    ").strip())


def ended(screen, timeout=60):
    """Wait for the end of the run, look that the terminal is as it was, and return the run."""
    screen.wait_for("over", timeout)
    assert screen.received.split() == [b"begun", b"over"]
    return read_run(folder())


def folder():
    [found] = runs_folder().iterdir()
    return found


def logged():
    return [event.data for event in EventTail(folder()).news() if event.kind is Kind.LOG]


def test_prints_and_logs_are_kept_in_the_record(terminal):
    body = """
        print("to stdout", flush=True)
        os.write(2, b"to stderr\\n")
        os.system("echo from a child")
        logging.getLogger("my.graph").warning("to the log")
        print("\\x1b[2J\\x1b]0;title\\x07")
    """
    run = ended(terminal(node(body)))
    assert run.state is RunState.DONE
    found = logged()
    texts = {(entry["stream"], entry["text"].strip()) for entry in found}
    assert {("stdout", "to stdout"), ("stderr", "to stderr"), ("stdout", "from a child")} <= texts
    assert any(entry["stream"] == "my.graph" and entry["level"] == "WARNING" for entry in found)


@pytest.mark.parametrize(
    ("body", "state", "said"),
    [
        ("input('name? ')", RunState.FAILED, "EOFError"),
        ("sys.exit(3)", RunState.FAILED, "sys.exit(3)"),
        ("raise type('Own', (BaseException,), {})('mine')", RunState.FAILED, "mine"),
        ("open('/dev/tty', 'w').write('on your screen')", RunState.FAILED, "OSError"),
        ("os._exit(7)", RunState.CRASHED, "exit code 7"),
        ("ctypes.string_at(0)", RunState.CRASHED, "SIGSEGV"),
        ("os.kill(os.getpid(), signal.SIGKILL)", RunState.CRASHED, "SIGKILL"),
        ("def f(): f()\nf()", RunState.FAILED, "RecursionError"),
        ("os.close(1); os.close(2); sys.stdout.close()", RunState.DONE, ""),
        ("sys.stderr = sys.stdout = None", RunState.DONE, ""),
        ("os.chdir('/'); os.environ.clear()", RunState.DONE, ""),
        ("if os.fork() == 0: os._exit(0)", RunState.DONE, ""),
        ("import subprocess; subprocess.Popen(['sleep', '60'])", RunState.DONE, ""),
        ("import threading; threading.Thread(target=time.sleep, args=(60,)).start()", RunState.DONE, ""),
        ("import atexit; atexit.register(time.sleep, 60)", RunState.DONE, ""),
    ],
)
def test_what_a_node_does_to_its_process_ends_in_the_record(terminal, body, state, said):
    run = ended(terminal(node(body)))
    assert (run.state, said in run.reason) == (state, True), run.reason


def test_a_forked_copy_of_the_run_writes_nothing_and_ends_nothing(terminal, tmp_path):
    body = f"""
        if os.fork() == 0:
            open({"copy"!r}, "w").write(str(os.getpid()))
    """
    run = ended(terminal(node(body)))
    ends = [event for event in EventTail(folder()).news() if event.kind is Kind.END]
    assert (run.state, len(ends), run.begun) == (RunState.DONE, 1, 1)
    with suppress(ProcessLookupError):
        os.kill(int((tmp_path / "copy").read_text()), signal.SIGKILL)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("raise RuntimeError('at import')", "RuntimeError: at import"),
        ("import sys; sys.exit(3)", "sys.exit(3)"),
        ("import no_such_module", "no_such_module"),
        ("graph = (", "SyntaxError"),
        ("class graph: pass", "graph"),
    ],
)
def test_what_cannot_be_imported_refuses_the_run(terminal, source, said):
    run = ended(terminal(source))
    assert (run.state, said in run.reason) == (RunState.REFUSED, True), run.reason
    with closing(sqlite3.connect(runs_folder().parents[2] / "s.sqlite")) as store:
        assert store.execute("SELECT count(*) FROM checkpoints").fetchone() == (0,)


@pytest.mark.parametrize(
    ("how", "body", "state"),
    [
        ("cancel", "", RunState.CANCELLED),
        ("drain", "", RunState.DRAINED),
        (
            "kill",
            "import signal; signal.signal(15, signal.SIG_IGN); signal.signal(2, signal.SIG_IGN)",
            RunState.CRASHED,
        ),
    ],
)
def test_a_hanging_import_can_be_stopped(terminal, how, body, state):
    screen = terminal(f"import time\n{body}\nopen('hangs', 'w')\nwhile True: time.sleep(0.05)\n")
    eventually(Path(runs_folder().parents[2], "hangs").exists, 60)
    stop(read_run(folder()), how)
    run = ended(screen)
    assert run.state is state, run.reason
    eventually(lambda: not alive(folder()))


def test_a_hundred_megabytes_on_stderr_fill_no_disk(terminal, tmp_path):
    body = """
        line = b"x" * 999 + b"\\n"
        for _ in range(1_000):
            os.write(2, line * 100)
    """
    run = ended(terminal(node(body)), timeout=100)
    assert run.state is RunState.DONE
    size = sum(path.stat().st_size for path in folder().iterdir())
    assert size < 20_000_000

"""The command that a plan prints is understood by the command that it names, and means the same."""

import shlex
import subprocess
from dataclasses import replace

import pytest
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.sqlite import SqliteSaver

from backends.address import parse_address
from backends.control.call import command_line
from backends.control.plan import Intent, Plan
from backends.runs.spec import GraphRef
from tui.cli import main, planning
from tui.cli.exits import Exit
from tui.cli.graph_choice import Choice

REF = GraphRef("./x.py:graph", "/nowhere", "the graph", python="/opt/my python/bin/python")
THREADS = ("one", "two words", "it's", "-x", "--json", "@file", "$(true)", "Ærø\u202e", "new\nline", "{}")
VALUES = {"text": "it's \u202e \x1b[2J", "n": [1, None, -0.5, {"$type": "a.B", "value": "é"}], "-x": "@x"}
RUNNING = {"durability": "async", "step": True, "recursion_limit": 7, "config": {"user": "-u"}, "context": [1]}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("plans") / "it's a store.sqlite")
    with SqliteSaver.from_conn_string(path) as saver:
        for thread in THREADS:
            where = {"configurable": {"thread_id": thread, "checkpoint_ns": ""}}
            saver.put(where, empty_checkpoint(), {"source": "input", "step": -1}, {})
    return path


@pytest.fixture
def understood(store, monkeypatch):
    """The intent that a command line comes to; nothing is done."""
    found = []

    def plan(desk, intent, choice=None):
        found.append((intent, desk.options))
        return Plan(intent, None, "", "")

    monkeypatch.setattr(planning.Desk, "choose_graph", lambda desk, thread: Choice(REF, None, ""))
    monkeypatch.setattr(planning.Desk, "plan", plan)

    def run(command):
        words = shlex.split(command) if "$(printf" not in command else by_the_shell(command)
        assert words[0] == "lgtop"
        assert main.run([words[1], "--dry-run", *words[2:]]) == Exit.DONE
        return found.pop()

    return run


def by_the_shell(command):
    """The words as a POSIX shell makes them."""
    script = f'lgtop() {{ printf "%s\\0" lgtop "$@"; }}; {command}'
    return subprocess.run(["sh", "-c", script], capture_output=True, check=True).stdout.decode().split("\0")[:-1]


def intents(head):
    """An intent of every kind, on every odd thread."""
    for thread in THREADS:
        yield Intent("start", thread, input=VALUES, **RUNNING)
        yield Intent("resume", thread, **RUNNING)
        yield Intent("retry", thread)
        yield Intent("answer", thread, answers={"4f2a": VALUES})
        yield Intent("answer", thread, answers={"4f2a": "-x", "9b01": None}, durability="exit")
        yield Intent("edit", thread, values=VALUES, as_node="-n", replace=("text", "-x"))
        yield Intent("copy", thread, target="-a copy")
    yield Intent("fork", "one", checkpoint=head, values=VALUES, as_node="it's", run_after=False)
    yield Intent("fork", "one", checkpoint=head, **RUNNING)
    yield Intent("branch", "one", checkpoint=head, target="-a branch")


def test_every_command_means_its_intent(store, understood):
    address = parse_address(store, {})
    from contextlib import closing

    from backends.store import open_store

    with closing(open_store(store)) as opened:
        head = opened.heads_of(["one"])["one"].checkpoint_id
    for intent in intents(head):
        command = command_line(intent, REF, address)
        assert command.isprintable()
        found, options = understood(command)
        assert replace(found, create_store=False, seen_head=None) == intent, command
        assert options.store == store
        if intent.verb not in ("copy", "branch"):
            assert (options.graph, options.python) == (REF.name, REF.python)

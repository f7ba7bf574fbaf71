"""A project in a virtual environment of its own, with packages that are called as ours, driven through ``--python``.

``LGTOP_TEST_PYTHON=/path/to/python`` adds an environment that somebody else has made: of another Python version, or
with an older LangGraph.
"""

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.project import make_project

from .commands import Commands

ROOT = Path(__file__).resolve().parents[2]
GIVEN = os.environ.get("LGTOP_TEST_PYTHON")


@pytest.fixture(scope="session")
def venv(tmp_path_factory):
    """An environment with LangGraph and without lgtop."""
    folder = tmp_path_factory.mktemp("environment") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    libraries(folder).joinpath("langgraph.pth").write_text(sysconfig.get_path("purelib"))
    return folder


@pytest.fixture(params=["venv", *(["given"] if GIVEN else [])])
def python(request, venv):
    return GIVEN if request.param == "given" else str(venv / "bin" / "python")


@pytest.fixture
def lgtop(tmp_path):
    commands = Commands(make_project(tmp_path / "project"), str(tmp_path / "s.sqlite"), tmp_path / "state")
    yield commands
    commands.end_everything()


def libraries(folder):
    [found] = folder.glob("lib/python*/site-packages")
    return found


def test_a_graph_runs_in_its_own_environment_beside_packages_called_as_ours(lgtop, python):
    where = lgtop.project / "where.py"
    where.write_text(WHERE)
    result = lgtop.json("run", "--graph", "where.py:graph", "--python", python, "--thread", "t", "--input", "{}")
    assert result["state"] == "done"
    seen = lgtop.state("t")["seen"]
    assert seen["prefix"] == str(Path(python).parent.parent)
    for name in ("tui", "backends", "demo_graphs", "tests"):
        assert seen[name] == str(lgtop.project / name / "__init__.py")
    assert seen["ours"] == []


WHERE = """
import sys
from typing import TypedDict
import backends, demo_graphs, tests, tui
from langgraph.graph import START, StateGraph

class State(TypedDict, total=False):
    seen: dict

def look(state):
    places = {module.__name__: module.__file__ for module in (backends, demo_graphs, tests, tui)}
    ours = [entry for entry in sys.path if entry == LGTOP]
    return {"seen": places | {"prefix": sys.prefix, "ours": ours}}

builder = StateGraph(State)
builder.add_node("look", look)
builder.add_edge(START, "look")
graph = builder.compile()
""".replace("LGTOP", repr(str(ROOT)))


def test_the_whole_life_of_a_thread_through_another_interpreter(lgtop, python):
    lgtop.json("run", "--graph", "asking", "--python", python, "--thread", "t", "--input", '{"amount": 5}', code=0)
    for node, value in (("legal", True), ("finance", False)):
        questions = {question["node"]: question["id"] for question in lgtop.thread("t")["interrupts"]}
        answer = json.dumps({"approved": value})
        lgtop.json("answer", "t", "--python", python, "--id", questions[node], "--value", answer)
    assert lgtop.state("t")["said"]["outcome"] is False
    lgtop.json("edit", "t", "--python", python, "--as-node", "decide", "--values", '{"amount": 7}')
    assert (lgtop.state("t")["amount"], lgtop.thread("t")["status"]) == (7, "done")


def test_drawing_needs_the_environment_too(lgtop, python):
    drawn = lgtop.json("graphs", "--draw", "flow", "--python", python)
    assert "second" in json.dumps(drawn)


def test_an_environment_without_langgraph_is_refused_with_what_to_install(lgtop, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    code, out, err = lgtop.run("run", "--graph", "flow", "--python", str(tmp_path / "bare"), "--input", "{}")
    assert (code, out) == (5, "")
    assert "bare/bin/python has no langgraph." in err
    assert "bare/bin/python -m pip install langgraph" in err
    assert not Path(lgtop.store).exists()


APPLICATION = """
import sys
import backends, tui
from lgtop import AlreadyRunning, thread_lock

assert backends.__file__.startswith(PROJECT), backends.__file__
with thread_lock(sys.argv[1], sys.argv[2], who="the application"):
    assert sys.modules["backends"] is backends
    print("held", flush=True)
    input()
"""


def test_an_application_in_that_environment_takes_part_in_the_lock(lgtop, venv, tmp_path):
    """lgtop is installed beside the application here, whose own ``backends`` and ``tui`` stand before ours."""
    installed = tmp_path / "installed"
    installed.mkdir()
    for name in ("lgtop.py", "tui", "backends", "demo_graphs"):
        (installed / name).symlink_to(ROOT / name)
    lgtop.json("run", "--graph", "asking", "--thread", "t", "--input", '{"amount": 5}')
    script = lgtop.project / "application.py"
    script.write_text(APPLICATION.replace("PROJECT", repr(str(lgtop.project))))
    application = subprocess.Popen(
        [str(venv / "bin" / "python"), str(script), lgtop.store, "t"],
        env={**os.environ, "PYTHONPATH": str(installed)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert application.stdout.readline() == "held\n"
    code, _, err = lgtop.run("resume", "t", "--graph", "asking")
    assert (code, "the application" in err) == (4, True), err
    assert "the application" in str(lgtop.thread("t")["running_by"])
    application.communicate("\n")
    assert application.returncode == 0
    assert lgtop.json("resume", "t", "--graph", "asking")["state"] == "waiting"

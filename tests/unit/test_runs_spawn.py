"""Starting children: where they run, what they are given, what never shows, and what is refused before."""

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from backends.errors import Refused
from backends.runs import interpreter
from backends.runs import spawn as spawning
from backends.runs.read import alive, read_run
from backends.runs.record import EXIT, records
from backends.runs.run import RunState
from backends.runs.spec import GraphRef

from .runs_rig import CHILD, eventually, isolate, spawn

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def isolated(tmp_path, monkeypatch):
    isolate(tmp_path, monkeypatch)


@pytest.fixture
def told(tmp_path):
    """Run a child that tells what it sees, and return that."""

    def tell(**fields):
        out = tmp_path / "told.json"
        run = spawn(["hold"], ["tell", str(out)], ["event", "end", {"outcome": "done"}], **fields)
        eventually(lambda: Path(run.folder, EXIT).exists())
        return json.loads(out.read_text())

    return tell


def executable(path: Path, text: str) -> str:
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def ref(tmp_path, **fields):
    return GraphRef("./g.py:g", str(tmp_path), "g", **fields)


def test_a_child_leads_a_session_of_its_own_in_the_project(told, tmp_path):
    seen = told(graph=ref(tmp_path))
    assert seen["sid"] == seen["pgid"] != os.getsid(0)
    assert seen["cwd"] == str(tmp_path)
    assert "-P" in seen["argv"]


def test_the_graphs_variables_win_and_nothing_bends_the_interpreter(told, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    monkeypatch.setenv("MODEL", "ours")
    monkeypatch.setenv("KEPT", "ours")
    env = told(graph=ref(tmp_path, env={"MODEL": "the project's"}))["env"]
    assert (env["MODEL"], env["KEPT"], env.get("PYTHONHOME")) == ("the project's", "ours", None)


def test_a_password_is_in_no_argument_no_variable_and_no_file(told, tmp_path):
    seen = told(store="postgresql://me:hush123@db/app", config={"configurable": {"key": "hush456"}})
    assert "hush" not in json.dumps(seen)
    files = [path for path in (tmp_path / "state").rglob("*") if path.is_file()]
    assert {"run.json", "events.jsonl", "boot.log"} <= {path.name for path in files}
    assert not [path for path in files if b"hush" in path.read_bytes()]


def test_a_large_request_arrives_whole(told):
    assert told(values={"text": "x" * 5_000_000})


def test_a_child_outlives_the_process_that_started_it(tmp_path):
    go = tmp_path / "go"
    code = f"""
import os, signal
from pathlib import Path
from backends.runs import spawn
spawn.WORKER = Path({str(CHILD)!r})
from tests.unit.runs_rig import spawn as begin
run = begin(["hold"], ["until", {str(go)!r}], ["event", "end", {{"outcome": "done"}}])
print(run.folder, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    parent = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert parent.returncode == -signal.SIGKILL, parent.stderr
    folder = parent.stdout.strip()
    assert alive(folder)
    assert read_run(folder).live
    go.touch()
    eventually(lambda: not alive(folder))
    run = read_run(folder)
    assert (run.state, run.exit_code) == (RunState.DONE, None)


def test_no_zombie_is_left(tmp_path):
    run = spawn(["hold"], ["event", "end", {"outcome": "done"}], ["exit", 3])
    eventually(lambda: Path(run.folder, EXIT).exists())
    assert Path(run.folder, EXIT).read_text() == "3"
    with pytest.raises(ChildProcessError):
        os.waitpid(run.pid, os.WNOHANG)


def test_a_venv_is_named_by_its_directory(tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    python = str(tmp_path / "venv" / "bin" / "python")
    assert interpreter.locate("venv", tmp_path) == python  # and not what the link leads to
    assert interpreter.locate("venv/bin/python", tmp_path) == python
    assert interpreter.locate("", tmp_path) == sys.executable
    assert os.path.basename(interpreter.locate("sh", tmp_path)) == "sh"
    with pytest.raises(
        Refused, match=r"no langgraph and langgraph-checkpoint-sqlite\. Install it: .*venv/bin/python -m pip"
    ):
        spawn(graph=ref(tmp_path, python="venv"))
    assert list(records()) == []


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("#!/bin/sh\necho '[[3, 9, 2], []]'\n", "is Python 3.9.2; a run needs 3.11 or newer"),
        ("#!/bin/sh\necho nonsense\n", "does not answer as a Python would"),
        ("#!/bin/sh\necho broken >&2; exit 3\n", "does not answer as a Python would: broken"),
        ("#!/nowhere/interpreter\n", "does not start"),
    ],
)
def test_what_cannot_run_us_is_refused_with_a_reason(tmp_path, script, said):
    python = executable(tmp_path / "python", script)
    with pytest.raises(Refused, match=said):
        spawn(graph=ref(tmp_path, python=python))
    assert list(records()) == []


def test_a_python_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(Refused, match=r"no Python interpreter at \.venv/bin/python"):
        spawn(graph=ref(tmp_path, python=".venv/bin/python"))


def test_only_the_saver_of_the_store_is_asked_for(tmp_path):
    lacking = executable(tmp_path / "python", "#!/bin/sh\necho '[[3, 12, 1], [\"langgraph.checkpoint.postgres\"]]'\n")
    interpreter.check(lacking, postgres=False)
    interpreter.check(lacking, postgres=None)
    with pytest.raises(Refused, match="no langgraph-checkpoint-postgres"):
        interpreter.check(lacking, postgres=True)


def test_what_has_been_installed_is_found_without_a_restart(tmp_path):
    python = tmp_path / "python"
    executable(python, "#!/bin/sh\necho '[[3, 12, 1], [\"langgraph.pregel\"]]'\n")
    with pytest.raises(Refused):
        interpreter.check(str(python), postgres=None)
    executable(python, "#!/bin/sh\necho '[[3, 12, 1], []]'\n")
    interpreter.check(str(python), postgres=None)


def test_a_project_that_is_gone_is_refused(tmp_path):
    with pytest.raises(Refused, match=r"directory .*gone is not there"):
        spawn(graph=ref(tmp_path / "gone"))
    assert list(records()) == []


def test_a_child_that_never_shows_life_is_not_waited_for(monkeypatch, tmp_path):
    monkeypatch.setattr(spawning, "_BOOT_PATIENCE", 0.2)
    run = spawn(["until", str(tmp_path / "go")])
    assert run.state is RunState.STARTING
    (tmp_path / "go").touch()
    eventually(lambda: Path(run.folder, EXIT).exists())


@pytest.mark.parametrize("env", [{"A=B": "x"}, {"A": "x\0y"}, {"A": "\ud800\ud800"}])
def test_variables_that_no_process_can_have_are_refused(tmp_path, env):
    with pytest.raises(Refused, match="cannot be started"):
        spawn(graph=ref(tmp_path, env=env))
    assert list(records()) == []

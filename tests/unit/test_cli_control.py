"""What the control commands refuse before any graph is loaded, what needs none, and the exit codes for it."""

import json
import os
from pathlib import Path

import pytest
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.sqlite import SqliteSaver

import demo_graphs
from backends.locks.take import take
from tests import schemas
from tui.cli import main
from tui.cli.exits import Exit


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path):
    """A state directory of this test's own, no project around it."""
    for name in ("XDG_STATE_HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
        (tmp_path / name).mkdir()
    for name in ("LGTOP_STORE", "PGSERVICE", "PGHOST", "PGHOSTADDR", "PGDATABASE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LGTOP_DEBUG", "1")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A store with one thread, which is done."""
    path = tmp_path / "small.sqlite"
    with SqliteSaver.from_conn_string(str(path)) as saver:
        where = {"configurable": {"thread_id": "one", "checkpoint_ns": ""}}
        saver.put(where, empty_checkpoint(), {"source": "input", "step": -1}, {})
    monkeypatch.setenv("LGTOP_STORE", str(path))
    return path


@pytest.fixture
def lgtop(capsys):
    def run(*argv):
        code = main.run(argv)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


CONTROL = {
    "run": ("--input", "{}"),
    "resume": ("one",),
    "answer": ("one", "--value", "1"),
    "fork": ("one",),
    "edit": ("one", "--values", "{}"),
    "copy": ("one", "two"),
    "stop": ("one",),
}
"""Command -> words with which it would do something to thread ``one``."""


def test_every_command_that_controls_is_here():
    assert {*CONTROL, "runs", "log", "undo", "audit"} == {*main.GROUPS["control"], "copy"}


@pytest.mark.parametrize("name", CONTROL)
def test_a_store_must_be_named(lgtop, name):
    code, out, err = lgtop(name, *CONTROL[name])
    assert (code, out) == (Exit.USAGE, "")
    assert "No checkpoint store is named." in err


@pytest.mark.parametrize("name", sorted({*CONTROL} - {"run"}))
def test_only_run_makes_a_store(lgtop, name, tmp_path):
    code, out, err = lgtop(name, "-s", str(tmp_path / "gone.sqlite"), *CONTROL[name])
    assert (code, out) == (Exit.STORE, "")
    assert "gone.sqlite" in err
    assert not (tmp_path / "gone.sqlite").exists()


@pytest.mark.parametrize("name", sorted({*CONTROL} - {"run"}))
def test_a_thread_that_is_not_there(lgtop, store, name):
    words = ["ome" if word == "one" else word for word in CONTROL[name]]
    code, out, err = lgtop(name, *words)
    assert (code, out) == (Exit.NOT_FOUND, "")
    assert "Did you mean one?" in err


@pytest.mark.parametrize("name", ["run", "resume", "fork", "edit"])
def test_without_a_graph_nothing_is_run(lgtop, store, name):
    before = store.read_bytes()
    code, out, err = lgtop(name, *CONTROL[name])
    assert (code, out) == (Exit.REFUSED, "")
    assert "No graph" in err
    assert "--graph" in err
    assert store.read_bytes() == before
    assert not list((store.parent / "XDG_STATE_HOME").rglob("run.json"))


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["run"], "required: --input"),
        (["run", "--input", "yes"], "A text needs quotes of its own"),
        (["run", "--input", "{}", "--config", "[]"], "a JSON object is wanted"),
        (["run", "--input", "{}", "--durability", "bogus"], "invalid choice: 'bogus'"),
        (["run", "--input", "{}", "--recursion-limit", "0"], "0 is not at least 1"),
        (["answer", "one"], "An answer is wanted"),
        (["edit", "one"], "required: --values"),
        (["fork", "one", "--new-thread", "two", "--values", "{}"], "--new-thread copies what is there"),
        (["copy", "one"], "Name a THREAD and a NEW id"),
        (["stop"], "Name either a THREAD or a --run"),
        (["stop", "one", "--run", "r"], "Name either a THREAD or a --run"),
        (["stop", "one", "--cancel", "--kill"], "not allowed with"),
        (["runs", "--follow"], "expected one argument"),
    ],
)
def test_a_wrong_command_line(lgtop, store, argv, said):
    code, out, err = lgtop(*argv)
    assert (code, out) == (Exit.USAGE, "")
    assert said in err
    assert err.count("\n") == 1


def test_a_store_in_a_directory_that_is_not_there(lgtop, tmp_path):
    code, _, err = lgtop("run", "-s", str(tmp_path / "nowhere" / "x.sqlite"), "--input", "{}")
    assert (code, "There is no directory" in err) == (Exit.REFUSED, True)


@pytest.mark.parametrize("content", [b"some text that is no database at all, and long enough" * 40])
def test_a_file_that_is_no_store_is_left_alone(lgtop, tmp_path, content):
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    assert lgtop("run", "-s", str(path), "--input", "{}")[0] == Exit.STORE
    assert path.read_bytes() == content


def test_a_copy_and_its_plan(lgtop, store):
    code, out, err = lgtop("copy", "one", "two", "--dry-run", "--json")
    plan = json.loads(out)
    schemas.check(plan, schemas.PLAN)
    assert (code, plan["verb"], plan["refusal"]) == (Exit.DONE, "copy", None)
    assert [thread["thread_id"] for thread in json.loads(lgtop("ls", "--json")[1])] == ["one"]

    code, out, err = lgtop("copy", "one", "two", "--json")
    schemas.check(json.loads(out), schemas.COPIED)
    assert (code, json.loads(out)["checkpoints"]) == (Exit.DONE, 1)
    code, out, err = lgtop("copy", "one", "two")
    assert (code, out) == (Exit.REFUSED, "")
    assert "two" in err
    code, out, err = lgtop("copy", "one", "two", "--dry-run")
    assert code == Exit.REFUSED
    assert "refused" in out


def test_what_was_done_is_in_the_log_and_can_be_taken_back(lgtop, store):
    assert lgtop("log") == (Exit.DONE, "", "Nothing has been done yet.\n")
    lgtop("copy", "one", "two")
    code, out, _ = lgtop("log", "--json")
    (action,) = schemas.checked(json.loads(out), schemas.ACTIONS)
    assert (code, action["verb"], action["target"], action["outcome"]) == (Exit.DONE, "copy", "two", "done")
    assert action["command"] == f"lgtop copy -s {store} one two"
    assert lgtop("log", "--thread", "two")[1].splitlines()[1].split()[0] == action["action_id"]

    code, _, err = lgtop("undo", action["action_id"][-6:])
    assert (code, "two was removed" in err) == (Exit.DONE, True)
    assert [thread["thread_id"] for thread in json.loads(lgtop("ls", "--json")[1])] == ["one"]
    assert [one["undone"] for one in json.loads(lgtop("log", "--json")[1]) if one["verb"] == "copy"] == [True]
    assert lgtop("undo", action["action_id"])[0] == Exit.REFUSED
    assert lgtop("undo", "nothing")[0] == Exit.NOT_FOUND


def test_a_copy_for_people(lgtop, store):
    code, out, _ = lgtop("copy", "one", "two")
    assert code == Exit.DONE
    assert out.splitlines()[0].split() == ["thread", "id", "two"]


def test_a_branch_gets_an_id_where_none_is_given(lgtop, store):
    code, out, _ = lgtop("fork", "one", "--json", "--new-thread")
    made = json.loads(out)
    assert (code, made["copied_from"], made["thread_id"].startswith("one-")) == (Exit.DONE, "one", True)


def test_a_thread_that_somebody_holds(lgtop, store):
    with take(str(store), "one", who="the tests"):
        code, _, err = lgtop("stop", "one")
        assert (code, "the tests" in err) == (Exit.REFUSED, True)
        assert f"pid {os.getpid()}" in err
    code, _, err = lgtop("stop", "one")
    assert (code, "Nothing runs" in err) == (Exit.REFUSED, True)


def test_no_runs_yet(lgtop, store):
    assert lgtop("runs") == (Exit.DONE, "", "No runs.\n")
    assert lgtop("runs", "--json")[1] == "[]\n"
    code, _, err = lgtop("runs", "--follow", "k3f2")
    assert (code, "There is no run 'k3f2'" in err) == (Exit.NOT_FOUND, True)


def test_no_project_here(lgtop):
    code, out, err = lgtop("graphs")
    assert (code, out) == (Exit.DONE, "")
    assert "There is no langgraph.json" in err
    assert lgtop("graphs", "--json")[1] == "[]\n"


def test_a_project_that_cannot_be_read(lgtop, tmp_path):
    (tmp_path / "here" / "langgraph.json").write_text("{")
    code, out, err = lgtop("graphs")
    assert (code, out) == (Exit.REFUSED, "")
    assert "langgraph.json is not JSON" in err


def test_the_demo_knows_every_graph_wherever_it_is_installed(lgtop, monkeypatch):
    monkeypatch.chdir(Path(demo_graphs.__file__).parent)
    named = {graph["name"]: graph["target"] for graph in json.loads(lgtop("graphs", "--json")[1])}
    monkeypatch.chdir(Path(demo_graphs.__file__).parents[1])
    assert list(named) == [graph["name"] for graph in json.loads(lgtop("graphs", "--json")[1])]
    assert all(target == f"demo_graphs.{name}:graph" for name, target in named.items())

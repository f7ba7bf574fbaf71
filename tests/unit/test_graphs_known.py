"""Graphs at hand: drawn by real children, remembered, watched, and found for a thread."""

import json
import os
import re
import signal
import textwrap
import threading
import time
from pathlib import Path

import pytest

from backends.errors import Refused
from backends.folders import state_folder
from backends.graphs import draw as drawing_module
from backends.graphs import gallery
from backends.graphs.choices import Choices, graph_of_run
from backends.graphs.draw import draw, draw_each
from backends.graphs.known import Known
from backends.graphs.sources import directories, fingerprint
from backends.graphs.watch import Watch
from backends.runs.record import new_record, write_request
from backends.runs.spawn import launch
from backends.runs.spec import GraphRef

from .runs_rig import KEY, eventually, request

GRAPH = """
from typing import TypedDict
from langgraph.graph import START, StateGraph

class State(TypedDict):
    text: str

builder = StateGraph(State)
for name in {nodes}:
    builder.add_node(name, lambda state: {{}})
builder.add_edge(START, {nodes}[0])
graph = builder
"""


@pytest.fixture(autouse=True)
def isolated(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def project(tmp_path):
    """A project with two graphs."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "one.py").write_text(GRAPH.format(nodes=["fetch", "load"]))
    (root / "two.py").write_text(GRAPH.format(nodes=["fetch", "check"]))
    graphs = {"one": "./one.py:graph", "two": "./two.py:graph"}
    (root / "langgraph.json").write_text(
        json.dumps({"graphs": graphs, "env": {"API_KEY": "hush"}, "dependencies": ["."]})
    )
    return root


@pytest.fixture
def children(monkeypatch):
    """Names of the graphs for which a child was started; they are drawn without one."""
    from backends.graphs.drawing import Drawing, Node

    started = []

    def draw_(ref):
        started.append(ref.name)
        source = (Path(ref.root) / f"{ref.name}.py").read_text()
        if "raise" in source:
            raise Refused("it raises")
        nodes = eval(source.split("for name in ")[1].split(":")[0])
        return Drawing(ref.name, tuple(Node(name) for name in nodes))

    def draw_each_(refs):
        found = []
        for one in refs:
            try:
                found.append(draw_(one))
            except Refused as refused:
                found.append(refused)
        return found

    monkeypatch.setattr(gallery, "draw_each", draw_each_)
    return started


def ref(root, source, name="g"):
    Path(root, f"{name}.py").write_text(textwrap.dedent(source))
    return GraphRef(f"./{name}.py:graph", str(root), name)


def test_a_child_draws_a_graph(project):
    found = draw(GraphRef("./one.py:graph", str(project), "one"))
    assert [node.name for node in found.nodes if not node.name.startswith("__")] == ["fetch", "load"]
    assert found.name == "one"
    assert found.channels == {"text": "last"}
    assert found.input_schema["properties"].keys() == {"text"}
    assert not (state_folder() / "runs").exists()


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import nowhere_to_be_found", "nowhere_to_be_found"),
        ("raise ValueError('at import')", "at import"),
        ("graph = 5", "graph"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "SIGKILL"),
    ],
)
def test_what_cannot_be_loaded_is_refused_with_the_cause(tmp_path, source, said):
    with pytest.raises(Refused, match=rf"Graph g cannot be loaded: .*{said}"):
        draw(ref(tmp_path, source))


def test_graphs_of_one_project_take_one_child_and_a_bad_one_spoils_no_other(tmp_path, monkeypatch):
    """The third dies with its process, the last one of all would only fail behind the others."""
    asked = []
    monkeypatch.setattr(drawing_module, "launch", lambda spec: (asked.append(1 + len(spec.others)), launch(spec))[1])
    good = GRAPH.format(nodes=["fetch"])
    refs = [ref(tmp_path, good, name) for name in ("a", "b")]
    refs.append(ref(tmp_path, "import os\nos._exit(7)", "c"))
    refs.append(ref(tmp_path, f"import sys\nassert 'a' not in sys.modules\n{textwrap.dedent(good)}", "d"))
    found = draw_each([*refs, GraphRef("./a.py:graph", str(tmp_path), "elsewhere", env={"A": "1"})])
    assert [one.name for one in found if not isinstance(one, Refused)] == ["a", "b", "d", "elsewhere"]
    assert re.fullmatch("Graph c cannot be loaded: .*exit code 7.*", found[2].reason)
    assert asked == [4, 2, 1, 1]


def test_an_import_that_hangs_is_killed_with_all_that_it_started(tmp_path):
    out = tmp_path / "pids"
    source = f"""
        import os, time
        child = os.fork()
        if child:
            open({str(out)!r}, "w").write(f"{{os.getpid()}} {{child}}")
        time.sleep(600)
    """
    began = time.monotonic()
    with pytest.raises(
        Refused, match=r"g: The graph was not there 6 s after its import began\. Something runs at import"
    ):
        draw(ref(tmp_path, source), timeout=6)
    assert time.monotonic() - began < 15
    for pid in map(int, out.read_text().split()):
        eventually(lambda pid=pid: not runs(pid))


def runs(pid):
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_drawing_is_made_once_for_each_state_of_the_sources(project, children):
    known = Known(KEY, project)
    one = known.refs()[0]
    assert known.glance(one) is None
    first = known.drawing(one)
    assert known.drawing(one) == Known(KEY, project).drawing(one) == known.glance(one) == first
    assert children == ["one"]
    (project / "one.py").write_text(GRAPH.format(nodes=["fetch", "load", "save"]))
    assert [node.name for node in known.drawing(one).nodes][-1] == "save"
    assert children == ["one", "one"]
    assert len(list((state_folder() / "drawings").iterdir())) == 1


def test_a_spoilt_drawing_on_disk_is_made_anew(project, children):
    one = Known(KEY, project).refs()[0]
    first = Known(KEY, project).drawing(one)
    [path] = (state_folder() / "drawings").iterdir()
    for junk in ("", "[]", "null", '{"nodes": [5]}', '{"edges": [{}]}'):
        path.write_text(junk)
        assert Known(KEY, project).drawing(one) == first
    assert len(children) == 6


def test_a_graph_that_cannot_be_loaded_is_not_tried_at_every_look(project, children, monkeypatch):
    (project / "one.py").write_text("raise ValueError")
    known = Known(KEY, project)
    one = known.refs()[0]
    for _ in range(3):
        with pytest.raises(Refused, match="it raises"):
            known.drawing(one)
    assert children == ["one"]
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 31)
    with pytest.raises(Refused):
        known.drawing(one)
    assert children == ["one", "one"]


def test_two_threads_that_ask_at_once_start_one_child(project, children):
    known = Known(KEY, project)
    one = known.refs()[0]
    threads = [threading.Thread(target=known.drawing, args=(one,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert children == ["one"]


def test_the_graph_that_was_named_goes_first(project):
    assert [found.name for found in Known(KEY, project).refs()] == ["one", "two"]
    assert [found.name for found in Known(KEY, project, "two").refs()] == ["two", "one"]
    (project / "three.py").touch()
    assert [found.name for found in Known(KEY, project, "three.py:g").refs()] == ["./three.py:g", "one", "two"]
    with pytest.raises(Refused, match="no graph called 'four'"):
        Known(KEY, project, "four").refs()
    with pytest.raises(Refused, match="no Python interpreter"):
        Known(KEY, project, python="no/such").refs()


def test_a_thread_belongs_to_the_graph_whose_nodes_fit(project, children):
    known = Known(KEY, project)
    assert names(known.of_thread("t", {"load"})) == ["one"]
    assert names(known.of_thread("t", {"fetch"})) == ["one", "two"]
    assert names(known.of_thread("t", {"else"})) == []
    (project / "one.py").write_text("raise ValueError")
    assert names(known.of_thread("t", {"fetch"})) == ["two"]


def test_what_a_person_chose_goes_before_what_was_named_stamped_or_fits(project, children):
    run_id, folder = new_record()
    two = Known(KEY, project).refs()[1]
    write_request(request(folder, run_id, graph=two), KEY)
    known = Known(KEY, project)
    assert names(known.of_thread("t", {"load"}, run_id)) == ["two"]
    assert names(Known(KEY, project, "one").of_thread("t", set(), run_id)) == ["one"]
    known.remember("t", two)
    assert names(Known(KEY, project, "one").of_thread("t", set())) == ["two"]
    assert names(Known(KEY, project, "one").of_thread("other", set())) == ["one"]
    known.remember(None, two)
    assert names(known.of_thread("other", {"load"})) == ["two"]
    assert names(Known("another store", project).of_thread("t", {"load"})) == ["one"]
    assert children == ["one", "two"]


def test_a_named_interpreter_is_used_for_what_was_chosen_or_stamped(project, children):
    import sys

    Known(KEY, project).remember("t", Known(KEY, project).refs()[0])
    [found] = Known(KEY, project, python=sys.executable).of_thread("t", set())
    assert found.python == sys.executable


def names(refs):
    return [found.name for found in refs]


def test_a_choice_holds_no_secret_and_follows_its_project(project):
    one = Known(KEY, project).refs()[0]
    choices = Choices(KEY)
    choices.remember("t", one)
    assert choices.recall("t") == one
    [path] = (state_folder() / "choices").iterdir()
    assert "hush" not in path.read_text()
    assert path.stat().st_mode & 0o077 == 0
    config = {"graphs": {"one": "./moved.py:graph"}}
    (project / "langgraph.json").write_text(json.dumps(config))
    assert choices.recall("t").target == "./moved.py:graph"
    (project / "langgraph.json").write_text(json.dumps({"graphs": {"new": "./one.py:graph"}}))
    assert choices.recall("t") is None
    (project / "langgraph.json").write_text("{")
    assert choices.recall("t") is None


def test_a_choice_by_target_needs_no_configuration(tmp_path):
    choices = Choices(KEY)
    alone = GraphRef("./g.py:g", str(tmp_path), "./g.py:g", python="/py")
    choices.remember("t", alone)
    assert choices.recall("t") == alone
    choices.remember("t", GraphRef("./g.py:g", str(tmp_path / "gone"), "./g.py:g"))
    assert choices.recall("t") is None
    for path in (state_folder() / "choices").iterdir():
        path.write_text("[]")
    assert choices.recall("t") is None


@pytest.mark.parametrize("stamp", ["", "..", "../x", "/etc", "a/b", "no-such-run", "\x00", "\ud800", "x" * 5000])
def test_a_stamp_from_a_store_leads_nowhere_else(stamp):
    assert graph_of_run(stamp) is None


def test_sources_are_those_of_the_project(project):
    for path in (".venv/lib", "env/lib", "node_modules/x", "src/pkg", "__pycache__"):
        (project / path).mkdir(parents=True)
    (project / "env" / "pyvenv.cfg").touch()
    here = GraphRef("./one.py:graph", str(project), "one", dependencies=(str(project / "src"),))
    assert set(directories(here)) == {str(project), str(project / "src"), str(project / "src" / "pkg")}
    first = fingerprint(here)
    (project / ".venv" / "lib" / "x.py").touch()
    (project / "data.csv").touch()
    assert fingerprint(here) == first
    seen = {first}
    (project / "src" / "pkg" / "x.py").touch()
    seen.add(fingerprint(here))
    os.utime(project / "one.py", (1, 1))
    seen.add(fingerprint(here))
    (project / "langgraph.json").write_text("{}")
    seen.add(fingerprint(here))
    assert len(seen) == 4


def test_an_edited_source_is_noticed(project):
    (project / "lib").mkdir()
    (project / "lib" / "part.py").touch()
    refs = Known(KEY, project).refs()
    noticed = []
    watch = Watch(refs, noticed.append)
    watch.start()
    try:
        count = iter(range(10_000))

        def edited():
            (project / "lib" / "part.py").write_text(f"x = {next(count)}")
            return noticed

        eventually(edited)
        assert watch.failure is None
    finally:
        watch.stop()
    assert names(noticed[0]) == ["one", "two"]


def test_killing_a_child_that_draws_is_an_error_and_not_a_hang(project, monkeypatch):
    """The kernel may end a child at any moment: out of memory."""
    launch = drawing_module.launch

    def killed(spec):
        child, tended = launch(spec)
        os.kill(child.pid, signal.SIGKILL)
        return child, tended

    monkeypatch.setattr(drawing_module, "launch", killed)
    with pytest.raises(Refused, match="SIGKILL"):
        draw(GraphRef("./one.py:graph", str(project), "one"))

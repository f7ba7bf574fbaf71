"""Runs that are forked from a nursery are runs like any other, and outlive it."""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.sqlite import SqliteSaver

from backends.bulk.await_end import ended
from backends.locks.key import store_key
from backends.runs import nursery
from backends.runs.alive import holder_pid
from backends.runs.nursery import Nurseries, Nursery
from backends.runs.record import new_record
from backends.runs.run import Run, RunState
from backends.runs.spawn import spawn
from backends.runs.spec import GraphRef, RunSpec, Verb
from backends.worker import nursery as worker_nursery

PATIENCE = 30.0
PROGRAM = """
import os
import random
import time
from pathlib import Path
from typing import TypedDict

from langgraph.graph import START, StateGraph

here = Path(__file__).parent
(here / "imports").open("a").write(".")


class State(TypedDict, total=False):
    gate: str
    told: dict


def tell(state):
    while state["gate"] and not os.path.exists(state["gate"]):
        (here / "begun").touch()
        time.sleep(0.005)
    kinds = sorted(os.readlink(f"/proc/self/fd/{fd}").split(":")[0] for fd in os.listdir("/proc/self/fd")[:-1])
    return {"told": {
        "pid": os.getpid(), "leads": os.getsid(0) == os.getpid() == os.getpgrp(), "parent": os.getppid(),
        "variable": os.environ["MINE"], "folder": os.getcwd(), "chance": random.random(),
        "children": signal_of("SIGCHLD"), "pipes": kinds.count("pipe"),
    }}


def signal_of(name):
    import signal

    return str(signal.getsignal(getattr(signal, name)))


builder = StateGraph(State)
builder.add_node("tell", tell)
builder.add_edge(START, "tell")
graph = builder
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("XDG_STATE_HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "flow.py").write_text(PROGRAM)
    with SqliteSaver.from_conn_string(str(folder / "s.sqlite")) as saver:
        saver.setup()
    return folder


@pytest.fixture
def nurseries() -> Iterator[Nurseries]:
    with closing(Nurseries()) as opened:
        yield opened


def spec_of(project: Path, thread_id: str, gate: str = "") -> RunSpec:
    run_id, record = new_record()
    graph = GraphRef("./flow.py:graph", str(project), "flow", env={"MINE": "for the graph"})
    store, given = str(project / "s.sqlite"), {"gate": gate}
    return RunSpec(run_id, str(record), Verb.START, graph, store, thread_id, "me@here", input=given)


def begun(start: Callable[..., Run], spec: RunSpec) -> Run:
    return start(spec, store_key=store_key(spec.store))


def told(project: Path, thread_id: str) -> dict[str, Any]:
    with SqliteSaver.from_conn_string(str(project / "s.sqlite")) as saver:
        found = saver.get_tuple({"configurable": {"thread_id": thread_id}})
        assert found is not None
        values: dict[str, Any] = found.checkpoint["channel_values"]["told"]
        return values


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_forked_run_is_as_one_that_was_started_by_itself(project: Path, nurseries: Nurseries) -> None:
    alone = ended(begun(spawn, spec_of(project, "alone")).folder)
    runs = [ended(begun(nurseries.start, spec_of(project, thread_id)).folder) for thread_id in ("one", "two")]
    assert [run.state for run in (alone, *runs)] == [RunState.DONE] * 3, runs
    until(lambda: all(Path(run.folder, "exit").exists() for run in runs))
    assert [Path(run.folder, "exit").read_text() for run in runs] == ["0", "0"]
    one, two = told(project, "one"), told(project, "two")
    assert one["chance"] != two["chance"]
    assert one["parent"] == two["parent"] != os.getpid()
    own = ("pid", "parent", "chance")
    shared = {key: value for key, value in one.items() if key not in own}
    assert shared == {key: value for key, value in told(project, "alone").items() if key not in own}
    assert shared["leads"]
    assert (shared["variable"], shared["folder"]) == ("for the graph", str(project))
    assert len((project / "imports").read_text()) == 4, "alone, on trial, and anew in each of two runs"

    gate = project / "gate"
    held = begun(nurseries.start, spec_of(project, "killed", str(gate)))
    until((project / "begun").exists)
    assert held.pid is not None
    os.killpg(held.pid, signal.SIGKILL)
    died = ended(held.folder)
    assert (died.state, died.exit_code) == (RunState.CRASHED, -signal.SIGKILL)
    assert "SIGKILL" in died.reason

    (project / "begun").unlink()
    left = begun(nurseries.start, spec_of(project, "left", str(gate)))
    until((project / "begun").exists)
    os.kill(one["parent"], signal.SIGKILL)
    another = ended(begun(nurseries.start, spec_of(project, "another")).folder)
    assert another.state is RunState.DONE
    assert told(project, "another")["parent"] != one["parent"]
    gate.touch()
    assert ended(left.folder).state is RunState.DONE


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_as_early_as_can_be_ends_a_run_with_a_word(
    project: Path, nurseries: Nurseries, number: signal.Signals
) -> None:
    ended(begun(nurseries.start, spec_of(project, "first")).folder)
    for turn in range(8):
        run = begun(nurseries.start, spec_of(project, f"early-{turn}"))
        until(lambda run=run: holder_pid(run.folder))  # type: ignore[misc]
        time.sleep(turn * 0.002)  # another moment of its beginning each time
        with suppress(ProcessLookupError):
            os.kill(holder_pid(run.folder) or 2**22, number)
        found = ended(run.folder)
        assert found.state in (RunState.DONE, RunState.DRAINED, RunState.CANCELLED), found


def test_a_graph_that_sets_what_langgraph_reads_at_import_is_not_forked(project: Path) -> None:
    (project / "flow.py").write_text(f"import os\n\nos.environ['LANGGRAPH_STRICT_MSGPACK'] = 'true'\n{PROGRAM}")
    with closing(Nursery(sys.executable, spec_of(project, "x").graph, postgres=False)) as opened:
        assert not opened.is_fit()


def test_the_modules_of_ours_that_are_imported_before_a_fork_are_there() -> None:
    for name in {name for names in worker_nursery._OURS.values() for name in names}:
        assert importlib.util.find_spec(f"backends.{name}"), name


def test_where_there_can_be_no_nursery_runs_are_started_one_by_one(
    project: Path, nurseries: Nurseries, monkeypatch: pytest.MonkeyPatch
) -> None:
    def impossible(*arguments: object) -> Nursery:
        raise OSError("no more processes")

    monkeypatch.setattr(nursery, "Nursery", impossible)
    run = ended(begun(nurseries.start, spec_of(project, "one")).folder)
    assert run.state is RunState.DONE
    assert told(project, "one")["parent"] == os.getpid()

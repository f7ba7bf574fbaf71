"""Runs without graphs, for the tests of everything around the child (`run_child.py`)."""

import time
from pathlib import Path

from backends.runs import spawn as spawning
from backends.runs.events import Kind
from backends.runs.record import new_record, write_request
from backends.runs.recorder import Recorder
from backends.runs.spec import GraphRef, RunSpec, Verb

CHILD = Path(__file__).with_name("run_child.py")
KEY = "sqlite:0123456789abcdef"


def checkpoint_id(step: int = 0) -> str:
    """A checkpoint id of this moment."""
    from langgraph.checkpoint.base.id import uuid6

    return str(uuid6(clock_seq=step))


def request(folder: Path, run_id: str, steps=(), **fields) -> RunSpec:
    graph = fields.pop("graph", None) or GraphRef("./graph.py:graph", str(folder.parent), "documents")
    store = str(folder.parent / "store.sqlite")
    defaults = {"verb": Verb.RESUME, "store": store, "thread_id": "t1", "operator": "me@here", "input": list(steps)}
    return RunSpec(run_id, str(folder), graph=graph, **(defaults | fields))


def isolate(tmp_path, monkeypatch):
    """A state directory of the test's own, and the child without graphs in the place of the worker."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(spawning, "WORKER", CHILD)


def spawn(*steps, store_key=KEY, **fields):
    """Start a child that goes through some steps."""
    run_id, folder = new_record()
    return spawning.spawn(request(folder, run_id, steps, **fields), store_key=store_key)


def written(*events, store_key=KEY, **fields):
    """A record as a child would have left it: its folder and its recorder."""
    run_id, folder = new_record()
    write_request(request(folder, run_id, **fields), store_key)
    recorder = Recorder(folder)
    for kind, data in events:
        recorder.write(Kind(kind), **data)
    return folder, recorder


def eventually(condition, seconds=20.0):
    """Wait for a condition to be true and return what it gave."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)
    return found

"""Stopping runs: by the kindest means asked for, and never anyone else's process."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from backends.errors import Refused
from backends.runs.events import Kind
from backends.runs.read import EventTail, alive, read_run
from backends.runs.record import EXIT
from backends.runs.run import RunState
from backends.runs.stop import stop

from .runs_rig import eventually, isolate, spawn, written


@pytest.fixture(autouse=True)
def isolated(tmp_path, monkeypatch):
    isolate(tmp_path, monkeypatch)


@pytest.mark.parametrize("how", ["drain", "cancel"])
def test_a_run_is_told_to_stop(how, tmp_path):
    run = spawn(["hold"], ["until", str(tmp_path / "go")], ["event", "end", {"outcome": "drained"}])
    stop(run, how)
    eventually(lambda: not alive(run.folder))
    [told] = [event.data["how"] for event in EventTail(run.folder).news() if event.kind is Kind.STOPPING]
    assert told == how


def test_killing_ends_what_the_run_has_started_too(tmp_path):
    run = spawn(["hold"], ["fork"], ["until", str(tmp_path / "go")])
    family = eventually(lambda: len(found := group(run.pid)) == 2 and found)
    stop(run, "kill")
    eventually(lambda: not group(run.pid))
    assert run.pid in family
    eventually(lambda: Path(run.folder, EXIT).exists())
    assert read_run(run.folder).state is RunState.CRASHED


def group(pgid):
    """Processes of a group that are no zombies."""
    out = subprocess.run(["ps", "-eo", "pid=,pgid=,stat="], capture_output=True, text=True, check=True).stdout
    rows = (line.split() for line in out.splitlines())
    return [int(pid) for pid, group, state in rows if int(group) == pgid and not state.startswith("Z")]


def test_a_process_that_has_got_the_number_of_an_ended_run_is_left_alone():
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    folder, _ = written(("started", {"pid": other.pid}), ("running", {}))
    for how in ("drain", "cancel", "kill"):
        with pytest.raises(Refused, match="has ended already"):
            stop(read_run(folder), how)
    assert other.poll() is None
    other.communicate(b"\n")
    assert other.returncode == 0


def test_a_run_on_another_host_is_stopped_there(tmp_path):
    run = spawn(["hold"], ["until", str(tmp_path / "go")])
    with pytest.raises(Refused, match=r"is on elsewhere\. Stop it there"):
        stop(replace(run, host="elsewhere"), "kill")
    assert alive(run.folder)
    os.kill(run.pid, signal.SIGKILL)

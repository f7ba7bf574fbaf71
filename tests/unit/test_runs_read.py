"""Reading records back: what the events amount to, once each, and what a process that is gone has left."""

import json
import os
import signal
import time
from pathlib import Path

import pytest

from backends.runs import read
from backends.runs.events import Kind
from backends.runs.follow import follow, follow_in_batches
from backends.runs.read import EventTail, RunReader, alive, read_run
from backends.runs.record import RUN
from backends.runs.recorder import EVENTS
from backends.runs.run import RunState

from .runs_rig import eventually, isolate, spawn, written

STARTED = ("started", {"pid": 4_000_000, "host": "here", "python": "3.11", "langgraph": "1"})
RUNNING = ("running", {"call": "graph.invoke(None, config)", "head": "head-0"})


def task(phase, number, name, **more):
    return "task", {"phase": phase, "id": str(number), "name": name, "ns": "", "step": 1, **more}


@pytest.fixture(autouse=True)
def isolated(tmp_path, monkeypatch):
    isolate(tmp_path, monkeypatch)


def test_a_run_that_was_asked_for_is_starting():
    folder, _ = written(thread_id="doc-7", operator="you@laptop", durability="exit", expected_head="")
    run = read_run(folder)
    assert (run.state, run.thread_id, run.operator, run.graph) == (
        RunState.STARTING,
        "doc-7",
        "you@laptop",
        "documents",
    )
    assert (run.durability, run.head_before, run.live, run.verb) == ("exit", None, True, "resume")
    assert run.run_id == Path(folder).name


def test_progress_is_tasks_begun_and_finished_and_the_nodes_that_run():
    folder, recorder = written(STARTED)
    reader = RunReader(folder)
    assert reader.read().pid == 4_000_000
    for kind, data in (
        RUNNING,
        task("start", 1, "analyze"),
        task("start", 2, "analyze"),
        task("start", 3, "load"),
        task("end", 3, "load"),
        task("end", 9, "finished before"),
        ("checkpoint", {"id": "head-1", "ns": "", "step": 1, "source": "loop", "next": ["review"]}),
        ("checkpoint", {"id": "inner", "ns": "sub:1", "step": 5, "source": "loop", "next": ["deep"]}),
    ):
        recorder.write(Kind(kind), **data)
    recorder.write(Kind.END, outcome="waiting", reason="asks", head="head-2", next=["review"], exit=0)
    run = reader.read()
    assert (run.begun, run.finished, run.head_before, run.head) == (3, 1, "head-0", "head-2")
    assert (run.state, run.reason, run.next, run.nodes) == (RunState.WAITING, "asks", ("review",), {})
    assert run.exit_code == 0
    assert run.call == "graph.invoke(None, config)"
    assert run.ended_at == pytest.approx(time.time(), abs=5)


def test_each_line_is_read_once_and_a_line_in_writing_waits():
    folder, _ = written(STARTED)
    tail = EventTail(folder)
    assert [event.kind for event in tail.news()] == [Kind.STARTED]
    with open(folder / EVENTS, "ab") as file:
        file.write(b'{"t": 1, "kind": "hea')
        file.flush()
        assert list(tail.news()) == []
        file.write(b'rtbeat"}\n')
    assert [event.kind for event in tail.news()] == [Kind.HEARTBEAT]
    assert list(tail.news()) == []


def test_lines_that_are_no_events_are_passed_over():
    folder, recorder = written(STARTED)
    with open(folder / EVENTS, "ab") as file:
        file.write(b'{"t": 1, "kind": "of a later version"}\n[1]\n\xff\xfe\n{"t": "x", "kind": "log"}\nnull\n\n')
        file.write(b"[" * 100_000 + b"\n")
    recorder.write(Kind.END, outcome="of a later version")
    assert [event.kind for event in EventTail(folder).news()] == [Kind.STARTED, Kind.END]
    assert read_run(folder).state is RunState.FAILED


def test_a_line_longer_than_a_chunk_is_read_whole(monkeypatch):
    monkeypatch.setattr(read, "_CHUNK", 64)
    folder, _ = written(("graph", {"drawing": {"nodes": ["x" * 1000]}}), ("heartbeat", {}))
    assert [event.kind for event in EventTail(folder).news()] == [Kind.GRAPH, Kind.HEARTBEAT]


def test_events_with_values_of_other_types_do_not_matter():
    folder, _ = written(
        ("started", {"pid": "x"}),
        ("running", {"call": 5, "head": ["h"]}),
        ("task", {"id": None, "name": {}, "phase": "start"}),
        ("checkpoint", {"next": "abc", "id": 7}),
        ("end", {"outcome": ["done"], "reason": {}, "next": [1, "a"]}),
    )
    run = read_run(folder)
    assert (run.pid, run.call, run.head, run.next, run.reason) == (None, "", None, ("a",), "")


def test_a_reason_is_one_safe_line():
    folder, _ = written(("end", {"outcome": "failed", "reason": "\x1b[31mbad\nworse" + "x" * 10_000}))
    reason = read_run(folder).reason
    assert "\x1b" not in reason
    assert "\n" not in reason
    assert len(reason) <= 500


def test_states_of_a_live_child_follow_its_events(tmp_path):
    go, gate = tmp_path / "go", tmp_path / "gate"
    run = spawn(
        ["hold"],
        ["until", str(go)],
        ["event", *RUNNING],
        ["until", str(gate)],
        ["event", "end", {"outcome": "drained"}],
    )
    assert (run.state, alive(run.folder)) == (RunState.STARTING, True)
    reader = RunReader(run.folder)
    go.touch()
    eventually(lambda: reader.read().state is RunState.RUNNING)
    os.kill(run.pid, signal.SIGTERM)
    assert eventually(lambda: not (found := reader.read()).live and found).state is RunState.DRAINED
    kinds = [event.kind for event in follow(run.folder)]
    assert kinds == [Kind.STARTED, Kind.RUNNING, Kind.STOPPING, Kind.END]


@pytest.mark.parametrize(
    ("last", "said"),
    [
        (
            ["signal", signal.SIGKILL],
            "The process was killed by SIGKILL (by a person, or because memory ran out) while analyze ran.",
        ),
        (["signal", signal.SIGSEGV], "The process was killed by SIGSEGV while analyze ran."),
        (["exit", 3], "The process left with exit code 3 in the middle of its work while analyze ran."),
    ],
)
def test_a_process_that_is_gone_has_crashed_with_a_cause(last, said):
    run = spawn(["hold"], ["event", *RUNNING], ["event", *task("start", 1, "analyze")], last)
    for _ in follow(run.folder):
        pass
    run = read_run(run.folder)
    assert (run.state, run.reason, run.nodes, run.live) == (RunState.CRASHED, said, {}, False)
    assert run.exit_code == (last[1] if last[0] == "exit" else -last[1])


def test_without_a_witness_a_crash_has_no_cause():
    folder, _ = written(STARTED, RUNNING)
    run = read_run(folder)
    assert (run.state, run.reason, run.exit_code) == (RunState.CRASHED, "The process is gone without a word.", None)
    assert run.ended_at == pytest.approx(time.time(), abs=5)


def test_a_child_that_ends_before_it_lives_tells_its_last_words():
    run = spawn(["say", "Traceback"], ["say", "ImportError: no module named zlib"], ["exit", 1])
    assert run.state is RunState.CRASHED
    assert run.reason.endswith("exit code 1 in the middle of its work: ImportError: no module named zlib")


def test_a_run_on_another_host_lives_as_long_as_it_gives_signs(monkeypatch):
    folder, _ = written(STARTED, RUNNING)
    request = (folder / RUN).read_text()
    (folder / RUN).write_text(request.replace(json.dumps(os.uname().nodename), '"elsewhere"'))
    assert read_run(folder).state is RunState.RUNNING
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now + 60)
    assert read_run(folder).state is RunState.CRASHED


def test_following_ends_with_the_end_and_with_the_process(tmp_path):
    run = spawn(["hold"], ["event", *RUNNING], ["signal", signal.SIGKILL])
    assert [event.kind for event in follow(run.folder)] == [Kind.STARTED, Kind.RUNNING]
    folder, _ = written(STARTED, ("end", {"outcome": "done"}), ("heartbeat", {}))
    assert [event.kind for event in follow(folder)] == [Kind.STARTED, Kind.END]


def test_following_in_batches_gives_what_a_look_has_brought():
    folder, _ = written(STARTED, *[("log", {"text": f"{n}"}) for n in range(2500)], ("end", {}), ("heartbeat", {}))
    batches = list(follow_in_batches(folder))
    assert [len(batch) for batch in batches] == [1000, 1000, 502]
    assert [event for batch in batches for event in batch] == list(follow(folder))
    assert batches[-1][-1].kind is Kind.END


def test_following_ends_with_the_process_whatever_it_left_behind_goes_on_to_print(tmp_path):
    run = spawn(["hold"], ["until", str(tmp_path / "go")])
    told, looks = [], []

    def print_on():
        if told and not looks:
            os.kill(run.pid, signal.SIGKILL)
        if told:
            looks.append(1)
            with open(Path(run.folder, EVENTS), "a") as file:
                file.write('{"t": 1.0, "kind": "log", "stream": "stdout", "text": "still here"}\n')
        return len(looks) > 200

    for event in follow(run.folder, stop=print_on):
        told.append(event.kind)
    assert told[0] is Kind.STARTED
    assert 0 < len(looks) <= 200


def test_following_can_be_stopped(tmp_path):
    run = spawn(["hold"], ["until", str(tmp_path / "go")])
    seen = []
    for event in follow(run.folder, stop=lambda: bool(seen)):
        seen.append(event.kind)
    assert seen == [Kind.STARTED]
    os.kill(run.pid, signal.SIGKILL)


def test_what_is_no_record_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_run(tmp_path)
    (tmp_path / "run.json").write_text("[]")
    with pytest.raises(ValueError, match="not a request"):
        read_run(tmp_path)

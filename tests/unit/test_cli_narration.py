"""What a run's events become on standard error: one clean line each, whatever the user's code says."""

import sys
from types import SimpleNamespace

import pytest

from backends.runs.events import Event, Kind
from tui.cli.narration import Narrator

HOSTILE = "\x1b[2J\x1b]0;owned\x07\u202egnp.exe\r\nsecond [red]markup[/] {0} %s \ud800"

EVENTS = {
    Kind.STARTED: {"pid": 7, "host": HOSTILE, "python": HOSTILE, "langgraph": HOSTILE},
    Kind.LOCKED: {},
    Kind.GRAPH: {"drawing": {}},
    Kind.RUNNING: {"call": HOSTILE, "head": None},
    Kind.TASK: {"phase": "end", "id": HOSTILE, "name": HOSTILE, "ns": HOSTILE, "step": 1, "error": HOSTILE},
    Kind.CHECKPOINT: {"id": HOSTILE, "ns": "", "step": 1, "source": HOSTILE, "next": [HOSTILE]},
    Kind.INTERRUPT: {"id": HOSTILE, "node": HOSTILE, "ns": HOSTILE, "value": {HOSTILE: HOSTILE}},
    Kind.CUSTOM: {"ns": "", "value": {HOSTILE: [HOSTILE]}},
    Kind.LOG: {"stream": HOSTILE, "level": HOSTILE, "text": HOSTILE},
    Kind.ERROR: {"type": HOSTILE, "message": HOSTILE, "traceback": HOSTILE * 20, "node": HOSTILE},
    Kind.FAULT: {"point": HOSTILE, "node": HOSTILE, "how": HOSTILE},
    Kind.STOPPING: {"how": "drain"},
    Kind.HEARTBEAT: {"running": [HOSTILE]},
    Kind.END: {"outcome": HOSTILE, "reason": HOSTILE, "head": None, "next": [HOSTILE]},
}
SILENT = {Kind.LOCKED, Kind.GRAPH, Kind.CHECKPOINT, Kind.HEARTBEAT}


@pytest.fixture
def tell(capsys):
    """Tell events with one narrator; give what was said, without the times."""
    narrator = Narrator()

    def told(*events):
        narrator.tell([Event(1_700_000_000.0 + at, kind, data) for at, (kind, data) in enumerate(events)])
        out, err = capsys.readouterr()
        assert out == ""
        assert all(line[2] == line[5] == ":" for line in err.splitlines())
        return [line[12:] for line in err.splitlines()]

    return told


def test_every_kind_of_event_is_here():
    assert set(EVENTS) == set(Kind)


@pytest.mark.parametrize("kind", Kind)
def test_nothing_that_a_terminal_would_obey(tell, kind):
    lines = tell((kind, EVENTS[kind]))
    assert bool(lines) == (kind not in SILENT)
    assert all(line.encode().decode().isprintable() for line in lines)
    assert all(len(line) <= 240 for line in lines)


@pytest.mark.parametrize("kind", Kind)
def test_an_event_without_its_keys_is_told_or_passed_over(tell, kind):
    tell((kind, {}))


def test_a_task_is_told_with_the_time_it_took(tell):
    start = {"phase": "start", "id": "t1", "name": "load", "ns": "outer:1", "step": 1}
    end = {**start, "phase": "end", "error": None, "interrupts": 0, "result": "{n: 1}"}
    assert tell((Kind.TASK, start), (Kind.TASK, end)) == ["● outer › load  started", "✓ outer › load  1.0 s  {n: 1}"]


def test_what_happened_before_is_not_told_but_known(capsys):
    narrator = Narrator(since=101.0)
    start = {"phase": "start", "id": "t1", "name": "load", "ns": ""}
    narrator.tell([Event(100.0, Kind.TASK, start)])
    narrator.tell([Event(102.5, Kind.TASK, {**start, "phase": "end"})])
    assert capsys.readouterr().err[12:] == "✓ load  2.5 s\n"


def test_output_of_the_graph_is_told_line_by_line(tell):
    printed = {"stream": "stdout", "level": None, "text": "one\ntwo\n"}
    assert tell((Kind.LOG, printed)) == ["│ stdout  one", "│ stdout  two"]


def test_of_a_traceback_the_end_is_told(tell):
    trace = "Traceback (most recent call last):\n" + "".join(f"  frame {n}\n" for n in range(30)) + "ValueError: no\n"
    lines = tell((Kind.ERROR, {"type": "ValueError", "message": "no", "traceback": trace, "node": "load"}))
    assert lines[0] == "│ traceback  … 19 more lines in the run's record"
    assert lines[1].split() == ["│", "traceback", "frame", "18"]
    assert lines[-1] == "✖ load  ValueError: no"


def test_what_a_look_has_brought_is_told_in_one_go(monkeypatch):
    written = []
    monkeypatch.setattr(sys, "stderr", SimpleNamespace(write=written.append, flush=lambda: written.append("")))
    start = {"phase": "start", "id": "t1", "name": "load", "ns": ""}
    Narrator().tell([Event(100.0, Kind.TASK, start), Event(101.0, Kind.TASK, {**start, "phase": "end"})])
    Narrator().tell([Event(101.0, Kind.CHECKPOINT, {})])
    assert [text.count("\n") for text in written] == [2, 0]

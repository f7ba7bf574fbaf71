"""What the child writes down: printed text within limits, objects as placeholders, the stream as events."""

import json
import time
from collections import deque
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple

import pytest
from langchain_core.messages import AIMessage
from pydantic import BaseModel, SecretStr

from backends.present import preview, to_json
from backends.runs.events import Event, Kind
from backends.runs.recorder import Recorder
from backends.worker import output as printed
from backends.worker.hearing import take
from backends.worker.narrator import Narrator
from backends.worker.objects import as_value
from backends.worker.output import Output
from backends.worker.pulse import Pulse


def events(folder: Path) -> list[Event]:
    return [Event.from_json(line) for line in (folder / "events.jsonl").read_text().splitlines()]


# --- printed text ----------------------------------------------------------------------------------------------------


@pytest.fixture
def output(tmp_path: Path) -> Output:
    return Output(tmp_path, Recorder(tmp_path))


def texts(folder: Path) -> list[tuple[str, str]]:
    return [(event.data["stream"], event.data["text"]) for event in events(folder)]


def test_lines_are_put_together_by_stream(output: Output, tmp_path: Path):
    output.add("stdout", b"one\ntw")
    output.add("stderr", b"progress 1\rprogress 2\r")
    output.add("stdout", b"o\r\n\n")
    output.add("stdout", "thr\N{LATIN SMALL LETTER E WITH ACUTE}".encode())
    output.add("stdout", b"")
    output.close()
    out, err = ("stdout", "stderr")
    assert texts(tmp_path) == [(out, "one"), (err, "progress 1"), (err, "progress 2"), (out, "two"), (out, "thr\xe9")]
    assert (tmp_path / "output.log").read_bytes().startswith(b"one\ntwprogress 1")


def test_a_line_without_an_end_is_broken(output: Output, tmp_path: Path):
    output.add("stdout", b"x" * 10_000)
    assert [len(text) for _, text in texts(tmp_path)] == [4_000]


def test_too_many_lines_are_counted(output: Output, tmp_path: Path):
    for _ in range(10):
        output.add("stdout", b"line\n" * 1_000)
    output.close()
    told = texts(tmp_path)
    assert len(told) < 1_000
    stream, text = told[-1]
    assert stream == "lgtop"
    shown = sum(1 for _, each in told if each == "line")
    counted = sum(int(each.split()[1].replace(",", "")) for name, each in told if name == "lgtop")
    assert shown + counted == 10_000
    assert "output.log" in text


def test_the_file_keeps_the_beginning_and_the_end(output: Output, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(printed, "HEAD", 1_000)
    monkeypatch.setattr(printed, "TAIL", 500)
    for number in range(1_000):
        output.add("stdout", b"%04d\n" % number)
    output.close()
    kept = (tmp_path / "output.log").read_bytes()
    beginning, note, end = kept.partition(b"\n\xe2\x80\xa6 3,500 bytes left out \xe2\x80\xa6\n")
    assert note
    assert (len(beginning), beginning[:10]) == (1_000, b"0000\n0001\n")
    assert (len(end), end[-5:]) == (500, b"0999\n")


# --- objects ---------------------------------------------------------------------------------------------------------


class Colour(Enum):
    RED = "red"


class Pair(NamedTuple):
    left: int


@dataclass
class Point:
    x: int


class Model(BaseModel):
    n: int


class Rude:
    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("obj", "shown"),
    [
        ({"a": [1, 2.5, None, True]}, "{a: [1, 2.5, None, True]}"),
        (Colour.RED, "RED|red"),
        (Pair(1), "Pair"),
        (Point(7), "7"),
        (Model(n=8), "8"),
        ({1, 2}, "1, 2"),
        (deque([1]), "1"),
        (ValueError("boom"), "boom"),
        (AIMessage("hello"), "hello"),
        (Rude(), "cannot be made"),
        (b"\x00", "00"),
        (10**400, "bits"),
        (object, "class"),
    ],
)
def test_objects_are_shown(obj: Any, shown: str):
    assert any(part in preview(as_value(obj)) for part in shown.split("|")), preview(as_value(obj))
    json.dumps(to_json(as_value(obj)))


def test_size_and_depth_are_bounded():
    deep: list[Any] = []
    for _ in range(10_000):
        deep = [deep]
    circle: dict[str, Any] = {}
    circle["self"] = circle
    assert len(json.dumps(to_json(as_value([deep, circle, ["x"] * 100_000, {n: n for n in range(100_000)}])))) < 20_000


def test_a_secret_stays_one():
    assert "hunter2" not in json.dumps(to_json(as_value({"key": SecretStr("hunter2")})))


# --- the stream ------------------------------------------------------------------------------------------------------


def task(kind: str, name: str = "node", **more: Any) -> dict[str, Any]:
    ended = {"error": None, "result": {}, "interrupts": []} if kind == "task_result" else {}
    return {"type": kind, "step": 1, "payload": {"id": f"id-{name}", "name": name, **ended, **more}}


def checkpoint(name: str, step: int = 1) -> dict[str, Any]:
    config = {"configurable": {"checkpoint_id": name, "checkpoint_ns": ""}}
    payload = {"config": config, "metadata": {"source": "loop"}, "next": ["b"]}
    return {"type": "checkpoint", "step": step, "payload": payload}


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    return Recorder(tmp_path)


@pytest.fixture
def narrator(recorder: Recorder) -> Narrator:
    return Narrator(recorder)


def test_a_checkpoint_is_told_when_it_is_saved_and_described(narrator: Narrator, tmp_path: Path):
    take(narrator, (), "debug", checkpoint("1"))
    narrator.saved("", "2", {"step": 2, "source": "loop"})
    assert (tmp_path / "events.jsonl").read_text() == ""
    take(narrator, (), "debug", checkpoint("2"))
    narrator.saved("", "1", {})
    narrator.saved("", "3", {"step": 3, "source": "update"})
    narrator.finish()
    assert [event.data["id"] for event in events(tmp_path)] == ["2", "1", "3"]
    assert events(tmp_path)[-1].data == {"ns": "", "id": "3", "step": 3, "source": "update", "next": []}


def test_a_task_whose_writes_are_saved_is_not_told_unless_it_runs_again(narrator: Narrator, tmp_path: Path):
    narrator.loaded([("id-a", "log", 1), ("id-b", "__error__", "x"), ("id-c", "__interrupt__", ())])
    for name in "abc":
        take(narrator, (), "debug", task("task", name))
    assert narrator.running() == ["b", "c"]
    narrator.replaying = True
    take(narrator, (), "debug", task("task", "a"))
    assert [event.data["name"] for event in events(tmp_path)] == ["b", "c", "a"]


def test_a_task_starts_when_it_is_run(narrator: Narrator, tmp_path: Path):
    """LangGraph announces a superstep at once; behind ``max_concurrency`` a task may wait, and be killed unbegun."""
    narrator.hears_entering = True
    narrator.entered("id-early")
    for name in ("early", "late", "never"):
        take(narrator, (), "debug", task("task", name))
    assert narrator.running() == ["early"]
    narrator.entered("id-late")
    assert narrator.running() == ["early", "late"]
    assert [event.data["name"] for event in events(tmp_path)] == ["early", "late"]


def test_a_task_that_is_not_run_ends_with_its_step(narrator: Narrator, recorder: Recorder, tmp_path: Path):
    narrator.hears_entering = True
    take(narrator, (), "debug", task("task"))
    take(narrator, (), "debug", checkpoint("1", step=1))
    recorder.close()
    assert [event.data["phase"] for event in events(tmp_path)][:2] == ["start", "end"]


def test_a_task_taken_from_a_cache_ends_with_its_step(narrator: Narrator, recorder: Recorder, tmp_path: Path):
    take(narrator, (), "debug", task("task"))
    take(narrator, (), "debug", checkpoint("1", step=1))
    assert narrator.running() == []
    recorder.close()
    assert events(tmp_path)[-1].data["phase"] == "end"


def test_the_end_of_a_task_is_told_though_no_checkpoint_is_saved(narrator: Narrator, tmp_path: Path):
    take(narrator, (), "debug", task("task"))
    take(narrator, (), "debug", task("task_result"))
    assert [event.data["phase"] for event in events(tmp_path)] == ["start"], "its checkpoint follows at once"
    last = checkpoint("1", step=1)
    last["payload"]["next"] = []
    take(narrator, (), "debug", last)
    assert [event.data["phase"] for event in events(tmp_path)] == ["start", "end"]


def test_what_waits_is_told_soon(recorder: Recorder, tmp_path: Path):
    recorder.write(Kind.TASK, later=True, phase="end")
    pulse = Pulse(recorder, SimpleQueue(), list, lambda: True, lambda: None, lambda: None)
    pulse.start()
    deadline = time.monotonic() + 30
    while not events(tmp_path):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    pulse.stop()
    assert events(tmp_path)[0].kind is Kind.TASK


def test_a_question_is_told_once(narrator: Narrator, tmp_path: Path):
    question = {"id": "q", "value": {"ask": 1}}
    take(narrator, ("outer:1",), "debug", task("task_result", "inner", interrupts=[question]))
    take(narrator, (), "debug", task("task_result", "outer", interrupts=[question]))
    (asked,) = [event.data for event in events(tmp_path) if event.kind is Kind.INTERRUPT]
    assert asked == {"id": "q", "node": "inner", "ns": "outer:1", "value": {"ask": 1}}


def test_the_task_that_ends_the_run_is_told(narrator: Narrator, tmp_path: Path):
    take(narrator, (), "debug", task("task"))
    narrator.failed("id-node", ValueError("boom"))
    narrator.failed("id-node", ValueError("boom"))
    told = [event.data for event in events(tmp_path) if event.data["phase"] == "end"]
    assert [event["error"] for event in told] == ["ValueError: boom"]
    assert narrator.running() == []

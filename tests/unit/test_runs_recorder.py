"""The writing end of a record."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from backends.runs.events import Event, Kind
from backends.runs.recorder import EVENTS, Recorder

ROOT = Path(__file__).resolve().parents[2]


def lines(folder):
    return [json.loads(line) for line in (folder / EVENTS).read_text().splitlines()]


def test_an_event_is_one_line_that_reads_back(tmp_path):
    Recorder(tmp_path).write(Kind.TASK, phase="start", id="1", name="a\nb", ns="", step=3)
    [line] = (tmp_path / EVENTS).read_text().splitlines()
    event = Event.from_json(line)
    assert (event.kind, dict(event.data)) == (
        Kind.TASK,
        {"phase": "start", "id": "1", "name": "a\nb", "ns": "", "step": 3},
    )
    assert event.t > 1.6e9


def test_the_file_is_its_owners_alone(tmp_path):
    Recorder(tmp_path)
    assert (tmp_path / EVENTS).stat().st_mode & 0o077 == 0


def test_long_texts_and_lists_are_cut_and_counted(tmp_path):
    deep = value = []
    for _ in range(500):
        value.append([])
        value = value[0]
    Recorder(tmp_path).write(
        Kind.CUSTOM, text="x" * 100_000, many=list(range(5_000)), keys={i: i for i in range(5_000)}, deep=deep
    )
    [found] = lines(tmp_path)
    assert len(found["text"]) < 17_000
    assert found["text"].endswith("(100,000 characters)")
    assert found["many"][-1] == "… 4,000 more"
    assert found["keys"]["…"] == "4,000 more"
    assert "…" in json.dumps(found["deep"], ensure_ascii=False)


def test_a_drawing_is_kept_whole(tmp_path):
    drawing = {"nodes": [{"name": f"n{i}"} for i in range(3_000)]}
    Recorder(tmp_path).write(Kind.GRAPH, drawing=drawing)
    assert lines(tmp_path)[0]["drawing"] == drawing


def test_what_is_no_json_is_named_and_its_code_not_called(tmp_path):
    class Trap:
        def __str__(self):
            raise SystemExit("called")

        __repr__ = __str__

    Recorder(tmp_path).write(
        Kind.CUSTOM, value=Trap(), key={Trap(): 1, ("a", 1): 2}, lone="\ud800", number=float("nan")
    )
    [found] = lines(tmp_path)
    assert found["value"].endswith("Trap>")
    assert found["lone"] == "\ud800"
    assert '["a", 1]' in found["key"]


def test_threads_never_mix_their_lines(tmp_path):
    recorder = Recorder(tmp_path)

    def talk(name):
        for count in range(200):
            recorder.write(Kind.LOG, stream=name, text="x" * count, count=count)

    threads = [threading.Thread(target=talk, args=(str(number),)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = lines(tmp_path)
    assert len(found) == 1_600
    assert [event["count"] for event in found if event["stream"] == "3"] == list(range(200))


def test_a_full_disk_stops_nobody(tmp_path):
    (tmp_path / EVENTS).symlink_to("/dev/full")
    recorder = Recorder(tmp_path)
    for _ in range(3):
        recorder.write(Kind.HEARTBEAT)
    assert recorder.lost == 3


def test_what_may_wait_is_written_with_the_next_event_in_order(tmp_path):
    recorder = Recorder(tmp_path)
    recorder.write(Kind.HEARTBEAT, later=True, running=["a"])
    assert lines(tmp_path) == []
    recorder.write(Kind.HEARTBEAT, running=["b"])
    recorder.write(Kind.HEARTBEAT, later=True, running=["c"])
    recorder.close()
    assert [event["running"] for event in lines(tmp_path)] == [["a"], ["b"], ["c"]]


def test_a_torn_line_is_ended_before_the_next_and_what_was_lost_is_told(tmp_path):
    code = f"""
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from backends.runs.events import Kind
from backends.runs.recorder import Recorder
recorder = Recorder({str(tmp_path)!r})
recorder.write(Kind.HEARTBEAT, n=1)
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (200, hard))
recorder.write(Kind.LOG, text="y" * 1000)
recorder.write(Kind.LOG, text="z" * 1000)
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
recorder.write(Kind.HEARTBEAT, n=2)
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    first, torn, notice, last = (tmp_path / EVENTS).read_text().splitlines()
    assert json.loads(first)["n"] == 1
    assert torn.endswith("yyy")
    assert "2 events could not be written" in json.loads(notice)["text"]
    assert json.loads(last)["n"] == 2


@pytest.mark.parametrize("kind", [Kind.TASK, Kind.CUSTOM])
@pytest.mark.parametrize("text", ["plain", "Größe 漢字 \u2028", "lone\ud800", "a\x00\x1b[2J", "\U0001f600", "\\ud800"])
def test_whatever_a_name_is_made_of_it_is_read_as_it_was_told(tmp_path: Path, kind: Kind, text: str) -> None:
    recorder = Recorder(tmp_path)
    recorder.write(kind, name=text, step=2**70, next=[text, None])
    recorder.close()
    (told,) = (tmp_path / EVENTS).read_text().splitlines()
    found = Event.from_json(told)
    assert (found.kind, found.data) == (kind, {"name": text, "step": 2**70, "next": [text, None]})
    assert told.isascii()

"""The action log: what was asked for, by whom, and what became of it; readable by its owner, without a secret."""

from __future__ import annotations

import json
import os
import stat
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from backends.address import parse_address
from backends.control import journal
from backends.control.gate import Gate
from backends.control.journal import Entry, append, conclude, entries, new_entry
from backends.control.plan import Intent, Plan
from backends.errors import Refused

GATE = Gate(parse_address("postgresql://me:s3cret@db/app", {}))


@pytest.fixture(autouse=True)
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "lgtop" / "actions.jsonl"


def make(number: int, key: str = "key", **more: object) -> Entry:
    plan = Plan(Intent("copy", f"t{number}", target="new"), None, "head", f"copy {number}")
    return replace(new_entry(plan, GATE, key, "me@here"), **more)  # type: ignore[arg-type]


def test_nothing_has_been_done_yet() -> None:
    assert entries() == []


def test_the_newest_action_comes_first_with_what_became_of_it(log: Path) -> None:
    made = [make(number, key="other" if number == 2 else "key") for number in range(4)]
    for one in made:
        append(one)
    conclude(made[1].action_id, outcome="done", checkpoints=3)
    conclude(made[1].action_id, undone=True)
    assert [one.thread_id for one in entries()] == ["t3", "t2", "t1", "t0"]
    assert entries("key")[1] == replace(made[1], outcome="done", checkpoints=3, undone=True)
    assert [one.thread_id for one in entries("key", limit=2)] == ["t3", "t1"]
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert stat.S_IMODE(log.parent.stat().st_mode) == 0o700


def test_no_secret_is_written(log: Path) -> None:
    intent = Intent("start", "t", input={"x": "seen"}, config={"api_key": "k3y"}, context={"token": "t0ken"})
    append(new_entry(Plan(intent, None, "", "start"), GATE, "key", "me"))
    text = log.read_text()
    assert "seen" in text
    assert "api_key" in text
    for secret in ("s3cret", "k3y", "t0ken"):
        assert secret not in text


def test_lines_that_cannot_be_read_are_passed_over(log: Path) -> None:
    append(make(1))
    with log.open("ab") as file:
        file.write(b'{"action_id": "cut o\n[]\n{"about": {"outcome": "done"}}\n{"later": "release"}\n\xff\n')
    append(make(2))
    with log.open("ab") as file:
        file.write(json.dumps({"action_id": "x", "about": {"unheard": 1}}).encode() + b"\n")
    assert [one.thread_id for one in entries()] == ["t2", "t1"]


def test_many_processes_append_whole_lines(log: Path) -> None:
    children = []
    for number in range(4):
        child = os.fork()
        if not child:
            for _ in range(50):
                append(make(number))
            os._exit(0)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
    found = entries(limit=None)
    assert len(found) == 200
    assert len({one.action_id for one in found}) == 200


def test_a_large_log_begins_anew_and_still_shows_what_was_before(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_LARGEST", 3000)
    for number in range(12):
        append(make(number))
    assert log.with_name("actions.1.jsonl").exists()
    assert log.stat().st_size < 4000
    shown = [int(one.thread_id[1:]) for one in entries()]
    assert shown == list(range(11, 11 - len(shown), -1))
    assert len(shown) > 4


def test_where_no_log_can_be_kept_nothing_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with pytest.raises(Refused, match="action log") as raised:
        append(make(1))
    assert "XDG_STATE_HOME" in raised.value.advice


def test_threads_get_ids_of_their_own() -> None:
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.extend(make(1).action_id for _ in range(100))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 400

"""``lgtop watch --exec``: a command when a thread enters a status, and nothing of the thread in the command's text."""

from __future__ import annotations

import json
import os

import pytest

from tests import schemas
from tests.holding import Holding
from tests.locking import within
from tui.cli.exits import Exit

from .test_cli_watch import move, watches


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("LGTOP_STORE", raising=False)
    path = tmp_path / "app.sqlite"
    move(path, "first")
    return path


@pytest.fixture
def watch(store):
    with watches(store) as start:
        yield start


def lines_in(path):
    return path.read_text().splitlines() if path.exists() else []


def test_a_command_runs_when_a_thread_enters_the_status_of_the_filter(store, watch, tmp_path):
    log = tmp_path / "log"
    one = watch("--filter", "status:failed", "--exec", f'echo "$LGTOP_THREAD $LGTOP_STATUS $LGTOP_NEXT" >>{log}')
    move(store, "fine")
    move(store, "broken", down=["load"])
    assert within(30, lambda: lines_in(log) == ["broken failed load"])
    move(store, "worse", down=["load"])
    assert within(30, lambda: lines_in(log) == ["broken failed load", "worse failed load"])
    assert one.end()[0] == Exit.INTERRUPTED
    assert lines_in(log) == ["broken failed load", "worse failed load"]


def test_each_status_is_entered_once_and_what_was_there_before_is_not_news(store, watch, tmp_path):
    log = tmp_path / "log"
    one = watch("--exec", f'echo "$LGTOP_THREAD $LGTOP_STATUS" >>{log}')
    with Holding(str(store), "first"):
        assert within(30, lambda: lines_in(log) == ["first running"])
    assert within(30, lambda: lines_in(log) == ["first running", "first done"])
    assert one.end()[0] == Exit.INTERRUPTED


def test_the_thread_is_on_standard_input_and_output_is_narration(store, watch, tmp_path):
    log = tmp_path / "log"
    one = watch("--jsonl", "--filter", "status:done", "--exec", f"cat >>{log}; echo said; exit 3")
    move(store, "second")
    one.hear("said")
    assert "thread 'second' ended with 3" in one.hear("ended with")
    schemas.check(json.loads(lines_in(log)[0]), schemas.THREAD)
    code, rest = one.end()
    assert code == Exit.INTERRUPTED
    assert all(json.loads(line)["thread_id"] == "second" for line in rest if line.startswith("{"))


def test_a_hostile_thread_id_is_data(store, watch, tmp_path):
    log = tmp_path / "log"
    hostile = f"$(touch {tmp_path}/owned); `touch {tmp_path}/owned`'\"\n\x1b]0;x\x07"
    one = watch("--filter", "status:done", "--exec", f'printf %s "$LGTOP_THREAD" >{log}; touch {tmp_path}/done')
    move(store, hostile)
    assert within(30, (tmp_path / "done").exists)
    assert log.read_bytes().decode() == hostile
    assert not (tmp_path / "owned").exists()
    assert one.end()[0] == Exit.INTERRUPTED


def test_the_command_can_ask_the_same_store(store, watch, tmp_path):
    log = tmp_path / "log"
    watch("--filter", "status:done", "--exec", f'printf %s "$LGTOP_STORE" >{log}.new && mv {log}.new {log}')
    move(store, "second")
    assert within(30, log.exists)
    assert os.path.samefile(log.read_text(), store)

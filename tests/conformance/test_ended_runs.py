"""How a run ended is seen where its rows alone cannot tell: in the list, and by the commands."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backends.control.plan import Intent
from backends.runs.run import Run, RunState
from backends.runs.stop import stop
from tests.torture.lab import Lab, lab
from tui.cli.exits import Exit
from tui.cli.main import run


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Lab]:
    with lab("sqlite", tmp_path) as made:
        yield made


def begun(opened: Lab, pace: float = 0.0, **options: Any) -> Run:
    given = {"notes": str(opened.notes.path), "pace": pace, "log": []}
    return opened.do(Intent("start", "t", input=given, **options), "loop")


def seen(opened: Lab, capsys: pytest.CaptureFixture[str], status: str) -> str:
    """Wait until the list shows a status; the reason that the commands give, who must agree."""
    opened.seen.when("t", status, 0.0)
    capsys.readouterr()
    assert run(["ls", "-s", str(opened.address.path), "--json"]) == Exit.DONE
    (listed,) = json.loads(capsys.readouterr().out)
    assert run(["show", "-s", str(opened.address.path), "t", "--json"]) == Exit.DONE
    shown = json.loads(capsys.readouterr().out)
    assert (listed["status"], listed["reason"], listed["running_by"]) == (status, shown["reason"], None)
    assert shown["status"] == status
    return str(listed["reason"])


def test_a_single_step_is_paused(opened: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    assert opened.finish(begun(opened, step=True)).state is RunState.PAUSED
    assert "plan" in seen(opened, capsys, "paused")
    assert "stalled" not in opened.seen.of("t")


def test_a_drained_run_is_paused(opened: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    going = begun(opened, pace=0.5)
    opened.notes.wait_for("t")
    stop(going, "drain")
    assert opened.finish(going).state is RunState.DRAINED
    seen(opened, capsys, "paused")
    assert opened.seen.of("t") == ["running", "paused"]


def test_a_run_that_gave_up_without_a_trace_in_its_rows_has_failed(
    opened: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    assert opened.finish(begun(opened, recursion_limit=2)).state is RunState.FAILED
    assert "ecursion" in seen(opened, capsys, "failed")


def test_an_edited_thread_is_paused(opened: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    opened.finish(begun(opened))
    edit = opened.do(Intent("edit", "t", values={"round": 1}, as_node="plan"), "loop")
    assert opened.finish(edit).state is RunState.DONE
    assert seen(opened, capsys, "paused") == "Edited by torturer@lab, not resumed since."


def test_a_killed_run_that_saved_nothing_is_told_of(opened: Lab) -> None:
    opened.finish(begun(opened))
    opened.seen.when("t", "done", 0.0)
    count = len(opened.notes.of("t"))
    lost = begun(opened, pace=0.5, durability="exit")
    opened.notes.wait_for("t", count + 1)
    assert lost.pid is not None
    os.kill(lost.pid, signal.SIGKILL)
    opened.seen.reason("t", "the last run left nothing: The process was killed by SIGKILL")
    assert opened.seen.of("t")[-2:] == ["running", "done"]

"""``--crash`` on the command line: the run dies where it was told to, and a resume does the rest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .commands import Commands

ROOT = Path(__file__).resolve().parents[2]
JOB = json.dumps({"rows": 10, "pace": 0, "down": []})


@pytest.fixture
def lgtop(tmp_path: Path) -> Commands:
    return Commands(ROOT, str(tmp_path / "store.sqlite"), tmp_path / "state")


def test_a_run_and_a_resume_are_crashed_on_purpose(lgtop: Commands) -> None:
    place = ("--graph", "pipeline")
    code, _, said = lgtop.run("run", *place, "--thread", "t", "--input", JOB, "--crash", "before:transform=kill")
    assert code == 1, said
    assert "SIGKILL" in said + lgtop.thread("t")["reason"]
    assert lgtop.thread("t")["status"] == "crashed"
    plan = lgtop.json("resume", "t", *place, "--crash", "committed:load=exit", "--dry-run")
    assert "--crash committed:load=exit" in plan["command"]
    code, _, said = lgtop.run("resume", "t", *place, "--crash", "after:load=exit")
    assert code == 1, said
    assert lgtop.state("t")["progress"] == 66
    assert lgtop.json("resume", "t", *place)["state"] == "done"
    assert lgtop.state("t")["progress"] == 100


def test_what_is_no_fault_is_a_mistake_on_the_command_line(lgtop: Commands) -> None:
    code, _, said = lgtop.run("run", "--graph", "pipeline", "--input", JOB, "--crash", "sideways:transform=kill")
    assert code == 2
    assert "There is no point 'sideways'. Points: before, inside, after, written, committed." in " ".join(said.split())

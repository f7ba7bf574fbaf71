"""A run outlives the app that began it, and the terminal; an app that is opened later shows it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from backends.runs.ledger import Ledger
from backends.runs.run import RunState
from tests.torture import race
from tests.torture.lab import KINDS, PATIENCE, PROJECT, lab

from .tmux import terminal, wait_for

BIN = Path(sys.executable).parent


def app_on(store):
    """Process id of the app that has a store open: the only one whose command line names it."""
    listed = subprocess.run(["ps", "axww", "-o", "pid=,args="], capture_output=True, text=True, check=True).stdout
    found = [line.split() for line in listed.splitlines() if store in line and "bin/lgtop" in line]
    assert len(found) == 1, found
    return int(found[0][0])


def eventually(condition):
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not in {PATIENCE} s"
        time.sleep(0.02)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_the_app_is_killed_and_its_terminal_closed(kind, request, tmp_path):
    url = request.getfixturevalue("postgres_url") if kind == "postgres" else None
    with lab(kind, tmp_path, url) as opened:
        address = opened.address.dsn or opened.address.path
        gate = tmp_path / "gate"
        race.stop_before_gate(opened, "left-alone", str(gate))
        environment = {
            "PATH": f"{BIN}:{os.environ.get('PATH', os.defpath)}",
            "XDG_STATE_HOME": os.environ["XDG_STATE_HOME"],
            **dict.fromkeys(("LGTOP_STORE", "NO_COLOR", "SSH_CONNECTION", "SSH_TTY"), ""),
        }
        with terminal(100, 30, environment) as screen:
            screen.type(f"cd {PROJECT} && lgtop '{address}' --graph ./project.py:gate\n")
            wait_for(screen, ["left-alone", "stalled", "wait"])
            screen.type("r")
            wait_for(screen, ["resume left-alone", "do it"])
            screen.press("enter")
            wait_for(screen, lambda text: "● running" in text and "1 running" in text)
            opened.notes.wait_for("left-alone", 3)
            os.kill(app_on(address), signal.SIGKILL)

        ledger = Ledger(None)
        (run,) = ledger.refresh()
        assert run.live
        assert os.getsid(run.pid) == run.pid
        gate.touch()
        ended = eventually(lambda: next((one for one in ledger.refresh() if not one.live), None))
        assert (ended.state, ended.run_id) == (RunState.DONE, run.run_id)
        assert opened.state("left-alone")["log"] == ["first", "through the gate", "second after 2"]

        with terminal(100, 30, environment) as screen:
            screen.type(f"lgtop '{address}'\n")
            wait_for(screen, ["left-alone", "✓ done"])
            screen.type("R")
            wait_for(screen, ["left-alone", "✓ done", "resume", "2/2"])


def test_the_terminal_of_a_command_is_closed(tmp_path):
    with lab("sqlite", tmp_path) as opened:
        gate = tmp_path / "gate"
        race.stop_before_gate(opened, "left-alone", str(gate))
        words = ["resume", "-s", opened.address.path, "left-alone", "--graph", "./project.py:gate"]
        environment = {"PATH": f"{BIN}:{os.defpath}", "XDG_STATE_HOME": os.environ["XDG_STATE_HOME"]}
        with terminal(100, 30, environment) as screen:
            screen.type(f"cd {PROJECT} && lgtop {' '.join(words)}\n")
            opened.notes.wait_for("left-alone", 3)
        gate.touch()
        ledger = Ledger(None)
        ended = eventually(lambda: next((one for one in ledger.refresh() if not one.live), None))
        assert ended.state is RunState.DONE
        opened.seen.when("left-alone", "done", 0.0)

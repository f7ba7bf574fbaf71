"""The installed command, run from a user's project, with a state directory of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

LGTOP = Path(sys.executable).parent / "lgtop"
PATIENCE = 60.0
"""Seconds that anything may take on a busy machine."""


class Started:
    """A command that runs beside the test.

    Attributes:
        narration: What it has said on standard error so far.
    """

    def __init__(self, words: list[str], project: Path, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            words,
            cwd=project,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.narration = ""
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self._process.stderr
        for line in self._process.stderr:
            self.narration += line

    def hears(self, words: str) -> None:
        """Wait until the command has said something."""
        deadline = time.monotonic() + PATIENCE
        while words not in self.narration:
            ended = self._process.poll() is not None and not self._listener.is_alive()
            if ended or time.monotonic() > deadline:
                raise AssertionError(f"{words!r} was not said:\n{self.narration}")
            self._listener.join(0.01)

    def ctrl_c(self) -> None:
        self._process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        self._process.kill()

    def ends(self) -> tuple[int, str, str]:
        """Wait for the end; give exit code, output and narration."""
        assert self._process.stdout
        out = self._process.stdout.read()
        code = self._process.wait(PATIENCE)
        self._listener.join(PATIENCE)
        return code, out, self.narration


class Commands:
    """Runs ``lgtop`` from a project on a store.

    Args:
        project: The current directory of every command.
        store: Address of the store.
        state: Where records and logs go.
    """

    def __init__(self, project: Path, store: str, state: Path) -> None:
        self.project = project
        self.store = store
        homes = {name: str(state / name) for name in ("XDG_STATE_HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME")}
        for home in homes.values():
            Path(home).mkdir(mode=0o700, parents=True, exist_ok=True)
        self._environment = {**os.environ, **homes, "LGTOP_STORE": store, "LGTOP_DEBUG": ""}

    def start(self, *words: str) -> Started:
        """Begin a command."""
        return Started([str(LGTOP), *words], self.project, self._environment)

    def run(self, *words: str, given: str = "") -> tuple[int, str, str]:
        """Run a command to its end; nothing that it prints may be obeyed by a terminal, or tell a password."""
        done = subprocess.run(
            [str(LGTOP), *words],
            cwd=self.project,
            env=self._environment,
            input=given,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert all(c.isprintable() or c == "\n" for c in done.stdout + done.stderr)
        return done.returncode, done.stdout, done.stderr

    def json(self, *words: str, code: int = 0) -> Any:
        """Run a command with ``--json``; give the document."""
        ended, out, err = self.run(*words, "--json")
        assert ended == code, f"exit {ended}\n{out}\n{err}"
        return json.loads(out)

    def thread(self, thread_id: str) -> dict[str, Any]:
        """A thread as ``ls`` lists it."""
        (found,) = [one for one in self.json("ls") if one["thread_id"] == thread_id]
        return found

    def state(self, thread_id: str) -> dict[str, Any]:
        """The state of a thread."""
        return self.json("show", thread_id)["state"]

    def until(self, holds: Callable[[], Any]) -> Any:
        """Wait until something holds; give what it is."""
        deadline = time.monotonic() + PATIENCE
        while not (found := holds()):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return found

    def end_everything(self) -> None:
        """Kill the runs that a failed test has left."""
        _, out, _ = self.run("runs", "--live", "--json")
        for run in json.loads(out or "[]"):
            with suppress(ProcessLookupError):
                os.killpg(run["pid"], signal.SIGKILL)

"""The child process of a run, started as the app starts it, and what its record tells."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from backends.runs.events import Event, Kind
from backends.runs.nursery import Newborn, Nursery
from backends.runs.record import EXIT
from backends.runs.spec import GraphRef, RunSpec, Verb

ROOT = Path(__file__).resolve().parents[1]
WORKER = ROOT / "backends" / "worker" / "__main__.py"
DEADLINE = 60.0


@dataclass
class Child:
    """A run.

    Attributes:
        process: Its process.
        folder: Its record.
    """

    process: subprocess.Popen[bytes] | Born
    folder: Path

    def events(self) -> list[Event]:
        """What it has told so far."""
        path = self.folder / "events.jsonl"
        lines = path.read_text().splitlines(keepends=True) if path.exists() else []
        return [Event.from_json(line) for line in lines if line.endswith("\n")]

    def of(self, kind: Kind) -> list[dict[str, Any]]:
        """Data of all events of a kind."""
        return [dict(event.data) for event in self.events() if event.kind is kind]

    def until(self, fits: Callable[[Event], bool]) -> Event:
        """Wait for an event."""
        deadline = time.monotonic() + DEADLINE
        while True:
            over = self.process.poll() is not None
            for event in self.events():
                if fits(event):
                    return event
            assert not over, f"it ended: {self.report()}"
            assert time.monotonic() < deadline, f"nothing came: {self.report()}"
            time.sleep(0.01)

    def wait(self) -> Child:
        """Wait for its end."""
        self.process.wait(DEADLINE)
        return self

    @property
    def end(self) -> dict[str, Any]:
        """The data of its last word."""
        found = self.of(Kind.END)
        assert len(found) == 1, self.report()
        assert found[0]["exit"] == self.process.returncode, self.report()
        return found[0]

    def report(self) -> str:
        """Everything, for a failed assertion."""
        return "\n".join([f"exit {self.process.poll()}", self.boot(), *(e.to_json()[:2000] for e in self.events())])

    def boot(self) -> str:
        """What it said outside its record."""
        return (self.folder / "boot.log").read_text()


@dataclass
class Bench:
    """Starts runs of one project on one store.

    Attributes:
        home: Directory for the records.
        store: Address of the store.
        graph: The graph.
        environment: More variables; with any of them a run is started by itself.
        forked: Whether runs come from a process that has imported LangGraph already, as those of bulk verbs do.
    """

    home: Path
    store: str
    graph: GraphRef
    environment: dict[str, str] = field(default_factory=dict)
    forked: bool = sys.platform.startswith("linux")
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def spec(self, verb: Verb, thread_id: str = "t", **more: Any) -> RunSpec:
        """What a run is asked."""
        number = next(self._numbers)
        folder = self.home / f"run-{number}"
        folder.mkdir(parents=True)
        return RunSpec(f"run-{number}", str(folder), verb, self.graph, self.store, thread_id, "ann@lab", **more)

    def begin(self, verb: Verb, thread_id: str = "t", *, target: str | None = None, **more: Any) -> Child:
        """Start a run."""
        spec = self.spec(verb, thread_id, **more)
        if target is not None:
            spec = replace(spec, graph=replace(self.graph, target=target, name=target))
        if self.forked and not self.environment and not self.graph.python:
            return fork(spec)
        return launch(spec, self.environment)

    def do(self, verb: Verb, thread_id: str = "t", **more: Any) -> Child:
        """Run to the end."""
        return self.begin(verb, thread_id, **more).wait()


def launch(spec: RunSpec, environment: dict[str, str] | None = None) -> Child:
    """Start the child in a session of its own with its request on standard input."""
    folder = Path(spec.record)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    with open(folder / "boot.log", "wb") as log:
        process = subprocess.Popen(
            [spec.graph.python or sys.executable, "-P", str(WORKER)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            cwd=spec.graph.root,
            env={**inherited, "XDG_STATE_HOME": str(folder), **spec.graph.env, **(environment or {})},
            start_new_session=True,
        )
    assert process.stdin is not None
    with process.stdin as pipe:
        pipe.write(spec.to_json().encode())
    return Child(process, folder)


def fork(spec: RunSpec) -> Child:
    """Fork a run from the nursery of this test process."""
    newborn = nursery(spec.store.startswith("postgres")).bear(spec)
    assert newborn is not None
    return Child(Born(newborn, Path(spec.record, EXIT)), Path(spec.record))


@dataclass(frozen=True)
class Born:
    """A forked process, as ``subprocess.Popen`` tells of one."""

    newborn: Newborn
    ending: Path

    @property
    def pid(self) -> int:
        """Its process."""
        return self.newborn.pid

    @property
    def returncode(self) -> int:
        """Its exit code, once it is over."""
        return int(self.ending.read_text())

    def poll(self) -> int | None:
        """Its exit code, if it is over."""
        return self.returncode if self.newborn.over.is_set() else None

    def wait(self, timeout: float) -> int:
        """Wait for its end."""
        assert self.newborn.over.wait(timeout), "it goes on"
        return self.returncode

    def kill(self) -> None:
        """Kill it."""
        os.kill(self.pid, signal.SIGKILL)


@cache
def nursery(postgres: bool) -> Nursery:
    """The process that forks runs on a kind of store; it ends with this one, whose end closes its standard input."""
    home = tempfile.mkdtemp(prefix="lgtop-nursery-")
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    made = Nursery(sys.executable, GraphRef("", str(ROOT), "", env={"XDG_STATE_HOME": home}), postgres)
    assert made.is_fit()
    return made


def project(folder: Path, source: str, name: str = "graph") -> GraphRef:
    """A project of one file ``app.py`` with a graph in it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "app.py").write_text(source)
    return GraphRef(f"./app.py:{name}", str(folder), name)

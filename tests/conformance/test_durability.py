"""A durable application, run as real processes on real stores: what fails is resumed, and by one process only."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import langgraph.checkpoint.postgres
import langgraph.checkpoint.sqlite
import psycopg
import psycopg_pool
import pytest

import lgtop
from tests.forked import Forked
from tests.locking import DEADLINE, ROOT, within

PROGRAM = Path(__file__).with_name("durable_app.py")

IMPORTED = (
    langgraph.checkpoint.postgres,
    langgraph.checkpoint.sqlite,
    psycopg_pool,
    *(getattr(lgtop, name) for name in lgtop.__all__),
)
"""What the program would spend its time with."""


@dataclass
class Application:
    """The program and its store.

    Attributes:
        store: What it saves its checkpoints in.
        home: Where it looks for flaws and keeps its ledger.
    """

    store: str
    home: Path
    _started: list[Forked] = field(default_factory=list)

    def start(self, *arguments: str) -> Forked:
        """Start it, and leave it running."""
        complaints = self.home / f"complaints-{len(self._started)}"
        self._started.append(Forked(PROGRAM, (self.store, str(self.home), *arguments), complaints))
        return self._started[-1]

    def run(self, *arguments: str) -> Any:
        """Run it to its end; what it says."""
        return said(self.start(*arguments))

    def fails(self, *arguments: str) -> Forked:
        """Run it to an end that is none."""
        process = self.start(*arguments)
        assert process.end() != 0
        return process

    def begin(self, *arguments: str) -> Forked:
        """Start it and wait until it is in its second step, where it stays until it is told to go on."""
        with self.flaw("slow"):
            process = self.start(*arguments)
            assert process.stdout.readline() == "in step2\n", process.complaint()
        return process

    def flaw(self, name: str) -> Flaw:
        """Something that is wrong with its second step."""
        return Flaw(self.home / name)

    def ran(self, thread_id: str) -> list[str]:
        """The steps that really ran."""
        lines = (line.split() for line in (self.home / "ledger").read_text().splitlines())
        return [step for thread, step in lines if thread == thread_id]

    def close(self) -> None:
        """Leave nothing running."""
        for process in self._started:
            process.close()


class Flaw:
    """Is there while a block runs."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Self:
        self._path.touch()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._path.unlink()


def said(process: Forked) -> Any:
    """What a process says when it has ended."""
    assert process.end() == 0, process.complaint()
    return json.loads(process.stdout.read().splitlines()[-1])


def go_on(process: Forked) -> Any:
    """Let a process out of its second step; what it says at its end."""
    process.tell("go on")
    return said(process)


@pytest.fixture(params=["sqlite", "postgres"])
def application(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Application]:
    """The program with a store that it has to make first."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    if request.param == "sqlite":
        store = str(tmp_path / "checkpoints.sqlite")
    else:
        store = request.getfixturevalue("postgres_database")(None)
    with closing(Application(store, tmp_path)) as opened:
        yield opened


# --- the two tests of the guide --------------------------------------------------------------------------------------


def test_basic_failure_and_resume(application: Application) -> None:
    with application.flaw("broken"):
        assert "ConnectionError: Simulated failure!" in application.fails("execute", "w").complaint()
    assert application.run("tell", "w") == {
        "thread_id": "w",
        "status": "failed",
        "reason": "ConnectionError('Simulated failure!')",
        "next": ["step2"],
        "complete": False,
        "version": 4,
    }
    result = application.run("manual", "w")
    assert result["status"] == "success"
    assert result["completed"] is True
    assert result["result"] == {"counter": 3, "message": "step3 done"}
    assert result["before_checkpoint"] < result["after_checkpoint"]
    assert application.ran("w") == ["step1", "step2", "step2", "step3"]
    assert application.run("tell", "w")["complete"] is True


def test_lock_protection(application: Application) -> None:
    with application.flaw("broken"):
        application.fails("execute", "w")
    first = application.begin("safe", "w")
    assert application.run("tell", "w")["status"] == "running"
    second = application.run("safe", "w")
    assert second == {
        "status": "already_running",
        "thread_id": "w",
        "result": None,
        "before_checkpoint": None,
        "after_checkpoint": None,
        "completed": False,
        "error": second["error"],
    }
    assert f"pid {first.pid}" in second["error"]
    assert application.run("manual", "w")["status"] == "already_running"
    assert go_on(first)["completed"] is True
    assert application.ran("w") == ["step1", "step2", "step2", "step3"]


def test_of_many_that_resume_one_does(application: Application) -> None:
    with application.flaw("broken"):
        application.fails("execute", "w")
    results = [said(process) for process in [application.start("resume", "w") for _ in range(6)]]
    assert sum(result["result"] is not None for result in results) == 1
    assert {result["status"] for result in results} <= {"success", "already_running"}
    assert application.ran("w") == ["step1", "step2", "step2", "step3"]


def test_a_killed_resume_frees_the_workflow(application: Application) -> None:
    with application.flaw("broken"):
        application.fails("execute", "w")
    first = application.begin("resume", "w")
    assert application.run("resume", "w")["status"] == "already_running"
    first.close()
    assert application.run("resume", "w")["completed"] is True
    assert application.ran("w") == ["step1", "step2", "step2", "step2", "step3"]


# --- the four patterns -----------------------------------------------------------------------------------------------


def test_pattern_1_checkpoints_a_workflow(application: Application) -> None:
    done = application.run("new")
    assert done["state"] == {"counter": 3, "message": "step3 done"}
    assert re.fullmatch(r"process_user123_\d{14}_[0-9a-f]{8}", done["thread_id"])
    assert application.run("tell", done["thread_id"])["status"] == "done"


def test_pattern_2_starts_or_resumes(application: Application) -> None:
    with application.flaw("broken"):
        application.fails("manual", "w")
        again = application.run("manual", "w")
    assert again["status"] == "error"
    assert again["error"].startswith("ConnectionError: Simulated failure!")
    assert again["before_checkpoint"] == again["after_checkpoint"]
    assert again["completed"] is False
    assert application.run("manual", "w")["completed"] is True
    assert application.ran("w") == ["step1", "step2", "step2", "step2", "step3"]
    assert application.run("manual", "w") == {"started": {"counter": 3, "message": "step3 done"}}


def test_pattern_3_resumes_what_was_killed_and_frees_its_lock(application: Application) -> None:
    with application.flaw("deadly"):
        assert application.fails("safe", "w").end() == -signal.SIGKILL
        assert application.run("tell", "w")["status"] == "stalled"
        assert application.fails("safe", "w").end() == -signal.SIGKILL
    assert application.run("safe", "w")["completed"] is True
    assert application.ran("w") == ["step1", "step2", "step2", "step2", "step3"]
    assert application.run("safe", "w") == {"started": {"counter": 3, "message": "step3 done"}}


def test_pattern_4_resumes_each_failed_workflow_once(application: Application) -> None:
    failed = [f"failed-{number}" for number in range(4)]
    with application.flaw("broken"):
        for thread_id in failed:
            application.fails("execute", thread_id)
    with application.flaw("asking"):
        application.run("execute", "waiting")
    application.run("execute", "done")
    running = application.begin("safe", "running")
    told = [said(process) for process in [application.start("batch"), application.start("batch")]]
    assert go_on(running) == {"started": {"counter": 3, "message": "step3 done"}}
    seen = {thread_id for batch in told for thread_id in batch}
    assert seen == set(failed)
    for thread_id in failed:
        assert application.ran(thread_id) == ["step1", "step2", "step2", "step3"]
        results = [batch[thread_id] for batch in told if thread_id in batch]
        assert [result["result"] is not None for result in results].count(True) == 1
        assert {result["status"] for result in results} <= {"success", "already_running"}
    assert application.ran("waiting") == ["step1", "step2"]
    assert application.run("batch") == {}


def test_backoff_goes_on_until_the_workflow_does(application: Application) -> None:
    with application.flaw("broken"):
        application.fails("execute", "w")
        process = application.start("persist", "w")
        assert within(DEADLINE, lambda: len(application.ran("w")) >= 4)
    result = said(process)
    assert result["completed"] is True
    assert Counter(application.ran("w"))["step3"] == 1
    assert Counter(application.ran("w"))["step1"] == 1


def test_processes_that_start_at_once_share_the_making_of_the_store(application: Application) -> None:
    processes = [application.start("execute", f"w{number}") for number in range(4)]
    assert [said(process)["counter"] for process in processes] == [3] * 4
    if "://" in application.store:
        with psycopg.connect(application.store) as admin:
            (broken,) = admin.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid").fetchone() or ()
            assert broken == 0


@pytest.mark.parametrize("application", ["sqlite"], indirect=True)
def test_the_application_is_not_disturbed_by_what_else_is_called_backends(application: Application) -> None:
    for name in ("backends", "tui"):
        (application.home / name).mkdir()
        (application.home / name / "__init__.py").write_text("raise ImportError('the application\\'s own package')\n")
    environment = {**os.environ, "PYTHONPATH": f"{application.home}{os.pathsep}{ROOT}"}
    done = subprocess.run(
        [sys.executable, str(PROGRAM), application.store, str(application.home), "safe", "w"],
        cwd=application.home,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {"started": {"counter": 3, "message": "step3 done"}}

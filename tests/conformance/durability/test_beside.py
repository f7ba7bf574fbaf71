"""The API in an application's process, beside an SQLite connection of the application's own.

Closing a file drops every lock that the process has on it, SQLite's too: another process that comes and goes would then
take itself for the last one and delete the WAL, and what the application goes on to save would be lost.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.sqlite import SqliteSaver

from backends.durability.failed import find_failed_workflows
from backends.durability.lock_managers import lock_manager_of
from backends.durability.resume import resume_workflow
from backends.durability.standing import get_checkpoint_status, needs_resume

from .workflow import Workflow, config, fine, refuse

_VISITOR = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
print(connection.execute("select count(*) from checkpoints where thread_id = ?", (sys.argv[2],)).fetchone()[0])
connection.close()
"""


def _locked(store: str) -> None:
    manager = lock_manager_of(store)
    with manager.lock("w"):
        assert manager.is_locked("w")


ASKING: dict[str, Callable[[str], object]] = {
    "needs_resume": lambda store: needs_resume("w", store),
    "get_checkpoint_status": lambda store: get_checkpoint_status("w", store),
    "find_failed_workflows": lambda store: find_failed_workflows(store, 0),
    "lock": _locked,
}


def seen_by_a_visitor(store: str, thread_id: str) -> int:
    """How many checkpoints of a thread a process finds that opens the file, looks and leaves."""
    done = subprocess.run([sys.executable, "-c", _VISITOR, store, thread_id], capture_output=True, text=True)
    assert not done.returncode, done.stderr
    return int(done.stdout)


@pytest.mark.parametrize("asked", [*ASKING, "resume_workflow"])
def test_the_applications_own_saver_keeps_its_locks(tmp_path: Path, asked: str) -> None:
    store, workflow = str(tmp_path / "x.db"), Workflow("")
    with closing(sqlite3.connect(store, check_same_thread=False)) as connection:
        graph = workflow.builder().compile(checkpointer=SqliteSaver(connection))

        def run(value: Any, thread_id: str) -> Any:
            return graph.invoke(value, config(thread_id), durability="sync")

        workflow.second = refuse
        with pytest.raises(ConnectionError):
            run({"n": 0}, "w")
        workflow.second = fine
        if asked == "resume_workflow":
            assert resume_workflow("w", store, lambda thread_id: run(None, thread_id))["completed"] is True
        else:
            ASKING[asked](store)
        assert seen_by_a_visitor(store, "w") > 0
        run({"n": 0}, "after")
        written = len(list(graph.get_state_history(config("after"))))
        assert seen_by_a_visitor(store, "after") == written == 5
    assert seen_by_a_visitor(store, "after") == 5

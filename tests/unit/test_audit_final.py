"""Two threads that came to the same are seen to have come to the same."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.sqlite import SqliteSaver

from backends.audit.final import Final, look
from tests import sqlite_files


def saved(path: Path, **state: Any) -> Final:
    """What is read of a thread that has saved a state."""
    versions = dict.fromkeys(state, 1)
    with closing(sqlite_files.connect(path)) as connection:
        SqliteSaver(connection).put(
            {"configurable": {"thread_id": "thread-1", "checkpoint_ns": ""}},
            {**empty_checkpoint(), "channel_values": state, "channel_versions": versions},
            {"source": "loop", "step": 1, "parents": {}},
            versions,
        )
    found = look(str(path), "thread-1")
    assert found is not None
    return found


def test_members_of_sets_have_no_order(tmp_path: Path) -> None:
    one, other = [0, 8], [8, 0]
    assert list(set(one)) != list(set(other)), "these are to collide"
    first = saved(tmp_path / "1", a=set(one), b={"in": frozenset(one)}, c=one)
    second = saved(tmp_path / "2", a=set(other), b={"in": frozenset(other)}, c=other)
    assert first.content["state"]["a"] == second.content["state"]["a"]
    assert first.content["state"]["b"] == second.content["state"]["b"]
    assert first.content["state"]["c"] != second.content["state"]["c"]
    assert saved(tmp_path / "3", a={0, 9}).content["state"]["a"] != first.content["state"]["a"]

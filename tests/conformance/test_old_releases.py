"""Stores that real old releases of LangGraph wrote, against what those releases' own ``get_state`` said of them.

The files, and how they were made, are in ``tests/fixtures/old``. Layouts v3 and v4 (langgraph 0.3.22 and later) must
agree in everything. In v1 and v2 a plain edge does not name its target, so that a little may be wrong, and then is
marked as inferred; langgraph 0.2.3 moreover stored no errors, and its ``get_state`` does not look at the rows of
finished tasks.
"""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from backends.decode import Decoder
from backends.diff import apply
from backends.model import Analysis, StatusName
from backends.reader import Reader
from backends.store import open_store

HOME = Path(__file__).parent.parent / "fixtures" / "old"
EXPECTED = {path.name: json.loads(path.read_text()) for path in sorted(HOME.glob("*.expected.json"))}
STORES = [(release["release"], name) for release in EXPECTED.values() for name in release if name != "release"]
OLD_LAYOUT = ("0.2.3", "0.2.28", "0.2.60", "0.3.21")

Open = Callable[[str], Reader]


@pytest.fixture
def open_old(postgres_database: Callable[..., str], tmp_path: Path) -> Iterator[Open]:
    """Open one of the stores by its file name."""
    readers: list[Reader] = []

    def opened(name: str) -> Reader:
        address = str(shutil.copy(HOME / name, tmp_path))  # a reader of a WAL file leaves files beside it
        if name.endswith(".json"):
            tables = json.loads((HOME / name).read_text())
            address = postgres_database(max(row[0] for row in tables["checkpoint_migrations"]["rows"]))
            load(address, tables)
        readers.append(Reader(open_store(address), Decoder()))
        return readers[-1]

    yield opened
    for reader in readers:
        reader.store.close()


def load(url: str, tables: dict[str, Any]) -> None:
    def cell(value: Any) -> Any:
        if isinstance(value, dict):
            return base64.b64decode(value["base64"]) if value.keys() == {"base64"} else Jsonb(value)
        return value

    with psycopg.connect(url, autocommit=True) as connection:
        for name in ("checkpoints", "checkpoint_blobs", "checkpoint_writes"):
            columns, rows = tables[name]["columns"], tables[name]["rows"]
            marks = ", ".join(["%s"] * len(columns))
            statement = f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({marks})".encode()
            with connection.cursor() as cursor:
                cursor.executemany(statement, [[cell(value) for value in row] for row in rows])


def threads_of(release: str, name: str) -> dict[str, Any]:
    return EXPECTED[f"{release}.expected.json"][name]


def theirs(thread: dict[str, Any]) -> StatusName:
    """The status that the release's ``get_state`` amounts to."""
    if not thread["next"] and not thread["tasks"]:
        return StatusName.DONE
    if any(task["interrupts"] for task in thread["tasks"]):
        return StatusName.WAITING
    return StatusName.FAILED if any(task["error"] for task in thread["tasks"]) else StatusName.STALLED


def analyses(reader: Reader) -> dict[str, Analysis]:
    return reader.analyse_heads([head for batch in reader.store.heads() for head in batch])


@pytest.mark.parametrize(("release", "name"), STORES)
def test_every_thread_is_listed(release: str, name: str, open_old: Open) -> None:
    reader = open_old(name)
    threads = threads_of(release, name)
    heads = {head.thread_id: head.checkpoint_id for batch in reader.store.heads() for head in batch}
    assert heads == {thread: expected["checkpoint_id"] for thread, expected in threads.items()}
    assert set(heads) == {head.thread_id for head in reader.store.newest_heads(100)}


@pytest.mark.parametrize(("release", "name"), STORES)
def test_status_is_the_releases_own(release: str, name: str, open_old: Open) -> None:
    threads, ours = threads_of(release, name), analyses(open_old(name))
    wrong = {thread for thread, expected in threads.items() if ours[thread].status != theirs(expected)}
    assert all(ours[thread].inferred for thread in wrong)
    if release in OLD_LAYOUT:
        assert wrong <= {"lonely"}, "the one graph of which no thread shows what follows its first node"
    else:
        assert not wrong
        assert not any(analysis.inferred for analysis in ours.values())


def test_nine_in_ten_of_the_old_layouts_are_right(open_old: Open) -> None:
    found = [
        analysis.status == theirs(threads_of(release, name)[thread])
        for release, name in STORES
        if release in OLD_LAYOUT
        for thread, analysis in analyses(open_old(name)).items()
    ]
    assert len(found) > 90
    assert sum(found) / len(found) >= 0.9


@pytest.mark.parametrize(("release", "name"), STORES)
def test_tasks_are_the_releases_own(release: str, name: str, open_old: Open) -> None:
    ours = analyses(open_old(name))
    for thread, expected in threads_of(release, name).items():
        if thread == "lonely" or (release == "0.2.3" and thread.endswith(("killed", "killed-b"))):
            continue
        assert sorted(ours[thread].next) == sorted(expected["next"]), thread
        by_name = {task.name: task for task in ours[thread].tasks}
        for task in expected["tasks"]:
            mine = by_name[task["name"]]
            assert mine.error == task["error"], thread
            assert [one.value for one in mine.interrupts] == task["interrupts"], thread
            if task["error"] or task["interrupts"]:
                assert mine.id == task["id"], thread


@pytest.mark.parametrize(("release", "name"), STORES)
def test_history_and_values_are_the_releases_own(release: str, name: str, open_old: Open) -> None:
    reader = open_old(name)
    for thread, expected in threads_of(release, name).items():
        rows = reader.store.history(thread, "")
        assert len(rows) == len(expected["history"])
        for row, one in zip(rows, expected["history"], strict=True):
            assert row.key.checkpoint_id == one["checkpoint_id"]
            assert (row.parent_id, row.step, row.source) == (one["parent_id"], one["step"], one["source"])
            state = reader.state(row.key)
            shown = {name: value for name, value in one["values"].items() if name in state or value}
            assert state == shown, "LangGraph shows a channel that nobody has written yet as empty"


@pytest.mark.parametrize(("release", "name"), STORES)
def test_diffs_lead_from_each_checkpoint_to_the_next(release: str, name: str, open_old: Open) -> None:
    reader = open_old(name)
    for thread in threads_of(release, name):
        keys = [row.key for row in reversed(reader.store.history(thread, ""))]
        state: Any = {}
        for old, new in zip([None, *keys], keys, strict=False):
            state = apply(reader.changes(old, new), state)
            assert state == reader.state(new)


@pytest.mark.parametrize(("release", "name"), STORES)
def test_writers_of_each_checkpoint_are_named(release: str, name: str, open_old: Open) -> None:
    reader = open_old(name)
    thread = next(iter(threads_of(release, name)))
    named = {key.checkpoint_id: nodes for key, nodes in reader.task_nodes(thread).items()}
    wrote = [named.get(row.key.checkpoint_id, ()) for row in reader.store.history(thread, "") if (row.step or 0) > 0]
    expected = {"line-done": ["c", "b", "a"], "join-done": ["merge", "left right", "split"]}[thread]
    assert [" ".join(sorted(nodes)) for nodes in wrote] == expected

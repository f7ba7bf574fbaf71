"""``rm``, ``prune`` and ``du``: nothing without ``--yes``, held threads left out, what was done is told and noted."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from backends.bulk import rows
from backends.bulk.job import Job
from backends.control import journal
from backends.locks.take import take
from backends.maintenance import remove
from backends.maintenance.deletion import Deletion
from backends.maintenance.spans import channel_spans
from tests import schemas
from tests.conformance.places import Place, sqlite_place
from tui.cli import main, selection
from tui.cli.exits import Exit

Lgtop = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("XDG_STATE_HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
        (tmp_path / name).mkdir()
    for name in ("PGSERVICE", "PGHOST", "PGHOSTADDR", "PGDATABASE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LGTOP_DEBUG", "1")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three threads, each of five checkpoints, all done."""
    path = tmp_path / "s" / "small.sqlite"
    path.parent.mkdir()
    with sqlite_place(path, "wal") as place:
        fill(place)
    monkeypatch.setenv("LGTOP_STORE", str(path))
    return path


def fill(place: Place) -> None:
    for thread in ("one", "two", "three"):
        keys = [place.put(thread, number, values={"text": "x" * 100 * number, "n": number}) for number in range(5)]
        place.put_write(keys[3], "text", "written")


@pytest.fixture
def lgtop(capsys: pytest.CaptureFixture[str]) -> Lgtop:
    def run(*argv: str) -> tuple[int, str, str]:
        code = main.run(argv)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def counts(path: Path) -> dict[str, int]:
    with closing(sqlite3.connect(path)) as connection:
        return dict(connection.execute("select thread_id, count(*) from checkpoints group by 1"))


def deleted(out: str) -> dict[str, str]:
    found = schemas.checked(json.loads(out), schemas.BULK)
    return {one["thread_id"]: one["state"] for one in found["outcomes"]}


@pytest.mark.parametrize("argv", [("rm", "one"), ("prune", "one", "--keep", "1"), ("rm", "--all", "--dry-run")])
def test_nothing_is_deleted_without_yes(store: Path, lgtop: Lgtop, argv: tuple[str, ...]) -> None:
    before = counts(store)
    code, out, err = lgtop(*argv, "--json")
    assert code == Exit.DONE
    assert set(deleted(out).values()) == {"pending"}
    assert "Nothing was deleted" in err
    assert counts(store) == before
    assert not journal.entries()


def test_the_preview_tells_what_is_then_done(store: Path, lgtop: Lgtop) -> None:
    _, planned, _ = lgtop("prune", "--all", "--keep", "2", "--json")
    _, done, _ = lgtop("prune", "--all", "--keep", "2", "--yes", "--json")
    assert json.loads(planned)["deleted"] == json.loads(done)["deleted"]
    assert json.loads(done)["deleted"]["checkpoints"] == 9
    assert counts(store) == {"one": 2, "two": 2, "three": 2}


def test_a_held_thread_is_left_out_and_named(store: Path, lgtop: Lgtop) -> None:
    with take(str(store), "two", who="somebody else"):
        for yes in ((), ("--yes",)):
            code, out, err = lgtop("rm", "--all", "--json", *yes)
            assert code == (Exit.BUSY if yes else Exit.DONE)
            assert deleted(out)["two"] == "refused"
            assert "somebody else" in err
        assert counts(store) == {"two": 5}
        assert lgtop("rm", "two", "--yes")[0] == Exit.BUSY
    assert counts(store) == {"two": 5}


def test_the_action_log_notes_what_was_deleted(store: Path, lgtop: Lgtop) -> None:
    lgtop("rm", "one", "--yes")
    lgtop("prune", "two", "--keep", "3", "--yes")
    pruned, removed = journal.entries()
    assert (removed.verb, removed.thread_id, removed.outcome, removed.checkpoints) == ("rm", "one", "done", 5)
    assert (pruned.verb, pruned.thread_id, pruned.checkpoints) == ("prune", "two", 2)
    assert pruned.command == f"lgtop prune -s {store} two --keep 3 --yes"
    code, out, _ = lgtop("log", "--json")
    schemas.check(json.loads(out), schemas.ACTIONS)
    code, _, err = lgtop("undo", removed.action_id)
    assert code == Exit.REFUSED
    assert "deleted is gone" in err


def test_ctrl_c_ends_after_the_thread_at_hand(store: Path, lgtop: Lgtop, monkeypatch: pytest.MonkeyPatch) -> None:
    real, stop, stopped = remove.remove_thread, Job.stop, threading.Event()

    def interrupted(*arguments: Any, **options: Any) -> Deletion:
        os.kill(os.getpid(), signal.SIGINT)
        assert stopped.wait(10)
        return real(*arguments, **options)

    def then_told(job: Job) -> None:
        stop(job)
        stopped.set()

    monkeypatch.setattr(Job, "stop", then_told)
    monkeypatch.setattr(rows, "remove_thread", interrupted)
    code, out, _ = lgtop("rm", "one", "two", "three", "--yes", "--json", "--concurrency", "1")
    assert code == Exit.INTERRUPTED
    assert deleted(out) == {"one": "done", "two": "stopped", "three": "stopped"}
    assert counts(store) == {"two": 5, "three": 5}


def test_a_thread_that_went_on_since_it_was_chosen_stays(
    store: Path, lgtop: Lgtop, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = selection.fitting

    def then_written(*arguments: object) -> dict[str, str]:
        found = real(*arguments)  # type: ignore[arg-type]
        with sqlite_place(store, "wal") as place:
            place.put("one", 7)
        return found

    monkeypatch.setattr(selection, "fitting", then_written)
    code, out, _ = lgtop("rm", "--filter", "status:done", "--yes", "--json")
    assert code == Exit.DONE
    assert deleted(out)["one"] == "skipped"
    assert counts(store) == {"one": 6}


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (("rm",), Exit.USAGE),
        (("rm", "one", "--all"), Exit.USAGE),
        (("prune", "--all"), Exit.USAGE),
        (("prune", "--all", "--keep", "0"), Exit.USAGE),
        (("prune", "--all", "--older-than", "soon"), Exit.USAGE),
        (("rm", "nobody", "--yes"), Exit.NOT_FOUND),
        (("du", "nobody"), Exit.NOT_FOUND),
        (("du", "one", "--filter", "two"), Exit.USAGE),
    ],
)
def test_what_cannot_be_meant_is_refused(store: Path, lgtop: Lgtop, argv: tuple[str, ...], code: Exit) -> None:
    assert lgtop(*argv)[0] == code
    assert sum(counts(store).values()) == 15


def test_young_checkpoints_and_unfinished_threads_stay(store: Path, lgtop: Lgtop) -> None:
    with sqlite_place(store, "wal") as place:
        place.put_write(place.put("two", 5, values={"branch:to:x": None}))
    lgtop("prune", "--all", "--older-than", "100000w", "--yes")
    assert counts(store) == {"one": 5, "two": 6, "three": 5}
    lgtop("prune", "--all", "--keep", "1", "--finished", "--yes")
    assert counts(store) == {"one": 1, "two": 6, "three": 1}


def test_vacuum_gives_room_back_only_when_asked(store: Path, lgtop: Lgtop) -> None:
    with sqlite_place(store, "wal") as place:
        for number in range(50):
            place.put("large", number, values={"text": "x" * 20_000})
    _, out, _ = lgtop("rm", "large", "--yes", "--json")
    kept = json.loads(out)["store"]
    assert kept["free"] > 900_000
    assert not kept["vacuumed"]
    with take(str(store), "two", who="somebody"):
        code, out, err = lgtop("rm", "one", "--yes", "--vacuum", "--json")
        assert (code, json.loads(out)["store"]["vacuumed"]) == (Exit.FAILED, False)
        assert "not vacuumed" in err
    code, out, _ = lgtop("rm", "two", "--yes", "--vacuum", "--json")
    assert code == Exit.DONE
    assert json.loads(out)["store"]["free"] == 0
    assert store.stat().st_size < 100_000


def test_du_measures_what_the_rows_hold(store: Path, lgtop: Lgtop) -> None:
    with closing(sqlite3.connect(store)) as connection:
        ((whole,),) = connection.execute(
            "select (select sum(length(checkpoint) + length(metadata)) from checkpoints)"
            " + (select sum(length(value)) from writes)"
        )
    code, out, _ = lgtop("du", "--json", "--limit", "2")
    found = schemas.checked(json.loads(out), schemas.DU)
    assert code == Exit.DONE
    assert (found["total"]["threads"], found["total"]["bytes"], len(found["threads"])) == (3, whole, 2)
    code, out, _ = lgtop("du", "one", "--json")
    thread = schemas.checked(json.loads(out), schemas.DU_THREAD)
    assert sum(one["bytes"] for one in thread["channels"]) == thread["bytes"] == whole // 3
    by_name = {one["channel"]: one for one in thread["channels"]}
    assert 1000 < by_name["text"]["value_bytes"] < 1050
    assert by_name["text"]["values"] == 5
    assert by_name["text"]["writes"] == 1
    code, out, _ = lgtop("du", "--filter", "id:tw*", "--json")
    assert [one["thread_id"] for one in json.loads(out)["threads"]] == ["two"]


def test_spans_of_every_kind_of_value() -> None:
    import ormsgpack

    values = {
        "none": None,
        "number": -7,
        "big": 2**63,
        "float": 1.5,
        "text": "é" * 300,
        "long": "x" * 70_000,
        "bytes": b"b" * 300,
        "list": list(range(20)),
        "map": {"a": [1, {"b": (True, False)}], 3: "x"},
        "ext": ormsgpack.Ext(5, b"e" * 3),
        "ext4": ormsgpack.Ext(5, b"e" * 4),
    }
    data = ormsgpack.packb({"v": 4, "channel_values": values, "id": "i"}, option=ormsgpack.OPT_NON_STR_KEYS)
    expected = {
        name: len(ormsgpack.packb(value, option=ormsgpack.OPT_NON_STR_KEYS)) + len(name)
        for name, value in values.items()
    }
    assert channel_spans(data) == expected
    for end in range(len(data)):
        channel_spans(data[:end])
    assert channel_spans(b"\xc1") == channel_spans(b"") == {}

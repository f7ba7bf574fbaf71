"""Records: their names, what they hold and what they never hold, and how long they stay."""

import json
import os
from pathlib import Path

import pytest

from backends.runs import record
from backends.runs.record import new_record, records, runs_folder, write_request
from backends.runs.spec import GraphRef

from .runs_rig import KEY, isolate, request, spawn


@pytest.fixture(autouse=True)
def isolated(tmp_path, monkeypatch):
    isolate(tmp_path, monkeypatch)


def test_ids_are_unique_and_in_the_order_they_were_made():
    ids = [new_record()[0] for _ in range(200)]
    assert sorted(set(ids)) == ids
    assert set(records()) == set(ids)


@pytest.mark.parametrize(("before", "after"), [(59.999, 60.0), (1_700_000_000.0, 1_700_000_000.0002), (0, 4e9)])
def test_a_later_id_is_greater(before, after):
    assert record._name(before) < record._name(after)


def test_only_the_owner_can_read_a_record(tmp_path):
    _, folder = new_record()
    assert runs_folder() == tmp_path / "state" / "lgtop" / "runs"
    for path in (folder, folder.parent):
        assert path.stat().st_mode & 0o077 == 0


def test_without_a_place_of_its_own_the_state_directory_is_the_platforms(monkeypatch):
    from platformdirs import user_state_path

    monkeypatch.delenv("XDG_STATE_HOME")
    assert runs_folder() == user_state_path("lgtop", appauthor=False) / "runs"


def test_the_request_holds_no_secret():
    run_id, folder = new_record()
    graph = GraphRef(
        "./g.py:g", "/project", "documents", env={"OPENAI_API_KEY": "sk-secret1"}, python="/venv/bin/python"
    )
    spec = request(
        folder,
        run_id,
        graph=graph,
        store="postgresql://me:secret2@db:5432/app?sslpassword=secret3",
        input={"text": "secret4"},
        answers={"i1": "secret5"},
        values={"channel": "secret6"},
        config={"api_key": "secret7"},
        context={"token": "secret8"},
    )
    write_request(spec, KEY)
    text = (folder / "run.json").read_text()
    assert "secret" not in text
    kept = json.loads(text)
    assert (kept["store_key"], kept["graph"], kept["python"]) == (KEY, "documents", "/venv/bin/python")
    assert kept["store"] == "postgresql://me:••••@db:5432/app?sslpassword=••••"


def test_a_thread_of_any_name_can_be_asked_for():
    run_id, folder = new_record()
    write_request(request(folder, run_id, thread_id="\ud800\x00/../x"), KEY)
    assert json.loads((folder / "run.json").read_text())["thread_id"] == "\ud800\x00/../x"


def test_the_oldest_records_go_but_never_one_whose_process_lives(monkeypatch, tmp_path):
    monkeypatch.setattr(record, "KEPT", 5)
    run = spawn(["hold"], ["until", str(tmp_path / "go")])
    ids = [new_record()[0] for _ in range(10)]
    assert set(records()) == {run.run_id, *ids[-5:]}
    os.kill(run.pid, 9)


def test_what_lies_beside_the_records_is_left_alone(monkeypatch):
    monkeypatch.setattr(record, "KEPT", 2)
    new_record()
    note = Path(runs_folder(), "000-notes.txt")
    note.write_text("mine")
    for _ in range(5):
        new_record()
    assert note.read_text() == "mine"

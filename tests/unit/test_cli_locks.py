"""``lgtop locks``: who holds what, and what it takes to take a thread away."""

from __future__ import annotations

import json

import psycopg
import pytest

from backends.locks.holder import this_host
from tests import schemas
from tests.holding import Holding
from tests.locking import within
from tests.sqlite_files import make
from tui.cli.exits import Exit


@pytest.fixture(autouse=True)
def _own_places(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("LGTOP_PROFILE", raising=False)


@pytest.fixture
def store(tmp_path):
    return str(make(tmp_path / "app.sqlite", threads=("a", "b\x1b[31m")))


def test_nothing_is_held(lgtop, store):
    assert lgtop("locks", "-s", store) == (Exit.DONE, "", "Nobody holds a thread.\n")
    assert lgtop("locks", "-s", store, "--json")[1] == "[]\n"


def test_who_holds_what(lgtop, store):
    with Holding(store, "b\x1b[31m") as other:
        _, out, _ = lgtop("locks", "-s", store, "--json")
        (found,) = schemas.checked(json.loads(out), schemas.LOCKS)
        assert (found["thread_id"], found["who"], found["pid"]) == ("b\x1b[31m", "nightly@batch", other.pid)
        assert found["since"]
        _, out, _ = lgtop("locks", "-s", store)
        assert f"{other.pid}" in out
        assert "nightly@batch" in out
        assert f"{this_host()}" in out


def test_a_process_that_is_not_ours_is_named_and_left_alone(lgtop, store):
    with Holding(store, "a") as other:
        code, out, err = lgtop("locks", "-s", store, "--break", "a", "--yes")
        assert (code, out) == (Exit.REFUSED, "")
        assert f"nightly@batch · pid {other.pid}, which lgtop has not started" in err
        assert f"kill {other.pid}" in err
        assert "nightly" in lgtop("locks", "-s", store)[1]


def test_a_thread_that_nobody_holds(lgtop, store):
    code, _, err = lgtop("locks", "-s", store, "--break", "a", "--yes")
    assert code == Exit.NOT_FOUND
    assert "Nobody holds thread 'a'." in err


def test_yes_alone_means_nothing(lgtop, store):
    with pytest.MonkeyPatch.context() as patched:
        patched.delenv("LGTOP_DEBUG", raising=False)
        assert lgtop("locks", "-s", store, "--yes")[0] == Exit.USAGE


def test_the_server_ends_a_session_and_only_with_yes(lgtop, postgres_url):
    with Holding(postgres_url, "a") as other:
        code, _, err = lgtop("locks", "-s", postgres_url, "--break", "a")
        assert code == Exit.REFUSED
        assert "The server ends the session of nightly@batch" in err
        assert "Add --yes" in err
        assert [one["pid"] for one in json.loads(lgtop("locks", "-s", postgres_url, "--json")[1])] == [other.pid]
        code, out, err = lgtop("locks", "-s", postgres_url, "--break", "a", "--yes", "--json")
        assert code == Exit.DONE, err
        assert [one["who"] for one in schemas.checked(json.loads(out), schemas.LOCKS)] == ["nightly@batch"]
        assert "thread 'a' is free" in err
        assert lgtop("locks", "-s", postgres_url, "--json")[1] == "[]\n"


def test_a_role_that_may_not_end_the_session(lgtop, postgres_url, postgres_role):
    url = postgres_role(postgres_url, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    with Holding(postgres_url, "a"):
        code, _, err = lgtop("locks", "-s", url, "--break", "a", "--yes")
        assert code == Exit.REFUSED
        assert "pg_signal_backend" in err
        with psycopg.connect(postgres_url) as connection:
            held = connection.execute(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            ).fetchone()
        assert held == (1,)


def test_a_run_of_ours_is_killed(lgtop, tmp_path, monkeypatch):
    from tests.e2e.commands import Commands
    from tests.project import make_project

    commands = Commands(make_project(tmp_path / "project"), str(tmp_path / "new.sqlite"), tmp_path / "states")
    try:
        given = json.dumps({"gate": str(tmp_path / "gate")})
        words = ("--graph", "flow", "--thread", "t", "--input", given, "--detach")
        run = commands.json("run", *words)
        commands.until(lambda: any(one["nodes"] == {"second": 1} for one in commands.json("runs", "--live")))
        assert [one["run_id"] for one in commands.json("locks")] == [run["run_id"]]
        code, _, err = commands.run("locks", "--break", "t")
        assert (code, "is killed (SIGKILL)" in err) == (Exit.REFUSED, True)
        code, _, err = commands.run("locks", "--break", "t", "--yes")
        assert code == Exit.DONE, err
        assert commands.json("locks") == []
        assert within(20, lambda: commands.thread("t")["status"] == "crashed")
    finally:
        commands.end_everything()

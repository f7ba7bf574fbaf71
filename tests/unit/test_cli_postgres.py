"""The commands on PostgreSQL: the same documents, hostile rows, and a password that nobody gets to see."""

import copy
import json

from langgraph.checkpoint.postgres import PostgresSaver

from demo_graphs import approval, pipeline
from tests import hostile, schemas
from tests.holding import Holding
from tests.postgres import PASSWORD
from tui.cli.exits import Exit

VIEWS = (("show", schemas.SHOW), ("history", schemas.HISTORY), ("diff", schemas.DIFF))


def play(url):
    """One thread done, one failed, one waiting."""
    with PostgresSaver.from_conn_string(url) as saver:
        saver.setup()
        for graph, thread, given in (
            (pipeline.graph, "done", {"rows": 10, "pace": 0, "down": []}),
            (pipeline.graph, "failed", {"rows": 10, "pace": 0, "down": ["load"]}),
            (approval.graph, "waiting", {"purpose": "paint", "amount": 90, "pace": 0}),
        ):
            attached = copy.copy(graph)
            attached.checkpointer = saver
            try:
                attached.invoke(given, {"configurable": {"thread_id": thread}}, durability="sync")
            except ConnectionError:
                assert thread == "failed"


def test_every_command(lgtop, postgres_url):
    play(postgres_url)
    code, out, err = lgtop("ls", "--json", "-s", postgres_url)
    assert (code, err) == (Exit.DONE, "")
    threads = json.loads(out)
    schemas.check(threads, schemas.THREADS)
    assert {thread["thread_id"]: thread["status"] for thread in threads} == {
        "done": "done",
        "failed": "failed",
        "waiting": "waiting",
    }
    for command, schema in VIEWS:
        code, out, _ = lgtop(command, "--json", "-s", postgres_url, "done")
        assert code == Exit.DONE
        schemas.check(json.loads(out), schema)
    code, out, _ = lgtop("inbox", "--json", "-s", postgres_url)
    assert code == Exit.DONE
    schemas.check(json.loads(out), schemas.INBOX)
    assert {question["node"] for question in json.loads(out)} == {"finance", "legal"}


def test_operating(lgtop, postgres_url, postgres_database, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    play(postgres_url)

    def told(schema, command, *words, code=Exit.DONE, store=postgres_url):
        got, out, err = lgtop(command, "-s", store, *words, "--json")
        assert got == code, err
        assert PASSWORD not in out + err
        return schemas.checked(json.loads(out), schema)

    with Holding(postgres_url, "done") as holding:
        (lock,) = told(schemas.LOCKS, "locks")
        assert (lock["thread_id"], lock["pid"]) == ("done", holding.pid)
        (refused,) = told(schemas.BULK, "rm", "done", "--yes", code=Exit.BUSY)["outcomes"]
        assert refused["state"] == "refused"
    assert told(schemas.LOCKS, "locks") == []
    assert told(schemas.RUNS, "runs") == []
    whole = told(schemas.DU, "du")
    assert {thread["thread_id"] for thread in whole["threads"]} == {"done", "failed", "waiting"}
    before = told(schemas.DU_THREAD, "du", "done")
    assert told(schemas.BULK, "prune", "done", "--keep", "1")["dry_run"] is True
    assert told(schemas.DU_THREAD, "du", "done") == before
    pruned = told(schemas.BULK, "prune", "done", "--keep", "1", "--yes")
    assert pruned["deleted"]["checkpoints"] == before["checkpoints"] - 1 > 0
    file, other = tmp_path / "all.jsonl", postgres_database(None)
    exported = told(schemas.EXPORTED, "export", "--all", "-o", str(file))
    assert len(exported["threads"]) == 3
    assert {one["outcome"] for one in told(schemas.IMPORTED, "import", str(file), store=other)} == {"imported"}
    again = told(schemas.IMPORTED, "import", str(file), store=other, code=Exit.REFUSED)
    assert {one["outcome"] for one in again} == {"refused"}
    assert told(schemas.BULK, "rm", "done", "--yes", store=other)["deleted"]["threads"] == 1
    assert lgtop("rm", "-s", other, "done", "--yes")[0] == Exit.NOT_FOUND
    left = {thread["thread_id"]: thread["status"] for thread in told(schemas.THREADS, "ls", store=other)}
    assert left == {"failed": "failed", "waiting": "waiting"}


def test_one_newest_thread(lgtop, postgres_url):
    play(postgres_url)
    code, out, _ = lgtop("ls", "--jsonl", "--limit", "1", "-s", postgres_url)
    assert code == Exit.DONE
    assert [json.loads(line)["thread_id"] for line in out.splitlines()] == ["waiting"]


def test_hostile_rows(lgtop, postgres_url, tmp_path):
    canary = tmp_path / "canary"
    hostile.hostile_postgres(postgres_url, canary)
    code, out, _ = lgtop("ls", "--json", "-s", postgres_url)
    assert code == Exit.DONE
    threads = json.loads(out)
    schemas.check(threads, schemas.THREADS)
    assert lgtop("ls", "-s", postgres_url)[0] == Exit.DONE
    assert lgtop("inbox", "-s", postgres_url)[0] == Exit.DONE
    for thread in threads[::6]:
        for command, schema in VIEWS:
            code, out, _ = lgtop(command, "--json", "-s", postgres_url, "--", thread["thread_id"])
            assert code == Exit.DONE, (command, thread["thread_id"])
            schemas.check(json.loads(out), schema)
    assert not canary.exists()


def test_a_database_without_tables_and_a_password_that_stays_secret(lgtop, postgres_database, monkeypatch):
    monkeypatch.delenv("LGTOP_DEBUG")
    empty = postgres_database(None)
    code, out, err = lgtop("ls", "-s", empty)
    assert (code, out) == (Exit.STORE, "")
    assert err.count("\n") == 1
    wrong = "postgresql://nobody:hunter2@127.0.0.1:1/none?connect_timeout=2"
    code, out, err = lgtop("show", "-s", wrong, "x")
    assert (code, out) == (Exit.STORE, "")
    assert "hunter2" not in err

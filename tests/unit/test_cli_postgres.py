"""The commands on PostgreSQL: the same documents, hostile rows, and a password that nobody gets to see."""

import copy
import json

import pytest
from langgraph.checkpoint.postgres import PostgresSaver

from demo_graphs import approval, pipeline
from tests import hostile, schemas
from tui.cli import main
from tui.cli.exits import Exit

VIEWS = (("show", schemas.SHOW), ("history", schemas.HISTORY), ("diff", schemas.DIFF))


@pytest.fixture
def run(capsys, monkeypatch):
    """Run a command; give its code and outputs, as long as they hold nothing that a terminal would obey."""
    monkeypatch.setenv("LGTOP_DEBUG", "1")

    def command(*argv):
        code = main.run(argv)
        captured = capsys.readouterr()
        assert "\x1b" not in captured.out + captured.err
        return code, captured.out, captured.err

    return command


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


def test_every_command(run, postgres_url):
    play(postgres_url)
    code, out, err = run("ls", "--json", "-s", postgres_url)
    assert (code, err) == (Exit.DONE, "")
    threads = json.loads(out)
    schemas.check(threads, schemas.THREADS)
    assert {thread["thread_id"]: thread["status"] for thread in threads} == {
        "done": "done",
        "failed": "failed",
        "waiting": "waiting",
    }
    for command, schema in VIEWS:
        code, out, _ = run(command, "--json", "-s", postgres_url, "done")
        assert code == Exit.DONE
        schemas.check(json.loads(out), schema)
    code, out, _ = run("inbox", "--json", "-s", postgres_url)
    assert code == Exit.DONE
    schemas.check(json.loads(out), schemas.INBOX)
    assert {question["node"] for question in json.loads(out)} == {"finance", "legal"}


def test_one_newest_thread(run, postgres_url):
    play(postgres_url)
    code, out, _ = run("ls", "--jsonl", "--limit", "1", "-s", postgres_url)
    assert code == Exit.DONE
    assert [json.loads(line)["thread_id"] for line in out.splitlines()] == ["waiting"]


def test_hostile_rows(run, postgres_url, tmp_path):
    canary = tmp_path / "canary"
    hostile.hostile_postgres(postgres_url, canary)
    code, out, _ = run("ls", "--json", "-s", postgres_url)
    assert code == Exit.DONE
    threads = json.loads(out)
    schemas.check(threads, schemas.THREADS)
    assert run("ls", "-s", postgres_url)[0] == Exit.DONE
    assert run("inbox", "-s", postgres_url)[0] == Exit.DONE
    for thread in threads[::6]:
        for command, schema in VIEWS:
            code, out, _ = run(command, "--json", "-s", postgres_url, "--", thread["thread_id"])
            assert code == Exit.DONE, (command, thread["thread_id"])
            schemas.check(json.loads(out), schema)
    assert not canary.exists()


def test_a_database_without_tables_and_a_password_that_stays_secret(run, postgres_database, monkeypatch):
    monkeypatch.delenv("LGTOP_DEBUG")
    empty = postgres_database(None)
    code, out, err = run("ls", "-s", empty)
    assert (code, out) == (Exit.STORE, "")
    assert err.count("\n") == 1
    wrong = "postgresql://nobody:hunter2@127.0.0.1:1/none?connect_timeout=2"
    code, out, err = run("show", "-s", wrong, "x")
    assert (code, out) == (Exit.STORE, "")
    assert "hunter2" not in err

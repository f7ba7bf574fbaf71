"""Every command on the demo's store: what it prints, against LangGraph's own reading and against its schema."""

import json
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from backends.model import StatusName
from tests import schemas
from tui.cli import ls, main
from tui.cli.exits import Exit

ROOT = Path(__file__).resolve().parents[2]
EXPECTED = {
    "article-solar": "waiting",
    "article-tides": "done",
    "batch-night": "running",
    "batch-sunday": "done",
    "doc-complaint": "done",
    "doc-contract": "crashed",
    "doc-letter": "done",
    "doc-offer": "stalled",
    "doc-payroll": "unknown",
    "doc-unreadable": "done",
    "fair-stand": "waiting",
    "new-server": "waiting",
    "oracle-rain": "failed",
    "order-7": "done",
    "orders-initech": "failed",
    "orders-monday": "done",
    "orders-thursday": "paused",
    "orders-tuesday": "failed",
    "orders-wednesday": "stalled",
    "quote-acme": "failed",
    "report-autumn": "cancelled",
    "report-spring": "done",
    "report-summer": "failed",
    "seats-4": "done",
    "team-dinner": "done",
    "transfer-17": "done",
    "trip-lima": "paused",
    "trip-oslo": "done",
}
"""Thread -> what became of it, while the demo is there; a run that goes on is stopped with it."""


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """The demo's store and what ``lgtop demo`` printed without a terminal."""
    path = tmp_path_factory.mktemp("demo") / "demo.sqlite"
    words = [sys.executable, "-m", "lgtop", "demo", "--store", str(path), "--json"]
    done = subprocess.run(
        words,
        cwd=ROOT,
        env={**os.environ, "XDG_STATE_HOME": str(path.with_name("state"))},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    return path, json.loads(done.stdout)


@pytest.fixture
def store(made, monkeypatch):
    monkeypatch.setenv("LGTOP_STORE", str(made[0]))
    monkeypatch.setenv("XDG_STATE_HOME", str(made[0].with_name("state")))
    return made[0]


@pytest.fixture
def lgtop(store, capsys):
    """Run a command in this process; give its exit code, output and narration."""

    def run(*argv):
        code = main.run(argv)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def told(lgtop):
    """Run a command with ``--json``; give the document."""

    def run(*argv):
        code, out, err = lgtop(*argv, "--json")
        assert (code, err) == (Exit.DONE, "")
        return json.loads(out)

    return run


def test_the_demo_leaves_every_kind_of_thread(made):
    schemas.check(made[1], schemas.THREADS)
    assert {thread["thread_id"]: thread["status"] for thread in made[1]} == EXPECTED
    assert set(EXPECTED.values()) == set(StatusName)
    assert [thread["running_by"] is not None for thread in made[1]].count(True) == 1


def test_a_store_that_is_kept_is_one_file_at_rest(store, told):
    assert not [path for path in store.parent.iterdir() if path.name.endswith(("-wal", "-shm", "-journal"))]
    (night,) = told("ls", "--filter", "id:batch-night")
    assert (night["status"], night["running_by"]) == ("paused", None)


def test_ls_says_what_langgraph_says(told, store):
    from langgraph.checkpoint.sqlite import SqliteSaver

    with SqliteSaver.from_conn_string(str(store)) as saver:
        for thread in told("ls"):
            if thread["thread_id"] == "doc-payroll":  # nobody has its key
                continue
            config = {"configurable": {"thread_id": thread["thread_id"]}}
            checkpoints = list(saver.list(config))
            root = [c for c in checkpoints if not c.config["configurable"]["checkpoint_ns"]]
            head = root[0]
            assert thread["checkpoints"] == len(checkpoints)
            assert (thread["step"], thread["source"]) == (head.metadata["step"], head.metadata["source"])
            stored = {w[2][0].id for w in head.pending_writes or () if w[1] == "__interrupt__"}
            assert {i["id"] for i in thread["interrupts"]} <= stored
            assert thread["created_at"][:19] == root[-1].checkpoint["ts"][:19]


def test_the_latest_activity_comes_first(told):
    times = [thread["updated_at"] for thread in told("ls")]
    assert times == sorted(times, reverse=True)
    assert [t["updated_at"] for t in told("ls", "--limit", "4")] == times[:4]
    assert [t["updated_at"] for t in told("ls", "--reverse")] == times[::-1]


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        ("status:failed", {"oracle-rain", "orders-initech", "orders-tuesday", "quote-acme", "report-summer"}),
        ("tenant:initech status:failed", {"orders-initech", "report-summer"}),
        ("node:legal", {"fair-stand", "new-server"}),
        ("id:doc-* !status:done", {"doc-contract", "doc-offer", "doc-payroll"}),
        ("status:unknown", {"doc-payroll"}),
        ("checkpoints>=8 !id:batch-night", {"article-tides"}),
        ("age<0s", set()),
        ("refused", {"orders-initech", "orders-tuesday"}),
    ],
)
def test_filters(told, query, fits):
    found = {thread["thread_id"] for thread in told("ls", "--filter", query)}
    assert found == fits


@pytest.mark.parametrize("sort", ls.SORTS)
def test_every_order_lists_every_thread(told, sort):
    assert {thread["thread_id"] for thread in told("ls", "--sort", sort)} == set(EXPECTED)


def test_the_orders_are_those_of_the_screen():
    from backends import order

    assert set(ls.SORTS) == set(order.SORTS)


def test_attention_comes_before_what_is_done(told):
    statuses = [thread["status"] for thread in told("ls", "--sort", "attention")]
    stuck = ["failed"] * 5 + ["crashed"] + ["stalled"] * 2 + ["cancelled"] + ["paused"] * 3
    assert statuses[:15] == ["waiting"] * 3 + stuck
    assert sorted(statuses[15:]) == ["done"] * 12 + ["unknown"]


def test_jsonl_is_the_same_a_line_each(lgtop, told):
    code, out, _ = lgtop("ls", "--jsonl")
    assert code == Exit.DONE
    assert [json.loads(line)["thread_id"] for line in out.splitlines()] == [t["thread_id"] for t in told("ls")]


def test_a_table_in_a_pipe_is_whole_and_plain(lgtop):
    code, out, _ = lgtop("ls", "--sort", "thread")
    lines = out.splitlines()
    assert code == Exit.DONE
    assert lines[0].split() == ["STATUS", "THREAD", "NEXT", "STEP", "ACTIVE", "CKPTS", "WHY"]
    assert "\x1b" not in out
    assert re.search(r"^\? waiting    fair-stand +finance, legal +1 +\d+s +3  .*budget", out, re.MULTILINE)
    assert len(lines) == len(EXPECTED) + 1


def test_a_filter_that_nothing_fits_is_no_error(lgtop):
    assert lgtop("ls", "--filter", "nobody-has-this") == (Exit.DONE, "", "No thread fits the filter.\n")


def test_a_filter_that_cannot_be_understood(lgtop):
    code, out, err = lgtop("ls", "--filter", "status:wating")
    assert (code, out) == (Exit.USAGE, "")
    assert "waiting" in err


def test_show(told):
    shown = told("show", "doc-letter")
    schemas.check(shown, schemas.SHOW)
    assert shown["state"]["sentiment"] == "positive"
    assert shown["metadata"]["tenant"] == "acme"
    assert shown["status"] == "done"


def test_show_of_a_waiting_thread(told):
    shown = told("show", "fair-stand")
    schemas.check(shown, schemas.SHOW)
    assert [task["state"] for task in shown["tasks"]] == ["waiting", "waiting"]
    assert {i["node"] for i in shown["interrupts"]} == {"finance", "legal"}
    assert shown["interrupts"][0]["response_schema"]["required"] == ["approved"]


def test_show_keeps_types_and_covers_secrets(lgtop, told):
    shown = told("show", "order-7")
    schemas.check(shown, schemas.SHOW)
    assert shown["state"]["order"]["$type"] == "demo_graphs.types.Order"
    assert "not-a-real-key" not in json.dumps(shown)
    _, out, _ = lgtop("show", "order-7")
    assert "‹demo_graphs.types.Order›" in out or "‹types.Order›" in out
    assert "not-a-real-key" not in out


def test_show_of_an_older_checkpoint(told):
    before = told("show", "doc-letter", "--checkpoint", "~1")
    schemas.check(before, schemas.SHOW)
    assert "summary" not in before["state"]
    assert told("show", "doc-letter", "--checkpoint", before["checkpoint_id"][:23]) == before
    assert told("show", "doc-letter", "--checkpoint", f"@{before['step']}") == before


def test_show_of_a_subgraph(told):
    root = told("show", "article-solar")
    (ns,) = [ns for ns in root["namespaces"] if ns]
    inner = told("show", "article-solar", "--ns", ns)
    schemas.check(inner, schemas.SHOW)
    assert inner["state"]["sources"] == [f"https://library.example/{n}" for n in (1, 2, 3)]
    assert inner["next"] == ["review"]


def test_history(told, lgtop):
    rows = told("history", "doc-letter")
    schemas.check(rows, schemas.HISTORY)
    assert [row["step"] for row in rows] == [3, 2, 1, 0, -1]
    assert [row["nodes"] for row in rows][:3] == [["summary"], ["sentiment"], ["extract"]]
    assert [row["parent"] for row in rows] == [row["id"] for row in rows[1:]] + [None]
    assert told("history", "doc-letter", "--limit", "2") == rows[:2]
    assert len(told("history", "article-solar", "--ns", "")) < len(told("history", "article-solar"))
    code, out, _ = lgtop("history", "doc-letter")
    assert code == Exit.DONE
    assert rows[0]["id"] in out


def test_diff_of_the_last_step(told, lgtop):
    document = told("diff", "doc-letter")
    schemas.check(document, schemas.DIFF)
    assert set(document["channels"]) == {"summary", "messages"}
    assert document["channels"]["messages"] == "+1 message"
    code, out, _ = lgtop("diff", "doc-letter")
    assert code == Exit.DONE
    assert "summary" in out
    assert "+ " in out


def test_diff_of_two_and_of_one_with_the_head(told):
    document = told("diff", "doc-letter", "@1", "@2")
    schemas.check(document, schemas.DIFF)
    assert set(document["channels"]) == {"sentiment", "messages"}
    assert told("diff", "doc-letter", "@1")["channels"].keys() == {"sentiment", "summary", "messages"}


def test_diff_of_the_first_checkpoint_is_against_nothing(told):
    (first,) = [row["id"] for row in told("history", "doc-letter") if row["parent"] is None]
    head = told("diff", "doc-letter", first, first)
    assert head["changes"] == []


def test_inbox(told, lgtop):
    questions = told("inbox")
    schemas.check(questions, schemas.INBOX)
    assert sorted((q["thread_id"], q["node"]) for q in questions) == [
        ("article-solar", "research"),
        ("fair-stand", "finance"),
        ("fair-stand", "legal"),
        ("new-server", "legal"),
    ]
    by_node = {(q["thread_id"], q["node"]): q for q in questions}
    assert by_node["fair-stand", "legal"]["response_schema"]["title"] == "Decision"
    assert by_node["article-solar", "research"]["response_schema"] is None
    code, out, _ = lgtop("inbox")
    assert code == Exit.DONE
    assert len(out.splitlines()) == 5


@pytest.mark.parametrize("command", ["show", "history", "diff"])
def test_an_unknown_thread_is_not_found_and_neighbours_are_named(lgtop, command):
    code, out, err = lgtop(command, "doc-l")
    assert (code, out) == (Exit.NOT_FOUND, "")
    assert "Did you mean doc-letter?" in err
    assert lgtop(command, "fairstand")[2].count("fair-stand") == 1


@pytest.mark.parametrize("ref", ["~99", "@77", "ffff", "~x", "@", "x\x1b[2J\ny"])
def test_an_unknown_checkpoint_is_not_found(lgtop, ref):
    code, out, err = lgtop("show", "doc-letter", "--checkpoint", ref)
    assert (code, out) == (Exit.NOT_FOUND, "")
    assert err.count("\n") == 1


def test_an_unknown_namespace_is_not_found(lgtop):
    assert lgtop("show", "doc-letter", "--ns", "nowhere")[0] == Exit.NOT_FOUND


def test_a_store_without_threads(lgtop, tmp_path):
    from langgraph.checkpoint.sqlite import SqliteSaver

    path = str(tmp_path / "empty.sqlite")
    with SqliteSaver.from_conn_string(path) as saver:
        saver.setup()
    assert lgtop("ls", "-s", path, "--json")[:2] == (Exit.DONE, "[]\n")
    assert lgtop("ls", "-s", path)[2] == "The store has no threads yet.\n"
    assert lgtop("show", "-s", path, "x")[0] == Exit.NOT_FOUND


def test_what_is_no_store(lgtop, tmp_path):
    (tmp_path / "text.sqlite").write_text("not a database, but long enough to be looked at " * 40)
    other = sqlite3.connect(tmp_path / "other.sqlite")
    other.execute("create table people (name)")
    other.close()
    for path in ("text.sqlite", "other.sqlite"):
        code, out, err = lgtop("ls", "-s", str(tmp_path / path))
        assert (code, out) == (Exit.STORE, "")
        assert err.count("\n") == 1


def test_a_reader_that_has_seen_enough_is_no_error(store):
    command = f"{sys.executable} -m lgtop ls --jsonl | head -c 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, env=dict(os.environ))
    assert (done.stdout, done.stderr) == ("{0\n", "")


def test_the_demo_refuses_a_path_that_exists(lgtop, store):
    before = store.read_bytes()
    code, _, err = lgtop("demo", "--store", str(store))
    assert code == Exit.REFUSED
    assert "exists already" in err
    assert store.read_bytes() == before


def test_without_a_terminal_the_app_is_the_list(lgtop, store):
    assert lgtop(str(store), "--jsonl") == lgtop("ls", "--jsonl")
    assert lgtop("-s", str(store))[1].startswith("STATUS")

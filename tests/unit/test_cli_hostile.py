"""A store that an enemy wrote, through every command: nothing crashes, nothing runs, nothing comes out raw."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import hostile, schemas
from tui.cli import main
from tui.cli.exits import Exit

ROOT = Path(__file__).resolve().parents[2]

FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\U000e0000-\U000e0fff]"
)
"""What a terminal obeys, or a person cannot see. Newlines are the table's own; tabs are harmless."""

PARTS = 4
"""Tests that go through the whole store are cut into so many, for as many workers."""


@pytest.fixture(scope="module")
def enemy(tmp_path_factory):
    """Path of the store, and the canary that no attack may bring to life."""
    path = tmp_path_factory.mktemp("hostile") / "enemy.sqlite"
    return path, hostile.hostile_sqlite(path)


@pytest.fixture
def run(enemy, monkeypatch, capsys):
    """Run a command on the hostile store; give code and output, having looked at both streams."""
    path, canary = enemy
    monkeypatch.setenv("LGTOP_STORE", str(path))
    monkeypatch.setenv("LGTOP_DEBUG", "1")  # an error that nobody foresaw fails the test with its traceback

    def command(*argv):
        code = main.run(argv)
        captured = capsys.readouterr()
        for stream in (captured.out, captured.err):
            found = FORBIDDEN.search(stream)
            assert not found, (argv, stream[max(0, found.start() - 40) : found.end() + 40])
        assert not canary.exists()
        return code, captured.out

    return command


@pytest.fixture
def threads(run):
    """Every thread that ``ls`` tells of."""
    code, out = run("ls", "--json")
    assert code == Exit.DONE
    return json.loads(out)


def test_the_list(run, threads):
    schemas.check(threads, schemas.THREADS)
    assert len(threads) > len(hostile.STRINGS)
    code, out = run("ls")
    assert code == Exit.DONE
    assert len(out.splitlines()) == len(threads) + 1


@pytest.mark.parametrize(
    "argv", [("ls", "--sort", "attention"), ("ls", "--filter", "status:unknown"), ("ls", "--filter", "a")]
)
def test_orders_and_filters(run, argv):
    code, out = run(*argv, "--json")
    assert code == Exit.DONE
    schemas.check(json.loads(out), schemas.THREADS)


def test_a_store_without_task_paths(run, tmp_path):
    path = tmp_path / "old.sqlite"
    canary = hostile.hostile_sqlite(path, task_path=False)
    for command, schema in (("ls", schemas.THREADS), ("inbox", schemas.INBOX)):
        code, out = run(command, "--json", "-s", str(path))
        assert code == Exit.DONE
        schemas.check(json.loads(out), schema)
    assert not canary.exists()


def test_the_inbox(run):
    code, out = run("inbox", "--json")
    assert code == Exit.DONE
    schemas.check(json.loads(out), schemas.INBOX)
    assert run("inbox")[0] == Exit.DONE


@pytest.mark.parametrize("part", range(PARTS))
def test_every_thread_in_every_view(run, threads, part):
    for thread in threads[part::PARTS]:
        thread_id = thread["thread_id"]
        for command, schema in (("show", schemas.SHOW), ("history", schemas.HISTORY), ("diff", schemas.DIFF)):
            code, out = run(command, "--json", "--", thread_id)
            assert code == Exit.DONE, (command, thread_id)
            schemas.check(json.loads(out), schema)
            assert run(command, "--", thread_id)[0] == Exit.DONE, (command, thread_id)


def test_checkpoints_with_hostile_ids_can_be_shown_by_them(run, threads):
    for thread in [thread for thread in threads if not thread["thread_id"].startswith("attack-")]:
        rows = json.loads(run("history", "--json", "--", thread["thread_id"])[1])
        for row in rows:
            reference = [f"--checkpoint={row['id']}", f"--ns={row['ns']}"]
            code, out = run("show", "--json", *reference, "--", thread["thread_id"])
            assert code == Exit.DONE, row
            assert json.loads(out)["checkpoint_id"] == row["id"]


@pytest.mark.parametrize("text", hostile.STRINGS.values(), ids=hostile.STRINGS)
def test_hostile_words_on_the_command_line(run, text, monkeypatch, tmp_path):
    monkeypatch.setenv("LGTOP_STORE", str(small_store(tmp_path)))
    assert run("show", "--", f"no such {text}")[0] == Exit.NOT_FOUND
    assert run("ls", "--filter", text)[0] in (Exit.DONE, Exit.USAGE)
    assert run("ls", f"--{text}")[0] in (Exit.USAGE, Exit.DONE)


def small_store(directory):
    """A store with one thread."""
    from langgraph.checkpoint.base import empty_checkpoint
    from langgraph.checkpoint.sqlite import SqliteSaver

    path = directory / "small.sqlite"
    with SqliteSaver.from_conn_string(str(path)) as saver:
        where = {"configurable": {"thread_id": "one", "checkpoint_ns": ""}}
        saver.put(where, empty_checkpoint(), {"source": "input", "step": -1}, {})
    return path


def test_nothing_that_the_store_names_is_imported(enemy):
    path, canary = enemy
    code = (
        "import sys; sys.argv = ['lgtop']\n"
        "from tui.cli.main import run\n"
        f"before = set(sys.modules); run(['ls', '-s', {str(path)!r}, '--json']); run(['inbox', '-s', {str(path)!r}])\n"
        "print(*sorted(set(sys.modules) - before), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    loaded = {name.split(".")[0] for name in done.stderr.split()}
    assert loaded.isdisjoint(("langgraph", "langchain_core", "pydantic", "numpy", "pickle", "antigravity", "this"))
    assert not canary.exists()


def test_a_terminal_gets_colours_of_ours_and_nothing_else(enemy):
    """On a real terminal, where colours are allowed: without them, no escape is left."""
    path, canary = enemy
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100"}
    environment.pop("NO_COLOR", None)
    parent, child = pty.openpty()
    done = subprocess.Popen(
        [sys.executable, "-m", "lgtop", "ls", "-s", str(path)], cwd=ROOT, env=environment, stdout=child, stderr=child
    )
    os.close(child)
    shown = bytearray()
    try:
        while chunk := os.read(parent, 65536):
            shown += chunk
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(parent)
    assert done.wait() == 0
    text = shown.decode().replace("\r\n", "\n")
    assert "\x1b[" in text
    assert not FORBIDDEN.search(re.sub(r"\x1b\[\d+m", "", text))
    assert not canary.exists()

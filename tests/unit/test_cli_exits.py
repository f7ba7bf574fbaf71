"""Every command ends with the exit code that scripts are promised, and says why in one line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.sqlite_files import make
from tui.cli import main
from tui.cli.exits import Exit

ARGUMENTS = {
    "ls": (),
    "show": ("T",),
    "history": ("T",),
    "diff": ("T",),
    "inbox": (),
    "watch": (),
    "du": ("T",),
    "run": ("--graph", "g.py:graph", "--input", "{}"),
    "resume": ("T",),
    "answer": ("T", "--value", "1"),
    "fork": ("T",),
    "edit": ("T", "--values", "{}", "--as-node", "n"),
    "stop": ("T",),
    "undo": ("T",),
    "copy": ("T", "N"),
    "rm": ("T", "--yes"),
    "prune": ("T", "--keep", "1", "--yes"),
    "export": ("T",),
    "import": ("file.jsonl",),
    "locks": (),
}
"""A sensible command line of each command that opens a store; T is no thread of it, and no action on it."""

OF_A_THREAD = tuple(name for name, words in ARGUMENTS.items() if words[:1] == ("T",))
MAKING = ("run", "import")
"""Commands that make a store that is not there."""

WRITING = ("copy", "rm", "prune", "import")
"""Commands that write and need no graph."""

Lgtop = Callable[..., tuple[int, str]]


@pytest.fixture
def lgtop(tmp_path, monkeypatch, capsys) -> Lgtop:
    """Run a command in an empty project beside a small store; its exit code and what it says."""
    for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    for name in ("LGTOP_STORE", "LGTOP_PROFILE", "LGTOP_DEBUG", "PGSERVICE", "PGHOST", "PGHOSTADDR", "PGDATABASE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "app.sqlite", threads=("a",))
    (tmp_path / "file.jsonl").touch()
    (tmp_path / "text.sqlite").write_text("no database, and long enough to be looked at as one")
    (tmp_path / "g.py").write_text("graph = None")

    def command(*argv: str) -> tuple[int, str]:
        code = main.run(argv)
        captured = capsys.readouterr()
        assert code == Exit.DONE or captured.out == ""
        return code, captured.err

    return command


def test_a_command_line_that_cannot_be_understood(lgtop):
    for name in main.COMMANDS:
        code, said = lgtop(name, "--nonsense")
        assert (name, code) == (name, Exit.USAGE)
        assert said.endswith(f"See lgtop {name} --help.\n")


def test_no_store_is_named(lgtop):
    for name, words in ARGUMENTS.items():
        code, said = lgtop(name, *words)
        assert (name, code) == (name, Exit.USAGE)
        assert said.startswith(f"lgtop {name}: No checkpoint store is named. Give one with -s STORE")


def test_a_store_that_cannot_be_opened(lgtop):
    for name, words in ARGUMENTS.items():
        for store in ("text.sqlite", *(() if name in MAKING else ("gone.sqlite", "gone/app.sqlite"))):
            code, said = lgtop(name, "-s", store, *words)
            assert (name, code) == (name, Exit.STORE)
            assert said.count("\n") == 1


def test_a_thread_that_is_not_there(lgtop):
    for name in OF_A_THREAD:
        code, said = lgtop(name, "-s", "app.sqlite", *ARGUMENTS[name])
        assert (name, code) == (name, Exit.NOT_FOUND)
        assert "There is no" in said


def test_a_store_that_nobody_may_write_to(lgtop, tmp_path):
    folder = tmp_path / "XDG_CONFIG_HOME" / "lgtop"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('[profiles.p]\nstore = "app.sqlite"\nreadonly = true\n')
    for name in WRITING:
        words = ("a" if word == "T" else word for word in ARGUMENTS[name])
        code, said = lgtop(name, "--profile", "p", *words)
        assert (name, code) == (name, Exit.REFUSED)
        assert "nothing is written" in said

"""The outermost layer: which command is meant, what goes wrong in a sentence, and the exit code."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tui.cli import main
from tui.cli.exits import Exit

ROOT = Path(__file__).resolve().parents[2]


NO_SPACE = "lgtop: No space left on device. LGTOP_DEBUG=1 shows where.\n"


@pytest.fixture(autouse=True)
def _nowhere(monkeypatch, tmp_path):
    """No store in the environment, an empty current directory."""
    for name in ("LGTOP_STORE", "PGSERVICE", "PGHOST", "PGHOSTADDR", "PGDATABASE", "LGTOP_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def lgtop(capsys, *argv):
    code = main.run(argv)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_the_overview_names_every_command(capsys):
    code, out, _ = lgtop(capsys, "--help")
    assert code == Exit.DONE
    assert all(f"\n  {name} " in out for name in main.COMMANDS)
    assert max(map(len, out.splitlines())) <= 110


@pytest.mark.parametrize("name", main.COMMANDS)
def test_every_command_explains_itself_with_examples(capsys, name):
    code, out, err = lgtop(capsys, name, "--help")
    assert code == Exit.DONE
    assert not err
    assert f"usage: lgtop {name}" in out
    assert f"  lgtop {name}" in out.partition("examples:")[2]


def test_version(capsys):
    code, out, _ = lgtop(capsys, "--version")
    assert code == Exit.DONE
    assert out.startswith("lgtop ")


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["ls"], "No checkpoint store is named."),
        (["ls", "--frobnicate"], "unrecognized arguments: --frobnicate"),
        (["ls", "--sort", "colour"], "invalid choice: 'colour'"),
        (["ls", "--limit", "0"], "0 is not at least 1"),
        (["ls", "--json", "--jsonl"], "not allowed with"),
        (["watch", "--interval", "nan"], "not a positive number of seconds"),
        (["show", "-s", "x.sqlite"], "the following arguments are required: THREAD"),
        (["lss"], "Did you mean lgtop ls?"),
        ([], "No checkpoint store is named."),
    ],
)
def test_a_wrong_command_line_is_explained(capsys, argv, said):
    code, out, err = lgtop(capsys, *argv)
    assert code == Exit.USAGE
    assert not out
    assert said in err
    assert err.partition(" See lgtop")[0].endswith((".", "?"))
    assert "--help" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("argv", [["ls", "-s", "gone.sqlite"], ["-s", "gone.sqlite", "ls"], ["gone.sqlite"]])
def test_a_missing_store_is_told_in_one_line(capsys, argv):
    code, out, err = lgtop(capsys, *argv)
    assert code == Exit.STORE
    assert not out
    assert "gone.sqlite" in err
    assert err.count("\n") == 1


def test_a_store_from_the_environment(capsys, monkeypatch):
    monkeypatch.setenv("LGTOP_STORE", "elsewhere.sqlite")
    code, _, err = lgtop(capsys, "ls")
    assert code == Exit.STORE
    assert "elsewhere.sqlite" in err


def test_a_password_is_never_told(capsys):
    code, out, err = lgtop(capsys, "ls", "-s", "postgresql://me:hunter2@127.0.0.1:1/none?connect_timeout=2")
    assert code == Exit.STORE
    assert "hunter2" not in out + err
    assert "Traceback" not in err


def test_what_nobody_foresaw_is_one_line_too(capsys, monkeypatch):
    def fail(options):
        raise ZeroDivisionError("postgresql://me:hunter2@host/db")

    monkeypatch.setattr("tui.cli.ls.run", fail)
    code, _, err = lgtop(capsys, "ls")
    assert code == Exit.FAILED
    assert err == "lgtop: ZeroDivisionError: postgresql://me:••••@host/db. LGTOP_DEBUG=1 shows where.\n"


def test_ctrl_c_ends_with_130(capsys, monkeypatch):
    def interrupted(options):
        raise KeyboardInterrupt

    monkeypatch.setattr("tui.cli.ls.run", interrupted)
    assert lgtop(capsys, "ls") == (Exit.INTERRUPTED, "", "")


def test_packages_of_the_users_project_do_not_stand_in_front_of_ours(tmp_path):
    for name in ("tui", "backends"):
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('imported from the project')\n")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "lgtop", "--help"], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: lgtop")


@pytest.mark.parametrize(
    ("redirection", "code", "told"),
    [
        (">&-", 0, ""),
        ("<&-", 0, ""),
        ("2>&-", 0, ""),
        *([(">/dev/full", 1, NO_SPACE)] if Path("/dev/full").exists() else []),
    ],
)
def test_streams_that_lead_nowhere(redirection, code, told):
    done = subprocess.run(
        ["sh", "-c", f'"$0" -m lgtop --help {redirection}', sys.executable], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (code, told)


def test_it_goes_on_where_only_ascii_is_understood():
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [sys.executable, "-m", "lgtop", "--help"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0
    assert done.stdout.isascii()


def test_a_list_as_json_loads_only_what_it_needs(tmp_path):
    """Start-up is most of what a short command costs; each of these would be felt."""
    from langgraph.checkpoint.base import empty_checkpoint
    from langgraph.checkpoint.sqlite import SqliteSaver

    path = str(tmp_path / "small.sqlite")
    with SqliteSaver.from_conn_string(path) as saver:
        where = {"configurable": {"thread_id": "one", "checkpoint_ns": ""}}
        saver.put(where, empty_checkpoint(), {"source": "input", "step": -1}, {})
    code = (
        "import sys, lgtop; sys.argv = ['lgtop', 'ls', '--json', '-s', sys.argv[1]]; code = lgtop.main()\n"
        "print(code, *sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, path], cwd=ROOT, capture_output=True, text=True, check=True)
    code, *loaded = done.stderr.split()
    assert (code, '"thread_id": "one"' in done.stdout) == ("0", True)
    heavy = "asyncio difflib email hashlib importlib.metadata logging pathlib shutil subprocess tempfile urllib"
    assert not set(loaded) & {*heavy.split(), "langgraph", "psycopg", "pydantic", "rich", "textual", "watchfiles"}
    assert not {
        name for name in loaded if name in ("backends.query", "backends.diff", "backends.index", "tui.cli.table")
    }

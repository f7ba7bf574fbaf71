"""One verb on many threads, from the command line: what is chosen, asked, told, and with which exit code."""

from __future__ import annotations

import io
import json
import os
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.sqlite import SqliteSaver

from backends.bulk import exporting
from backends.bulk.outcome import Outcome, Progress, State
from backends.control import journal
from backends.errors import StoreUnreachable
from backends.locks.take import take
from backends.transfer.export import export
from backends.transfer.format import END, HEADER
from tests import schemas
from tests.conformance import bulk_questions
from tui.cli import main
from tui.cli.bulk import exit_of
from tui.cli.bulk_progress import carry_out
from tui.cli.exits import Exit

Lgtop = Callable[..., tuple[int, str, str]]
GRAPH = ("--graph", f"{bulk_questions.__file__}:graph")


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("XDG_STATE_HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    for name in ("PGSERVICE", "PGHOST", "PGHOSTADDR", "PGDATABASE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LGTOP_DEBUG", "1")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two threads that are done, two that ask, one with a strict question, one that stands before a breakpoint."""
    path = tmp_path / "s" / "small.sqlite"
    path.parent.mkdir()
    threads: dict[str, dict[str, Any]] = {
        "done-1": {"who": []},
        "done-2": {"who": []},
        "asks-1": {},
        "asks-2": {"who": ["anna", "ben"]},
        "strict": {"schema": {"type": "integer"}},
        "stopped": {},
    }
    with SqliteSaver.from_conn_string(str(path)) as saver:
        graph = bulk_questions.graph.compile(checkpointer=saver)
        for thread_id, given in threads.items():
            full: Any = {"who": ["anna"], "schema": {}, "mended": "", "said": [], **given}
            before = ["ask"] if thread_id == "stopped" else []
            graph.invoke(full, {"configurable": {"thread_id": thread_id}}, interrupt_before=before)
    monkeypatch.setenv("LGTOP_STORE", str(path))
    return path


@pytest.fixture
def lgtop(capsys: pytest.CaptureFixture[str]) -> Lgtop:
    def run(*argv: str) -> tuple[int, str, str]:
        code = main.run(argv)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def states(out: str) -> dict[str, str]:
    found = schemas.checked(json.loads(out), schemas.BULK)
    assert found["total"] == sum(found["states"].values()) == len(found["outcomes"])
    return {one["thread_id"]: one["state"] for one in found["outcomes"]}


def threads_in(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {name for (name,) in connection.execute("select distinct thread_id from checkpoints")}


def test_a_dry_run_says_what_each_thread_would_do(store: Path, lgtop: Lgtop) -> None:
    code, out, err = lgtop("resume", "--all", *GRAPH, "--dry-run", "--json")
    assert code == Exit.DONE
    assert states(out) == {"stopped": "pending", **dict.fromkeys({"done-1", "done-2"}, "skipped")} | dict.fromkeys(
        ("asks-1", "asks-2", "strict"), "skipped"
    )
    assert "resumes 1 thread: stopped" in err
    assert "3 threads, as asks-1: It waits for an answer" in err
    code, out, _ = lgtop("answer", "--filter", "status:waiting", "--value", "true", *GRAPH, "--dry-run", "--json")
    assert states(out) == {"asks-1": "pending", "asks-2": "pending", "strict": "refused"}
    code, out, _ = lgtop("answer", "asks-1", "done-1", "--value", "true", *GRAPH, "--dry-run")
    assert [line.split()[:2] for line in out.splitlines()] == [["THREAD", "STATE"], ["asks-1", "would"]]
    code, out, _ = lgtop("stop", "--all", "--dry-run", "--json")
    assert set(states(out).values()) == {"skipped"}
    assert not journal.entries()


def test_threads_that_need_nothing_are_skipped_and_that_is_no_failure(store: Path, lgtop: Lgtop) -> None:
    code, out, err = lgtop("resume", "--filter", "status:done", *GRAPH, "--json")
    assert (code, states(out)) == (Exit.DONE, {"done-1": "skipped", "done-2": "skipped"})
    assert "nothing to resume" in err
    assert "2 of 2 · 2 skipped" in err
    code, out, err = lgtop("resume", "--filter", "id:nobody", "--json")
    assert (code, states(out)) == (Exit.DONE, {})
    assert "no thread is chosen" in err


def test_a_thread_without_a_known_graph_is_refused(store: Path, lgtop: Lgtop) -> None:
    code, out, err = lgtop("resume", "--all", "--json")
    assert code == Exit.REFUSED
    assert states(out)["stopped"] == "refused"
    assert "--graph" in err


def test_threads_are_copied_under_a_suffix_and_not_twice(store: Path, lgtop: Lgtop) -> None:
    before = threads_in(store)
    code, out, _ = lgtop("copy", "--filter", "id:asks*", "--suffix", ".bak", "--json", "--concurrency", "2")
    assert (code, states(out)) == (Exit.DONE, {"asks-1": "done", "asks-2": "done"})
    assert [one["copy"] for one in json.loads(out)["outcomes"]] == ["asks-1.bak", "asks-2.bak"]
    assert threads_in(store) == before | {"asks-1.bak", "asks-2.bak"}
    assert {(entry.verb, entry.outcome) for entry in journal.entries()} == {("copy", "done")}
    code, out, _ = lgtop("copy", "--filter", "id:asks-1", "--suffix=.bak", "--json")
    assert code == Exit.REFUSED
    assert states(out)["asks-1"] == "refused"


def test_a_thread_that_is_held_is_busy_and_the_others_are_done(store: Path, lgtop: Lgtop) -> None:
    with take(str(store), "done-1", who="somebody"):
        code, out, err = lgtop("rm", "--filter", "id:done*", "--yes", "--json", "--concurrency", "3")
    assert (code, states(out)) == (Exit.BUSY, {"done-1": "refused", "done-2": "done"})
    assert "somebody" in err
    assert json.loads(out)["deleted"]["threads"] == 1


class Terminal(io.StringIO):
    """A stream that looks like a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("typed", "copied"), [("y\n", True), ("\n", False), ("no\n", False)])
def test_on_a_terminal_it_is_asked_first(
    store: Path, lgtop: Lgtop, monkeypatch: pytest.MonkeyPatch, typed: str, copied: bool
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    monkeypatch.setattr("sys.stderr", told := Terminal())
    assert main.run(["copy", "--filter", "id:done*"]) == Exit.DONE
    assert "copies 2 threads: done-1, done-2. Go on? [y/N]" in told.getvalue()
    assert ("done-1-copy" in threads_in(store)) == copied
    told.truncate(0)
    assert main.run(["copy", "--filter", "id:strict", "--yes"]) == Exit.DONE
    assert "Go on?" not in told.getvalue()


def test_progress_is_painted_over_on_a_terminal_only(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("tui.cli.bulk_progress.get_width", lambda: 60)
    monkeypatch.setattr("tui.cli.bulk_progress._PACE", 0.0)
    monkeypatch.setattr("sys.stderr", told := Terminal())
    assert main.run(["copy", "--all", "--yes"]) == Exit.DONE
    assert "\rlgtop: " in told.getvalue()
    assert told.getvalue().count("\r\x1b[K") == 1


class Endless:
    """A job that does not end, with a person who will not wait."""

    stopping = False
    progress = Progress(1, running=1)

    def start(self) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    def stop(self) -> None:
        self.stopping = True
        os.kill(os.getpid(), signal.SIGINT)

    def wait(self, timeout: float) -> bool:
        return False


def test_ctrl_c_stops_and_once_more_leaves_at_once() -> None:
    job, before = Endless(), signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        carry_out(job)  # type: ignore[arg-type]
    assert job.stopping
    assert signal.getsignal(signal.SIGINT) is before


def test_an_export_that_fails_leaves_no_file(
    store: Path, lgtop: Lgtop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, real, broken = tmp_path / "all.jsonl", export, {"asks-2": 1}

    def breaking(opened: Any, threads: list[str], write: Any, *more: Any) -> Any:
        for written in real(opened, threads, write, *more):
            if broken.get(threads[0], 0):
                broken[threads[0]] -= 1
                raise StoreUnreachable("The connection is lost.")
            yield written

    monkeypatch.setattr(exporting, "export", breaking)
    code, _, err = lgtop("export", "--all", "-o", str(file), "--json")
    assert code == Exit.FAILED
    assert "The connection is lost." in err
    assert list(tmp_path.glob("all.jsonl*")) == []
    broken["asks-2"] = 1
    code, out, _ = lgtop("export", "--all", "-o", str(file), "--json", "--retries", "1", "--backoff", "0")
    assert code == Exit.DONE
    assert len(schemas.checked(json.loads(out), schemas.EXPORTED)["threads"]) == 6
    assert lgtop("export", "--all", "-o", str(file))[0] == Exit.REFUSED
    assert lgtop("import", "-s", str(store), str(file), "--dry-run")[0] in (Exit.DONE, Exit.REFUSED)
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [lines[0]["record"], lines[-1]] == [HEADER, {"record": END, "threads": 6}]
    assert sum(line["record"] == HEADER for line in lines) == 1
    code, out, err = lgtop("export", "--filter", "id:done*", "--dry-run")
    assert (code, set(out.split())) == (Exit.DONE, {"done-1", "done-2"})


@pytest.mark.parametrize(
    "words",
    [
        ("resume",),
        ("resume", "one", "--all"),
        ("resume", "--all", "--filter", "x"),
        ("resume", "--all", "--step"),
        ("resume", "--all", "--detach"),
        ("resume", "--all", "--retry"),
        ("resume", "--all", "--expect", "1f"),
        ("resume", "--all", "--concurrency", "0"),
        ("resume", "--all", "--retries", "-1"),
        ("resume", "--all", "--backoff", "nan"),
        ("answer", "--all"),
        ("answer", "--all", "--value", "1", "--value", "2"),
        ("answer", "--all", "--value", "1", "--id", "x"),
        ("copy", "one", "--all"),
        ("copy", "--all", "--suffix", ""),
        ("stop", "--all", "--run", "x"),
        ("stop", "--all", "--detach"),
        ("export", "--all", "one"),
    ],
)
def test_what_cannot_be_meant_is_refused(store: Path, lgtop: Lgtop, words: tuple[str, ...]) -> None:
    assert lgtop(*words)[0] == Exit.USAGE


@pytest.mark.parametrize("words", [("resume", "--all"), ("copy", "--all"), ("rm", "--all", "--yes")])
def test_a_read_only_profile_refuses_all_at_once(
    store: Path, lgtop: Lgtop, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setattr("tui.cli.bulk.is_readonly", lambda options: True)
    code, out, err = lgtop(*words, "--json")
    assert (code, out) == (Exit.REFUSED, "")
    assert "nothing is written" in err


@pytest.mark.parametrize(
    ("found", "code"),
    [
        ((), Exit.DONE),
        ((State.DONE, State.SKIPPED), Exit.DONE),
        ((State.DONE, State.FAILED, State.REFUSED), Exit.FAILED),
        ((State.DONE, State.STOPPED), Exit.FAILED),
        ((State.DONE, State.REFUSED), Exit.REFUSED),
    ],
)
def test_the_exit_code_is_of_the_gravest_outcome(found: tuple[State, ...], code: Exit) -> None:
    assert exit_of([Outcome(str(number), state) for number, state in enumerate(found)]) == code
    assert exit_of([Outcome("a", State.REFUSED, busy=True)]) == Exit.BUSY
    assert exit_of([Outcome("a", State.REFUSED, busy=True), Outcome("b", State.REFUSED)]) == Exit.REFUSED

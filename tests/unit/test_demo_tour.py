"""The tour of the demo: what it claims is looked up, and a claim that is not so is told and counted."""

import os
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len

from backends.errors import Refused
from backends.model import Analysis, StatusName
from tui.cli import main
from tui.cli.exits import Exit
from tui.demo.place import LEDGER, take_place
from tui.demo.script import MODEL, Beat, Crash, Promise, Told, tour
from tui.demo.stage import Book
from tui.demo.told import tell

OUTCOME = {"text": "t", "sentiment": "positive", "summary": "s"}


class Truthful:
    """A stage on which everything goes as it should; what it shows depends on how far the run has come."""

    def __init__(self, lossy=False):
        self.lossy = lossy
        self.moment = "start"
        self.calls = []
        self.statuses = frozenset(StatusName)

    def start(self, thread, graph, given, *, durability="sync", step=False):
        self.calls.append(("start", thread, durability))
        return thread

    def resume(self, thread, graph):
        self.calls.append(("resume", thread))
        return thread

    def stop(self, run, how):
        self.calls.append((how, run))
        self.moment = "kill"

    def await_node(self, run, node):
        self.moment = "start"

    def halt(self, run, node):
        return True

    def await_end(self, run):
        self.moment = "end"

    def refusal(self, thread, graph):
        return "There is no such thread."

    def threads(self):
        return {status.value: Analysis(status, "") for status in StatusName}

    def thread(self, thread):
        if self.lossy and self.moment != "end":
            return None
        status = {"start": StatusName.RUNNING, "kill": StatusName.CRASHED, "end": StatusName.DONE}[self.moment]
        return Analysis(status, "The process was killed by SIGKILL.")

    def state(self, thread):
        return dict(OUTCOME)

    def book(self, thread, since):
        if self.moment != "end":
            return Book({"extract": 1, "sentiment": 1}, {"extract": 1})
        begun = {"extract": 2 if self.lossy else 1, "sentiment": 2, "summary": 1}
        return Book(begun, begun)


def crash(stage):
    return Crash(stage, "stage", "exit" if stage.lossy else "sync", 0)


def played(stage):
    """Everything that is told of one crash."""
    one = crash(stage)
    return [one.start(), one.kill(), one.go_on()]


def broken(tolds):
    return [promise.text for told in tolds for promise in told.promises if not promise.held]


@pytest.mark.parametrize("lossy", [False, True])
def test_where_everything_goes_as_it_should_every_promise_holds(lossy):
    stage = Truthful(lossy)
    tolds = played(stage)
    assert broken(tolds) == []
    assert [call[0] for call in stage.calls] == (["start", "kill", "start"] if lossy else ["start", "kill", "resume"])
    assert tolds[-1].status is StatusName.DONE


class Twice(Truthful):
    def book(self, thread, since):
        book = super().book(thread, since)
        return replace(book, begun={**book.begun, "extract": 2}) if self.moment == "end" else book


class Stalled(Truthful):
    def thread(self, thread):
        found = super().thread(thread)
        return replace(found, status=StatusName.STALLED) if self.moment == "kill" else found


class Forgetful(Truthful):
    def state(self, thread):
        return dict(OUTCOME) if self.moment != "kill" else {}


class Different(Truthful):
    def state(self, thread):
        return dict(OUTCOME) if thread == MODEL else {**OUTCOME, "summary": "another"}


class TooLate(Truthful):
    def book(self, thread, since):
        book = super().book(thread, since)
        return replace(book, done={**book.done, "sentiment": 1}) if self.moment == "kill" else book


class Saved(Truthful):
    def thread(self, thread):
        return Analysis(StatusName.DONE, "")


class Kept(Truthful):
    def book(self, thread, since):
        book = super().book(thread, since)
        return replace(book, begun={**book.begun, "extract": 1}) if self.moment == "end" else book


class Resumable(Truthful):
    def refusal(self, thread, graph):
        return ""


@pytest.mark.parametrize(
    ("stage", "said"),
    [
        (Twice(), ["extract did not run again"]),
        (Stalled(), ["the list says crashed, and why"]),
        (Forgetful(), ["what extract found is saved"]),
        (Different(), ["the result is that of a run which nobody killed"]),
        (TooLate(), ["sentiment had begun and not finished"]),
        (
            Saved(lossy=True),
            ["the store knows nothing of it yet", "the thread is not in the list: nothing was saved"],
        ),
        (Kept(lossy=True), ["extract ran twice: its work was lost"]),
        (Resumable(lossy=True), ["there is nothing to resume"]),
    ],
)
def test_a_promise_that_is_not_kept_is_told(stage, said):
    assert broken(played(stage)) == said


def test_a_status_that_no_thread_has_is_named():
    stage = Truthful()
    stage.threads = lambda: {"one": Analysis(StatusName.DONE, "")}
    (promise,) = tour(stage, 0)[0].play().promises
    assert not promise.held
    assert "running" in promise.text


def test_a_run_that_was_through_the_node_already_is_followed_by_another():
    stage = Truthful()
    halts = iter([False, True])
    stage.halt = lambda run, node: next(halts)
    one = crash(stage)
    told = one.start()
    assert stage.calls == [("start", "stage", "sync"), ("start", "stage-2", "sync")]
    assert (told.thread, broken([told])) == ("stage-2", [])
    one.kill()
    assert stage.calls[-1] == ("kill", "stage-2")


def test_every_line_of_the_caption_fits_a_small_terminal():
    for lossy in (False, True):
        for told in [*played(Truthful(lossy)), tour(Truthful(), 0)[0].play()]:
            for line in [told.text.replace("stage", "stage-exit"), *(f"✓ {promise.text}" for promise in told.promises)]:
                assert cell_len(line) <= 78


def test_the_tour_as_text():
    lines = []
    good = Beat("a", lambda: Told("One.", (Promise("it is so", True),)))
    bad = Beat("b", lambda: Told("Two.", (Promise("it is not", False), Promise("it is", True))))
    assert tell([good], lines.append)
    assert lines == ["1  One.", "   ✓ it is so", "Every promise held."]
    lines.clear()
    assert not tell([good, bad], lines.append)
    assert lines[2:] == ["2  Two.", "   ✖ it is not", "   ✓ it is", "1 promise did not hold."]


def test_a_place_is_gone_afterwards(monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", "/of/this/user")
    monkeypatch.delenv(LEDGER, raising=False)
    with take_place() as place:
        folder = place.ledger.parent
        assert Path(os.environ["XDG_STATE_HOME"]).parent == folder == Path(place.address.path).parent
        assert os.environ[LEDGER] == str(place.ledger)
    assert not folder.exists()
    assert (os.environ["XDG_STATE_HOME"], LEDGER in os.environ) == ("/of/this/user", False)


def test_a_place_with_the_log_of_a_failure_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with take_place() as place:
        log = place.ledger.with_name("state") / "lgtop" / "crash-1.log"
        log.parent.mkdir(parents=True)
        log.touch()
    assert log.exists()


def test_a_store_that_is_kept_keeps_its_records(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with take_place(str(tmp_path / "kept.sqlite")) as place:
        assert os.environ["XDG_STATE_HOME"] == str(tmp_path / "state")
    assert not place.ledger.parent.exists()
    (tmp_path / "kept.sqlite").touch()
    with pytest.raises(Refused, match="exists already"), take_place(str(tmp_path / "kept.sqlite")):
        pass


def test_a_server_is_never_taken_for_a_file():
    with pytest.raises(Refused, match="--postgres"), take_place("postgresql://me:hush@db.example/app"):
        pass


@pytest.mark.parametrize("words", [("--tour", "--json"), ("--store", "a", "--postgres"), ("--autoplay", "0")])
def test_what_does_not_go_together(words, capsys):
    assert main.run(["demo", *words]) == Exit.USAGE
    assert capsys.readouterr().out == ""

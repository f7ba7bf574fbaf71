"""What locks and runs add to what rows say."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from backends.errors import StoreUnreachable
from backends.ids import checkpoint_id_at
from backends.locks.holder import Holder
from backends.model import Analysis, StatusName
from backends.runs.run import Run, RunState
from backends.witness import Witness

BEGAN = 1_800_000_000.0
HEAD = checkpoint_id_at(BEGAN + 1) + "-8001-000000000000"
WORK = Analysis(StatusName.STALLED, "crashed, or running elsewhere", ("work",))
DONE = Analysis(StatusName.DONE, "")
ASKING = Analysis(StatusName.WAITING, "Go on?", ("ask",), inferred=True)
ME = Holder("t", 4312, "you@laptop", "laptop", "k3f2", BEGAN)


class Locks:
    """A board of which a test says what is on it."""

    def __init__(self) -> None:
        self.held: dict[str, Holder] = {}
        self.asked: list[list[str]] = []
        self.failure: Exception | None = None
        self.then: Callable[[], None] = lambda: None
        self.closed = 0

    def holders(self, threads: Callable[[], Iterable[str]] = tuple) -> dict[str, Holder]:
        self.asked.append(list(threads()))
        if self.failure is not None:
            raise self.failure
        found = dict(self.held)
        self.then()
        return found

    def close(self) -> None:
        self.closed += 1


class Runs:
    """A ledger of which a test says what is in it."""

    def __init__(self) -> None:
        self.listed: list[Run] = []
        self.latests = 0
        self.failure: Exception | None = None

    def put(self, *runs: Run) -> None:
        self.listed = list(runs)

    def refresh(self) -> list[Run]:
        if self.failure is not None:
            raise self.failure
        return self.listed

    def latest(self) -> dict[str, Run]:
        self.latests += 1
        return {run.thread_id: run for run in reversed(self.listed)}


class Lab:
    """A witness, its sources, and a clock."""

    def __init__(self, local: bool) -> None:
        self.locks, self.runs, self.made = Locks(), Runs(), 0
        self.now, self.recorded = 100.0, True
        self.witness = Witness(self._board, lambda: self.runs, lambda: self.recorded, local, lambda: self.now)

    def _board(self) -> Locks:
        self.made += 1
        return self.locks

    def judge(self, found: Analysis, thread_id: str = "t") -> Analysis:
        held = self.witness.holding([thread_id])
        return self.witness.testify({thread_id: HEAD}, {thread_id: found}, held)[thread_id]


@pytest.fixture(params=[True, False], ids=["local", "remote"])
def lab(request: pytest.FixtureRequest) -> Lab:
    return Lab(request.param)


def run(state: RunState, **changes: object) -> Run:
    plain = Run("k3f2", "/runs/k3f2", "t", "/data/x.db", "sqlite:1", "g", "g.py:g", "resume", "you@laptop", 4312)
    times = {"started_at": BEGAN, "ended_at": None if state is RunState.RUNNING else BEGAN + 2}
    return replace(plain, state=state, **{"head": HEAD, **times, **changes})  # type: ignore[arg-type]


# --- one thread --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("found", [WORK, DONE, ASKING])
def test_who_is_held_runs_whatever_its_rows_say(lab: Lab, found: Analysis):
    lab.locks.held = {"t": ME}
    told = lab.judge(found)
    assert (told.status, told.reason) == (StatusName.RUNNING, "run k3f2 · you@laptop · pid 4312")
    assert (told.next, told.inferred) == (found.next, False)


@pytest.mark.parametrize("found", [WORK, DONE, ASKING])
def test_without_locks_and_runs_rows_have_the_word(lab: Lab, found: Analysis):
    assert lab.judge(found) == found


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (RunState.CRASHED, StatusName.CRASHED),
        (RunState.PAUSED, StatusName.PAUSED),
        (RunState.DRAINED, StatusName.PAUSED),
        (RunState.CANCELLED, StatusName.PAUSED),
        (RunState.FAILED, StatusName.FAILED),
        (RunState.DONE, StatusName.STALLED),
    ],
)
def test_the_last_run_explains_work_that_is_due(lab: Lab, state: RunState, status: StatusName):
    lab.runs.put(run(state, reason="as it said"))
    told = lab.judge(WORK)
    assert told.status is status
    assert told.reason == ("as it said" if status is not StatusName.STALLED else WORK.reason)
    assert lab.judge(ASKING) == ASKING
    assert lab.judge(DONE) == DONE


def test_rows_that_were_read_before_a_run_ended_are_of_its_time(lab: Lab):
    """What it did last is not in them, and so they show work that it has done."""
    lab.runs.put(run(RunState.RUNNING, head=None))
    assert lab.witness.glance() == {"t"}
    held = lab.witness.holding(["t"])
    lab.runs.put(run(RunState.DONE, head=checkpoint_id_at(BEGAN + 2) + "-8002-000000000000"))
    told = lab.witness.testify({"t": HEAD}, {"t": WORK}, held)["t"]
    assert (told.status, told.reason) == (StatusName.RUNNING, "run k3f2 · you@laptop · pid 4312")
    assert lab.witness.glance() == {"t"}
    assert lab.judge(WORK) == WORK


def test_a_run_that_crashed_after_its_rows_were_read_has_crashed(lab: Lab):
    lab.runs.put(run(RunState.RUNNING))
    lab.witness.glance()
    held = lab.witness.holding(["t"])
    lab.runs.put(run(RunState.CRASHED, reason="killed"))
    assert lab.witness.testify({"t": HEAD}, {"t": WORK}, held)["t"].status is StatusName.CRASHED


def test_a_run_that_lives_runs_though_its_lock_was_not_seen(lab: Lab):
    """Lock and record are looked at one after the other, and it may begin or end in between."""
    lab.runs.put(run(RunState.RUNNING))
    told = lab.judge(WORK)
    assert (told.status, told.reason) == (StatusName.RUNNING, "run k3f2 · you@laptop · pid 4312")
    assert lab.judge(DONE) == DONE
    assert lab.judge(ASKING) == ASKING


def test_a_run_that_left_nothing_is_told_of(lab: Lab):
    """As one with durability ``exit`` that was killed: the head is still the one that it began from."""
    lab.runs.put(run(RunState.CRASHED, reason="Killed.", head=None, head_before=HEAD))
    lab.witness.review()
    assert lab.judge(DONE) == replace(DONE, reason="the last run left nothing: Killed.")
    assert lab.judge(WORK).status is StatusName.CRASHED
    assert lab.judge(ASKING) == ASKING


def test_a_run_explains_no_other_head(lab: Lab):
    later = checkpoint_id_at(BEGAN + 50) + "-8002-000000000000"
    lab.runs.put(run(RunState.CRASHED))
    held = lab.witness.holding(["t"])
    assert lab.witness.testify({"t": later}, {"t": WORK}, held)["t"] == WORK


def test_who_begins_while_rows_are_read_is_seen(lab: Lab):
    held = lab.witness.holding(["t"])
    lab.locks.held = {"t": ME}
    assert lab.witness.testify({"t": HEAD}, {"t": WORK}, held)["t"].status is StatusName.RUNNING


def test_who_ends_while_rows_are_read_still_runs(lab: Lab):
    """Its last rows may not have been read: what they would say is for the next look."""
    lab.locks.held = {"t": ME}
    held = lab.witness.holding(["t"])
    lab.locks.held = {}
    assert lab.witness.testify({"t": HEAD}, {"t": WORK}, held)["t"].status is StatusName.RUNNING


# --- following ---------------------------------------------------------------------------------------------------


def test_nothing_is_opened_before_the_first_look(lab: Lab):
    assert (lab.made, lab.witness.holders) == (0, {})
    lab.witness.close()
    assert lab.locks.closed == 0


def test_without_records_none_are_read_until_there_are_some(lab: Lab):
    lab.runs.put(run(RunState.CRASHED))
    lab.recorded = False
    assert lab.judge(WORK) == WORK
    lab.recorded = True
    assert lab.judge(WORK).status is StatusName.CRASHED
    lab.recorded = False
    assert lab.judge(WORK).status is StatusName.CRASHED


def test_tells_of_each_change_once(lab: Lab):
    def glance() -> set[str]:
        lab.now += 5
        return set(lab.witness.glance())

    lab.witness.threads = lambda: ["t", "u"]
    assert glance() == set()
    lab.locks.held = {"t": ME}
    lab.runs.put(run(RunState.RUNNING))
    assert [glance(), glance()] == [{"t"}, set()]
    lab.runs.put(run(RunState.RUNNING, head="another", finished=7))
    assert glance() == set(), "progress decides nothing"
    lab.locks.held = {"t": ME, "u": replace(ME, thread_id="u")}
    assert [glance(), glance()] == [{"u"}, set()]
    lab.locks.held = {}
    lab.runs.put(run(RunState.CRASHED))
    assert [glance(), glance()] == [{"t", "u"}, set()]
    assert lab.locks.asked[-1] == ["t", "u"]


def test_what_a_question_finds_out_is_told_of_too(lab: Lab):
    lab.witness.threads = lambda: ["t"]
    lab.witness.glance()
    lab.locks.held = {"t": ME}
    assert lab.witness.holding(["t"]) == {}, "somebody else keeps looking"
    assert lab.judge(WORK).status is StatusName.RUNNING
    assert lab.witness.glance() == {"t"}


def test_a_server_is_asked_seldom_while_nobody_runs():
    lab = Lab(local=False)
    lab.witness.glance()
    looks = len(lab.locks.asked)
    for _ in range(3):
        lab.now += 0.25
        lab.witness.glance()
    assert len(lab.locks.asked) == looks
    lab.now += 0.25
    lab.witness.glance()
    assert len(lab.locks.asked) == looks + 1
    lab.runs.put(run(RunState.RUNNING))
    lab.locks.held = {"t": ME}
    for expected in (2, 3, 4):
        lab.now += 0.25
        lab.witness.glance()
        assert len(lab.locks.asked) == looks + expected, "a run that has begun, and one that may end"


def test_runs_that_are_the_same_are_not_gone_through_again(lab: Lab):
    for _ in range(5):
        lab.witness.glance()
    assert lab.runs.latests == 1


# --- trouble -----------------------------------------------------------------------------------------------------


def test_locks_that_cannot_be_read_are_said_to_be_so(lab: Lab):
    lab.locks.held = {"t": ME}
    assert lab.judge(WORK).status is StatusName.RUNNING
    lab.locks.failure = StoreUnreachable("Too many connections for role \x1b[2J'app'.")
    told = lab.judge(WORK)
    assert told.status is StatusName.STALLED
    assert told.reason.startswith("crashed, or running elsewhere; Too many connections")
    assert "\x1b" not in told.reason
    assert lab.locks.closed
    lab.locks.failure = None
    made = lab.made
    assert lab.judge(WORK).status is StatusName.RUNNING
    assert lab.made == made + 1


def test_locks_that_cannot_be_read_are_asked_for_seldom(lab: Lab):
    lab.locks.failure = OSError("no locks here")
    lab.witness.glance()
    looks = len(lab.locks.asked)
    for _ in range(19):
        lab.now += 0.25
        lab.witness.glance()
    assert len(lab.locks.asked) == looks
    lab.now += 0.25
    lab.witness.glance()
    assert len(lab.locks.asked) == looks + 1


def test_records_that_cannot_be_read_are_said_to_be_so(lab: Lab):
    lab.runs.failure = PermissionError(13, "Permission denied", "/home/you/.local/state/lgtop/runs")
    assert lab.witness.glance() == set()
    told = lab.judge(WORK)
    assert told.status is StatusName.STALLED
    assert told.reason.startswith("crashed, or running elsewhere; How runs ended cannot be told: ")
    lab.locks.held = {"t": ME}
    assert lab.judge(WORK).status is StatusName.RUNNING
    lab.locks.held = {}
    lab.runs.failure = None
    lab.runs.put(run(RunState.CRASHED))
    assert lab.judge(WORK).status is StatusName.CRASHED

"""A job's own logic: order, concurrency, retries, stopping; with a deed that only notes what it is asked."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from backends.address import parse_address
from backends.bulk.job import Job
from backends.bulk.outcome import Outcome, Progress, State
from backends.bulk.request import Action, BulkRequest
from backends.control.gate import Gate
from backends.errors import AlreadyRunning, NotFound, Refused, StoreError
from backends.maintenance.deletion import Deletion
from backends.maintenance.policy import Policy
from backends.maintenance.remove import GoneOn

PATIENCE = 10.0
IDS = tuple(f"t{number}" for number in range(20))


class Fake:
    """A deed whose hands do what a function says."""

    def __init__(self, do: Callable[[str, int], State | Exception], undone: str = "") -> None:
        self.do = do
        self.undone = undone
        self.asked: list[tuple[str, int]] = []
        self.hands = self.closed = self.at_once = self.most = 0
        self.finished: bool | None = None
        self.mutex = threading.Lock()
        self.stopping: Callable[[], bool] = lambda: False

    def hand(self, stopping: Callable[[], bool]) -> FakeHand:
        with self.mutex:
            self.hands += 1
            self.stopping = stopping
        return FakeHand(self)

    def finish(self, complete: bool) -> str:
        self.finished = complete
        return self.undone if not complete else ""

    @contextmanager
    def counted(self) -> Iterator[None]:
        with self.mutex:
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        yield
        with self.mutex:
            self.at_once -= 1


class FakeHand:
    def __init__(self, deed: Fake) -> None:
        self.deed = deed

    def do(self, thread_id: str, attempt: int) -> Outcome:
        with self.deed.counted():
            self.deed.asked.append((thread_id, attempt))
            found = self.deed.do(thread_id, attempt)
        if isinstance(found, Exception):
            raise found
        return Outcome(thread_id, found, "as was said")

    def close(self) -> None:
        with self.deed.mutex:
            self.deed.closed += 1


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(parse_address(str(tmp_path / "s.sqlite"), {}))


def request_of(ids: tuple[str, ...] = IDS, **more: object) -> BulkRequest:
    return replace(BulkRequest(Action.RESUME, ids), **more)  # type: ignore[arg-type]


def ended(job: Job) -> dict[str, Outcome]:
    job.start()
    assert job.wait(PATIENCE)
    return {one.thread_id: one for one in job.outcomes()}


def test_every_thread_is_done_once_a_few_at_a_time(gate: Gate) -> None:
    together = threading.Barrier(3)

    def do(thread_id: str, attempt: int) -> State:
        if thread_id in IDS[:3]:
            together.wait(PATIENCE)
        return State.DONE

    deed, changes = Fake(do), Counter[str]()
    job = Job(request_of(concurrency=3), gate, deed, lambda: changes.update(["changed"]))
    found = ended(job)
    assert [one.thread_id for one in job.outcomes()] == list(IDS)
    assert {one.state for one in found.values()} == {State.DONE}
    assert sorted(deed.asked) == sorted((one, 1) for one in IDS)
    assert (deed.most, deed.hands, deed.closed, deed.finished) == (3, 3, 3, True)
    assert changes["changed"] >= 2 * len(IDS)
    assert job.progress == Progress(20, done=20, elapsed=job.progress.elapsed)
    assert job.progress.over
    assert job.progress.elapsed > 0


@pytest.mark.parametrize(
    ("error", "state", "reason"),
    [
        (AlreadyRunning("t0", "somebody"), State.REFUSED, "Already running: somebody."),
        (NotFound("no"), State.SKIPPED, "There is no such thread."),
        (Refused("It cannot.", "Do this."), State.REFUSED, "It cannot. Do this."),
        (GoneOn("It has gone on."), State.SKIPPED, "It has gone on."),
        (StoreError("It is locked."), State.FAILED, "It is locked."),
        (ZeroDivisionError("division by zero\x1b[31m"), State.FAILED, "ZeroDivisionError: division by zero"),
        (StoreError("no postgresql://me:secret@h/d"), State.FAILED, "no postgresql://me:••••@h/d"),
    ],
)
def test_an_error_is_the_outcome_of_its_thread_alone(gate: Gate, error: Exception, state: State, reason: str) -> None:
    deed = Fake(lambda thread_id, attempt: error if thread_id == "t0" else State.DONE)
    found = ended(Job(request_of(retries=0), gate, deed))
    assert found["t0"].state is state
    assert found["t0"].reason.startswith(reason)
    assert found["t0"].busy == isinstance(error, AlreadyRunning)
    assert {one.state for key, one in found.items() if key != "t0"} == {State.DONE}
    assert deed.hands == deed.closed
    assert deed.finished == (state is State.SKIPPED)


def test_only_what_failed_is_tried_again_and_later_each_time(gate: Gate) -> None:
    fails = {"t1": 2, "t2": 9}

    def do(thread_id: str, attempt: int) -> State | Exception:
        if thread_id == "t3":
            return Refused("never")
        return State.FAILED if attempt <= fails.get(thread_id, 0) else State.DONE

    deed = Fake(do)
    job = Job(request_of(IDS[:5], retries=3, backoff=0.02), gate, deed)
    found = ended(job)
    assert {key: (one.state, one.tries) for key, one in found.items()} == {
        "t0": (State.DONE, 1),
        "t1": (State.DONE, 3),
        "t2": (State.FAILED, 4),
        "t3": (State.REFUSED, 1),
        "t4": (State.DONE, 1),
    }
    assert found["t2"].seconds >= 0.02 + 0.04 + 0.08
    assert [attempt for thread_id, attempt in deed.asked if thread_id == "t2"] == [1, 2, 3, 4]
    again = job.retry()
    assert (again.thread_ids, again.again) == (("t2",), True)
    assert ended(Job(again, gate, Fake(lambda *_: State.DONE)))["t2"].state is State.DONE


def test_backoff_doubles() -> None:
    request = request_of(backoff=0.5)
    assert [request.pause_before(attempt) for attempt in range(1, 6)] == [0.0, 0.5, 1.0, 2.0, 4.0]


def test_stopping_begins_nothing_more_and_waits_for_what_is_under_way(gate: Gate) -> None:
    begun, go = threading.Semaphore(0), threading.Event()

    def do(thread_id: str, attempt: int) -> State:
        begun.release()
        assert go.wait(PATIENCE)
        return State.STOPPED if deed.stopping() and thread_id == "t0" else State.DONE

    deed = Fake(do)
    job = Job(request_of(concurrency=2), gate, deed)
    job.start()
    assert begun.acquire(timeout=PATIENCE)
    assert begun.acquire(timeout=PATIENCE)
    job.stop()
    assert not job.wait(0.01)
    assert (job.progress.running, job.progress.stopped) == (2, 18)
    go.set()
    assert job.wait(PATIENCE)
    found = {one.thread_id: one for one in job.outcomes()}
    assert [one.state for one in found.values()] == [State.STOPPED, State.DONE, *[State.STOPPED] * 18]
    assert found["t5"].reason == "Not begun."
    assert len(deed.asked) == 2
    assert deed.finished is False


def test_stopping_leaves_what_waits_for_another_try_as_failed(gate: Gate) -> None:
    failed = threading.Event()
    job = Job(
        request_of(IDS[:1], retries=5, backoff=60),
        gate,
        Fake(lambda *_: State.FAILED),
        lambda: failed.set() if job.progress.pending and job.outcomes()[0].tries else None,
    )
    job.start()
    assert failed.wait(PATIENCE)
    assert not job.over
    job.stop()
    assert job.wait(PATIENCE)
    assert [(one.state, one.tries, one.reason) for one in job.outcomes()] == [(State.FAILED, 1, "as was said")]


def test_what_the_preview_settled_is_not_asked_again(gate: Gate) -> None:
    deed = Fake(lambda *_: State.DONE)
    settled = [Outcome("t1", State.SKIPPED, "It is done."), Outcome("t4", State.REFUSED, "no")]
    job = Job(request_of(IDS[:5]), gate, deed, settled=settled)
    found = ended(job)
    assert [one.state.value for one in found.values()] == ["done", "skipped", "done", "done", "refused"]
    assert [thread_id for thread_id, _ in sorted(deed.asked)] == ["t0", "t2", "t3"]


def test_nothing_to_do_is_over_at_once(gate: Gate) -> None:
    deed = Fake(lambda *_: State.DONE)
    job = Job(request_of(("a",)), gate, deed, settled=[Outcome("a", State.SKIPPED, "It is done.")])
    ended(job)
    assert (deed.hands, deed.finished) == (0, True)


@pytest.mark.parametrize("stop", [True, False])
def test_what_came_to_nothing_in_the_end_is_not_called_done(gate: Gate, tmp_path: Path, stop: bool) -> None:
    job_of: dict[str, Job] = {}

    def do(thread_id: str, attempt: int) -> State:
        if thread_id == "t3":
            if stop:
                job_of["job"].stop()
            else:
                return State.FAILED
        return State.DONE

    request = replace(request_of(concurrency=7), action=Action.EXPORT, path=str(tmp_path / "x"))
    deed = Fake(do, "No file was made.")
    job = job_of["job"] = Job(request, gate, deed)
    states = Counter(one.state for one in ended(job).values())
    assert states == ({State.STOPPED: 20} if stop else {State.FAILED: 20})
    assert deed.most == 1


def test_a_summary_counts_every_state_and_what_has_gone(gate: Gate) -> None:
    request = BulkRequest(Action.DELETE, ("a", "b", "c"))
    gone = {"a": Deletion("a", checkpoints=3, writes=4, bytes=100), "b": None, "c": Deletion("c", checkpoints=1)}
    fake = defaultdict(lambda: State.DONE, b=State.SKIPPED)

    class Hand(FakeHand):
        def do(self, thread_id: str, attempt: int) -> Outcome:
            return replace(super().do(thread_id, attempt), deletion=gone[thread_id])

    deed = Fake(lambda thread_id, _: fake[thread_id])
    deed.hand = lambda stopping: Hand(deed)  # type: ignore[method-assign]
    job = Job(request, gate, deed)
    ended(job)
    told = job.summary()
    assert (told["action"], told["total"], told["dry_run"]) == ("delete", 3, False)
    assert told["states"] == {**dict.fromkeys(map(str, State), 0), "done": 2, "skipped": 1}
    assert told["deleted"] == {"threads": 2, "checkpoints": 4, "writes": 4, "blobs": 0, "bytes": 100}
    assert told["outcomes"][0]["deleted"]["bytes"] == 100
    assert told["outcomes"][1]["deleted"] is None


@pytest.mark.parametrize(
    "request_",
    [
        BulkRequest(Action.RESUME, ()),
        BulkRequest(Action.RESUME, ("a",), concurrency=0),
        BulkRequest(Action.RESUME, ("a",), retries=-1),
        BulkRequest(Action.RESUME, ("a",), backoff=-1),
        BulkRequest(Action.ANSWER, ("a",)),
        BulkRequest(Action.COPY, ("a",), suffix=""),
        BulkRequest(Action.PRUNE, ("a",)),
        BulkRequest(Action.EXPORT, ("a",)),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(gate: Gate, request_: BulkRequest) -> None:
    with pytest.raises(Refused):
        Job(request_, gate, Fake(lambda *_: State.DONE))


def test_a_read_only_store_is_refused_but_for_an_export(tmp_path: Path) -> None:
    gate = Gate(parse_address(str(tmp_path / "s.sqlite"), {}), readonly=True)
    with pytest.raises(Refused, match="--readonly"):
        Job(BulkRequest(Action.PRUNE, ("a",), policy=Policy()), gate, Fake(lambda *_: State.DONE))
    Job(BulkRequest(Action.EXPORT, ("a",), path=str(tmp_path / "x")), gate, Fake(lambda *_: State.DONE))

"""Many threads with one request: what it says of each is what the store holds, however it was ended."""

from __future__ import annotations

import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Command

from backends.address import parse_address
from backends.bulk.deeds import deed_for
from backends.bulk.graphs import Graphs
from backends.bulk.job import Job
from backends.bulk.outcome import Outcome, State
from backends.bulk.preview import preview
from backends.bulk.request import Action, BulkRequest
from backends.control.gate import Gate
from backends.graphs.known import Known
from backends.locks.board import LockBoard
from backends.locks.key import store_key
from backends.model import StatusName
from backends.reader import Reader
from backends.runs.nursery import Nurseries
from backends.store import open_store
from tests.torture import bulk

from . import bulk_questions

PATIENCE = 60.0


@pytest.fixture(autouse=True)
def _own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_STATE_HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))


@pytest.fixture
def nurseries() -> Iterator[Nurseries]:
    """What imports LangGraph once for all jobs of a test."""
    with closing(Nurseries()) as opened:
        yield opened


def graphs_of(gate: Gate, file: object) -> Graphs:
    return Graphs(Known(store_key(gate.target), graph=f"{file}:graph"), named=True)


def ended(job: Job) -> dict[str, Outcome]:
    assert job.wait(PATIENCE)
    return {one.thread_id: one for one in job.outcomes()}


def begun(job: Job) -> Job:
    job.start()
    return job


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_crashed_threads_are_resumed_stopped_half_way_and_then_ended(
    kind: str, request: pytest.FixtureRequest, nurseries: Nurseries
) -> None:
    url = request.getfixturevalue("postgres_url") if kind == "postgres" else None
    with bulk.crowd(kind, 12, url) as crowd:
        assert set(crowd.statuses().values()) == {StatusName.STALLED}
        gate = Gate(crowd.address)
        graphs = graphs_of(gate, bulk.PROJECT)
        asked = BulkRequest(Action.RESUME, crowd.ids)

        def job_of(asked: BulkRequest, on_change: Callable[[], object] = lambda: None) -> Job:
            return Job(asked, gate, deed_for(asked, gate, graphs, nurseries=nurseries), on_change)

        enough = threading.Event()
        job = job_of(asked, lambda: enough.set() if job.progress.done >= 4 else None)
        begun(job)
        assert enough.wait(PATIENCE)
        job.stop()
        first = Counter(one.state for one in ended(job).values())
        bulk.check(crowd, job.summary())
        assert first[State.STOPPED] >= 4
        job = begun(job_of(asked))
        ended(job)
        bulk.check(crowd, job.summary())
        assert job.summary()["states"]["done"] == 12 - 1 - first[State.DONE]
        assert job.summary()["states"]["failed"] == 1
        (crowd.folder / "mended").touch()
        job = begun(job_of(job.retry()))
        assert [(one.thread_id, one.state) for one in ended(job).values()] == [("thread-0010", State.DONE)]
        assert set(crowd.statuses().values()) == {StatusName.DONE}


def test_ctrl_c_ends_the_command_with_nothing_half_done() -> None:
    with bulk.crowd("sqlite", 9) as crowd:
        process = bulk.command(crowd, "--concurrency", "3")
        bulk.until(lambda: len(crowd.notes("last")) >= 2, process)
        process.send_signal(signal.SIGINT)
        told = bulk.summary(process, 130)
        bulk.check(crowd, told)
        assert told["states"]["stopped"]


def test_live_runs_are_stopped_and_the_others_left_alone() -> None:
    with bulk.crowd("sqlite", 4) as crowd:
        (crowd.folder / "hold").touch()
        gate = Gate(crowd.address)
        graphs = graphs_of(gate, bulk.PROJECT)
        resume = BulkRequest(Action.RESUME, crowd.ids[:2])
        running = begun(Job(resume, gate, deed_for(resume, gate, graphs)))
        bulk.until(lambda: sum(crowd.notes("held").values()) == 6)
        with closing(LockBoard(gate.target)) as board, closing(Reader(open_store(gate.target))) as reader:
            holders = board.holders(lambda: crowd.ids)
            stop = BulkRequest(Action.STOP, crowd.ids, how="cancel")
            seen = preview(reader, stop, gate, lambda _: None, holders)
            again = preview(reader, resume, gate, lambda _: None, holders)
        assert seen.able == crowd.ids[:2]
        assert [one.busy for one in again.settled] == [True, True]
        found = ended(begun(Job(stop, gate, deed_for(stop, gate))))
        assert [one.state for one in found.values()] == [State.DONE, State.DONE, State.SKIPPED, State.SKIPPED]
        assert found[crowd.ids[0]].run_id == holders[crowd.ids[0]].run_id
        assert {one.state for one in ended(running).values()} == {State.STOPPED}
        assert not crowd.holders()
        assert {following for following, _, _ in crowd.states().values()} == {("work",)}


@contextmanager
def asking(path: Path, threads: dict[str, dict[str, Any]]) -> Iterator[Any]:
    with SqliteSaver.from_conn_string(str(path)) as saver:
        graph = bulk_questions.graph.compile(checkpointer=saver)
        for thread_id, given in threads.items():
            full: Any = {"who": ["anna"], "schema": {}, "mended": "", "said": [], **given}
            graph.invoke(full, {"configurable": {"thread_id": thread_id}})
        yield graph


def test_every_question_of_every_thread_gets_the_same_answer(tmp_path: Path, nurseries: Nurseries) -> None:
    path, mended = tmp_path / "asking.sqlite", tmp_path / "mended"
    threads: dict[str, dict[str, Any]] = {
        "one": {},
        "two": {"who": ["anna", "ben"]},
        "fits": {"schema": {"type": "boolean"}},
        "strict": {"schema": {"type": "integer"}},
        "done": {"who": []},
        "fails": {"mended": str(mended)},
        "failed": {"mended": str(mended)},
    }
    with asking(path, threads) as graph:
        failed: Any = {"configurable": {"thread_id": "failed"}}
        with pytest.raises(RuntimeError):
            graph.invoke(Command(resume={graph.get_state(failed).interrupts[0].id: "early"}), failed)
        gate = Gate(parse_address(str(path), {}))
        graphs = graphs_of(gate, bulk_questions.__file__)
        asked = BulkRequest(Action.ANSWER, (*threads, "nobody"), answer=True, answer_given=True, concurrency=3)
        with closing(Reader(open_store(gate.target))) as reader:
            seen = preview(reader, asked, gate, lambda key: graphs.one(reader, key), {})
        assert seen.able == ("one", "two", "fits", "fails")
        assert seen.sentence == "answers 4 threads: one, two, fits and 1 more"
        job = begun(Job(asked, gate, deed_for(asked, gate, graphs, nurseries=nurseries)))
        found = ended(job)
        assert {key: one.state.value for key, one in found.items()} == {
            **dict.fromkeys(("one", "two", "fits"), "done"),
            **dict.fromkeys(("strict", "failed"), "refused"),
            **dict.fromkeys(("done", "nobody"), "skipped"),
            "fails": "failed",
        }
        refused = {one.thread_id: one.reason for one in seen.settled}
        assert refused == {key: found[key].reason for key in refused}
        assert "must be a whole number" in found["strict"].reason
        assert "Resume it" in found["failed"].reason
        mended.touch()
        again = job.retry()
        assert (
            ended(begun(Job(again, gate, deed_for(again, gate, graphs, nurseries=nurseries))))["fails"].state
            is State.DONE
        )

        def said(thread_id: str) -> list[str]:
            return sorted(graph.get_state({"configurable": {"thread_id": thread_id}}).values["said"])

        assert said("one") == said("fits") == said("fails") == ["after", "anna: True"]
        assert said("two") == ["after", "anna: True", "ben: True"]
        assert said("strict") == said("failed") == []

"""Resuming workflows: what is told, what is refused, what is tried again."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt

from backends.durability import retry
from backends.durability.checkpointer import CheckpointerManager
from backends.durability.lock_managers import lock_manager_of
from backends.durability.resume import resume_workflow
from backends.durability.retry import ResumeFailed, resume_with_retry
from tests.holding import Holding
from tests.postgres import free_port

from .workflow import PASSWORD_IN_URL, State, Workflow, assert_covered, config, refuse


def test_what_is_done_is_not_run_again(workflow: Workflow):
    workflow.run({"n": 0})
    outcome = resume_workflow("w", workflow.store, lambda _: pytest.fail("it was called"))
    assert (outcome["status"], outcome["completed"], outcome["result"]) == ("success", True, None)
    assert outcome["before_checkpoint"] == outcome["after_checkpoint"] is not None
    assert "error" not in outcome
    assert resume_workflow("other", workflow.store, workflow.resume)["status"] == "not_found"


def test_a_question_is_success_and_not_the_end(workflow: Workflow):
    workflow.second = lambda: interrupt("Go on?")
    workflow.run({"n": 0})
    outcome = resume_workflow("w", workflow.store, workflow.resume)
    assert (outcome["status"], outcome["completed"]) == ("success", False)
    outcome = resume_workflow("w", workflow.store, lambda thread_id: workflow.run(Command(resume="yes"), thread_id))
    assert (outcome["status"], outcome["completed"], outcome["result"]) == ("success", True, {"n": 3})


def test_an_error_is_told_logged_and_frees_the_thread(workflow: Workflow, caplog: pytest.LogCaptureFixture):
    workflow.fail()
    workflow.second = refuse
    outcome = resume_workflow("w", workflow.store, workflow.resume)
    assert (outcome["status"], outcome["completed"], outcome["result"]) == ("error", False, None)
    assert outcome["error"] == "ConnectionError: refused"
    (record,) = [one for one in caplog.records if one.name == "lgtop"]
    assert (record.levelno, record.exc_info and record.exc_info[0]) == (logging.WARNING, ConnectionError)
    assert not lock_manager_of(workflow.store).is_locked("w")


def test_what_the_store_holds_decides_about_the_end(workflow: Workflow):
    workflow.fail()

    def resume(thread_id: str) -> None:
        workflow.resume(thread_id)
        raise OSError("the mail server is down")

    outcome = resume_workflow("w", workflow.store, resume)
    assert (outcome["status"], outcome["error"]) == ("error", "OSError: the mail server is down")
    assert outcome["completed"] is True
    assert outcome["before_checkpoint"] != outcome["after_checkpoint"]


def test_a_resume_that_would_skip_the_rest_is_not_made(workflow: Workflow):
    def raising() -> str:
        raise LookupError("no way")

    workflow.route = raising
    with pytest.raises(LookupError):
        workflow.run({"n": 0})
    workflow.route = lambda: "third"
    before = list(workflow.ran)
    outcome = resume_workflow("w", workflow.store, workflow.resume)
    assert outcome["status"] == "error"
    assert outcome["completed"] is False
    assert outcome["error"].startswith("second raised after its output was saved")
    assert workflow.ran == before


def test_the_error_of_an_earlier_attempt_keeps_nothing_from_going_on(store: str):
    attempts = {"a": 0, "b": 0}

    def step(name: str, failures: int) -> Callable[[State], State]:
        def node(_: State) -> State:
            attempts[name] += 1
            if attempts[name] <= failures:
                raise ConnectionError("refused")
            return {"n": 1} if name == "a" else {}

        return node

    builder = StateGraph(State)
    for name, failures in (("a", 1), ("b", 2)):
        builder.add_node(name, step(name, failures))
        builder.add_edge(START, name)
    with closing(CheckpointerManager.get_or_create(store)) as manager:
        graph = builder.compile(checkpointer=manager.get_checkpointer())
        with pytest.raises(ConnectionError):
            graph.invoke({"n": 0}, config("w"))
        outcomes = [resume_workflow("w", store, lambda tid: graph.invoke(None, config(tid))) for _ in range(2)]
    assert [(one["status"], one["completed"]) for one in outcomes] == [("error", False), ("success", True)]
    assert attempts == {"a": 2, "b": 3}


def test_an_interruption_passes_and_frees_the_thread(workflow: Workflow):
    workflow.fail()

    def interrupted(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        resume_workflow("w", workflow.store, interrupted)
    assert not lock_manager_of(workflow.store).is_locked("w")


def test_it_waits_for_the_lock_as_long_as_it_may(workflow: Workflow):
    workflow.fail()
    with Holding(workflow.store, "w") as holding:
        begun = time.monotonic()
        outcome = resume_workflow("w", workflow.store, workflow.resume, None, True, 0.3)
        assert outcome["status"] == "already_running"
        assert time.monotonic() - begun >= 0.3
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(resume_workflow, "w", workflow.store, workflow.resume, None, True)
            holding.let_go()
            assert waiting.result(20)["completed"] is True
    assert workflow.ran.count("second") == 2


def test_a_lock_that_was_lost_is_no_success(postgres_url: str):
    workflow = Workflow(postgres_url)
    with closing(CheckpointerManager.get_or_create(postgres_url)):
        workflow.fail()

        def resume(thread_id: str) -> Any:
            with psycopg.connect(postgres_url, autocommit=True) as admin:
                admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
                    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
                )
            return workflow.resume(thread_id)

        outcome = resume_workflow("w", postgres_url, resume)
    assert outcome["status"] == "error"
    assert "lock was lost" in outcome["error"]
    assert (outcome["completed"], outcome["result"]) == (True, {"n": 3})


def test_an_asynchronous_application_resumes_in_its_own_loop(tmp_path: Path):
    path = str(tmp_path / "x.db")
    workflow = Workflow(path)
    with closing(CheckpointerManager.get_or_create(path)):
        workflow.fail()

    async def application() -> Any:
        loop = asyncio.get_running_loop()
        async with AsyncSqliteSaver.from_conn_string(path) as saver:
            graph = workflow.builder().compile(checkpointer=saver)

            def resume(thread_id: str) -> Any:
                return asyncio.run_coroutine_threadsafe(graph.ainvoke(None, config(thread_id)), loop).result(20)

            return await asyncio.to_thread(resume_workflow, "w", path, resume)

    outcome = asyncio.run(application())
    assert (outcome["status"], outcome["completed"], outcome["result"]) == ("success", True, {"n": 3})


@pytest.mark.filterwarnings("error")
def test_a_coroutine_that_nobody_awaits_is_no_success(workflow: Workflow):
    async def resume(thread_id: str) -> Any:
        return workflow.resume(thread_id)

    workflow.fail()
    outcome = resume_workflow("w", workflow.store, resume)
    assert outcome["status"] == "error"
    assert outcome["error"].startswith("TypeError: the resume function is a coroutine function")
    assert workflow.ran == ["first", "second"]


def test_a_store_that_does_not_answer_is_an_error(tmp_path: Path):
    for address in (
        f"postgresql://ann:{PASSWORD_IN_URL}@127.0.0.1:{free_port()}/x",
        str(tmp_path / "no" / "x.db"),
        "a://b",
    ):
        outcome = resume_workflow("w", address, lambda _: pytest.fail("it was called"))
        assert outcome["status"] == "error"
        assert_covered(outcome["error"])


# --- again and again -------------------------------------------------------------------------------------------------


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that are asked for, instead of pauses."""
    asked: list[float] = []
    monkeypatch.setattr(retry, "time", SimpleNamespace(sleep=asked.append))
    return asked


def test_it_is_tried_until_it_goes_on(workflow: Workflow, pauses: list[float]):
    workflow.fail()
    workflow.second = lambda: refuse() if workflow.ran.count("second") < 4 else None
    assert resume_with_retry("w", workflow.store, workflow.resume)["completed"] is True
    assert pauses == [2.0, 4.0]
    assert workflow.ran == ["first", "second", "second", "second", "second", "third"]


def test_it_gives_up_with_what_came_last(workflow: Workflow, pauses: list[float]):
    workflow.fail()
    workflow.second = refuse
    with pytest.raises(ResumeFailed, match="after 6 attempts: ConnectionError: refused") as caught:
        resume_with_retry("w", workflow.store, workflow.resume, 6, backoff_seconds=10, max_backoff_seconds=45)
    assert pauses == [10, 20, 40, 45, 45]
    assert (caught.value.attempts, caught.value.outcome["status"]) == (6, "error")


def test_what_is_not_there_is_not_tried_again(workflow: Workflow, pauses: list[float]):
    with pytest.raises(ResumeFailed, match="after 1 attempt: There is no thread 'other'"):
        resume_with_retry("other", workflow.store, workflow.resume)
    with pytest.raises(ValueError, match="max_retries"):
        resume_with_retry("other", workflow.store, workflow.resume, 0)
    assert pauses == []

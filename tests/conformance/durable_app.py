"""An application with durable workflows, as one is written that knows nothing of lgtop but its API.

``python durable_app.py STORE HOME COMMAND [THREAD]`` prints one JSON object. In the directory HOME, ``ledger`` lists
the steps that really ran; while there is a file ``broken`` step 2 raises, with ``deadly`` it kills the process, and
with ``slow`` it says so and waits for a line of input.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, TypedDict

from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt

from lgtop import (
    CheckpointerManager,
    PostgresLockManager,
    SqliteLockManager,
    find_failed_workflows,
    generate_thread_id,
    get_checkpoint_status,
    needs_resume,
    resume_with_retry,
    resume_workflow,
)

CONN, HOME = sys.argv[1], Path(sys.argv[2])


class WorkflowState(TypedDict):
    counter: int
    message: str


def did(step: str, thread_id: str) -> None:
    with (HOME / "ledger").open("a") as ledger:
        ledger.write(f"{thread_id} {step}\n")


def step1(state: WorkflowState, config: RunnableConfig) -> dict[str, Any]:
    did("step1", config["configurable"]["thread_id"])
    return {"counter": state["counter"] + 1, "message": "step1 done"}


def step2(state: WorkflowState, config: RunnableConfig) -> dict[str, Any]:
    did("step2", config["configurable"]["thread_id"])
    if (HOME / "slow").exists():
        print("in step2", flush=True)
        sys.stdin.readline()
    if (HOME / "deadly").exists():
        os.kill(os.getpid(), signal.SIGKILL)
    if (HOME / "broken").exists():
        raise ConnectionError("Simulated failure!")
    if (HOME / "asking").exists():
        interrupt("Go on?")
    return {"counter": state["counter"] + 1, "message": "step2 done"}


def step3(state: WorkflowState, config: RunnableConfig) -> dict[str, Any]:
    did("step3", config["configurable"]["thread_id"])
    return {"counter": state["counter"] + 1, "message": "step3 done"}


def create_workflow() -> StateGraph[WorkflowState]:
    workflow = StateGraph(WorkflowState)
    workflow.add_sequence([("step1", step1), ("step2", step2), ("step3", step3)])
    workflow.add_edge(START, "step1")
    workflow.add_edge("step3", END)
    return workflow


def execute_workflow(thread_id: str, resume: bool = False) -> Any:
    """Pattern 1: checkpointing."""
    checkpointer = CheckpointerManager.get_or_create(CONN).get_checkpointer()
    workflow = create_workflow().compile(checkpointer=checkpointer)
    config: Any = {"configurable": {"thread_id": thread_id}}
    return workflow.invoke(None if resume else {"counter": 0, "message": ""}, config, durability="sync")


def new_workflow() -> Any:
    """Pattern 1 with an id of its own."""
    thread_id = generate_thread_id("process", user_id="user123")
    return {"thread_id": thread_id, "state": execute_workflow(thread_id)}


def manual_resume(thread_id: str) -> Any:
    """Pattern 2: explicit resume."""
    if needs_resume(thread_id, CONN):
        return resume_workflow(
            thread_id=thread_id,
            connection_string=CONN,
            resume_function=lambda tid: execute_workflow(tid, resume=True),
        )
    return {"started": execute_workflow(thread_id, resume=False)}


def safe_execute_workflow(workflow_id: str) -> Any:
    """Pattern 3: resume under a lock, by itself."""
    checkpointer = CheckpointerManager.get_or_create(CONN).get_checkpointer()
    lock_mgr = (PostgresLockManager if "://" in CONN else SqliteLockManager)(CONN)
    checkpoint = get_checkpoint_status(workflow_id, CONN)
    if checkpoint and not checkpoint.is_complete:

        def resume_func(tid: str) -> Any:
            workflow = create_workflow().compile(checkpointer=checkpointer)
            return workflow.invoke(None, {"configurable": {"thread_id": tid}}, durability="sync")

        return resume_workflow(
            thread_id=workflow_id,
            connection_string=CONN,
            resume_function=resume_func,
            lock_manager=lock_mgr,
            blocking=False,
        )
    with lock_mgr.lock(workflow_id):
        return {"started": execute_workflow(workflow_id)}


def resume_all_failed() -> Any:
    """Pattern 4: batch resume."""
    failed = find_failed_workflows(connection_string=CONN, min_age_minutes=0, max_age_hours=24)
    return {
        checkpoint.thread_id: resume_workflow(
            thread_id=checkpoint.thread_id,
            connection_string=CONN,
            resume_function=lambda tid: execute_workflow(tid, resume=True),
            blocking=False,
        )
        for checkpoint in failed
    }


def resume(thread_id: str) -> Any:
    """Resume, and nothing else."""
    return resume_workflow(thread_id, CONN, lambda tid: execute_workflow(tid, resume=True))


def persist(thread_id: str) -> Any:
    """Resume with backoff."""
    return resume_with_retry(
        thread_id, CONN, lambda tid: execute_workflow(tid, resume=True), max_retries=10, backoff_seconds=0.02
    )


def tell(thread_id: str) -> Any:
    """Where a workflow stands."""
    found = get_checkpoint_status(thread_id, CONN)
    return found and {
        "thread_id": found.thread_id,
        "status": found.status,
        "reason": found.reason,
        "next": found.next,
        "complete": found.is_complete,
        "version": found.version,
    }


COMMANDS = {
    "execute": execute_workflow,
    "new": new_workflow,
    "manual": manual_resume,
    "safe": safe_execute_workflow,
    "batch": resume_all_failed,
    "resume": resume,
    "persist": persist,
    "tell": tell,
}

if __name__ == "__main__":
    print(json.dumps(COMMANDS[sys.argv[3]](*sys.argv[4:]), default=str), flush=True)

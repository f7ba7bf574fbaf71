"""Carrying out a plan: a child process for what a graph does, a transaction for what needs none."""

from __future__ import annotations

from ..errors import Refused, StoreError
from ..locks.holder import this_user
from ..locks.key import store_key
from ..locks.take import take
from ..model import CheckpointKey
from ..runs.record import new_record
from ..runs.run import Run
from ..runs.spawn import Start, spawn
from ..runs.spec import GraphRef, RunSpec, Verb
from . import journal
from .call import BRANCH, COPY
from .copy import Copied, copy_thread
from .gate import Gate
from .plan import Intent, Plan


def execute(plan: Plan, gate: Gate, *, operator: str | None = None, start: Start = spawn) -> Run | Copied:
    """Do what a plan says.

    Args:
        plan: From ``planning.make_plan``.
        gate: The store.
        operator: Who asks; ``None`` is the user of this process.
        start: How the process of a run is started.

    Returns:
        The run, which has just begun in a process of its own; or the thread that was made.

    Raises:
        Refused: The plan says why not, or nothing may be written, or the child cannot be started.
        AlreadyRunning: Someone holds the thread that would be made. Whether the thread of a run is held is for the run
            to find out: its outcome is then ``busy``.
        NotFound: The source of a copy is gone.
        StoreError: The store failed.
    """
    if plan.refusal:
        raise Refused(plan.refusal)
    gate.check()
    who = operator or this_user()
    if plan.verb in (COPY, BRANCH):
        return _copy(plan, gate, who)
    if plan.graph is None:
        raise Refused("No graph is known for this thread.", "Name one with --graph.")
    return _run(plan, plan.graph, gate, who, start)


def _copy(plan: Plan, gate: Gate, operator: str) -> Copied:
    intent = plan.intent
    upto = None
    if plan.verb == BRANCH and intent.checkpoint:
        upto = CheckpointKey(intent.thread_id, intent.ns, intent.checkpoint)
    with take(gate.target, intent.target, who=operator):
        entry = journal.new_entry(plan, gate, store_key(gate.target), operator)
        journal.append(entry)
        try:
            copied = copy_thread(gate, intent.thread_id, intent.target, upto)
        except Exception as error:
            journal.conclude(entry.action_id, outcome="failed", reason=str(error))
            raise
        journal.conclude(entry.action_id, outcome="done", checkpoints=copied.checkpoints, writes=copied.writes)
    return copied


def _run(plan: Plan, graph: GraphRef, gate: Gate, operator: str, start: Start) -> Run:
    try:
        run_id, folder = new_record()
    except OSError as error:
        raise Refused(
            f"No record of the run can be kept: {error}.", "Set XDG_STATE_HOME to a place that can."
        ) from error
    spec = _spec(plan.intent, graph, gate, plan.head, operator, run_id, str(folder))
    key = store_key(gate.target)
    entry = journal.new_entry(plan, gate, key, operator, run_id)
    journal.append(entry)
    try:
        return start(spec, store_key=key)
    except (Refused, StoreError, OSError) as error:
        journal.conclude(entry.action_id, outcome="refused", reason=str(error))
        raise


def _spec(intent: Intent, graph: GraphRef, gate: Gate, head: str, operator: str, run_id: str, record: str) -> RunSpec:
    return RunSpec(
        run_id=run_id,
        record=record,
        verb=Verb(intent.verb),
        graph=graph,
        store=gate.target,
        thread_id=intent.thread_id,
        operator=operator,
        expected_head=head,
        checkpoint_id=intent.checkpoint,
        **intent.call(),
    )

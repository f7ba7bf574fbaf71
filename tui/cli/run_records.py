"""The JSON shapes of plans, runs and their results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .output import Record, timestamp

if TYPE_CHECKING:
    from backends.control.journal import Entry
    from backends.control.plan import Plan
    from backends.runs.run import Run
    from backends.runs.spec import GraphRef


def run_record(run: Run) -> Record:
    """A run, as ``runs`` tells it."""
    return {
        "run_id": run.run_id,
        "thread_id": run.thread_id,
        "verb": run.verb,
        "graph": run.graph,
        "target": run.target,
        "operator": run.operator,
        "host": run.host,
        "pid": run.pid,
        "state": run.state.value,
        "reason": run.reason,
        "started_at": timestamp(run.started_at or None),
        "ended_at": timestamp(run.ended_at),
        "exit": run.exit_code,
        "tasks_started": run.begun,
        "tasks_finished": run.finished,
        "nodes": dict(run.nodes),
        "next": list(run.next),
        "head_before": run.head_before,
        "head": run.head,
        "durability": run.durability,
        "call": run.call,
        "store": run.store,
        "record": run.folder,
    }


def plan_record(plan: Plan) -> Record:
    """What would be done, as ``--dry-run`` tells it."""
    return {
        "verb": plan.verb,
        "thread_id": plan.intent.thread_id,
        "graph": plan.graph and plan.graph.name,
        "head": plan.head or None,
        "summary": plan.summary,
        "runs": list(plan.runs),
        "reuses": list(plan.reuses),
        "asks": list(plan.asks),
        "notes": list(plan.notes),
        "warnings": list(plan.warnings),
        "refusal": plan.refusal or None,
        "python": plan.python,
        "command": plan.command,
    }


def action_record(entry: Entry) -> Record:
    """An action, as ``log`` tells it."""
    return {
        "action_id": entry.action_id,
        "at": timestamp(entry.when),
        "operator": entry.operator,
        "store": entry.store,
        "verb": entry.verb,
        "thread_id": entry.thread_id,
        "target": entry.target or None,
        "summary": entry.summary,
        "run_id": entry.run_id,
        "outcome": entry.outcome or None,
        "reason": entry.reason,
        "head_before": entry.head_before,
        "head_after": entry.head_after,
        "undone": entry.undone,
        "python": entry.python,
        "command": entry.command,
    }


def graph_record(ref: GraphRef) -> Record:
    """A graph that can be run here; its environment is a secret."""
    return {
        "name": ref.name,
        "target": ref.target,
        "root": ref.root,
        "dependencies": list(ref.dependencies),
        "python": ref.python or None,
    }

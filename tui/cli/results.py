"""What a control command leaves on standard output: the plan, the run and its thread, the copy."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from backends.errors import StoreError
from backends.text import one_line

from . import output
from .run_records import plan_record, run_record
from .statuses import status_text
from .table import clip

if TYPE_CHECKING:
    from backends.address import Address
    from backends.control.copy import Copied
    from backends.control.plan import Plan
    from backends.runs.run import Run

    from .selection import Listed

_LIMIT = 500


def print_plan(plan: Plan, as_json: bool) -> None:
    """Print what would be done."""
    if as_json:
        output.print_record(plan_record(plan))
        return
    lists = (
        ("runs", plan.runs),
        ("reuses", plan.reuses),
        ("asks", plan.asks),
        ("note", plan.notes),
        ("warning", plan.warnings),
    )
    facts = [
        ("would", plan.summary),
        ("graph", plan.graph.name if plan.graph else ""),
        ("head", plan.head),
        *((name, text) for name, texts in lists for text in texts),
        ("refused", plan.refusal),
        ("python", plan.python),
        ("command", plan.command),
    ]
    _print_facts(facts)


def print_copied(plan: Plan, copied: Copied, as_json: bool) -> None:
    """Print what was copied."""
    record = {
        "thread_id": copied.thread_id,
        "copied_from": plan.intent.thread_id,
        "upto": plan.intent.checkpoint,
        "checkpoints": copied.checkpoints,
        "writes": copied.writes,
    }
    if as_json:
        output.print_record(record)
    else:
        _print_facts([(name.replace("_", " "), str(value)) for name, value in record.items() if value is not None])


def print_run(run: Run, address: Address, as_json: bool, live: bool = False) -> None:
    """Print a run and, unless it is left to go on, what has become of its thread."""
    thread = None if live else _thread(address, run.thread_id)
    if as_json:
        from .records import thread_record

        output.print_record({**run_record(run), "thread": thread and thread_record(thread)})
    else:
        _print_facts([*_facts(run), *(_thread_facts(thread) if thread else ())])


def print_stopped(run: Run, as_json: bool) -> None:
    """Print a run that has been watched."""
    if as_json:
        output.print_record(run_record(run))
    else:
        _print_facts(_facts(run))


def _thread(address: Address, thread_id: str) -> Listed | None:
    """The thread as ``ls`` would list it; ``None`` where the store or the thread is not there."""
    from .opening import open_reader
    from .selection import told

    try:
        with closing(open_reader(address)) as reader:
            heads = reader.store.heads_of([thread_id])
            return next(told(reader, list(heads.values())), None)
    except StoreError as error:
        output.narrate(f"lgtop: {error}")
        return None


def _facts(run: Run) -> Iterator[tuple[str, str]]:
    took = (run.ended_at or time.time()) - run.started_at
    tasks = f"{run.finished} of {run.begun} tasks" if run.finished != run.begun else f"{run.begun} tasks"
    yield "run", f"{run.run_id}   {run.state.value}   {tasks}   {took:.1f} s"
    yield "reason", run.reason
    yield "thread", run.thread_id


def _thread_facts(listed: Listed) -> Iterator[tuple[str, str]]:
    from backends.questions import question_text

    yield "status", f"{status_text(listed.analysis)}   {listed.analysis.reason}".rstrip()
    yield "next", ", ".join(listed.analysis.next)
    for interrupt in listed.analysis.interrupts:
        yield "question", f"{interrupt.id}   {interrupt.node}: {question_text(interrupt.value)}"


def _print_facts(facts: Iterable[tuple[str, str]]) -> None:
    width = output.width()
    for name, value in facts:
        if value:
            line = f"{name:<12} {one_line(value, _LIMIT)}"
            output.print_lines([line if width is None else clip(line, width)])

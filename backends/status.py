"""Rows -> what a thread is doing, and why, as far as the rows of one checkpoint can tell.

Nothing in a store separates running, crashed, stopped at a breakpoint and drained: such threads are ``stalled`` here.
Who holds their locks, and how their last runs ended, is for ``witness`` to add.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType

from .channels import START, is_old, is_raw_pregel
from .decode import Decoder
from .due import Due, Step, next_step
from .model import Analysis, Interrupt, Snapshot, StatusName, Summary, Task, TaskState
from .present import preview
from .questions import answered_in_calls, is_nested, open_questions, question_text
from .task_identity import identify, own_ids, path_of
from .task_ids import task_namespace
from .task_rows import TaskRows, read_rows
from .text import one_line
from .topology import Topology
from .values import Value

CANCELLED_ERROR = "CancelledError()"
NO_WRITES = "__no_writes__"

NOTHING_STARTED: Mapping[str, str] = MappingProxyType({})

_REASON_LENGTH = 200
_CRASHED = "crashed, or running elsewhere"
_UNTOUCHED = "crashed, running elsewhere, or stopped at a breakpoint"
_EDITED = "edited and not resumed since, crashed, or running elsewhere"
_UNCOMMITTED = "step finished, its checkpoint is missing; resume commits it"
_ROUTER = "raised after its output was saved: a plain resume would skip what follows"


def analyse(
    snapshot: Snapshot,
    decoder: Decoder,
    topology: Topology | None = None,
    *,
    answered: Collection[str] = (),
    successors: Collection[str] = (),
    started: Mapping[str, str] = NOTHING_STARTED,
) -> Analysis:
    """Work out what the rows of a checkpoint mean.

    Args:
        snapshot: The checkpoint with its rows; where ``wants_everything`` says so, with all its channels.
        decoder: Decodes questions and errors.
        topology: What the whole store shows of its graphs; see ``wants_topology``.
        answered: Ids of questions known to be answered, from the rows of subgraphs.
        successors: Sources (``loop``, ``input``, ...) of the checkpoints that follow this one; empty for a head.
        started: Nodes by task id, of tasks whose subgraphs have namespaces of their own (``subgraphs.started_inside``).
    """
    if snapshot.problem is not None:
        return Analysis(StatusName.UNKNOWN, snapshot.problem)
    step = next_step(snapshot, topology, started.values())
    tasks: tuple[Task, ...] = ()
    if step.due or snapshot.writes:
        tasks = tuple(_tasks(snapshot, decoder, step, topology, answered, "loop" in successors, started))
    if successors:
        return _of_the_past(tasks, successors)
    return _conclude(snapshot, step, tasks)


def summarise(analysis: Analysis) -> Summary:
    """Return the part of an analysis that the thread list keeps."""
    return Summary(analysis.status, analysis.reason, analysis.next, len(analysis.interrupts), analysis.inferred)


def _tasks(
    snapshot: Snapshot,
    decoder: Decoder,
    step: Step,
    topology: Topology | None,
    answered: Collection[str],
    committed: bool,
    started: Mapping[str, str],
) -> Iterator[Task]:
    """Every task of the step: those that its channels make due, then handlers and calls, and rows of unknown tasks."""
    found = read_rows(snapshot, decoder)
    identify(snapshot, found, step.due, topology, started)
    answered = frozenset(answered) | answered_in_calls(found.values())
    by_slot = {rows.slot: rows for rows in found.values()}
    for due in step.due:
        rows = by_slot.get(due.slot)
        if rows is None:
            yield _untouched(snapshot, due, topology, committed)
        else:
            del found[rows.id]
            yield _touched(snapshot, rows, due.kind, due.name, answered, False)
    sure = not (is_old(snapshot) or is_raw_pregel(snapshot))
    for rows in found.values():
        kind, left_open = rows.path.kind, not rows.finished and (rows.failed or bool(rows.questions))
        if kind in ("handler", "call"):
            yield _touched(snapshot, rows, kind, rows.name or "?", answered if kind == "call" else (), False)
        elif kind == "pull" and (left_open or not sure):
            yield _touched(snapshot, rows, kind, rows.path.node, answered, False)
        elif left_open:
            yield _touched(snapshot, rows, "push" if kind == "push" else "pull", "?", answered, True)


def _untouched(snapshot: Snapshot, due: Due, topology: Topology | None, committed: bool) -> Task:
    """A task without rows: due, or finished where a later checkpoint shows that the step was committed."""
    state = TaskState.FINISHED if committed else TaskState.DUE
    known = next(own_ids(snapshot, due, topology), None) or None
    return Task(known, due.name, due.kind, path_of(due), state, inferred=due.inferred or committed)


def _touched(
    snapshot: Snapshot, rows: TaskRows, kind: str, name: str, answered: Collection[str], inferred: bool
) -> Task:
    questions = open_questions(rows, name, task_namespace(rows.inside or snapshot.key.ns, name, rows.id), answered)
    doubtful = rows.failed and any(is_nested(one, rows) for one in questions)
    return Task(
        id=rows.id,
        name=name,
        kind=kind,
        path=rows.path_text,
        state=_state(rows, bool(questions)),
        interrupts=questions,
        error=_error_text(rows.error) if rows.failed else None,
        channels=tuple(dict.fromkeys(channel for channel in rows.output if channel != NO_WRITES)),
        inferred=inferred or not rows.matched or doubtful,
    )


def _state(rows: TaskRows, asking: bool) -> TaskState:
    if asking:
        return TaskState.WAITING
    if rows.failed and rows.source is not None:
        return TaskState.HANDLED
    if rows.failed and set(rows.output) != {NO_WRITES}:  # that row is left by success alone: a later try
        return TaskState.FAILED
    return TaskState.FINISHED if rows.finished else TaskState.DUE


def _error_text(error: Value) -> str:
    return error if isinstance(error, str) else preview(error, _REASON_LENGTH)


def is_unfinished(task: Task) -> bool:
    """Whether a task still has to run; a task whose router raised has output, and is not run again."""
    return task.kind in ("pull", "push") and task.state is not TaskState.FINISHED and not task.channels


def _of_the_past(tasks: tuple[Task, ...], successors: Collection[str]) -> Analysis:
    """A checkpoint that others follow: its step is over, or was given up for a new input, an edit or a fork."""
    dropped = [task.name for task in tasks if is_unfinished(task)]
    if "loop" in successors or not dropped:
        reason = "a later checkpoint follows"
    else:
        reason = f"given up for a later {sorted(successors)[0]}: {', '.join(dropped)}"
    return Analysis(StatusName.DONE, reason, (), tasks)


def _conclude(snapshot: Snapshot, step: Step, tasks: tuple[Task, ...]) -> Analysis:
    own = [task for task in tasks if task.kind != "call"]
    asking = [task for task in own if task.interrupts]
    failed = [task for task in own if task.state is TaskState.FAILED]
    unfinished = tuple(task.name for task in own if is_unfinished(task))
    questions = {one.id: one for task in asking for one in task.interrupts}
    errors = tuple(task.error or "" for task in failed)
    doubt, inferred = step.doubt, bool(step.doubt) or any(task.inferred for task in own)
    if asking:
        status, reason = StatusName.WAITING, _question_text(tuple(questions.values()))
        inferred = any(task.inferred for task in asking)
    elif failed:
        status, reason = _failure(failed)
        inferred = any(task.inferred or (task.channels and unfinished) for task in failed)
    elif step.unreadable:
        status, reason = StatusName.UNKNOWN, one_line(step.unreadable, _REASON_LENGTH)
    elif own:
        status, reason = StatusName.STALLED, _why_stalled(snapshot, own, unfinished)
    else:
        status, reason = _nothing_due(snapshot, doubt)
    return Analysis(status, reason, unfinished, tasks, tuple(questions.values()), errors, inferred)


def _question_text(questions: tuple[Interrupt, ...]) -> str:
    more = f" (and {len(questions) - 1} more)" if len(questions) > 1 else ""
    return question_text(questions[0].value, _REASON_LENGTH) + more


def _failure(failed: list[Task]) -> tuple[StatusName, str]:
    errors = [task.error or "" for task in failed]
    if all(error.startswith(CANCELLED_ERROR[:-1]) for error in errors):
        return StatusName.CANCELLED, "cancelled"
    first = next(task for task in failed if not (task.error or "").startswith(CANCELLED_ERROR[:-1]))
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    note = f"; {_ROUTER}" if first.channels else ""
    return StatusName.FAILED, one_line(first.error or "", _REASON_LENGTH) + more + note


def _why_stalled(snapshot: Snapshot, tasks: list[Task], unfinished: tuple[str, ...]) -> str:
    if not unfinished:
        return _UNCOMMITTED
    if any(task.state is not TaskState.DUE for task in tasks) or unfinished == (START,):
        return _CRASHED
    return _EDITED if snapshot.metadata.get("source") == "update" else _UNTOUCHED


def _nothing_due(snapshot: Snapshot, doubt: str) -> tuple[StatusName, str]:
    if not snapshot.channel_versions and snapshot.version is None:
        return StatusName.UNKNOWN, "written by hand: it has no channel versions"
    return StatusName.DONE, doubt

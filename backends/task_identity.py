"""Which task the rows of a superstep belong to, where no path was stored: most SQLite stores, older Postgres schemas.

A task's id is derived from its checkpoint, its name and its triggers, so that a guess is proved by the id it leads to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations

from .channels import BRANCH, START, old_target, target
from .due import Due
from .model import Snapshot
from .questions import asks_as
from .task_ids import (
    HANDLER,
    PULL,
    PUSH,
    applied_ids,
    call_path,
    pull_path,
    push_path,
    task_id,
    task_namespace,
)
from .task_rows import RETURN, TaskRows, step_after
from .topology import Topology, finished_nodes

_MAX_JOINS = 4
_MAX_EDGES = 8
_MAX_CALLS = 32
_MAX_FUNCTIONS = 64
_DEFAULT_HANDLER = "__default_error_handler__"


def identify(
    snapshot: Snapshot,
    tasks: dict[str, TaskRows],
    due: Sequence[Due],
    topology: Topology | None,
    started: Mapping[str, str],
) -> None:
    """Set the path of rows without one, and the names of handlers and calls, which no path holds.

    Args:
        snapshot: The checkpoint.
        tasks: Its rows; changed in place. What is left over in the end goes to the one task that is left over, and is
            marked as not ``matched``.
        due: The tasks of the step.
        topology: What the whole store shows of its graphs.
        started: Nodes by task id, as far as namespaces of subgraphs tell.
    """
    stray = {rows.id: rows for rows in tasks.values() if not rows.path_text}
    if stray:
        for applied in applied_ids(snapshot.key.checkpoint_id):
            stray.pop(applied, None)
        for task in started.keys() & stray.keys():
            stray.pop(task).place(pull_path(started[task]))
        _by_id(snapshot, stray, due, topology)
        _by_name(snapshot, stray, _free(due, tasks.values()))
    _name_handlers(snapshot, due, tasks, stray, topology)
    if stray or any(rows.path.kind == "call" for rows in tasks.values()):
        _name_calls(snapshot, due, tasks, stray, topology)
    _eliminate(list(stray.values()), _free(due, tasks.values()))


def own_ids(snapshot: Snapshot, task: Due, topology: Topology | None) -> Iterator[str]:
    """Every id that a due task can have, the most likely first; more than one only where joins lead to the node."""
    key, step, version = snapshot.key, step_after(snapshot), snapshot.version or 1
    if task.kind == "push":
        yield task_id(key.checkpoint_id, key.ns, step, task.name, PUSH, str(task.index), version=version)
        return
    for triggers in _triggers(snapshot, task, topology):
        yield task_id(key.checkpoint_id, key.ns, step, task.name, PULL, *sorted(triggers), version=version)


def path_of(task: Due) -> str:
    """Return the path of a due task."""
    return pull_path(task.name) if task.index is None else push_path(task.index)


def _free(due: Sequence[Due], tasks: Iterable[TaskRows]) -> list[Due]:
    """Due tasks that no rows belong to."""
    taken = {rows.slot for rows in tasks}
    return [task for task in due if task.slot not in taken]


def _by_id(snapshot: Snapshot, stray: dict[str, TaskRows], due: Sequence[Due], topology: Topology | None) -> None:
    for task in due:
        for candidate in own_ids(snapshot, task, topology) if stray else ():
            if candidate in stray:
                stray.pop(candidate).place(path_of(task))
                break


def _by_name(snapshot: Snapshot, stray: dict[str, TaskRows], free: Sequence[Due]) -> None:
    """Place rows by the name that they hold: of the failed node, or hashed in the id of a question."""
    for rows in list(stray.values()):
        for task in free:
            inside = task_namespace(snapshot.key.ns, task.name, rows.id)
            if task.kind == "pull" and (rows.source == task.name or asks_as(rows, inside)):
                stray.pop(rows.id).place(path_of(task))
                break


def _triggers(snapshot: Snapshot, task: Due, topology: Topology | None) -> Iterator[tuple[str, ...]]:
    """Trigger lists that a node can have: its own channel and the joins that lead to it, known or not."""
    if snapshot.version is not None and snapshot.version < 3:
        yield from _old_triggers(snapshot, task.name, topology or Topology())
        return
    if task.starts:
        yield (START,)
        return
    joins = sorted((topology or Topology()).joins(snapshot, task.name))[:_MAX_JOINS]
    for size in range(len(joins), -1, -1):
        for chosen in combinations(joins, size):
            yield (f"{BRANCH}{task.name}", *chosen)


def _old_triggers(snapshot: Snapshot, node: str, topology: Topology) -> Iterator[tuple[str, ...]]:
    """Before layout v3 all edges into a node were triggers of their own.

    langgraph 0.2 hashed those that fired (``pregel/algo.py``, ``prepare_single_task``), 0.3 all of them, with the
    node's own channel.
    """
    edges = [name for name in finished_nodes(snapshot) if name != node]
    edges += [name for name in snapshot.values if node in (target(name), old_target(name))]
    known = dict.fromkeys((*edges, *topology.triggers_of(snapshot, node)))
    pool = [name for name in known if name != f"{BRANCH}{node}"][:_MAX_EDGES]
    for size in range(min(len(pool), 3) + 1):
        for chosen in combinations(pool, size):
            yield chosen
            yield (f"{BRANCH}{node}", *chosen)
    yield (START,)


def _name_handlers(
    snapshot: Snapshot,
    due: Sequence[Due],
    tasks: dict[str, TaskRows],
    stray: dict[str, TaskRows],
    topology: Topology | None,
) -> None:
    """Find the rows of the error handlers of failed tasks (``langgraph/pregel/_algo.py:1110-1144``).

    A handler's rows can be there without those of the task that failed: a handler that raises at once can end the
    run before LangGraph has saved the error that it was called for (``langgraph/pregel/_runner.py:612``).
    """
    failed = [(rows.source, rows.id, rows.path_text) for rows in tasks.values() if rows.source is not None]
    if stray or any(rows.path.kind == "handler" for rows in tasks.values()):
        for task in _free(due, tasks.values()):
            failed += [(task.name, own, path_of(task)) for own in own_ids(snapshot, task, topology)]
    for node, failed_id, path in failed:
        _name_handler(snapshot, node, failed_id, path, tasks, stray)


def _name_handler(
    snapshot: Snapshot, node: str, failed_id: str, path: str, tasks: dict[str, TaskRows], stray: dict[str, TaskRows]
) -> None:
    key, step = snapshot.key, step_after(snapshot)
    inside = task_namespace(key.ns, node, failed_id)
    for name in (f"__error_handler__{node}", _DEFAULT_HANDLER):
        rows = tasks.get(task_id(key.checkpoint_id, inside, step, name, PUSH, HANDLER, failed_id))
        if rows is not None:
            rows.inside = inside
            rows.place(rows.path_text or f"{path}, {HANDLER}, 0000000000", name)
            stray.pop(rows.id, None)
            return


def _name_calls(
    snapshot: Snapshot,
    due: Sequence[Due],
    tasks: dict[str, TaskRows],
    stray: dict[str, TaskRows],
    topology: Topology | None,
) -> None:
    """Name ``@task`` calls by trying the functions that ever ran (``langgraph/pregel/_algo.py:828-836``)."""
    own = {name for name, seen in snapshot.versions_seen.items() if not seen}
    names = sorted(own | (topology.functions() if topology else frozenset()))[:_MAX_FUNCTIONS]
    for entry in due:
        ids = _call_ids(snapshot, entry, names)
        for rows in tasks.values():
            if rows.path.kind in ("call", "other") and rows.id in ids:
                path, rows.name = ids[rows.id]
                if rows.id in stray:
                    stray.pop(rows.id).place(path, rows.name)
    if len(due) == 1 and due[0].starts and due[0].name != START:
        for rows in stray.values():
            rows.place(call_path(pull_path(due[0].name), 0))
        stray.clear()


def _call_ids(snapshot: Snapshot, entry: Due, names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Ids that calls of an entrypoint can have, with their path and function."""
    key, version, step = snapshot.key, snapshot.version or 1, step_after(snapshot)
    found: dict[str, tuple[str, str]] = {}
    for caller in own_ids(snapshot, entry, None) if names and entry.starts else ():
        inside = task_namespace(key.ns, entry.name, caller)
        parent = pull_path(entry.name)
        for index in range(_MAX_CALLS):
            for name in names:
                one = task_id(key.checkpoint_id, inside, step, name, PUSH, parent, str(index), version=version)
                found[one] = call_path(parent, index), name
    return found


def _repeats(rows: TaskRows, others: Sequence[TaskRows]) -> bool:
    """Whether other rows hold the same question or the same error."""
    return any(
        (rows.failed and other.failed and rows.error == other.error)
        or (bool(rows.questions) and rows.questions == other.questions)
        for other in others
        if other is not rows
    )


def _eliminate(stray: list[TaskRows], free: list[Due]) -> None:
    """Give rows that nothing explains to the task that has none, where there is just one.

    A functional graph that never finished names neither its entrypoint nor its functions: what an entrypoint leaves
    behind (an error, a question, output that is no ``__return__``) repeats what its call left, but not the answers that
    the call had before it failed.
    """
    if len(free) != 1 or free[0].kind != "pull":
        return
    fitting = sorted(
        (rows for rows in stray if RETURN not in rows.output),
        key=lambda rows: (
            not rows.finished,
            _repeats(rows, stray),
            rows.failed,
            bool(rows.questions),
            rows.failed and not rows.answers,
        ),
    )
    if fitting and (free[0].name == START or len(stray) == 1):
        fitting[-1].place(pull_path(free[0].name))
        fitting[-1].matched = False
    for rows in stray if free[0].name == START else ():
        if not rows.path_text:
            rows.place(call_path(pull_path(START), 0))

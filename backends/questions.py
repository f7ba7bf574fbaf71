"""Pending questions: what an ``__interrupt__`` row asks, under which id, and whether it still is open."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from .model import Interrupt
from .present import preview
from .task_ids import interrupt_id
from .task_rows import TaskRows
from .values import Typed, Value


def open_questions(rows: TaskRows, node: str, task_ns: str, answered: Collection[str]) -> tuple[Interrupt, ...]:
    """Return the questions of an unfinished task that nobody has answered.

    A task that failed after an answer keeps the row of the question: it is answered if its id is the one of a slot that
    has an answer. A question from inside a subgraph has another id, and is open unless ``answered`` says otherwise.

    Args:
        rows: The rows of the task.
        node: Its name.
        task_ns: Its namespace, see ``task_ids.task_namespace``.
        answered: Ids known to be answered.
    """
    if rows.finished or not rows.questions:
        return ()
    used = {interrupt_id(task_ns, slot) for slot in range(rows.answers)} if rows.failed else set()
    questions = (_question(value, node, task_ns, rows.id) for value in rows.questions)
    return tuple(one for one in questions if one.id not in used and one.id not in answered)


def answered_in_calls(tasks: Iterable[TaskRows]) -> frozenset[str]:
    """Return the ids of questions that ``@task`` calls asked and have the answers of.

    The entrypoint repeats such a question in its own rows, and keeps it there when the run fails after the answer. Of a
    call that has answers and failed, it is taken for answered: giving it another one would answer the next question.
    """
    calls = (rows for rows in tasks if rows.path.kind == "call")
    over = (rows for rows in calls if rows.finished or (rows.failed and rows.answers))
    return frozenset(_stored_id(_fields(value) or {}) for rows in over for value in rows.questions) - {""}


def asks_as(rows: TaskRows, task_ns: str) -> bool:
    """Whether the question of a task has the id that it must have if this is the task's namespace."""
    own = {interrupt_id(task_ns, slot) for slot in range(rows.answers + 1)} if rows.questions else set()
    return any(_stored_id(_fields(value) or {}) in own for value in rows.questions)


def is_nested(question: Interrupt, rows: TaskRows) -> bool:
    """Whether a question was asked inside a subgraph, so that only the subgraph's rows tell if it is open."""
    return all(question.id != interrupt_id(question.ns, slot) for slot in range(rows.answers + 1))


_WORDING = ("question", "message", "prompt", "description", "title", "text", "instruction", "query")
"""Keys under which applications put the sentence that a person is to read, likeliest first."""


def question_text(value: Value, limit: int = 200) -> str:
    """Return what a question asks, on one safe line.

    Args:
        value: The value given to ``interrupt()``. Of a mapping, the sentence in it is shown; of the requests of
            LangChain's human-in-the-loop middleware (``{"action_requests": [...]}``) and of the older agent inbox
            (``[{"action_request": {"action": ..., "args": ...}}]``), the action.
        limit: The most characters to return.
    """
    return preview(_sentence(value, levels=3), limit)


def _sentence(value: Value, levels: int) -> Value:
    if not levels:
        return value
    match value:
        case [only]:
            return _sentence(only, levels - 1)
        case {"action_requests": [_, *_] as requests}:
            return _sentence(requests[0] if len(requests) == 1 else requests, levels - 1)
        case {"action_request": request}:
            return _sentence(request, levels - 1)
        case {"action": str(name), "args": dict(args)} | {"name": str(name), "args": dict(args)}:
            return {name: args}
        case dict():
            found = (value.get(key) for key in _WORDING)
            return next((text for text in found if isinstance(text, str) and text.strip()), value)
    return value


def _question(value: Value, node: str, task_ns: str, task: str) -> Interrupt:
    fields = _fields(value)
    if fields is None:
        return Interrupt(interrupt_id(task_ns), value, node, task, task_ns)
    return Interrupt(
        _stored_id(fields) or interrupt_id(task_ns),
        fields.get("value"),
        node,
        task,
        task_ns,
        fields.get("response_schema"),
    )


def _fields(value: Value) -> Mapping[str, Value] | None:
    """The fields of a stored ``Interrupt``: MessagePack extension, or the JSON envelope of langgraph 0.2."""
    data = value.data if isinstance(value, Typed) else value
    if isinstance(data, dict) and isinstance(data.get("kwargs"), dict):
        data = data["kwargs"]
    if not isinstance(data, dict) or data is value:
        return None
    return data if "value" in data else None


def _stored_id(fields: Mapping[str, Value]) -> str:
    """Id of a question; before langgraph 0.6 it was the hash of its namespace (``langgraph/types.py:635-640``)."""
    for name in ("id", "interrupt_id"):
        if isinstance(fields.get(name), str):
            return str(fields[name])
    parts = fields.get("ns")
    return interrupt_id("|".join(map(str, parts))) if isinstance(parts, list) and parts else ""

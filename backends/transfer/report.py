"""A thread as a Markdown page, for the ticket of an incident: what it is doing, why, and how it came there."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence

from ..model import Analysis, CheckpointRow
from ..present import preview, type_label
from ..questions import question_text
from ..reader import Reader
from ..text import clean, one_line
from ..values import Value

_CHECKPOINTS = 50
_PREVIEW = 300
_ERROR = 4000


def report(reader: Reader, thread_id: str) -> Iterator[str]:
    """Yield the lines of the report.

    Args:
        reader: The open store.
        thread_id: The thread.

    Raises:
        NotFound: There is no such thread.
        StoreError: The store cannot be read.
    """
    head = reader.head(thread_id)
    history = reader.store.history(thread_id)
    analysis = reader.analyse_heads([head]).get(thread_id) or reader.analysis(head.key)
    yield f"# Thread {_code(thread_id)}"
    yield ""
    yield from _table(("", ""), _facts(reader, analysis, history))
    yield from _questions(analysis)
    yield from _errors(analysis)
    yield from _tasks(analysis)
    yield from _state(reader.state(head.key))
    yield from _changes(reader, head.ns, history)
    yield from _timeline(reader, thread_id, history)


def _facts(reader: Reader, analysis: Analysis, history: Sequence[CheckpointRow]) -> Iterator[tuple[str, str]]:
    newest = history[0]
    doubt = " (inferred)" if analysis.inferred else ""
    yield "status", f"**{analysis.status}**{doubt}"
    if analysis.reason:
        yield "reason", _code(analysis.reason)
    if analysis.next:
        yield "next", ", ".join(map(_code, analysis.next))
    yield "last activity", _time(newest.created_at)
    yield "begun", _time(history[-1].created_at)
    yield "head", f"{_code(newest.key.checkpoint_id)}, step {newest.step}, {_code(newest.source or '?')}"
    spaces = len({row.key.ns for row in history})
    yield "checkpoints", f"{len(history)} in {spaces} namespace{'' if spaces == 1 else 's'}"
    yield "store", _code(f"{reader.store.info.name} ({reader.store.info.kind}, {reader.store.info.schema})")
    yield "report made", _time(time.time())


def _questions(analysis: Analysis) -> Iterator[str]:
    if analysis.interrupts:
        rows = (
            (_code(one.id), _code(one.node), _code(question_text(one.value, _PREVIEW))) for one in analysis.interrupts
        )
        yield from _section("Waiting for an answer", _table(("id", "node", "question"), rows))


def _errors(analysis: Analysis) -> Iterator[str]:
    if analysis.errors:
        yield from _section("Errors", (line for error in analysis.errors for line in _fenced(error[:_ERROR])))


def _tasks(analysis: Analysis) -> Iterator[str]:
    if analysis.tasks:
        rows = ((_code(task.name), task.kind, task.state, _code(task.error or "")) for task in analysis.tasks)
        yield from _section("Tasks of the present step", _table(("node", "kind", "state", "error"), rows))


def _state(state: dict[str, Value]) -> Iterator[str]:
    rows = ((_code(name), _code(type_label(value)), _code(preview(value, _PREVIEW))) for name, value in state.items())
    yield from _section("State", _table(("channel", "type", "value"), rows))


def _changes(reader: Reader, ns: str, history: Sequence[CheckpointRow]) -> Iterator[str]:
    newest = next(row for row in history if row.key.ns == ns)
    if newest.parent_id is None:
        return
    parent = newest.key._replace(checkpoint_id=newest.parent_id)
    if not any(row.key == parent for row in history):
        return
    changes = reader.changes(parent, newest.key)
    rows = ((change.op, _code(".".join(map(str, change.path)))) for change in changes[:_CHECKPOINTS])
    yield from _section("Changed by the last step", _table(("", "where"), rows))
    if len(changes) > _CHECKPOINTS:
        yield f"{_CHECKPOINTS} of {len(changes):,} changes."


def _timeline(reader: Reader, thread_id: str, history: Sequence[CheckpointRow]) -> Iterator[str]:
    nodes = reader.task_nodes(thread_id)
    rows = (
        (
            _time(row.created_at),
            "-" if row.step is None else str(row.step),
            _code(row.source or "-"),
            _code(row.key.ns) if row.key.ns else "",
            ", ".join(map(_code, nodes.get(row.key, ()))),
            _code(row.key.checkpoint_id),
        )
        for row in history[:_CHECKPOINTS]
    )
    titles = ("time (UTC)", "step", "source", "namespace", "nodes that wrote", "checkpoint")
    yield from _section("History, newest first", _table(titles, rows))
    if len(history) > _CHECKPOINTS:
        yield ""
        yield f"{_CHECKPOINTS} of {len(history):,} checkpoints; lgtop history shows all."


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    yield from ("", f"## {title}", "")
    yield from lines


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(titles)} |"
    yield f"|{'---|' * len(titles)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _code(text: str) -> str:
    """Untrusted text as a code span: longer runs of backticks around it than in it, and no bar that ends a cell."""
    line = one_line(text, _PREVIEW).replace("|", "\\|")
    if not line.strip():
        return ""
    ticks = "`" * (max(map(len, _runs(line)), default=0) + 1)
    pad = " " if line[0] == "`" or line[-1] == "`" else ""
    return f"{ticks}{pad}{line}{pad}{ticks}"


def _fenced(text: str) -> Iterator[str]:
    """Untrusted text as a block of code."""
    shown = clean(text)
    fence = "`" * max(3, max(map(len, _runs(shown)), default=0) + 1)
    yield from (fence, *shown.split("\n"), fence)


def _runs(text: str) -> list[str]:
    import re

    return re.findall("`+", text)


def _time(when: float | None) -> str:
    return "unknown" if when is None else time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(when))

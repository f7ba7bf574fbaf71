"""``lgtop show``: one checkpoint of a thread: status, tasks, questions, state, metadata."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from backends.ids import unix_time
from backends.text import one_line

from . import output
from .arguments import REFERENCES, Parser, add_namespace, add_store, add_thread
from .exits import Exit
from .opening import opened, require_thread
from .statuses import status_text
from .table import clip

if TYPE_CHECKING:
    from backends.model import Analysis, CheckpointKey, Snapshot
    from backends.reader import Reader
    from backends.values import Value

SUMMARY = "show a thread: state, tasks, pending questions, metadata"
DESCRIPTION = f"""\
Show one checkpoint of a thread; the newest one unless --checkpoint names another.

{REFERENCES}
The JSON form holds everything: types that plain JSON does not have are objects whose keys begin with $."""
EXAMPLES = """\
  lgtop show -s checkpoints.sqlite doc-7f3a
  lgtop show -s checkpoints.sqlite doc-7f3a --checkpoint ~2
  lgtop show -s checkpoints.sqlite doc-7f3a --json | jq .state.messages"""

_INDENT = "  "
_DEPTH = 3
"""Containers inside containers that are printed open; deeper ones are one line."""
_ITEMS = 40
"""Items of one container that are printed; more are counted."""
_PREVIEW = 500
"""Characters of one value; the terminal's width cuts further."""


def arguments(parser: Parser) -> None:
    """Describe the command line."""
    add_store(parser)
    add_thread(parser)
    parser.add_argument("--checkpoint", metavar="REF", help="which checkpoint (default: head)")
    add_namespace(parser, "the thread's own")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(options: Namespace) -> Exit:
    """Print the checkpoint."""
    with opened(options) as reader:
        require_thread(reader, options.thread)
        key = find(reader, options.thread, options.checkpoint, options.ns)
        snapshot, analysis, state = reader.snapshot(key), reader.analysis(key), reader.state(key)
        if options.json:
            output.print_record(_record(reader, snapshot, analysis, state))
        else:
            width = output.width()
            lines = _lines(reader, snapshot, analysis, state)
            output.print_lines(lines if width is None else (clip(line, width) for line in lines))
    return Exit.DONE


def find(reader: Reader, thread_id: str, ref: str | None, ns: str | None) -> CheckpointKey:
    """The checkpoint that a reference means; without a namespace, in the one that the thread list looks at.

    Raises:
        NotFound: There is none.
    """
    return reader.resolve_checkpoint(thread_id, ref, reader.head(thread_id).ns if ns is None else ns)


def _record(reader: Reader, snapshot: Snapshot, analysis: Analysis, state: Mapping[str, Value]) -> output.Record:
    from . import records

    key = snapshot.key
    return {
        "thread_id": key.thread_id,
        "ns": key.ns,
        "checkpoint_id": key.checkpoint_id,
        "parent_id": snapshot.parent_id,
        "created_at": output.timestamp(unix_time(key.checkpoint_id)),
        **records.status_fields(analysis),
        "error": records.error_of(analysis),
        "running_by": records.running_by(analysis),
        "step": records.values(snapshot.metadata.get("step")),
        "source": records.values(snapshot.metadata.get("source")),
        "tasks": [records.task_record(task) for task in analysis.tasks],
        "interrupts": [
            {**records.brief_interrupt(i), "ns": i.ns, "response_schema": records.values(i.response_schema)}
            for i in analysis.interrupts
        ],
        "state": {name: records.values(value) for name, value in state.items()},
        "metadata": records.values(snapshot.metadata),
        "namespaces": reader.store.namespaces(key.thread_id),
        "problem": snapshot.problem,
    }


def _lines(reader: Reader, snapshot: Snapshot, analysis: Analysis, state: Mapping[str, Value]) -> Iterator[str]:
    yield from _head(reader, snapshot, analysis)
    if analysis.tasks:
        yield from ("", "tasks")
        for task in analysis.tasks:
            told = f": {task.error}" if task.error else ""
            yield f"{_INDENT}{task.state.value:<9} {one_line(task.name)}{one_line(told, _PREVIEW)}"
    if analysis.interrupts:
        yield from ("", "questions")
        for interrupt in analysis.interrupts:
            yield f"{_INDENT}{one_line(interrupt.node)}  {one_line(interrupt.id)}"
            yield from _tree(interrupt.value, 2)
    yield from ("", "state")
    if snapshot.problem:
        yield _INDENT + one_line(snapshot.problem, _PREVIEW)
    yield from _tree(state, 1) if state else [f"{_INDENT}(no values)"]
    yield from ("", "metadata")
    yield from _tree(snapshot.metadata, 1) if snapshot.metadata else [f"{_INDENT}(none)"]


def _head(reader: Reader, snapshot: Snapshot, analysis: Analysis) -> Iterator[str]:
    from tui.words import age

    key, created = snapshot.key, unix_time(snapshot.key.checkpoint_id)
    ago = f"   {age(time.time() - created)} ago" if created is not None else ""
    others = [ns for ns in reader.store.namespaces(key.thread_id) if ns != key.ns]
    facts = {
        "thread": key.thread_id,
        "namespace": key.ns,
        "checkpoint": f"{key.checkpoint_id}   {output.timestamp(created) or 'no time in its id'}{ago}",
        "status": f"{status_text(analysis)}   {analysis.reason}".rstrip(),
        "next": ", ".join(analysis.next),
        "subgraphs": ", ".join(others),
    }
    for name, value in facts.items():
        if value:
            yield f"{name:<11} {one_line(value, _PREVIEW)}"


def _tree(value: Value, depth: int) -> Iterator[str]:
    """A value as indented lines, each cleaned; long containers and deep ones are cut, and say so."""
    from backends.messages import is_message
    from backends.present import children, preview, type_label

    inside = children(value)
    if inside is None:
        yield _INDENT * depth + preview(value, _PREVIEW)
        return
    for count, (name, child) in enumerate(inside):
        if count == _ITEMS:
            yield f"{_INDENT * depth}… {len(inside) - count} more; --json has all"
            return
        label = one_line(str(name), _PREVIEW)
        if depth < _DEPTH and children(child) and not is_message(child):
            yield f"{_INDENT * depth}{label}  {type_label(child)}"
            yield from _tree(child, depth + 1)
        else:
            yield f"{_INDENT * depth}{label}  {preview(child, _PREVIEW)}"

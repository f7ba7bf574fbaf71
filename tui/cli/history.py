"""``lgtop history``: the checkpoints of a thread, newest first."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from backends.text import one_line

from . import output
from .arguments import Parser, add_formats, add_namespace, add_store, add_thread, natural
from .exits import Exit
from .opening import opened, require_thread
from .table import Column, draw

if TYPE_CHECKING:
    from backends.model import CheckpointRow

SUMMARY = "list the checkpoints of a thread, newest first"
DESCRIPTION = "List the checkpoints of a thread over all its namespaces, newest first, with the nodes that wrote each."
EXAMPLES = """\
  lgtop history -s checkpoints.sqlite doc-7f3a
  lgtop history -s checkpoints.sqlite doc-7f3a --ns '' --limit 10
  lgtop history -s checkpoints.sqlite doc-7f3a --jsonl | jq -r .id"""

COLUMNS = (
    Column("CHECKPOINT"),
    Column("STEP", right=True),
    Column("SOURCE", drop=2),
    Column("AGE", right=True, drop=3),
    Column("SIZE", right=True, drop=4),
    Column("NAMESPACE", least=12, drop=1, middle=True),
    Column("NODES", least=8),
    Column("PARENT", drop=5),
)


def arguments(parser: Parser) -> None:
    """Describe the command line."""
    add_store(parser)
    add_thread(parser)
    add_namespace(parser, "all")
    parser.add_argument("--limit", type=natural, metavar="N", help="at most N checkpoints; default: all")
    add_formats(parser, "checkpoint")


def run(options: Namespace) -> Exit:
    """Print the checkpoints."""
    with opened(options) as reader:
        require_thread(reader, options.thread)
        rows = reader.store.history(options.thread, options.ns, limit=options.limit)
        nodes = reader.task_nodes(options.thread)
        wrote = [nodes.get(row.key, ()) for row in rows]
        if options.json or options.jsonl:
            from .records import checkpoint_record

            output.print_records(map(checkpoint_record, rows, wrote), as_lines=options.jsonl)
        elif rows:
            lines = draw(COLUMNS, list(_cells(rows, wrote)), output.width(), output.coloured())
            output.print_lines(lines)
        else:
            output.narrate(f"Thread {options.thread!r} has nothing in namespace {options.ns!r}.")
    return Exit.DONE


def _cells(rows: Sequence[CheckpointRow], wrote: Sequence[Sequence[str]]) -> Iterator[list[str]]:
    from tui.words import age, size

    now = time.time()
    for row, nodes in zip(rows, wrote, strict=True):
        yield [
            one_line(row.key.checkpoint_id),
            "-" if row.step is None else str(row.step),
            one_line(row.source or "-"),
            age(None if row.created_at is None else now - row.created_at),
            size(row.size),
            one_line(row.key.ns) or "-",
            one_line(", ".join(nodes)) or "-",
            one_line(row.parent_id or "-"),
        ]

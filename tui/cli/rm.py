"""``lgtop rm``: delete threads, whole."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from .arguments import Parser
from .deleting import (
    CAUTION,
    Work,
    add_caution,
    add_targets,
    carry_out,
    chosen,
    command_line,
    finish,
    preview,
    working,
)
from .exits import Exit

if TYPE_CHECKING:
    from backends.maintenance.deletion import Deletion

SUMMARY = "delete threads with their checkpoints, writes and values; without --yes only say which"
DESCRIPTION = f"""\
Delete threads: every checkpoint, pending write and stored value of them, subgraphs included. Which ones is said by
name, by the filter of lgtop ls, or with --all.

{CAUTION}"""
EXAMPLES = """\
  lgtop rm -s checkpoints.sqlite doc-7f3a
  lgtop rm -s checkpoints.sqlite doc-7f3a --yes
  lgtop rm -s postgresql://app@db.example/app --filter 'status:done age>90d' --yes --json | jq .total
  lgtop rm -s checkpoints.sqlite --filter 'tenant:test' --yes --vacuum"""


def arguments(parser: Parser) -> None:
    """Describe the command line."""
    add_targets(parser)
    add_caution(parser)


def run(options: Namespace) -> Exit:
    """Delete them, or say what would go."""
    from backends.maintenance.remove import plan_removal

    with working(options) as work:
        threads = chosen(options, work.reader)
        if options.yes:
            outcomes = carry_out(threads, lambda thread_id: _remove(work, thread_id, threads[thread_id]))
        else:
            outcomes = preview(work, threads, lambda thread_id: plan_removal(work.reader, work.sizes, thread_id))
        return finish(work, "rm", outcomes, options)


def _remove(work: Work, thread_id: str, expected: str) -> Deletion:
    from backends.maintenance.remove import remove_thread

    command = command_line(work, "rm", thread_id)
    return remove_thread(work.gate, work.reader, work.sizes, thread_id, expected=expected, command=command)

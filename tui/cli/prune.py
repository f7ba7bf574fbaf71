"""``lgtop prune``: delete the history that nothing needs any more."""

from __future__ import annotations

import argparse
from argparse import Namespace
from typing import TYPE_CHECKING

from .arguments import Parser, UsageError, natural
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
    from backends.maintenance.policy import Policy

SUMMARY = "delete old checkpoints that nothing needs any more; without --yes only say how many"
DESCRIPTION = f"""\
Delete checkpoints beyond the newest --keep of each branch, older than --older-than, or both: then only what is both.
The thread itself stays: its state, what is pending, its open questions, and the tip of every branch.

Never deleted is what something that stays still needs: the ancestors that hold the value of a DeltaChannel, the
subgraph calls of steps that stay, and what subgraphs that remember their calls had come to by then.

{CAUTION}"""
EXAMPLES = """\
  lgtop prune -s checkpoints.sqlite --all --keep 10
  lgtop prune -s checkpoints.sqlite doc-7f3a --keep 1 --yes
  lgtop prune -s postgresql://app@db.example/app --filter 'tenant:t3' --older-than 30d --finished --yes --json"""


def arguments(parser: Parser) -> None:
    """Describe the command line."""
    add_targets(parser)
    parser.add_argument(
        "--keep", type=natural, metavar="N", help="keep the newest N checkpoints of each branch (default: 1, its tip)"
    )
    parser.add_argument("--older-than", type=_age, metavar="AGE", help="only checkpoints older than 90s, 5m, 2d, 1w")
    parser.add_argument("--finished", action="store_true", help="only threads with nothing left to do (status:done)")
    add_caution(parser)


def run(options: Namespace) -> Exit:
    """Prune them, or say what would go."""
    from backends.maintenance.policy import Policy
    from backends.maintenance.prune import plan_prune

    if options.keep is None and options.older_than is None:
        raise UsageError(
            "Say what may go: all but the newest --keep N, what is --older-than AGE, or both.", options.prog
        )
    policy = Policy(options.keep or 1, options.older_than, options.finished)
    with working(options) as work:
        threads = chosen(options, work.reader)
        if options.yes:
            outcomes = carry_out(threads, lambda thread_id: _prune(work, thread_id, policy))
        else:
            outcomes = preview(work, threads, lambda thread_id: plan_prune(work.reader, work.sizes, thread_id, policy))
        return finish(work, "prune", outcomes, options)


def _prune(work: Work, thread_id: str, policy: Policy) -> Deletion:
    from backends.maintenance.prune import prune_thread

    said = ["--keep", str(policy.keep)]
    if policy.older_than is not None:
        said += ["--older-than", f"{policy.older_than:g}s"]
    if policy.finished:
        said.append("--finished")
    command = command_line(work, "prune", thread_id, *said)
    return prune_thread(work.gate, work.reader, work.sizes, thread_id, policy, command=command)


def _age(text: str) -> float:
    """Read a span of time as the filter language writes it."""
    from backends.errors import QueryError
    from backends.query_parse import seconds

    try:
        return seconds(text, 0)
    except QueryError as error:
        raise argparse.ArgumentTypeError(error.reason) from None

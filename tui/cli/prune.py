"""``lgtop prune``: delete the history that nothing needs any more."""

from __future__ import annotations

import argparse
from argparse import Namespace
from typing import TYPE_CHECKING

from .arguments import Parser, UsageError, natural
from .bulk import conduct_many
from .bulk_arguments import CAUTION, add_caution, add_targets, pace
from .exits import Exit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backends.bulk.request import BulkRequest

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
    if options.keep is None and options.older_than is None:
        raise UsageError(
            "Say what may go: all but the newest --keep N, what is --older-than AGE, or both.", options.prog
        )

    def ask(threads: tuple[str, ...], newest: Mapping[str, str]) -> BulkRequest:
        from backends.bulk.request import Action, BulkRequest
        from backends.maintenance.policy import Policy

        return BulkRequest(
            Action.PRUNE,
            threads,
            policy=Policy(options.keep or 1, options.older_than, options.finished),
            **pace(options),
        )

    return conduct_many(options, ask)


def _age(text: str) -> float:
    """Read a span of time as the filter language writes it."""
    from backends.errors import QueryError
    from backends.query_parse import seconds

    try:
        return seconds(text, 0)
    except QueryError as error:
        raise argparse.ArgumentTypeError(error.reason) from None

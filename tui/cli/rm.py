"""``lgtop rm``: delete threads, whole."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from .arguments import Parser
from .bulk import conduct_many
from .bulk_arguments import CAUTION, add_caution, add_targets, pace
from .exits import Exit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backends.bulk.request import BulkRequest

SUMMARY = "delete threads with their checkpoints, writes and values; without --yes only say which"
DESCRIPTION = f"""\
Delete threads: every checkpoint, pending write and stored value of them, subgraphs included. Which ones is said by
name, by the filter of lgtop ls, or with --all.

{CAUTION}"""
EXAMPLES = """\
  lgtop rm -s checkpoints.sqlite doc-7f3a
  lgtop rm -s checkpoints.sqlite doc-7f3a --yes
  lgtop rm -s postgresql://app@db.example/app --filter 'status:done age>90d' --yes --json | jq .deleted
  lgtop rm -s checkpoints.sqlite --filter 'tenant:test' --yes --vacuum"""


def arguments(parser: Parser) -> None:
    """Describe the command line."""
    add_targets(parser)
    add_caution(parser)


def run(options: Namespace) -> Exit:
    """Delete them, or say what would go."""

    def ask(threads: tuple[str, ...], newest: Mapping[str, str]) -> BulkRequest:
        from backends.bulk.request import Action, BulkRequest

        return BulkRequest(
            Action.DELETE,
            threads,
            expected=newest,
            **pace(options),
        )

    return conduct_many(options, ask)

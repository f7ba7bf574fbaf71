"""``lgtop copy``: a thread once more, under another id."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from typing import TYPE_CHECKING

from .arguments import Parser, UsageError
from .bulk import conduct_many
from .bulk_arguments import MANY, add_bulk, add_targets, pace, refuse_for_many
from .conduct import conduct
from .control_arguments import add_conduct
from .exits import Exit
from .opening import require_thread
from .planning import planning

if TYPE_CHECKING:
    from backends.bulk.request import BulkRequest

SUMMARY = "copy threads whole, under other ids"
DESCRIPTION = f"""\
Copy every checkpoint and pending write of a thread to a new thread of the same store, in one transaction. The copy
goes on by itself: it can be resumed, answered and forked without touching the original. No graph is needed.
lgtop fork --new-thread copies up to one checkpoint only.

With --filter or --all the copy of each thread has its id and --suffix.
{MANY}"""
EXAMPLES = """\
  lgtop copy -s checkpoints.sqlite doc-7f3a doc-7f3a-experiment
  lgtop copy -s checkpoints.sqlite doc-7f3a doc-7f3a-experiment --json
  lgtop copy -s checkpoints.sqlite --filter status:failed --suffix=-before-repair --yes"""


def arguments(parser: Parser) -> None:
    """Describe the command line."""
    add_targets(parser, several=False)
    parser.add_argument("thread", metavar="THREAD", nargs="?", help="thread id")
    parser.add_argument("new", metavar="NEW", nargs="?", help="id of the copy; no thread may have it")
    parser.add_argument(
        "--suffix", metavar="TEXT", default="-copy", help="what ids of copies end with (default: -copy)"
    )
    add_conduct(parser, detach=False)
    add_bulk(parser)


def run(options: Namespace) -> Exit:
    """Copy it, or all of them."""
    if options.filter.strip() or options.all:
        return _copy_many(options)
    if options.thread is None or options.new is None:
        raise UsageError("Name a THREAD and a NEW id; or choose threads with --filter or --all.", options.prog)
    from backends.control.plan import Intent

    with planning(options) as desk:
        require_thread(desk.reader, options.thread)
        intent = Intent("copy", options.thread, target=options.new)
        return conduct(desk, desk.plan(intent), options)


def _copy_many(options: Namespace) -> Exit:
    options.threads = list(filter(None, (options.thread, options.new)))  # none may be named beside a filter
    refuse_for_many(options, expect=None)

    def ask(threads: tuple[str, ...], newest: Mapping[str, str]) -> BulkRequest:
        from backends.bulk.request import Action, BulkRequest

        return BulkRequest(Action.COPY, threads, suffix=options.suffix, **pace(options))

    return conduct_many(options, ask)

"""``lgtop copy``: a thread once more, under another id."""

from __future__ import annotations

from argparse import Namespace

from .arguments import Parser, add_store, add_thread
from .conduct import conduct
from .control_arguments import add_conduct
from .exits import Exit
from .opening import require_thread
from .planning import planning

SUMMARY = "copy a thread whole, under another id"
DESCRIPTION = """\
Copy every checkpoint and pending write of a thread to a new thread of the same store, in one transaction. The copy
goes on by itself: it can be resumed, answered and forked without touching the original. No graph is needed.
lgtop fork --new-thread copies up to one checkpoint only."""
EXAMPLES = """\
  lgtop copy -s checkpoints.sqlite doc-7f3a doc-7f3a-experiment
  lgtop copy -s checkpoints.sqlite doc-7f3a doc-7f3a-experiment --json"""


def arguments(parser: Parser) -> None:
    """Describe the command line."""
    add_store(parser)
    add_thread(parser)
    parser.add_argument("new", metavar="NEW", help="id of the copy; no thread may have it")
    add_conduct(parser, detach=False)


def run(options: Namespace) -> Exit:
    """Copy it."""
    from backends.control.plan import Intent

    with planning(options) as desk:
        require_thread(desk.reader, options.thread)
        intent = Intent("copy", options.thread, target=options.new)
        return conduct(desk, desk.plan(intent), options)

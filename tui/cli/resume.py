"""``lgtop resume``: let a thread go on where it stopped."""

from __future__ import annotations

from argparse import Namespace

from .arguments import Parser, add_store, add_thread
from .conduct import conduct
from .control_arguments import SAFETY, add_conduct, add_crash, add_graph, add_running
from .exits import Exit
from .opening import require_thread
from .planning import planning

SUMMARY = "let a thread go on after a crash, an error or a breakpoint"
DESCRIPTION = f"""\
Run what is left to do of a thread: the tasks of its last step that are not finished, and what follows. Work that was
saved is not done again. With --retry every task of the step is run once more, the finished ones too: the way out when
a router failed after its node had finished. A question that waits is asked again: lgtop answer answers it.

{SAFETY}"""
EXAMPLES = """\
  lgtop resume -s checkpoints.sqlite doc-7f3a
  lgtop resume -s checkpoints.sqlite doc-7f3a --dry-run
  lgtop resume -s checkpoints.sqlite doc-7f3a --step --json
  lgtop resume -s checkpoints.sqlite doc-7f3a --crash inside:analyze+250=kill"""


def arguments(parser: Parser) -> None:
    """Describe the command line."""
    add_store(parser)
    add_thread(parser)
    parser.add_argument("--retry", action="store_true", help="run every task of the step again, finished ones too")
    add_graph(parser)
    add_running(parser)
    add_crash(parser)
    add_conduct(parser)


def run(options: Namespace) -> Exit:
    """Resume it."""
    from backends.control.plan import Intent

    with planning(options) as desk:
        require_thread(desk.reader, options.thread)
        intent = Intent(
            "retry" if options.retry else "resume",
            options.thread,
            durability=options.durability,
            step=options.step,
            recursion_limit=options.recursion_limit,
            config=options.config,
            context=options.context,
            faults=tuple(options.crash),
        )
        return conduct(desk, desk.plan(intent, desk.choose_graph(options.thread)), options)

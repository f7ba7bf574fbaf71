"""``lgtop resume``: let a thread go on where it stopped."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from typing import TYPE_CHECKING

from .arguments import Parser
from .bulk import conduct_many
from .bulk_arguments import FOR_ONE, MANY, add_bulk, add_targets, named_alone, pace, refuse_for_many
from .conduct import conduct
from .control_arguments import SAFETY, add_conduct, add_crash, add_graph, add_running
from .exits import Exit
from .opening import require_thread
from .planning import planning

if TYPE_CHECKING:
    from backends.bulk.request import BulkRequest

SUMMARY = "let threads go on after a crash, an error or a breakpoint"
DESCRIPTION = f"""\
Run what is left to do of a thread: the tasks of its last step that are not finished, and what follows. Work that was
saved is not done again. With --retry every task of the step is run once more, the finished ones too: the way out when
a router failed after its node had finished. A question that waits is asked again: lgtop answer answers it.

{SAFETY}

{MANY}
Threads that wait for an answer are then skipped, as are those that are done."""
EXAMPLES = """\
  lgtop resume -s checkpoints.sqlite doc-7f3a
  lgtop resume -s checkpoints.sqlite doc-7f3a --dry-run
  lgtop resume -s checkpoints.sqlite doc-7f3a --step --json
  lgtop resume -s checkpoints.sqlite doc-7f3a --crash inside:analyze+250=kill
  lgtop resume -s checkpoints.sqlite --filter status:crashed,stalled --retries 2 --json | jq .states
  lgtop resume -s checkpoints.sqlite --all --yes --concurrency 4"""


def arguments(parser: Parser) -> None:
    """Describe the command line."""
    add_targets(parser)
    parser.add_argument("--retry", action="store_true", help="run every task of the step again, finished ones too")
    add_graph(parser)
    add_running(parser)
    add_crash(parser)
    add_conduct(parser)
    add_bulk(parser)


def run(options: Namespace) -> Exit:
    """Resume it, or all of them."""
    thread_id = named_alone(options)
    return _resume_many(options) if thread_id is None else _resume(options, thread_id)


def _resume(options: Namespace, thread_id: str) -> Exit:
    from backends.control.plan import Intent

    with planning(options) as desk:
        require_thread(desk.reader, thread_id)
        intent = Intent(
            "retry" if options.retry else "resume",
            thread_id,
            durability=options.durability,
            step=options.step,
            recursion_limit=options.recursion_limit,
            config=options.config,
            context=options.context,
            faults=tuple(options.crash),
        )
        return conduct(desk, desk.plan(intent, desk.choose_graph(thread_id)), options)


def _resume_many(options: Namespace) -> Exit:
    refuse_for_many(options, **FOR_ONE, retry=False)

    def ask(threads: tuple[str, ...], newest: Mapping[str, str]) -> BulkRequest:
        from backends.bulk.request import Action, BulkRequest

        return BulkRequest(Action.RESUME, threads, durability=options.durability, **pace(options))

    return conduct_many(options, ask)

"""``lgtop fork``: go on from an earlier checkpoint, in the thread itself or in a new one."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from .arguments import REFERENCES, Parser, UsageError, add_namespace, add_store, add_thread
from .conduct import conduct
from .control_arguments import SAFETY, add_conduct, add_graph, add_running, add_values
from .exits import Exit
from .opening import require_thread
from .planning import planning
from .show import find

if TYPE_CHECKING:
    from backends.control.plan import Intent
    from backends.model import CheckpointKey

    from .planning import Desk

SUMMARY = "go on from any checkpoint, with or without an edited state, in the thread or as a new one"
DESCRIPTION = f"""\
Fork a thread at a checkpoint. In the thread, as LangGraph does it: the new branch becomes its head, the old one stays
in its history, and every task of the step is run again. With --values the state is edited first. With --new-thread the
checkpoints up to there are copied into a new thread instead; nothing runs, and no graph is needed.

{REFERENCES}
{SAFETY}"""
EXAMPLES = """\
  lgtop fork -s checkpoints.sqlite doc-7f3a --checkpoint ~2
  lgtop fork -s checkpoints.sqlite doc-7f3a --checkpoint @1 --values '{"text": "better"}' --as-node extract
  lgtop fork -s checkpoints.sqlite doc-7f3a --checkpoint 1f0c4c2e --new-thread doc-7f3a-again"""


def arguments(parser: Parser) -> None:
    """Describe the command line."""
    add_store(parser)
    add_thread(parser)
    parser.add_argument("--checkpoint", metavar="REF", help="from which checkpoint (default: head)")
    add_namespace(parser, "the thread's own")
    add_values(parser, required=False)
    parser.add_argument("--no-run", action="store_true", help="write the fork and leave it at that")
    parser.add_argument(
        "--new-thread", metavar="ID", nargs="?", const="", help="copy into a new thread, with this id or a proposed one"
    )
    add_graph(parser)
    add_running(parser)
    add_conduct(parser)


def run(options: Namespace) -> Exit:
    """Fork it."""
    if options.new_thread is not None and (options.values is not None or options.as_node or options.replace):
        raise UsageError("--new-thread copies what is there. Edit the copy afterwards: lgtop edit.", options.prog)
    with planning(options) as desk:
        require_thread(desk.reader, options.thread)
        key = find(desk.reader, options.thread, options.checkpoint, options.ns)
        if options.new_thread is not None:
            return conduct(desk, desk.plan(_branch(desk, key, options)), options)
        return conduct(desk, desk.plan(_fork(key, options), desk.choose_graph(options.thread)), options)


def _branch(desk: Desk, key: CheckpointKey, options: Namespace) -> Intent:
    from backends.control.names import propose_thread_id
    from backends.control.plan import Intent

    target = options.new_thread or propose_thread_id(key.thread_id, desk)
    return Intent("branch", key.thread_id, checkpoint=key.checkpoint_id, ns=key.ns, target=target)


def _fork(key: CheckpointKey, options: Namespace) -> Intent:
    from backends.control.plan import Intent

    return Intent(
        "fork",
        key.thread_id,
        checkpoint=key.checkpoint_id,
        ns=key.ns,
        values=options.values,
        replace=tuple(options.replace),
        as_node=options.as_node,
        run_after=not options.no_run,
        durability=options.durability,
        step=options.step,
        recursion_limit=options.recursion_limit,
        config=options.config,
        context=options.context,
    )

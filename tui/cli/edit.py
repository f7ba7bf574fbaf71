"""``lgtop edit``: write into the state of a thread, as one of its nodes."""

from __future__ import annotations

from argparse import Namespace

from .arguments import REFERENCES, Parser, add_namespace, add_store, add_thread
from .conduct import conduct
from .control_arguments import add_conduct, add_graph, add_values
from .exits import Exit
from .opening import require_thread
from .planning import planning
from .show import find

SUMMARY = "write into the state of a thread, as one of its nodes; nothing runs"
DESCRIPTION = f"""\
Add a checkpoint with an edited state, as LangGraph's update_state does it: written as the node --as-node, so that what
follows that node is next. Values pass through the reducers of their channels; --replace puts them in the place of what
is there. Objects are written as lgtop show --json prints them, {{"$type": …}} and all. Nothing runs until lgtop resume.

{REFERENCES}
Without --as-node, or with one that the graph does not have, nothing is written and the nodes are listed."""
EXAMPLES = """\
  lgtop edit -s checkpoints.sqlite doc-7f3a --values '{"text": "better"}' --as-node extract
  lgtop edit -s checkpoints.sqlite chat-9 --values @messages.json --replace messages --as-node agent --dry-run"""


def arguments(parser: Parser) -> None:
    """Describe the command line."""
    add_store(parser)
    add_thread(parser)
    add_values(parser, required=True)
    parser.add_argument("--checkpoint", metavar="REF", help="at which checkpoint (default: head)")
    add_namespace(parser, "the thread's own")
    add_graph(parser)
    add_conduct(parser, detach=False)


def run(options: Namespace) -> Exit:
    """Edit it."""
    from backends.control.plan import Intent

    with planning(options) as desk:
        require_thread(desk.reader, options.thread)
        elsewhere = options.checkpoint is not None or options.ns is not None
        key = find(desk.reader, options.thread, options.checkpoint, options.ns)
        intent = Intent(
            "edit",
            options.thread,
            checkpoint=key.checkpoint_id if elsewhere else None,
            ns=key.ns,
            values=options.values,
            replace=tuple(options.replace),
            as_node=options.as_node,
        )
        return conduct(desk, desk.plan(intent, desk.choose_graph(options.thread)), options)

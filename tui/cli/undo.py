"""``lgtop undo``: take back what was done last, or any action of the log that can be taken back."""

from __future__ import annotations

from argparse import Namespace

from . import output
from .arguments import Parser, add_store
from .exits import Exit
from .opening import address_of, opened
from .profile import is_readonly

SUMMARY = "take back an action of the log, where that can be done without losing anything"
DESCRIPTION = """\
Take back a copy, a branch into a new thread, an edit, or a fork that was not run: what the action added is removed, as
long as nothing has been built on it since. Whatever else cannot be taken back is refused, and it is said why. lgtop log
lists the actions; the end of an id is enough."""
EXAMPLES = """\
  lgtop undo -s checkpoints.sqlite 5f3a
  lgtop undo -s checkpoints.sqlite $(lgtop log -s checkpoints.sqlite --limit 1 --json | jq -r '.[0].action_id')"""


def arguments(parser: Parser) -> None:
    """Describe the command line."""
    add_store(parser)
    parser.add_argument("action", metavar="ACTION", help="id of the action, or the end of it")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(options: Namespace) -> Exit:
    """Take it back."""
    from backends.control.gate import Gate
    from backends.control.journal import undo
    from backends.locks.key import store_key

    from .log import entries, find_action
    from .run_records import action_record

    address = address_of(options)
    with opened(options) as reader:
        entry = find_action(entries(store_key(address.target)), options.action)
        done = undo(entry, Gate(address, is_readonly(options)), reader)
    if options.json:
        output.print_record({**action_record(entry), "undone": True})
    output.narrate(f"lgtop: {done}")
    return Exit.DONE

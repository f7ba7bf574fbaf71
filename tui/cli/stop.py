"""``lgtop stop``: end a run, gently unless told otherwise."""

from __future__ import annotations

import time
from argparse import Namespace
from contextlib import closing
from typing import TYPE_CHECKING

from backends.errors import Refused

from . import output
from .arguments import Parser, UsageError, add_store
from .exits import Exit
from .opening import address_of, open_reader, require_thread

if TYPE_CHECKING:
    from backends.address import Address
    from backends.runs.run import Run

SUMMARY = "stop a run before its next step; or cancel or kill it"
DESCRIPTION = """\
Stop the run that drives a thread, or a run by its id. Without an option it ends before the next step, so that
everything done so far is saved and lgtop resume goes on from there. --cancel ends the step that is under way; what its
tasks have not written yet is done again later. --kill ends the process at once, as a crash would.

Waits until the run has ended, unless --detach. The runs of others are theirs to stop: who holds a thread is told."""
EXAMPLES = """\
  lgtop stop -s checkpoints.sqlite doc-7f3a
  lgtop stop -s checkpoints.sqlite doc-7f3a --cancel
  lgtop stop --run 261121-0910-k3f2 --kill --json"""


def arguments(parser: Parser) -> None:
    """Describe the command line."""
    add_store(parser)
    parser.add_argument("thread", metavar="THREAD", nargs="?", help="thread id")
    parser.add_argument("--run", metavar="RUN", help="id of the run, or its beginning or end")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--cancel", dest="how", action="store_const", const="cancel", help="end the step under way")
    how.add_argument("--kill", dest="how", action="store_const", const="kill", help="end the process")
    parser.set_defaults(how="drain")
    parser.add_argument("--detach", action="store_true", help="do not wait for the end")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(options: Namespace) -> Exit:
    """Stop it."""
    from backends.runs.stop import stop

    from .following import read_again, watch
    from .narration import Narrator
    from .results import print_stopped

    if bool(options.run) == bool(options.thread):
        raise UsageError("Name either a THREAD or a --run.", options.prog)
    target = _by_id(options.run) if options.run else _of_thread(address_of(options), options.thread)
    if not target.live:
        raise Refused(f"Run {target.run_id} is not running: it is {target.state.value}.")
    asked_at = time.time()
    stop(target, options.how)
    output.narrate(f"lgtop: {_TOLD[options.how].format(target.label)}")
    if not options.detach:
        watch(target, Narrator(since=asked_at).tell)
    print_stopped(read_again(target), options.json)
    return Exit.DONE


_TOLD = {
    "drain": "{} ends before its next step.",
    "cancel": "{} is being cancelled.",
    "kill": "{} has been killed.",
}


def _by_id(wanted: str) -> Run:
    from .runs import every_run, find_run

    return find_run(every_run(None), wanted)


def _of_thread(address: Address, thread_id: str) -> Run:
    """The run that drives a thread.

    Raises:
        NotFound: There is no such thread.
        Refused: Nothing runs, or nothing that we can stop.
    """
    from backends.locks.key import store_key

    from .planning import ask_holder
    from .runs import every_run

    key = store_key(address.target)
    mine = [one for one in every_run(key) if one.thread_id == thread_id]
    if live := [one for one in mine if one.live]:
        return live[0]
    if holder := ask_holder(address, thread_id):
        raise Refused(
            f"Thread {thread_id!r} is held by {holder}.", "That was not started from here: stop it where it was."
        )
    if not mine:
        with closing(open_reader(address)) as reader:
            require_thread(reader, thread_id)
    raise Refused(f"Nothing runs on thread {thread_id!r}.", f"Its last run: {mine[0].label}." if mine else "")

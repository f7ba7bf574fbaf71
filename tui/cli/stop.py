"""``lgtop stop``: end a run, gently unless told otherwise."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Mapping
from contextlib import closing
from typing import TYPE_CHECKING

from backends.errors import Refused

from . import output
from .arguments import Parser, UsageError
from .bulk import conduct_many
from .bulk_arguments import MANY, add_bulk, add_targets, named_alone, pace, refuse_for_many
from .exits import Exit
from .opening import address_of, open_reader, require_thread

if TYPE_CHECKING:
    from backends.address import Address
    from backends.bulk.request import BulkRequest
    from backends.runs.run import Run

SUMMARY = "stop runs before their next step; or cancel or kill them"
DESCRIPTION = f"""\
Stop the run that drives a thread, or a run by its id. Without an option it ends before the next step, so that
everything done so far is saved and lgtop resume goes on from there. --cancel ends the step that is under way; what its
tasks have not written yet is done again later. --kill ends the process at once, as a crash would.

Waits until the run has ended, unless --detach. The runs of others are theirs to stop: who holds a thread is told.

{MANY}"""
EXAMPLES = """\
  lgtop stop -s checkpoints.sqlite doc-7f3a
  lgtop stop -s checkpoints.sqlite doc-7f3a --cancel
  lgtop stop --run 261121-0910-k3f2 --kill --json
  lgtop stop -s checkpoints.sqlite --filter status:running --yes"""


def arguments(parser: Parser) -> None:
    """Describe the command line."""
    add_targets(parser)
    parser.add_argument("--run", metavar="RUN", help="id of the run, or its beginning or end")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--cancel", dest="how", action="store_const", const="cancel", help="end the step under way")
    how.add_argument("--kill", dest="how", action="store_const", const="kill", help="end the process")
    parser.set_defaults(how="drain")
    parser.add_argument("--detach", action="store_true", help="do not wait for the end")
    parser.add_argument("--dry-run", action="store_true", help="for several threads: print what would be stopped")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_bulk(parser)


def run(options: Namespace) -> Exit:
    """Stop it, or all of them."""
    thread_id = named_alone(options)
    if bool(options.run) == bool(options.threads or options.filter.strip() or options.all):
        raise UsageError("Name either a THREAD or a --run, or choose with --filter or --all.", options.prog)
    if options.run:
        return _stop(options, _by_id(options.run))
    if thread_id is None or options.dry_run:
        return _stop_many(options)
    return _stop(options, _of_thread(address_of(options), thread_id))


def _stop_many(options: Namespace) -> Exit:
    refuse_for_many(options, detach=False)

    def ask(threads: tuple[str, ...], newest: Mapping[str, str]) -> BulkRequest:
        from backends.bulk.request import Action, BulkRequest

        return BulkRequest(Action.STOP, threads, how=options.how, **pace(options))

    return conduct_many(options, ask)


def _stop(options: Namespace, target: Run) -> Exit:
    from backends.runs.stop import stop

    from .following import read_again, watch
    from .narration import Narrator
    from .results import print_stopped

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

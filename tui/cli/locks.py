"""``lgtop locks``: who holds which thread, since when; and taking one away."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Mapping
from contextlib import closing
from typing import TYPE_CHECKING

from backends.errors import Refused
from backends.text import one_line

from . import output
from .arguments import Parser, UsageError, add_formats, add_store
from .exits import Exit
from .opening import address_of, open_reader
from .profile import is_readonly
from .table import Column, draw

if TYPE_CHECKING:
    from backends.address import Address
    from backends.locks.holder import Holder

SUMMARY = "list who holds which thread, since when; or end a holder"
DESCRIPTION = """\
List the threads that somebody holds: runs of lgtop, and applications that take part with thread_lock. Nothing is taken
for it. A holder that dies lets go at once, however it dies: there are no locks to clean up.

--break ends who holds a thread, because a lock cannot be taken away from a process that lives: a run that was started
from this computer is killed, and on PostgreSQL the server ends the holder's session. What the holder had not written is
done again by the next resume. Without --yes it is only said who that is and what would be done (exit code 5). Try
lgtop stop first."""
EXAMPLES = """\
  lgtop locks -s checkpoints.sqlite
  lgtop locks -s postgresql://app@db.example/app --json | jq -r '.[].thread_id'
  lgtop locks -s postgresql://app@db.example/app --break doc-7f3a --yes"""

COLUMNS = (
    Column("THREAD", least=12, middle=True),
    Column("SINCE", right=True),
    Column("PID", right=True, drop=2),
    Column("RUN", drop=1),
    Column("HOST", least=6, drop=3),
    Column("WHO", least=8),
)


def arguments(parser: Parser) -> None:
    """Describe the command line."""
    add_store(parser)
    parser.add_argument("--break", dest="thread", metavar="THREAD", help="end who holds this thread; with --yes only")
    parser.add_argument("--yes", action="store_true", help="do it")
    add_formats(parser, "lock")


def run(options: Namespace) -> Exit:
    """Print the list, or end a holder."""
    if options.thread is not None:
        return _break(options)
    if options.yes:
        raise UsageError("--yes goes with --break THREAD.", options.prog)
    held = _held(address_of(options))
    chosen = sorted(held.values(), key=lambda holder: (holder.since or 0.0, holder.thread_id))
    if options.json or options.jsonl:
        output.print_records(map(lock_record, chosen), as_lines=options.jsonl)
    elif chosen:
        output.print_lines(draw(COLUMNS, [_cells(holder) for holder in chosen], output.width(), output.coloured()))
    else:
        output.narrate("Nobody holds a thread.")
    return Exit.DONE


def _held(address: Address) -> Mapping[str, Holder]:
    """Who holds what; the ids of all threads are read only where a holder does not say what it holds."""
    from backends.locks.board import LockBoard

    with closing(open_reader(address)) as reader, closing(LockBoard(address.target)) as board:
        return board.holders(lambda: [head.thread_id for batch in reader.store.heads() for head in batch])


def _break(options: Namespace) -> Exit:
    from backends.locks.breaking import plan_breaking
    from backends.locks.key import store_key

    from .runs import every_run

    address = address_of(options)
    runs = every_run(store_key(address.target))
    planned = plan_breaking(address, options.thread, runs, is_readonly(options))
    output.narrate(f"lgtop: thread {options.thread!r} is held by {planned.holder}. {planned.told}")
    if not options.yes:
        raise Refused("Nothing was done.", "Add --yes to do it; lgtop stop is gentler.")
    planned.carry_out()
    if options.json or options.jsonl:
        output.print_records([lock_record(planned.holder)], as_lines=options.jsonl)
    output.narrate(f"lgtop: thread {options.thread!r} is free.")
    return Exit.DONE


def lock_record(holder: Holder) -> output.Record:
    """A lock as JSON."""
    return {
        "thread_id": holder.thread_id,
        "who": one_line(holder.who),
        "host": one_line(holder.host),
        "pid": holder.pid,
        "run_id": holder.run_id,
        "since": output.timestamp(holder.since),
    }


def _cells(holder: Holder) -> list[str]:
    from tui.words import age

    return [
        one_line(holder.thread_id),
        age(None if holder.since is None else time.time() - holder.since),
        str(holder.pid or "?"),
        one_line(holder.run_id or ""),
        one_line(holder.host),
        one_line(holder.who),
    ]

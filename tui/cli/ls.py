"""``lgtop ls``: the threads of a store."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable

from . import output
from .arguments import Parser, add_filter, add_formats, add_store, natural
from .exits import Exit
from .opening import opened
from .selection import Listed, by_activity, select

SUMMARY = "list the threads of a store: status, next node, last activity, why"
DESCRIPTION = """\
List the threads of a store, the one with the latest activity first.

A filter is made of words (found in id, status, next node, reason and metadata) and fields: id status next
step source age checkpoints interrupts reason, and every metadata key of the application. Space means and,
a comma or, ! not, * any text: status:waiting,failed  next:review  age<1h  step>=3  tenant:t3  !test"""
EXAMPLES = """\
  lgtop ls -s checkpoints.sqlite
  lgtop ls -s checkpoints.sqlite --filter 'status:failed age<1d' --sort step
  lgtop ls -s postgresql://app@db.example/app --json --limit 50 | jq '.[].thread_id'"""
SORTS = ("active", "attention", "thread", "status", "next", "step", "checkpoints", "reason")
"""Orders; the first is the default."""


def arguments(parser: Parser) -> None:
    """Describe the command line."""
    add_store(parser)
    add_filter(parser)
    told = f"{', '.join(SORTS)}; default: active"
    parser.add_argument("--sort", choices=SORTS, metavar="KEY", default="active", help=told)
    parser.add_argument("--reverse", action="store_true", help="turn the order round")
    parser.add_argument("--limit", type=natural, metavar="N", help="at most N threads; default: all")
    add_formats(parser, "thread")


def run(options: Namespace) -> Exit:
    """Print the list."""
    with opened(options) as reader:
        if options.sort == "active" and not options.filter.strip() and not options.reverse:
            threads = by_activity(reader, options.limit)
        else:
            from backends.order import View
            from backends.query import parse

            threads = select(reader, View(parse(options.filter), options.sort, options.reverse), options.limit)
        print_threads(threads, options)
    return Exit.DONE


def print_threads(threads: Iterable[Listed], options: Namespace) -> None:
    """Print threads in the form that was asked for."""
    if options.json or options.jsonl:
        from .records import thread_record

        output.print_records(map(thread_record, threads), as_lines=options.jsonl)
        return
    from .threads_table import draw_threads

    rows = list(threads)
    if rows:
        output.print_lines(draw_threads(rows, output.width(), output.coloured()))
    else:
        output.narrate("No thread fits the filter." if options.filter else "The store has no threads yet.")

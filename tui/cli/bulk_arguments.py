"""The parts that the parsers of all commands share that work on many threads."""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from .arguments import Parser, UsageError, add_filter, add_store, natural

MANY = """\
Several threads, named or chosen with --filter or --all, are worked on a few at a time, each one as the command does it
for one thread. A table, or with --json one object, says what became of each: done, failed, refused (it is running, or
cannot be done), skipped (there is nothing to do) or stopped. On a terminal it is asked first, unless --yes is given.
ctrl+c begins no more, and waits for what is under way to come to a whole checkpoint; once more leaves at once.
Exit code 0: all are done or skipped."""

CAUTION = """\
Without --yes nothing is deleted: what would go is printed. Threads that somebody runs are left out and named. Each
thread is deleted from under its lock, in short transactions that let other writers in. ctrl+c ends after the thread
at hand; what was not begun is left whole. There is no undo. Exit code 0: all are done, or had nothing to delete."""

FOR_ONE: Mapping[str, object] = {
    "step": False,
    "recursion_limit": None,
    "config": {},
    "context": None,
    "crash": [],
    "expect": None,
    "detach": False,
}
"""Options of a run that are about one thread, as they are where they are not given."""


def add_targets(parser: Parser, several: bool = True) -> None:
    """Add which threads: by name, by filter, or all.

    Args:
        parser: The command's.
        several: Whether more than one may be named.
    """
    add_store(parser)
    if several:
        parser.add_argument("threads", metavar="THREAD", nargs="*", help="thread ids")
    add_filter(parser)
    parser.add_argument("--all", action="store_true", help="every thread of the store")


def add_bulk(parser: Parser) -> None:
    """Add how many threads are worked on."""
    many = parser.add_argument_group("for several threads")
    many.add_argument("--yes", action="store_true", help="do not ask first")
    add_pace(many)


def add_pace(group: argparse._ArgumentGroup | Parser, concurrency: bool = True) -> None:
    """Add ``--concurrency``, unless only one can be worked on at once, ``--retries`` and ``--backoff``."""
    if concurrency:
        group.add_argument("--concurrency", type=natural, metavar="N", default=2, help="at most N at once (default: 2)")
    group.add_argument(
        "--retries", type=_count, metavar="N", default=0, help="try what failed up to N times more (default: 0)"
    )
    group.add_argument(
        "--backoff",
        type=_pause,
        metavar="SECONDS",
        default=1.0,
        help="wait so long before the first retry, twice that before the next, and so on (default: 1)",
    )


def add_caution(parser: Parser) -> None:
    """Add ``--yes``, ``--dry-run``, ``--vacuum`` and ``--json`` of a command that deletes."""
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--yes", action="store_true", help="do it; without it nothing is deleted")
    how.add_argument("--dry-run", action="store_true", help="only say what would be deleted (default)")
    parser.add_argument(
        "--vacuum",
        action="store_true",
        help="SQLite: afterwards give the free pages back to the disk; nobody can write to the file meanwhile",
    )
    add_pace(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def pace(options: Namespace) -> dict[str, Any]:
    """What ``add_pace`` added, as a request has it."""
    return {name: getattr(options, name) for name in ("concurrency", "retries", "backoff")}


def named_alone(options: Namespace) -> str | None:
    """The thread, where one is named and no others are chosen: the command then works on it as on no other."""
    if len(options.threads) == 1 and not options.filter.strip() and not options.all:
        return str(options.threads[0])
    return None


def refuse_for_many(options: Namespace, **defaults: object) -> None:
    """Make sure that nothing is asked for that makes sense for one thread only.

    Args:
        options: The command line.
        **defaults: What the options are where they are not given.

    Raises:
        UsageError: It is.
    """
    for name, default in defaults.items():
        if getattr(options, name) != default:
            raise UsageError(f"--{name.replace('_', '-')} is for one thread that is named.", options.prog)


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text} is less than 0")
    return number


def _pause(text: str) -> float:
    pause = float(text)
    if not 0 <= pause < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds")
    return pause

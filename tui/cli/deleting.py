"""What ``rm`` and ``prune`` share: which threads, a preview or one thread after the other, and the sum of it."""

from __future__ import annotations

import signal
from argparse import Namespace
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING

from backends.errors import AlreadyRunning, NotFound, Refused, StoreError
from backends.text import one_line

from . import output
from .arguments import Parser, UsageError, add_filter, add_store
from .exits import Exit
from .opening import address_of, open_reader, require_thread
from .profile import is_readonly

if TYPE_CHECKING:
    from backends.control.gate import Gate
    from backends.maintenance.deletion import Deletion
    from backends.maintenance.size import Sizes
    from backends.reader import Reader

_NARRATED = 20
"""Threads that are named one by one; the sum tells of the others."""


@dataclass(frozen=True, slots=True)
class Work:
    """The store that is worked on.

    Attributes:
        gate: Through which it is written.
        reader: The same, open.
        sizes: The same, for measuring.
    """

    gate: Gate
    reader: Reader
    sizes: Sizes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one thread.

    Attributes:
        deletion: What has gone, or would go.
        word: ``would``, ``done``, ``nothing``, ``running``, ``gone``, ``changed``, ``failed`` or ``left``.
        reason: Why, for the last five.
    """

    deletion: Deletion
    word: str
    reason: str = ""


def add_targets(parser: Parser) -> None:
    """Add which threads: by name, by filter, or all."""
    add_store(parser)
    parser.add_argument("threads", metavar="THREAD", nargs="*", help="thread ids")
    add_filter(parser)
    parser.add_argument("--all", action="store_true", help="every thread of the store")


def add_caution(parser: Parser) -> None:
    """Add ``--yes``, ``--dry-run``, ``--vacuum`` and ``--json``."""
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--yes", action="store_true", help="do it; without it nothing is deleted")
    how.add_argument("--dry-run", action="store_true", help="only say what would be deleted (default)")
    parser.add_argument(
        "--vacuum",
        action="store_true",
        help="SQLite: afterwards give the free pages back to the disk; nobody can write to the file meanwhile",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


CAUTION = """\
Without --yes nothing is deleted: what would go is printed. Threads that somebody runs are left out and named. Each
thread is deleted from under its lock, in short transactions that let other writers in. ctrl+c ends after the thread
at hand; what was not begun is left whole. There is no undo."""


@contextmanager
def working(options: Namespace) -> Iterator[Work]:
    """Open the store, and close it at the end.

    Raises:
        StoreError: It cannot be opened.
        Refused: It is to be written to, and cannot be.
    """
    from backends.control.gate import Gate
    from backends.maintenance.size import open_sizes

    address = address_of(options)
    reader = open_reader(address)
    try:
        gate = Gate(address, is_readonly(options))
        if options.yes:
            gate.check(reader.store.info)
        if options.vacuum and address.path is None:
            raise Refused("Only SQLite files are vacuumed: PostgreSQL uses the room again by itself (autovacuum).")
        sizes = open_sizes(address)
        try:
            yield Work(gate, reader, sizes)
        finally:
            sizes.close()
    finally:
        reader.close()


def chosen(options: Namespace, reader: Reader) -> dict[str, str]:
    """The threads that are meant: as named, or those that were quiet longest first.

    Returns:
        By thread the newest checkpoint that it was chosen for; empty where it was named.

    Raises:
        UsageError: None is named, or in two ways.
        NotFound: One that is named is not there.
    """
    ways = [bool(options.threads), bool(options.filter.strip()), options.all]
    if sum(ways) != 1:
        raise UsageError("Name either threads, or a --filter, or --all.", options.prog)
    if options.threads:
        for thread_id in options.threads:
            require_thread(reader, thread_id)
        return dict.fromkeys(options.threads, "")
    return fitting(reader, options.filter)


def fitting(reader: Reader, text: str) -> dict[str, str]:
    """The threads that a filter fits with their newest checkpoints, those that were quiet longest first.

    Raises:
        QueryError: It cannot be understood.
    """
    from backends.order import View
    from backends.query import parse

    from .selection import select

    found = select(reader, View(parse(text), "active", True), None)
    return {one.head.thread_id: one.head.newest_id for one in found}


def preview(work: Work, threads: Collection[str], plan: Callable[[str], Deletion]) -> list[Outcome]:
    """What would become of each thread."""
    holders = _holders(work, threads)
    found = []
    for thread_id in threads:
        try:
            deletion = plan(thread_id)
        except NotFound:
            continue
        if thread_id in holders:
            found.append(Outcome(_none(thread_id), "running", holders[thread_id]))
        else:
            found.append(Outcome(deletion, "would" if deletion else "nothing"))
    return found


def carry_out(threads: Iterable[str], delete: Callable[[str], Deletion]) -> list[Outcome]:
    """Delete, one thread after the other, until ctrl+c."""
    found = []
    with _Patience() as patience:
        for thread_id in threads:
            if patience.over:
                found.append(Outcome(_none(thread_id), "left", "interrupted"))
                continue
            found.append(_outcome(thread_id, delete))
    return found


def finish(work: Work, verb: str, outcomes: Sequence[Outcome], options: Namespace) -> Exit:
    """Vacuum if that was asked for, print what became of it all, and say so with the exit code."""
    before = work.sizes.room()
    interrupted = any(one.word == "left" for one in outcomes)
    vacuumed = bool(options.yes and options.vacuum and not interrupted) and _vacuum(work.gate)
    after = work.sizes.room()
    if options.json:
        from .deleting_records import summary_record

        output.print_record(summary_record(verb, outcomes, options.yes, before, after, vacuumed))
    else:
        from .deleting_records import print_outcomes

        print_outcomes(outcomes)
    _tell(outcomes, options.yes)
    if vacuumed:
        from tui.words import size

        output.narrate(f"lgtop: the file had {size(before.bytes)}, and has {size(after.bytes)} now.")
    if interrupted:
        return Exit.INTERRUPTED
    if any(one.word == "failed" for one in outcomes) or (options.yes and options.vacuum and not vacuumed):
        return Exit.FAILED
    named = options.threads and any(one.word == "running" for one in outcomes)
    return Exit.BUSY if named else Exit.DONE


def command_line(work: Work, verb: str, thread_id: str, *more: str) -> str:
    """The command that does it to one thread, for the action log; without a password."""
    from shlex import join

    from backends.address import mask_dsn

    return join(["lgtop", verb, "-s", mask_dsn(work.gate.address.raw), thread_id, *more, "--yes"])


def _vacuum(gate: Gate) -> bool:
    """Whether it could be done; what was deleted is told in any case."""
    from backends.maintenance.vacuum import vacuum

    try:
        with output.narrated_if_slow("lgtop: writing the file anew; nobody can write to it meanwhile ..."):
            vacuum(gate)
    except (AlreadyRunning, Refused, StoreError) as error:
        output.narrate(f"lgtop: not vacuumed: {error}")
        return False
    return True


def _outcome(thread_id: str, delete: Callable[[str], Deletion]) -> Outcome:
    from backends.maintenance.remove import GoneOn

    try:
        deletion = delete(thread_id)
    except AlreadyRunning as error:
        return Outcome(_none(thread_id), "running", error.holder)
    except NotFound:
        return Outcome(_none(thread_id), "gone", "it was deleted meanwhile")
    except GoneOn as error:
        return Outcome(_none(thread_id), "changed", str(error))
    except (Refused, StoreError) as error:
        return Outcome(_none(thread_id), "failed", str(error))
    return Outcome(deletion, "done" if deletion else "nothing")


def _tell(outcomes: Sequence[Outcome], done: bool) -> None:
    from tui.words import size

    troubled = [one for one in outcomes if one.reason]
    for one in troubled[:_NARRATED]:
        output.narrate(f"lgtop: left out: {one_line(one.deletion.thread_id)}: {one.word}: {one_line(one.reason)}")
    if len(troubled) > _NARRATED:
        output.narrate(f"lgtop: and {len(troubled) - _NARRATED} more left out.")
    touched = [one.deletion for one in outcomes if one.word in ("done", "would")]
    total = f"{sum(one.checkpoints for one in touched):,} checkpoints of {len(touched):,} threads"
    freed = size(sum(one.bytes for one in touched))
    if done:
        output.narrate(f"lgtop: deleted {total}: {freed} freed.")
    else:
        output.narrate(f"lgtop: would delete {total}: {freed}. Nothing was deleted; --yes does it.")


def _holders(work: Work, threads: Collection[str]) -> dict[str, str]:
    from backends.locks.board import LockBoard

    board = LockBoard(work.gate.target)
    try:
        return {thread_id: str(holder) for thread_id, holder in board.holders(lambda: threads).items()}
    finally:
        board.close()


def _none(thread_id: str) -> Deletion:
    from backends.maintenance.deletion import Deletion

    return Deletion(thread_id)


class _Patience:
    """While it is entered, the first ctrl+c waits for the thread at hand; the second does not.

    Attributes:
        over: Whether it came.
    """

    def __init__(self) -> None:
        self.over = False
        self._before: object = None

    def __enter__(self) -> _Patience:
        self._before = signal.signal(signal.SIGINT, self._heed)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)  # type: ignore[arg-type]

    def _heed(self, number: int, frame: FrameType | None) -> None:
        if self.over:
            raise KeyboardInterrupt
        self.over = True
        output.narrate("lgtop: ending after this thread; ctrl+c once more ends within it.")

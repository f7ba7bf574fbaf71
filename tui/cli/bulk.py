"""One verb on many threads: choose, preview, ask, do it with a line of progress, sum up."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backends.errors import AlreadyRunning, Refused, StoreError

from . import output
from .arguments import UsageError
from .bulk_progress import carry_out
from .exits import Exit
from .opening import address_of, open_reader
from .profile import is_readonly

if TYPE_CHECKING:
    from backends.bulk.graphs import Graphs
    from backends.bulk.outcome import Outcome
    from backends.bulk.preview import Preview
    from backends.bulk.request import BulkRequest
    from backends.control.gate import Gate
    from backends.reader import Reader

_NARRATED = 10
"""Reasons that are told; the summary has them all."""

Ask = Callable[[tuple[str, ...], Mapping[str, str]], "BulkRequest"]
"""Makes the request from the chosen threads, and the newest checkpoints that they were chosen for."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a command works with.

    Attributes:
        gate: Through which the store is written.
        request: What is asked for.
        graphs: Which graph runs a thread; ``None`` where none runs.
    """

    gate: Gate
    request: BulkRequest
    graphs: Graphs | None


def conduct_many(options: Namespace, ask: Ask) -> Exit:
    """Do what a command asks for to all threads that it chooses, or say what that would be.

    Raises:
        UsageError: The command line makes no sense.
        NotFound: A thread that is named is not there.
        Refused: The store may not be written to.
        StoreError: It cannot be opened.
    """
    from backends.bulk.request import DELETING

    with _opened(options) as (reader, gate):
        work = _work(options, reader, gate, ask)
        deleting = work.request.action in DELETING
        dry = options.dry_run or (deleting and not options.yes)
        if not dry:
            gate.check(reader.store.info)
        found = _preview(reader, work)
    if dry:
        return _tell_only(options, work, found)
    if not options.yes and found.able and _has_person() and not _agreed(found):
        output.narrate("lgtop: nothing was done.")
        return Exit.DONE
    if not found.able:
        output.narrate("lgtop: no thread is chosen." if not found.total else f"lgtop: {found.sentence}.")
        return _finish(options, work, found.settled, 0.0, False, _room(gate, deleting))
    from backends.bulk.deeds import deed_for
    from backends.bulk.job import Job

    before = _room(gate, deleting)
    job = Job(work.request, gate, deed_for(work.request, gate, work.graphs), settled=found.settled)
    interrupted = carry_out(job)
    return _finish(options, work, job.outcomes(), job.progress.elapsed, interrupted, before)


@contextmanager
def _opened(options: Namespace) -> Iterator[tuple[Reader, Gate]]:
    from backends.control.gate import Gate

    address = address_of(options)
    if getattr(options, "vacuum", False) and address.path is None:
        raise Refused("Only SQLite files are vacuumed: PostgreSQL uses the room again by itself (autovacuum).")
    with closing(open_reader(address)) as reader:
        for warning in reader.store.info.warnings:
            output.narrate(f"lgtop: {warning}")
        yield reader, Gate(address, is_readonly(options))


def _work(options: Namespace, reader: Reader, gate: Gate, ask: Ask) -> Work:
    from backends.bulk.request import RUNNING

    from .selection import chosen

    with output.narrated_if_slow("lgtop: choosing the threads …"):
        threads = chosen(options, reader)
    request = ask(tuple(threads), threads)
    if threads and (problem := request.problem()):
        raise UsageError(problem, options.prog)
    graphs = None
    if request.action in RUNNING:
        from backends.bulk.graphs import Graphs
        from backends.graphs.known import Known
        from backends.locks.key import store_key

        known = Known(store_key(gate.target), graph=options.graph or "", python=options.python)
        graphs = Graphs(known, named=bool(options.graph))
    return Work(gate, request, graphs)


def _preview(reader: Reader, work: Work) -> Preview:
    from backends.bulk.preview import preview
    from backends.locks.board import LockBoard

    threads, graphs = work.request.thread_ids, work.graphs
    with closing(LockBoard(work.gate.target)) as board:
        holders = board.holders(lambda: threads)
    with output.narrated_if_slow(f"lgtop: looking at {len(threads):,} threads …"):
        return preview(
            reader,
            work.request,
            work.gate,
            lambda key: None if graphs is None else graphs.one(reader, key),
            holders,
            weigh=len(threads),
        )


def _tell_only(options: Namespace, work: Work, found: Preview) -> Exit:
    """Print what would be done."""
    from backends.bulk.summary import summary_record

    from .bulk_table import print_outcomes, told_deletion

    if options.json:
        record = summary_record(work.request, found.outcomes, 0.0, dry_run=True)
        store = {**_store(work.gate), "bytes_before": _room(work.gate, True), "vacuumed": False}
        output.print_record({**record, "store": store if found.deletes else None})
    else:
        print_outcomes(work.request, found.outcomes)
    tell_left_out(found.settled)
    if found.deletes:
        output.narrate(f"lgtop: would delete {told_deletion(found.outcomes)}. Nothing was deleted; --yes does it.")
    else:
        output.narrate(f"lgtop: {found.sentence}. Nothing was done.")
    return Exit.DONE


def _has_person() -> bool:
    """Whether somebody at a terminal can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _agreed(found: Preview) -> bool:
    """Ask the person at the terminal."""
    tell_left_out(found.settled)
    sys.stderr.write(f"lgtop: {found.sentence}. Go on? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def tell_left_out(settled: Sequence[Outcome]) -> None:
    """Say why threads are left out: each reason once, the most frequent ones first."""
    from collections import Counter

    for (state, reason), count in Counter((one.state.value, one.reason) for one in settled).most_common(_NARRATED):
        first = next(one.thread_id for one in settled if one.reason == reason)
        named = first if count == 1 else f"{count:,} threads, as {first}"
        output.narrate(f"lgtop: {state}: {named}: {reason}")


def _finish(
    options: Namespace,
    work: Work,
    outcomes: Sequence[Outcome],
    elapsed: float,
    interrupted: bool,
    before: int,
) -> Exit:
    """Vacuum if that was asked for, print what became of all, and say so with the exit code."""
    from backends.bulk.outcome import progress_of
    from backends.bulk.request import DELETING
    from backends.bulk.summary import summary_record

    from .bulk_table import print_outcomes, told, told_deletion

    deleting = work.request.action in DELETING
    wanted = getattr(options, "vacuum", False) and not interrupted
    vacuumed = bool(wanted) and _vacuum(work.gate)
    if options.json:
        store = {**_store(work.gate), "bytes_before": before, "vacuumed": vacuumed} if deleting else None
        output.print_record({**summary_record(work.request, outcomes, elapsed), "store": store})
    else:
        print_outcomes(work.request, outcomes)
    tell_left_out([one for one in outcomes if one.state.value in ("refused", "failed", "stopped")])
    if deleting:
        output.narrate(f"lgtop: deleted {told_deletion(outcomes)}.")
    output.narrate(f"lgtop: {told(progress_of(outcomes, elapsed))}.")
    if interrupted:
        return Exit.INTERRUPTED
    return Exit.FAILED if wanted and not vacuumed else exit_of(outcomes)


def exit_of(outcomes: Sequence[Outcome]) -> Exit:
    """What the end of a job means for a script: the gravest of what became of the threads."""
    states = {one.state.value for one in outcomes}
    if states & {"failed", "stopped"}:
        return Exit.FAILED
    if "refused" in states:
        return Exit.BUSY if all(one.busy for one in outcomes if one.state.value == "refused") else Exit.REFUSED
    return Exit.DONE


def _room(gate: Gate, wanted: bool) -> int:
    return int(_store(gate)["bytes"] or 0) if wanted else 0


def _store(gate: Gate) -> dict[str, int | None]:
    """What the store takes on disk."""
    from backends.maintenance.size import open_sizes

    with closing(open_sizes(gate.address)) as sizes:
        room = sizes.room()
    return {"bytes": room.bytes, "free": room.free}


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

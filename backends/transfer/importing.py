"""Threads read from a file into a store: each under its lock, in one transaction, and only where there is none yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from ..control import journal
from ..control.gate import Gate
from ..errors import AlreadyRunning, Refused, StoreError
from ..locks.holder import this_user
from ..locks.key import store_key
from ..locks.take import take
from ..stored import SPLIT, WHOLE, StoredRow
from .format import END, END_OF_THREAD, Lines, thread_of
from .join import join
from .sealing import Seal
from .split import split
from .staging import Staging


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a thread.

    Attributes:
        thread_id: Its id in the file.
        imported_as: Its id in the store.
        outcome: ``imported``; ``refused`` and ``busy``, with the reason, where nothing of it was written;
            ``importable`` where nothing was to be written.
        reason: Why not.
        checkpoints: Its checkpoints, over all namespaces.
        writes: Its write rows.
    """

    thread_id: str
    imported_as: str
    outcome: str
    reason: str = ""
    checkpoints: int = 0
    writes: int = 0


def import_threads(
    file: BinaryIO,
    gate: Gate,
    *,
    rename: str | None = None,
    dry_run: bool = False,
    create: bool = False,
    operator: str | None = None,
    command: str = "",
) -> Iterator[Imported]:
    """Read a file into a store; memory follows the largest row, and a thread waits on disk until it is complete.

    Args:
        file: What ``export`` wrote.
        gate: The store.
        rename: Another id for the thread, where the file holds one thread.
        dry_run: Check the file, and write nothing.
        create: The store is not there yet: it is made for the first thread that is found to fit into it.
        operator: Who asks; ``None`` is the user of this process.
        command: The command line, for the action log.

    Yields:
        What became of each thread, one after the other; one that is refused keeps none of the others out.

    Raises:
        Refused: The file is no export, or damaged (threads before that place are imported), or nothing may be written.
        StoreError: The store failed; nothing of the present thread was written.
    """
    gate.check()
    lines = Lines(file)
    number = 0
    for record in (records := iter(lines)):
        if record.get("record") == END:
            if record.get("threads") != number:
                raise lines.damaged(f"says that there were {record.get('threads')} threads, not {number}")
            return
        thread_id, layout = thread_of(record, lines)
        number += 1
        with Staging() as staging:
            _stage(records, lines, layout, staging)
            if rename is not None:
                _require_end(records)
            task = _Task(gate, thread_id, rename or thread_id, operator or this_user(), command, dry_run, create)
            outcome = task.carry_out(staging, layout)
            create = create and outcome.outcome != "imported"
            yield outcome
            if rename is not None:
                return
    raise Refused("The file is cut off: its last line is missing.", f"{number} complete threads were read.")


def _stage(records: Iterator[dict[str, Any]], lines: Lines, layout: str, staging: Staging) -> None:
    for record in records:
        if record.get("record") == END_OF_THREAD:
            _require_all(record, lines, staging)
            return
        staging.add(lines.row(record, layout))
    raise Refused("The file is cut off in the middle of a thread.", "Nothing of that thread was written.")


def _require_end(records: Iterator[dict[str, Any]]) -> None:
    """Look ahead, so that nothing is written where the file holds more than the thread that is renamed."""
    following = next(records, None)
    if following is None:
        raise Refused("The file is cut off: its last line is missing.", "Nothing was written.")
    if following.get("record") != END or following.get("threads") != 1:
        raise Refused("The file holds several threads; only one can be given another id.", "Leave --as out.")


def _require_all(record: Mapping[str, Any], lines: Lines, staging: Staging) -> None:
    for kind in ("checkpoint", "blob", "write"):
        if record.get(f"{kind}s") != staging.counts[kind]:
            raise lines.damaged(f"says that there were {record.get(f'{kind}s')} {kind}s, not {staging.counts[kind]}")


@dataclass(frozen=True, slots=True)
class _Task:
    """One thread to import."""

    gate: Gate
    thread_id: str
    target: str
    operator: str
    command: str
    dry_run: bool
    create: bool

    def carry_out(self, staging: Staging, layout: str) -> Imported:
        try:
            if self.dry_run:
                return self._check(self._rows(staging, layout))
            if self.create:
                self._check(self._rows(staging, layout))
                self.gate.create()
            return self._write(self._rows(staging, layout))
        except AlreadyRunning as error:
            return Imported(self.thread_id, self.target, "busy", str(error))
        except Refused as error:
            return Imported(self.thread_id, self.target, "refused", str(error))

    def _rows(self, staging: Staging, layout: str) -> Iterator[StoredRow]:
        wanted = SPLIT if self.gate.address.path is None else WHOLE
        if layout != wanted:
            convert = split if wanted == SPLIT else join
            yield from convert(staging, Seal.from_environment())
            return
        yield from staging.checkpoints()
        yield from staging.blobs()
        yield from staging.writes()

    def _check(self, rows: Iterator[StoredRow]) -> Imported:
        """Convert without writing: what the store itself would refuse is not found."""
        for _ in rows:
            pass
        if self.create:
            return Imported(self.thread_id, self.target, "importable")
        from contextlib import closing

        from ..store import open_store

        with closing(open_store(self.gate.target)) as store:
            if store.namespaces(self.target):
                raise _exists(self.target)
        return Imported(self.thread_id, self.target, "importable")

    def _write(self, rows: Iterator[StoredRow]) -> Imported:
        key = store_key(self.gate.target)
        with take(self.gate.target, self.target, who=self.operator):
            entry = journal.begin(
                journal.IMPORT,
                self.gate,
                key,
                self.operator,
                thread_id=self.thread_id,
                target=self.target,
                summary=f"import {self.target!r}",
                command=self.command,
            )
            try:
                with self.gate.writing() as table:
                    if any(table.count(self.target)):
                        raise _exists(self.target)
                    made = table.insert(self.target, rows)
            except (Refused, StoreError) as error:
                journal.conclude(entry.action_id, outcome="refused", reason=str(error))
                raise
            journal.conclude(entry.action_id, outcome="done", checkpoints=made.checkpoints, writes=made.writes)
        return Imported(self.thread_id, self.target, "imported", "", made.checkpoints, made.writes)


def _exists(thread_id: str) -> Refused:
    return Refused(f"There is a thread {thread_id!r} already.", "Name another id with --as.")

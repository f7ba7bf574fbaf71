"""An SQLite store from outside: its rights, its WAL, who keeps it locked, and the room around it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress

from ..errors import StoreError
from ..sqlite_file import uses_wal
from .disk import existing, room
from .finding import Finding, State, size
from .sqlite_locks import Users, users_of

_LONG_WAL = 64_000_000
"""Bytes from which on a WAL is long: SQLite resets it at 4 MB, unless a reader stays in a transaction."""


def examine_place(path: str) -> Iterator[Finding]:
    """Look at a store that this process has not opened yet; one that cannot be looked at yields little."""
    folder = os.path.dirname(os.path.realpath(path))
    yield room("disk", existing(folder))
    with suppress(OSError, StoreError):  # opening it says why
        wal = uses_wal(path)
        users = users_of(path, wal)
        if users.writing:
            yield _locked(users)
        yield _log(path, users) if wal else _journal(path)


def examine_rights(path: str, readonly: bool) -> Finding:
    """Whether this user may write to a store, and SQLite make the files that it needs beside it.

    Args:
        path: The database file.
        readonly: Whether nobody wants to write.
    """
    folder = os.path.dirname(os.path.realpath(path))
    barred = [place for place, right in ((path, os.W_OK), (folder, os.W_OK | os.X_OK)) if not os.access(place, right)]
    if not barred:
        return Finding("rights", State.OK, "The file and its directory may be written to.")
    told = f"This user may not write to {' nor to '.join(barred)}."
    if readonly:
        return Finding("rights", State.NOTE, told)
    what = "SQLite makes -wal, -shm and -journal in the directory: " if folder in barred else ""
    who = "run lgtop as the application's user, or give this one the right to write."
    return Finding("rights", State.FAULT, told, f"{what}{who}" if what else f"{who[0].upper()}{who[1:]}")


def _locked(users: Users) -> Finding:
    who = f"process {users.writer}" if users.writer else "a process of another container or host"
    told = f"The store is locked: {who} stays in a transaction that writes, and everyone else waits."
    advice = 'Applications are told "database is locked" after their timeout. End that transaction, or its process.'
    return Finding("locked", State.FAULT, told, advice)


def _journal(path: str) -> Finding:
    if os.path.exists(f"{os.path.realpath(path)}-journal"):
        told = f"There is a rollback journal, {os.path.basename(path)}-journal: a writer is at work, or died."
        return Finding("journal", State.NOTE, told, "If nobody writes, let the application open the store once.")
    told = "The store has no WAL: whoever reads keeps others from writing, and the other way round."
    return Finding("journal", State.NOTE, told, "LangGraph's savers set it: pragma journal_mode = wal.")


def _log(path: str, users: Users) -> Finding:
    name = f"{os.path.basename(path)}-wal"
    try:
        length = os.path.getsize(f"{os.path.realpath(path)}-wal")
    except FileNotFoundError:
        length = 0
    if length and not users.connected:
        told = (
            f"{name} was left behind with {size(length)}: whoever wrote it was killed, and nobody has the store open."
        )
        advice = "Never delete it, and copy both files together: the next one to open the store to write takes it in."
        return Finding("wal", State.WARNING, told, advice)
    if length > _LONG_WAL:
        told = f"{name} has {size(length)}: somebody stays in a transaction that reads, so that it is never reset."
        return Finding("wal", State.WARNING, told, "End it; then: pragma wal_checkpoint(truncate).")
    return Finding("wal", State.OK, f"WAL of {size(length)}." if length else "WAL mode; there is nothing in the WAL.")

"""A store of either kind: whether it can be reached and read, and everything behind that."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing

from ..address import Address
from ..decode import Decoder
from ..errors import StoreError
from ..store import Store, open_store
from ..text import one_line
from .finding import Finding, State
from .installed import Installed
from .rows import examine_ids, examine_values


def examine_store(address: Address, readonly: bool, found: Installed | None) -> Iterator[Finding]:
    """Look at a store; nothing is written, and nothing is raised for what is wrong with it.

    Args:
        address: The store.
        readonly: Whether nobody wants to write.
        found: What is installed where graphs run; ``None`` where it cannot be told.
    """
    if address.path is not None:
        from .sqlite_place import examine_place

        yield from examine_place(address.path)
    try:
        store = open_store(address.target)
    except StoreError as error:
        yield Finding("store", State.FAULT, error.reason, error.advice)
        return
    with closing(store):
        yield from _opened(store, address)
    yield from _attempted("store", lambda: _inside(address, readonly, found))
    yield from _attempted("locks", lambda: _locks(address))


def _opened(store: Store, address: Address) -> Iterator[Finding]:
    info = store.info
    kind = "SQLite" if info.kind == "sqlite" else "PostgreSQL"
    yield Finding("store", State.OK, f"{one_line(info.location, 200)} can be read: {kind}, {info.schema}.")
    for warning in info.warnings:
        hidden = address.path is not None and "-wal" in warning
        yield (
            Finding("wal", State.FAULT, warning, _MAKE_VISIBLE) if hidden else Finding("store", State.WARNING, warning)
        )
    yield from _attempted("clock", lambda: examine_ids(store, time.time()))
    yield from _attempted("values", lambda: iter([examine_values(store, Decoder.from_environment())]))


_MAKE_VISIBLE = "Run lgtop as a user who may write in the directory, or let the application close the store."


def _inside(address: Address, readonly: bool, found: Installed | None) -> Iterator[Finding]:
    if address.path is None:
        from .postgres_inside import examine_postgres

        yield from examine_postgres(address.target, readonly, found)
        return
    from .sqlite_inside import examine_inside
    from .sqlite_place import examine_rights

    yield examine_rights(address.path, readonly)
    yield from examine_inside(address.path, found)


def _locks(address: Address) -> Iterator[Finding]:
    from ..locks.board import LockBoard

    with closing(LockBoard(address.target)) as board:
        held = board.holders()
    told = f"{len(held)} threads are being run; lgtop locks says by whom." if held else "Nobody runs a thread."
    yield Finding("locks", State.OK, told)


def _attempted(name: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """What a look finds, or why it came to an end."""
    try:
        yield from look()
    except StoreError as error:
        yield Finding(name, State.FAULT, error.reason, error.advice)

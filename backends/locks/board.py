"""Who holds which thread of a store now, looked up without taking anything."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

from ..address import parse_address
from .holder import Holder

if TYPE_CHECKING:
    from ..store import Store


class _Board(Protocol):
    """What looks at one kind of store."""

    def holders(self, threads: Callable[[], Iterable[str]]) -> dict[str, Holder]:
        """See ``LockBoard.holders``."""
        ...

    def close(self) -> None:
        """See ``LockBoard.close``."""
        ...


class LockBoard:
    """Looks at the locks of one store, as often as wanted.

    For SQLite it has no connection and never touches the database; where nothing is held, a look takes microseconds.
    For PostgreSQL it has one connection, made at the first look and again after it was lost, and a look is one query.

    Belongs to one thread at a time.

    Args:
        address: The store, as for ``parse_address``.
        beside: The store, where it is open already and belongs to the same thread: its connection will do.

    Raises:
        StoreUnreachable: No store is named, or the address cannot be parsed.
        NotAStore: The address is of a kind that cannot be a checkpoint store.
    """

    def __init__(self, address: str, beside: Store | None = None) -> None:
        store = parse_address(address, os.environ)
        if store.path is not None:
            from .sqlite_board import SqliteBoard

            self._board: _Board = SqliteBoard(store.path)
        else:
            from .postgres_board import PostgresBoard

            self._board = PostgresBoard(store.dsn or "", beside)

    def holders(self, threads: Callable[[], Iterable[str]] = tuple) -> dict[str, Holder]:
        """Who holds what, by thread.

        Args:
            threads: Gives the ids of all known threads. Asked only for a lock whose thread cannot be told otherwise:
                its holder left no readable note. A lock whose thread is not among them is left out.

        Raises:
            StoreUnreachable: It cannot be told now: no connection, or no permission to read the sidecar file.
            StoreBusy: The server has no time or no room for the question.
        """
        return self._board.holders(threads)

    def close(self) -> None:
        """Close the board's own connection, if there is one."""
        self._board.close()

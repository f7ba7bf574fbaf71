"""The one door to writing: it knows whether a store may be written to, and opens every connection that writes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ..address import Address
from ..errors import Refused
from ..store import StoreInfo
from .rows import Rows

_READ_ONLY = re.compile(r"default_transaction_read_only(?:=|%3D)(?:on|true|yes|1)\b", re.IGNORECASE)
"""As an option of the connection; ours to enforce, since a transaction may ask for more than its default."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Decides what may be written to a store, and by which connection.

    Attributes:
        address: The store.
        readonly: Whether the person asked for nothing to be written (``--readonly``).
    """

    address: Address
    readonly: bool = False

    @property
    def target(self) -> str:
        """What a child or a lock is to open: the path, or the DSN with its password. Never show it."""
        return self.address.path or self.address.dsn or ""

    def refusal(self, info: StoreInfo | None = None) -> str:
        """Say why nothing may be written here.

        Args:
            info: What is known about the open store; ``None`` where it is not open.

        Returns:
            A sentence; empty where writing is allowed.
        """
        if self.readonly:
            return "lgtop was started with --readonly, or with a profile that is: nothing is written."
        if self.address.dsn is not None and _READ_ONLY.search(f"{self.address.dsn} {os.environ.get('PGOPTIONS', '')}"):
            return "The address asks for default_transaction_read_only: nothing is written."
        if info is None or info.writable:
            return ""
        if info.kind == "sqlite":
            return f"{info.name} is read-only: the file or its directory cannot be written to by this user."
        return f"{info.name} is read-only: the role may not write to its tables, or the server is a replica."

    def check(self, info: StoreInfo | None = None) -> None:
        """Make sure that writing is allowed.

        Raises:
            Refused: It is not.
        """
        if reason := self.refusal(info):
            raise Refused(reason)

    @contextmanager
    def writing(self) -> Iterator[Rows]:
        """Open a connection that writes, for one transaction: committed at the end, rolled back by an exception.

        Keep it short: it keeps every other writer of an SQLite file waiting.

        Raises:
            Refused: Nothing may be written here.
            StoreError: The store cannot be reached, or someone else holds it locked.
        """
        self.check()
        if self.address.path is not None:
            from .rows_sqlite import writing_sqlite

            with writing_sqlite(self.address.path) as rows:
                yield rows
        else:
            from .rows_postgres import writing_postgres

            with writing_postgres(self.target) as rows:
                yield rows

    def create(self) -> None:
        """Make the tables of a store that has none, as LangGraph's own saver does, and the file where it is one.

        Raises:
            Refused: Nothing may be written here.
            StoreError: The store cannot be reached, or something else stands there.
        """
        self.check()
        from ..durability.tables import make_tables

        make_tables(self.address)

    def vacuum(self) -> None:
        """Give the free pages of an SQLite file back to the disk; nobody else can write to it meanwhile.

        Raises:
            Refused: Nothing may be written here, or it is no file.
            StoreError: The store cannot be reached, or someone else holds it locked.
        """
        self.check()
        if self.address.path is None:
            raise Refused("Only SQLite files are vacuumed: PostgreSQL uses the room again by itself (autovacuum).")
        from .rows_sqlite import vacuum_sqlite

        vacuum_sqlite(self.address.path)

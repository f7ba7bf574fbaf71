"""What a session asks of the library that speaks to the server: psycopg, or libpq alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeAlias

Row: TypeAlias = tuple[Any, ...]


class Diagnosis(Protocol):
    """The part of psycopg's ``Diagnostic`` that is read."""

    @property
    def message_primary(self) -> str | None:
        """What the server said, without its context."""
        ...


class Explained(Protocol):
    """An error as psycopg raises it, and as ``Failure`` imitates it."""

    @property
    def sqlstate(self) -> str | None:
        """Five characters; ``None`` where no server said anything."""
        ...

    @property
    def diag(self) -> Diagnosis:
        """More about it."""
        ...


class Failure(Exception):
    """What a library or a server said. Never shown, never a context: it may quote the address and its password.

    Args:
        text: All of it.
        sqlstate: See ``Explained``.
        primary: See ``Diagnosis.message_primary``.
    """

    def __init__(self, text: str, sqlstate: str | None = None, primary: str | None = None) -> None:
        super().__init__(text)
        self.sqlstate = sqlstate
        self.message_primary = primary

    @property
    def diag(self) -> Diagnosis:
        """Itself."""
        return self


class Wire(Protocol):
    """A connection in autocommit mode. Every method but ``close`` raises ``Failure``."""

    @property
    def closed(self) -> bool:
        """Whether it is closed or lost."""
        ...

    @property
    def version(self) -> int:
        """Of the server: 180003 is 18.3."""
        ...

    @property
    def encoding(self) -> str:
        """Of the database."""
        ...

    def actual(self) -> Mapping[str, str]:
        """What libpq really used, with service files and defaults resolved: host, port, user, dbname, password."""
        ...

    def run(self, text: str, parameters: Sequence[object]) -> list[list[Row]]:
        """Send statements in one message, parameters put into their text; the rows of each that has any."""
        ...

    def rollback(self) -> None:
        """Leave a failed transaction, if there is one."""
        ...

    def cancel(self) -> None:
        """Ask the server to stop what it runs; callable from another thread."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


class Library(Protocol):
    """A module that makes wires."""

    def parse(self, address: str) -> Mapping[str, str] | None:
        """Parameters of a URL or connection string; ``None`` where libpq cannot parse it."""
        ...

    def connect(self, parameters: Mapping[str, str]) -> Wire:
        """Connect; raises ``Failure``."""
        ...

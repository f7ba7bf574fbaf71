"""A connection that only reads and keeps nothing between two reads, so that it works through transaction poolers.

Each read is one message: ``BEGIN … READ ONLY; SET LOCAL …; SELECT …; COMMIT`` by the simple query protocol. So there
are no prepared statements, no session state, one round trip, and one snapshot for all statements of a read.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from .errors import Cancelled, StoreError, StoreUnreachable
from .postgres_errors import Place, bad_address, not_answered, not_connected
from .postgres_wire import Failure, Library, Row, Wire

if TYPE_CHECKING:
    import psycopg

__all__ = ["Row", "Session", "Statement"]

SomeWire = TypeVar("SomeWire", bound=Wire)

_DEFAULTS = {
    "application_name": "lgtop",
    "connect_timeout": "10",
    "client_encoding": "UTF8",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
_OWN_OPTION = "-c default_transaction_read_only=on"
_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL lock_timeout = '5s'"
_OPTION = re.compile(r"(?:-c\s*|--)([\w.-]+)=((?:\\.|\S)*)")
_ESCAPED = re.compile(r"\\(.)")
_WHERE = (("host", "PGHOST"), ("hostaddr", "PGHOSTADDR"), ("port", "PGPORT"))


class Statement(NamedTuple):
    """A SELECT and its parameters, as psycopg takes them: ``%s``, and ``%%`` for a percent sign."""

    sql: str
    parameters: Sequence[object] = ()


class Session:
    """One connection, made when first needed and made again after it was lost.

    Belongs to one thread; only ``interrupt`` may be called from another.

    Args:
        address: A URL or a libpq connection string; what it leaves open comes from ``PG*`` variables and service files.
        environ: The environment.
        brief: It is for a few reads, before which there is no time to import psycopg.
    """

    def __init__(self, address: str, environ: Mapping[str, str] = os.environ, *, brief: bool = False) -> None:
        self._environ = environ
        self._library = _library(brief)
        self._parameters = _parsed(address, self._library)
        if brief and not self._leads_to_one_host():
            self._library = _library(brief=False)
        self._wire: Wire | None = None
        self._begin = _BEGIN
        self._settings: Statement | None = None
        self._closed = False
        self._lock = threading.Lock()
        self._reading = self._interrupted = False
        self.place = Place(self._parameters, environ)
        self.version = 0

    @property
    def connected(self) -> bool:
        """Whether the next read needs no new connection."""
        return self._wire is not None and not self._wire.closed

    def connect(self) -> None:
        """Connect now.

        Raises:
            StoreUnreachable: The server does not answer or does not let us in.
        """
        wire = self._wire = self._first_accepted(self._library.connect)
        self.version = wire.version
        self._begin = _BEGIN
        if self.version >= 110000:
            self._begin += "; SET LOCAL jit = off"
        if wire.encoding == "SQL_ASCII":
            self._begin += "; SET LOCAL client_encoding = 'SQL_ASCII'"
        self.place = Place({**self._parameters, **wire.actual()}, self._environ)

    def own_connection(self) -> tuple[psycopg.Connection[Row], Statement | None]:
        """Open a connection that the caller keeps and closes, in autocommit mode.

        Returns:
            The connection, and what has to run first in each of its transactions where a pooler took no options.

        Raises:
            StoreUnreachable: The server does not answer or does not let us in.
        """
        from .postgres_psycopg import connect

        return self._first_accepted(connect).connection, self._settings

    @property
    def search_path(self) -> str:
        """The search path that the address or ``PGOPTIONS`` ask for; empty where they leave it to the server."""
        given = {name.replace("-", "_"): value for name, value in _OPTION.findall(self._given_options())}
        return _ESCAPED.sub(r"\1", given.get("search_path", ""))

    def read(self, *statements: Statement) -> list[list[Row]]:
        """Run statements in one read-only transaction.

        Returns:
            The rows of each; ``json`` and ``jsonb`` are bytes, as the server prints them.

        Raises:
            StoreUnreachable: No connection, or it was lost; the next read makes a new one.
            StoreBusy: The server cancelled the statement, or someone holds a lock for longer than five seconds.
            Cancelled: ``interrupt`` was called.
        """
        if self._closed:
            raise StoreUnreachable("The store was closed.")
        if not self.connected:
            self.connect()
        first = [] if self._settings is None else [self._settings]
        text = "; ".join([self._begin, *(statement.sql for statement in (*first, *statements)), "COMMIT"])
        parameters = [parameter for statement in (*first, *statements) for parameter in statement.parameters]
        outcome = self._attempt(text, parameters)
        if isinstance(outcome, StoreError):
            raise outcome
        return outcome[len(first) :]

    def interrupt(self) -> None:
        """Cancel what ``read`` is running in another thread; nothing happens when it is not."""
        with self._lock:
            if not self._reading or self._wire is None:
                return
            self._interrupted = True
            with suppress(Failure):  # where it does not get through, the rows are dropped at the end
                self._wire.cancel()

    def close(self) -> None:
        """Close the connection for good."""
        self._closed = True
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    def _attempt(self, text: str, parameters: Sequence[object]) -> list[list[Row]] | StoreError:
        """Errors are returned, so that what is raised has no ``Failure`` as its context: that may quote the DSN."""
        assert self._wire is not None
        with self._lock:
            self._reading, self._interrupted = True, False
        rows: list[list[Row]] = []
        failure: Failure | None = None
        try:
            rows = self._wire.run(text, parameters)
        except Failure as error:
            failure = error
        finally:
            with self._lock:  # an interrupt that is on its way arrives before the next statement
                self._reading = False
        lost = failure is not None and not self._recovered(self._wire)
        if self._interrupted and not lost:
            return Cancelled("The query was cancelled.")
        return rows if failure is None else not_answered(failure, self.place, lost=lost)

    def _recovered(self, wire: Wire) -> bool:
        """Leave a failed transaction; drop the connection if it has gone."""
        with suppress(Failure):
            if not wire.closed:
                wire.rollback()
                return True
        wire.close()
        self._wire = None
        return False

    def _first_accepted(self, connect: Callable[[Mapping[str, str]], SomeWire]) -> SomeWire:
        """Connect with the startup options that the server, or a pooler before it, accepts.

        pgbouncer knows no ``options`` at startup ("unsupported startup parameter"): what the user asked for there is
        then set in every transaction. ``READ ONLY`` is part of each transaction in any case.
        """
        failure: StoreError | None = None
        for options in self._candidate_options():
            try:
                wire = connect(self._wanted(options))
            except Failure as error:
                failure = not_connected(error, self.place)
                if "startup parameter" not in str(error).lower():
                    break
            else:
                self._settings = self._wanted_settings() if options == "" else None
                return wire
        assert failure is not None
        raise failure

    def _candidate_options(self) -> Iterable[str | None]:
        """Options to try in turn; ``None`` leaves them to libpq, which reads them from a service file."""
        given = self._given_options()
        if "service" in self._parameters or self._environ.get("PGSERVICE"):
            return (None, "") if not given else (given, "")
        return (f"{given} {_OWN_OPTION}".strip(), *([given] if given else []), "")

    def _given_options(self) -> str:
        return self._parameters.get("options") or self._environ.get("PGOPTIONS", "")

    def _wanted_settings(self) -> Statement | None:
        """``-c name=value`` of the options, to be set in every transaction."""
        found = _OPTION.findall(self._given_options())
        parameters = [text for name, value in found for text in (name.replace("-", "_"), _ESCAPED.sub(r"\1", value))]
        calls = ", ".join(["set_config(%s, %s, true)"] * len(found))
        return Statement(f"SELECT {calls}", parameters) if found else None

    def _wanted(self, options: str | None) -> Mapping[str, str]:
        """Parameters for libpq."""
        parameters = {**_DEFAULTS, **self._parameters}
        if options is not None:
            parameters["options"] = options
        if "connect_timeout" not in self._parameters and "PGCONNECT_TIMEOUT" in self._environ:
            parameters["connect_timeout"] = self._environ["PGCONNECT_TIMEOUT"]
        return parameters

    def _leads_to_one_host(self) -> bool:
        """Whether nothing names several, which are to be tried for ``connect_timeout`` each: psycopg does."""
        if "service" in self._parameters or self._environ.get("PGSERVICE"):
            return False
        return not any("," in self._parameters.get(name, self._environ.get(variable, "")) for name, variable in _WHERE)


def _library(brief: bool) -> Library:
    if brief:
        from . import postgres_libpq

        if postgres_libpq.available():
            return postgres_libpq
    from . import postgres_psycopg

    return postgres_psycopg


def _parsed(address: str, library: Library) -> Mapping[str, str]:
    parameters = library.parse(address)
    if parameters is None or _ambiguous(address):
        raise bad_address()
    return parameters


def _ambiguous(address: str) -> bool:
    """Whether a URL has an ``@`` or ``/`` in its password that is not encoded: libpq takes the rest for the host."""
    _, is_url, rest = address.partition("://")
    userinfo, _, tail = rest.partition("@")
    path = rest if "/" in userinfo else tail
    return bool(is_url) and "@" in path.partition("?")[0]

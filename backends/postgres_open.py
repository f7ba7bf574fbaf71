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
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from .errors import Cancelled, StoreError, StoreUnreachable
from .postgres_errors import Place, bad_address, not_answered, not_connected

if TYPE_CHECKING:
    import psycopg

Row: TypeAlias = tuple[Any, ...]

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
    """

    def __init__(self, address: str, environ: Mapping[str, str] = os.environ) -> None:
        self._environ = environ
        self._parameters = _parsed(address)
        self._connection: psycopg.Connection[Row] | None = None
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
        return self._connection is not None and not self._connection.closed

    def connect(self) -> None:
        """Connect now.

        Raises:
            StoreUnreachable: The server does not answer or does not let us in.
        """
        self._connection = self._first_accepted()
        info = self._connection.info
        self.version = info.server_version
        self._begin = _BEGIN
        if self.version >= 110000:
            self._begin += "; SET LOCAL jit = off"
        if _promises_no_encoding(self._connection):
            self._begin += "; SET LOCAL client_encoding = 'SQL_ASCII'"
        self.place = Place({**self._parameters, **_actual(info)}, self._environ)

    def own_connection(self) -> tuple[psycopg.Connection[Row], Statement | None]:
        """Open a connection that the caller keeps and closes, in autocommit mode.

        Returns:
            The connection, and what has to run first in each of its transactions where a pooler took no options.

        Raises:
            StoreUnreachable: The server does not answer or does not let us in.
        """
        connection = self._first_accepted()
        return connection, self._settings

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
        outcome = self._attempt(lambda connection: _results(connection, text, parameters))
        if isinstance(outcome, StoreError):
            raise outcome
        return outcome[len(first) :]

    def interrupt(self) -> None:
        """Cancel what ``read`` is running in another thread; nothing happens when it is not."""
        import psycopg

        with self._lock:
            if not self._reading or self._connection is None:
                return
            self._interrupted = True
            with suppress(psycopg.Error):  # where it does not get through, the rows are dropped at the end
                self._connection.cancel_safe(timeout=2)

    def close(self) -> None:
        """Close the connection for good."""
        self._closed = True
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _attempt(self, action: Callable[[psycopg.Connection[Row]], list[list[Row]]]) -> list[list[Row]] | StoreError:
        """Errors are returned, so that what is raised has no psycopg error as its context: that may quote the DSN."""
        import psycopg

        assert self._connection is not None
        with self._lock:
            self._reading, self._interrupted = True, False
        rows: list[list[Row]] = []
        failure: psycopg.Error | None = None
        try:
            rows = action(self._connection)
        except psycopg.Error as error:
            failure = error
        finally:
            with self._lock:  # an interrupt that is on its way arrives before the next statement
                self._reading = False
        lost = failure is not None and not self._recovered(self._connection)
        if self._interrupted and not lost:
            return Cancelled("The query was cancelled.")
        return rows if failure is None else not_answered(failure, self.place, lost=lost)

    def _recovered(self, connection: psycopg.Connection[Row]) -> bool:
        """Leave a failed transaction; drop the connection if it has gone."""
        import psycopg

        try:
            if not connection.closed:
                connection.rollback()
                return True
        except psycopg.Error:
            connection.close()
        self._connection = None
        return False

    def _first_accepted(self) -> psycopg.Connection[Row]:
        """Connect with the startup options that the server, or a pooler before it, accepts.

        pgbouncer knows no ``options`` at startup ("unsupported startup parameter"): what the user asked for there is
        then set in every transaction. ``READ ONLY`` is part of each transaction in any case.
        """
        import psycopg

        failure: StoreError | None = None
        for options in self._candidate_options():
            try:
                connection = self._open(options)
            except psycopg.Error as error:
                failure = not_connected(error, self.place)
                if "startup parameter" not in str(error).lower():
                    break
            else:
                self._settings = self._wanted_settings() if options == "" else None
                return connection
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

    def _open(self, options: str | None) -> psycopg.Connection[Row]:
        from psycopg import ClientCursor, Connection

        parameters: dict[str, Any] = {**_DEFAULTS, **self._parameters}
        if options is not None:
            parameters["options"] = options
        if "connect_timeout" not in self._parameters and "PGCONNECT_TIMEOUT" in self._environ:
            del parameters["connect_timeout"]
        connection = Connection.connect(
            **parameters, autocommit=True, prepare_threshold=None, cursor_factory=ClientCursor
        )
        _load_as_stored(connection)
        return connection


def _load_as_stored(connection: psycopg.Connection[Row]) -> None:
    """JSON as the server prints it, and text also where a database promises no encoding."""
    from psycopg.abc import Buffer
    from psycopg.adapt import Loader

    class Printed(Loader):
        def load(self, data: Buffer) -> bytes:
            return bytes(data)

    class AnyBytes(Loader):
        def load(self, data: Buffer) -> str:
            return bytes(data).decode(errors="backslashreplace")

    for name in ("json", "jsonb"):
        connection.adapters.register_loader(name, Printed)
    if _promises_no_encoding(connection):
        connection.adapters.register_loader("text", AnyBytes)


def _promises_no_encoding(connection: psycopg.Connection[Row]) -> bool:
    return connection.info.parameter_status("server_encoding") == "SQL_ASCII"


def _parsed(address: str) -> dict[str, str]:
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    try:
        parameters = {name: str(value) for name, value in conninfo_to_dict(address).items() if value is not None}
    except (psycopg.Error, UnicodeError):
        parameters = None
    if parameters is None or _ambiguous(address):
        raise bad_address()
    return parameters


def _ambiguous(address: str) -> bool:
    """Whether a URL has an ``@`` or ``/`` in its password that is not encoded: libpq takes the rest for the host."""
    _, is_url, rest = address.partition("://")
    userinfo, _, tail = rest.partition("@")
    path = rest if "/" in userinfo else tail
    return bool(is_url) and "@" in path.partition("?")[0]


def _actual(info: psycopg.ConnectionInfo) -> dict[str, str]:
    """What libpq really used, with service files and defaults resolved."""
    return {
        "host": info.host,
        "port": str(info.port),
        "user": info.user,
        "dbname": info.dbname,
        "password": info.password,
    }


def _results(connection: psycopg.Connection[Row], text: str, parameters: list[object]) -> list[list[Row]]:
    results = []
    with connection.cursor() as cursor:
        cursor.execute(text.encode(), parameters)
        more: bool | None = True
        while more:
            if cursor.description is not None:
                results.append(cursor.fetchall())
            more = cursor.nextset()
    return results

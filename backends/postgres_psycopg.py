"""The wire by psycopg: for whoever stays connected, or reads much."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .postgres_wire import Failure, Row

if TYPE_CHECKING:
    import psycopg


def parse(address: str) -> dict[str, str] | None:
    """See ``Library.parse``."""
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    try:
        return {name: str(value) for name, value in conninfo_to_dict(address).items() if value is not None}
    except (psycopg.Error, UnicodeError):
        return None


def connect(parameters: Mapping[str, str]) -> PsycopgWire:
    """See ``Library.connect``."""
    from psycopg import ClientCursor, Connection

    given: dict[str, Any] = dict(parameters)
    with _told():
        connection = Connection.connect(**given, autocommit=True, prepare_threshold=None, cursor_factory=ClientCursor)
    return PsycopgWire(connection)


class PsycopgWire:
    """See ``Wire``; ``json`` and ``jsonb`` come as the server prints them.

    Attributes:
        connection: psycopg's.
    """

    def __init__(self, connection: psycopg.Connection[Row]) -> None:
        self.connection = connection
        _load_as_stored(connection, any_bytes=self.encoding == "SQL_ASCII")

    @property
    def closed(self) -> bool:
        """See ``Wire.closed``."""
        return self.connection.closed

    @property
    def version(self) -> int:
        """See ``Wire.version``."""
        return self.connection.info.server_version

    @property
    def encoding(self) -> str:
        """See ``Wire.encoding``."""
        return self.connection.info.parameter_status("server_encoding") or ""

    def actual(self) -> dict[str, str]:
        """See ``Wire.actual``."""
        info = self.connection.info
        names = {"host": info.host, "port": str(info.port), "user": info.user, "dbname": info.dbname}
        return {**names, "password": info.password}

    def run(self, text: str, parameters: Sequence[object]) -> list[list[Row]]:
        """See ``Wire.run``."""
        results = []
        with _told(), self.connection.cursor() as cursor:
            cursor.execute(text.encode(), parameters)
            more: bool | None = True
            while more:
                if cursor.description is not None:
                    results.append(cursor.fetchall())
                more = cursor.nextset()
        return results

    def rollback(self) -> None:
        """See ``Wire.rollback``."""
        with _told():
            self.connection.rollback()

    def cancel(self) -> None:
        """See ``Wire.cancel``."""
        with _told():
            self.connection.cancel_safe(timeout=2)

    def close(self) -> None:
        """See ``Wire.close``."""
        self.connection.close()


def _load_as_stored(connection: psycopg.Connection[Row], any_bytes: bool) -> None:
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
    if any_bytes:
        connection.adapters.register_loader("text", AnyBytes)


@contextmanager
def _told() -> Iterator[None]:
    """Raise psycopg's errors as ``Failure``, outside of the handler: so nothing has them as its context."""
    import psycopg

    failure: Failure | None = None
    try:
        yield
    except psycopg.Error as error:
        failure = Failure(str(error), error.sqlstate, error.diag.message_primary)
    if failure is not None:
        raise failure

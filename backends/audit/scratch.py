"""Stores for an audit, gone when it is over: it never touches a thread of anybody else."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from ..address import Address, mask_dsn
from ..errors import StoreUnreachable

if TYPE_CHECKING:
    import psycopg

_OPTION = "-c search_path="


class Scratch:
    """Where an audit keeps things.

    Args:
        folder: A temporary directory.
        dsn: Where its schema is; empty for SQLite.
    """

    def __init__(self, folder: Path, dsn: str = "") -> None:
        self._folder = folder
        self._dsn = dsn
        self._numbers = count()
        self._token = secrets.token_hex(3)

    def new_thread(self) -> tuple[str, Path]:
        """Make the folder of a thread.

        Returns:
            The thread's id, which no other audit has: what a graph keeps outside is often kept by it; and the folder.
        """
        name = f"audit-{self._token}-{next(self._numbers):05}"
        path = self._folder / name
        path.mkdir(mode=0o700)
        return name, path

    def store(self, folder: Path) -> str:
        """Address of a thread's store: a file of its own, or the schema that all share."""
        return self._dsn or str(folder / "store.sqlite")


@contextmanager
def scratch(address: Address | None) -> Iterator[Scratch]:
    """Make room, and remove it at the end.

    Args:
        address: A PostgreSQL database that may be written to, to make a schema in; ``None`` means SQLite.

    Raises:
        StoreUnreachable: It cannot be reached, or the role may not make schemas.
    """
    with tempfile.TemporaryDirectory(prefix="lgtop-audit-", ignore_cleanup_errors=True) as folder:
        if address is None or address.dsn is None:
            yield Scratch(Path(folder))
            return
        schema = f"lgtop_audit_{os.getpid()}_{secrets.token_hex(4)}"
        _execute(address, f'CREATE SCHEMA "{schema}"')
        try:
            yield Scratch(Path(folder), with_schema(address.dsn, schema))
        finally:
            _execute(address, f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')


def with_schema(dsn: str, schema: str) -> str:
    """The same database, with a schema to work in and nothing behind it; other options are kept."""
    from psycopg.conninfo import conninfo_to_dict

    given = conninfo_to_dict(dsn)
    options = f"{given.get('options') or os.environ.get('PGOPTIONS', '')} {_OPTION}{schema}".strip()
    if "://" not in dsn:
        quoted = options.replace("\\", "\\\\").replace("'", "\\'")
        return f"{dsn} options='{quoted}'"  # of two, libpq takes the last
    from urllib.parse import quote, urlsplit, urlunsplit

    parts = urlsplit(dsn)
    kept = [pair for pair in parts.query.split("&") if pair and not pair.startswith("options=")]
    return urlunsplit(parts._replace(query="&".join([*kept, f"options={quote(options, safe='')}"])))


def _execute(address: Address, statement: str) -> None:
    import psycopg

    with closing(_connected(address)) as connection:
        try:
            connection.execute(statement.encode())
        except psycopg.Error as error:
            raise StoreUnreachable(
                f"{address.label} refuses {statement}: {mask_dsn(str(error)).strip()}",
                "The role needs the right CREATE on the database.",
            ) from error


def _connected(address: Address) -> psycopg.Connection:
    import psycopg

    try:
        return psycopg.connect(address.dsn or "", autocommit=True, prepare_threshold=None, connect_timeout=10)
    except psycopg.OperationalError as error:
        raise StoreUnreachable(f"{address.label} cannot be reached: {mask_dsn(str(error)).strip()}") from error

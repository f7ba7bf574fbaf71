"""Making the tables of a store once, however many processes start at the same moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING

from ..errors import AlreadyRunning, NotAStore, Refused, StoreBusy
from ..locks.board import LockBoard
from ..locks.public import thread_lock
from ..postgres_errors import not_answered
from ..postgres_open import Session, Statement
from ..postgres_schema import inspect

if TYPE_CHECKING:
    import psycopg

    from ..address import Address

_NAME = "(checkpoint tables)"
"""What is held instead of a thread meanwhile."""

_PATIENCE = 60.0
"""Seconds to wait for another process that makes them; indexes of a large store take time."""

_NOT_ALLOWED = ("42501", "25006")
"""``insufficient_privilege``, ``read_only_sql_transaction``."""


@contextmanager
def alone(target: str) -> Iterator[None]:
    """Let one process at a time make or migrate the tables.

    LangGraph's ``setup`` expects no company: two at once fail by the key of ``checkpoint_migrations``, by a deadlock of
    two ``CREATE INDEX CONCURRENTLY`` that leaves an invalid index behind (``checkpoint/postgres/base.py``,
    ``MIGRATIONS``), or by a locked file.

    Args:
        target: The store.

    Raises:
        StoreBusy: Another process takes too long.
        Refused: The place cannot be written to.
        StoreUnreachable: No such directory, or no connection.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(thread_lock(target, _NAME, timeout=_PATIENCE))
        except AlreadyRunning as error:
            raise StoreBusy(f"Another process makes the tables: {error.holder}.", "Try again in a moment.") from error
        yield


def are_being_made(target: str) -> bool:
    """Whether a process is making the tables now; nothing is taken and nothing written."""
    with closing(LockBoard(target)) as board:
        return _NAME in board.holders(lambda: (_NAME,))


def make_tables(address: Address) -> None:
    """Make the tables of a store where they are missing; the file too, where it is one.

    Raises:
        StoreError: It cannot be reached, or something else stands there.
        Refused: It cannot be written to.
    """
    if address.path is None:
        make_postgres_tables(address.target)
        return
    from .savers import Settings, SqliteSource

    SqliteSource(address.path, Settings(1, 1, _PATIENCE, None)).close()


def make_postgres_tables(dsn: str) -> None:
    """Make the tables, or migrate them to what the installed saver wants, where that is needed.

    Where it is not, nothing is written: a role that may not make tables can use those that are there.

    Args:
        dsn: As for ``Session``.

    Raises:
        StoreError: The database cannot be reached, or something else stands there.
        Refused: The role may not make tables.
    """
    if _are_current(dsn):
        return
    with alone(dsn):
        if _are_current(dsn):
            return
        failure = _set_up(dsn)
        if failure is None or _are_current(dsn):  # an application that does not wait for others was quicker
            return
    place, state = Session(dsn).place, failure.sqlstate
    detail = place.mask(failure.diag.message_primary or str(failure))
    if state in _NOT_ALLOWED:
        raise Refused(f"{place.user} may not make the tables: {detail}.", "Let their owner call setup() once.")
    raise not_answered(failure, place, lost=False)


def _set_up(dsn: str) -> psycopg.Error | None:
    """Run LangGraph's own migrations. The error is returned: as a context, psycopg's would quote the DSN."""
    from langgraph.checkpoint.postgres import PostgresSaver
    from psycopg import Connection, Error
    from psycopg.rows import dict_row

    try:
        with Connection.connect(dsn, autocommit=True, prepare_threshold=None, row_factory=dict_row) as connection:
            PostgresSaver(connection).setup()
    except Error as error:
        return error
    return None


def _are_current(dsn: str) -> bool:
    from langgraph.checkpoint.postgres.base import MIGRATIONS

    with closing(Session(dsn)) as session:
        try:
            schema = inspect(session)
        except NotAStore:
            (((standing,),),) = session.read(Statement("SELECT to_regclass('checkpoints') IS NOT NULL"))
            if not standing:
                return False
            schema = inspect(session)  # raises again, unless another process has only just made them
    if schema.migration is None:  # the role may not read the table that says it
        return schema.has_task_path
    return schema.migration >= len(MIGRATIONS) - 1

"""The store as a run finds it, or makes it."""

from __future__ import annotations

import os

from ..address import Address, parse_address
from ..errors import EmptyPlace, NotAStore, StoreUnreachable
from ..runs.spec import RunSpec
from ..store import Store, open_store
from .saver import Fence, open_saver


def open_or_create(spec: RunSpec) -> Store:
    """Open the store read-only; make its tables first where that was asked for and nothing stands in their place.

    Raises:
        StoreError: It cannot be opened.
    """
    try:
        return open_store(spec.store)
    except EmptyPlace:
        if not spec.create_store:
            raise
    except (NotAStore, StoreUnreachable):
        place = parse_address(spec.store, os.environ)
        if not spec.create_store or not (_has_no_tables(place) if place.dsn else _is_no_file(place.path or "")):
            raise
    with open_saver(spec.store, None, Fence(lambda: True)) as saver:
        saver.setup()
    return open_store(spec.store)


def _is_no_file(path: str) -> bool:
    return not os.path.exists(path) or not os.path.getsize(path)


def _has_no_tables(place: Address) -> bool:
    from psycopg import Connection, OperationalError

    try:
        with Connection.connect(place.dsn or "", autocommit=True, prepare_threshold=None) as connection:
            row = connection.execute("SELECT to_regclass('checkpoints') IS NULL").fetchone()
    except OperationalError:
        return False
    return row is not None and bool(row[0])

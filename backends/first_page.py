"""The threads that a screen shows first, read by a connection that is open already."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import TypeAlias

from .errors import StoreError
from .model import ThreadHead
from .store import Store, StoreInfo

FirstPage: TypeAlias = Callable[[], tuple[StoreInfo, tuple[ThreadHead, ...]] | None]
"""What is known of the store, and its newest threads; ``None`` where they cannot be read. To be called once."""

_THREADS = 100
"""What a screen has room for."""


def first_page(store: Store) -> FirstPage:
    """Read the first page, of a file now and of a server when it is asked for; the store is closed then.

    A file is read in a few milliseconds, and in ten times as many once the screen is being made on another thread; a
    server may take its time.
    """

    def read() -> tuple[StoreInfo, tuple[ThreadHead, ...]] | None:
        with closing(store):
            try:
                return store.info, tuple(store.newest_heads(_THREADS))
            except StoreError:  # whoever follows the store meets it again, and tells of it
                return None

    if store.info.kind != "sqlite":
        return read
    page = read()
    return lambda: page

"""Keep all heads by following a store's feed, as the live index does."""

from __future__ import annotations

import time
from collections.abc import Callable

from backends.model import Delta, ThreadHead
from backends.store import Store

PATIENCE = 20.0
"""Seconds after which something that a feed should have reported counts as missed."""


class Follower:
    """All heads of a store, as far as its feed has told."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.cursor = store.cursor()
        self.heads = everything(store)
        self.changed: set[str] = set()

    def follow(self) -> Delta:
        """Poll once and read again what changed."""
        delta = self.store.poll(self.cursor)
        self.cursor = delta.cursor
        self.changed |= delta.changed
        if delta.reload:
            self.heads = everything(self.store)
        found = self.store.heads_of(sorted(delta.changed))
        for thread_id in delta.changed - found.keys():
            self.heads.pop(thread_id, None)
        self.heads |= found
        return delta

    def follow_until(self, satisfied: Callable[[], bool]) -> None:
        """Poll until a condition holds.

        Raises:
            AssertionError: It never did.
        """
        deadline = time.monotonic() + PATIENCE
        while not satisfied():
            assert time.monotonic() < deadline, f"missed; seen changed: {sorted(self.changed)}"
            self.follow()

    def catch_up(self) -> None:
        """Poll until what is known is what is true."""
        self.follow_until(lambda: self.heads == everything(self.store))


def everything(store: Store) -> dict[str, ThreadHead]:
    """The complete index."""
    return {head.thread_id: head for batch in store.heads() for head in batch}

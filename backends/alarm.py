"""The alarm clock of an SQLite feed: file events say that it may be time to look, never what has changed."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

_STEP = 10
"""Milliseconds of silence that end a group of events; a commit is several of them."""

_DEBOUNCE = 50
"""Milliseconds that a group lasts at most."""


class Alarm:
    """Watches the directory of a database, on a thread of its own that imports the watcher.

    The directory and not the file: in WAL mode only ``-wal`` changes, and a replaced file is another file.

    Args:
        path: The database file.
        ring: Called on the alarm's thread after every group of events that concern the file.

    Attributes:
        alive: Whether events will be noticed; false before the watcher is set up, and for good when it fails.
        failure: Why it failed, if it did.
    """

    def __init__(self, path: str, ring: Callable[[], None]) -> None:
        self.alive = False
        self.failure: Exception | None = None
        path = os.path.realpath(path)
        self._directory = os.path.dirname(path)
        name = os.path.basename(path)
        self._names = frozenset({name, f"{name}-wal", f"{name}-journal"})
        self._ring = ring
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="lgtop-alarm", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Stop watching; returns without waiting."""
        self._stopping.set()

    def concerns(self, path: str) -> bool:
        """Whether a file is the database, its log or its journal; our own reading touches ``-shm``."""
        return os.path.basename(path) in self._names

    def _watch(self) -> None:
        try:
            from watchfiles import watch

            changes = watch(
                self._directory,
                watch_filter=lambda _, path: self.concerns(path),
                step=_STEP,
                debounce=_DEBOUNCE,
                stop_event=self._stopping,
                rust_timeout=1000,
                yield_on_timeout=True,
                recursive=False,
                raise_interrupt=False,
            )
            for events in changes:
                self.alive = True
                if events:
                    self._ring()
        except (ImportError, OSError, RuntimeError) as error:
            self.failure = error
        self.alive = False

"""A watch over the sources of graphs: says at once that a drawing has become old. A run reads its sources anyway."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Sequence

from ..runs.spec import GraphRef
from .sources import directories, is_source

_QUIET = 100
"""Milliseconds of silence that end a group of events: an editor saves in several steps."""


class Watch:
    """Watches directories on a thread of its own, which imports the watcher.

    Directory by directory and not recursively: a virtual environment in the project would cost thousands of watches.

    Args:
        refs: The graphs.
        on_change: Called on that thread with the graphs that a change may concern.

    Attributes:
        alive: Whether changes will be noticed; false before the watcher is set up.
        failure: Why nothing will be noticed any more, if so. Drawings are compared with their sources whenever they are
            asked for, so that only the moment is lost.
    """

    def __init__(self, refs: Iterable[GraphRef], on_change: Callable[[Sequence[GraphRef]], None]) -> None:
        self._refs = tuple(refs)
        self._on_change = on_change
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="lgtop-sources", daemon=True)
        self.alive = False
        self.failure: Exception | None = None

    def start(self) -> None:
        """Begin to watch; without graphs there is nothing to do."""
        if self._refs:
            self._thread.start()

    def stop(self) -> None:
        """Stop watching; returns without waiting."""
        self._stopping.set()

    def _watch(self) -> None:
        places = [(ref, frozenset(directories(ref))) for ref in self._refs]
        try:
            from watchfiles import watch

            changes = watch(
                *{folder for _, folders in places for folder in folders if os.path.isdir(folder)},
                watch_filter=lambda _, path: is_source(path),
                step=_QUIET,
                stop_event=self._stopping,
                rust_timeout=1000,
                yield_on_timeout=True,
                recursive=False,
                raise_interrupt=False,
                ignore_permission_denied=True,
            )
            for events in changes:
                self.alive = True
                touched = {os.path.dirname(path) for _, path in events}
                if concerned := [ref for ref, folders in places if touched & folders]:
                    self._on_change(concerned)
        except (ImportError, OSError, RuntimeError) as error:
            self.failure = error
        self.alive = False

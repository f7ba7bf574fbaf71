"""One set of connections for each store that an application saves checkpoints in."""

from __future__ import annotations

import atexit
import os
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ..address import parse_address
from ..errors import StoreUnreachable
from .savers import Settings, Source, open_source

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver
    from langgraph.checkpoint.serde.base import SerializerProtocol

_managers: dict[tuple[int, str], CheckpointerManager] = {}
"""By process and store: a forked child leaves its parent's alone; closing them would end the parent's sessions."""

_making = threading.RLock()


class CheckpointerManager:
    """Gives LangGraph savers for a store, and owns what connects to it.

    Get it by ``get_or_create``. It may be shared between threads, closes when the process ends, and can be entered by
    ``with``, which closes it too.
    """

    def __init__(self, key: tuple[int, str], settings: Settings, source: Source) -> None:
        self._key = key
        self._settings = settings
        self._source: Source | None = source

    @classmethod
    def get_or_create(
        cls,
        connection_string: str,
        *,
        min_conn: int = 1,
        max_conn: int = 10,
        connection_timeout: float = 30.0,
        serde: SerializerProtocol | None = None,
    ) -> CheckpointerManager:
        """Return the manager of a store, made by the first call.

        It connects, and makes the store's tables where they are missing or older than the installed saver; several
        processes may do so at once.

        Args:
            connection_string: The store: path of the SQLite file, which need not exist, or PostgreSQL address.
            min_conn: PostgreSQL: connections that are kept open.
            max_conn: PostgreSQL: connections at most.
            connection_timeout: PostgreSQL: seconds to wait for a free one.
            serde: How values are written, e.g. LangGraph's ``EncryptedSerializer``.

        Returns:
            The same object for the same address, until it is closed.

        Raises:
            StoreError: The store cannot be reached, or something else stands in its place.
            Refused: It cannot be written to.
            ValueError: The manager is there, and was made with other settings.
        """
        address = parse_address(connection_string, os.environ)
        key, settings = (os.getpid(), address.target), Settings(min_conn, max_conn, connection_timeout, serde)
        with _making:
            found = _managers.get(key)
            if found is None:
                found = _managers[key] = cls(key, settings, open_source(connection_string, settings))
            elif found._settings != settings:
                raise ValueError(f"{address.label} is open with other settings: close its manager first.")
            return found

    def get_checkpointer(self) -> BaseCheckpointSaver[Any]:
        """Return a saver to compile a graph with, for ``invoke`` and ``stream``.

        LangGraph's synchronous savers refuse ``ainvoke`` and ``astream``.

        Raises:
            StoreUnreachable: The manager was closed.
        """
        source = self._source
        if source is None:
            raise StoreUnreachable("The checkpointer manager was closed.", "Get another by get_or_create.")
        return source.saver()

    def close(self) -> None:
        """Close all connections; savers of this manager cannot be used any more. May be called again."""
        with _making:
            source, self._source = self._source, None
            if source is not None:
                del _managers[self._key]
                source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _close_all() -> None:
    for (pid, _), manager in list(_managers.items()):
        if pid == os.getpid():
            manager.close()


def _begin_anew() -> None:
    """Another thread may have held the mutex while this child was forked."""
    global _making
    _making = threading.RLock()


atexit.register(_close_all)
os.register_at_fork(after_in_child=_begin_anew)

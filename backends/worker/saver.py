"""LangGraph's own saver on the store, fenced: it writes only while the thread is ours, and tells what it has saved."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from typing import Any, TypeAlias

from ..address import Address, mask_dsn, parse_address
from ..errors import Refused, StoreUnreachable
from ..model import ThreadHead
from ..store import Store
from .copies import end_if_copy
from .ending import LostLock, LostStore, one_sentence

Saver: TypeAlias = Any
"""A ``SqliteSaver`` or ``PostgresSaver``, or one of their asynchronous twins."""

OnSaved: TypeAlias = Callable[[str, str, Mapping[str, Any]], None]
"""Called with namespace, id and metadata when a checkpoint is in the store."""

_PATIENCE = 30.0
"""Seconds that SQLite waits for a foreign write transaction before the run fails; the application's default is 5."""

_TRUST = 0.05
"""Seconds that the lock is not looked at again.

A look costs as much as a tenth of a step. Locks are lost by accidents only: an ended session, a sidecar file that was
deleted; and who takes the thread next needs longer to start.
"""


class Fence:
    """What stands between a run and the store.

    Args:
        held: Whether the thread's lock is ours.
        saved: Told of each checkpoint.
        loaded: Told of the pending writes of each checkpoint that is read: task id, channel, value.
    """

    def __init__(
        self,
        held: Callable[[], bool],
        saved: OnSaved = lambda *_: None,
        loaded: Callable[[Sequence[tuple[str, str, Any]]], None] = lambda _: None,
    ) -> None:
        self._held = held
        self._trusted = 0.0
        self.saved = saved
        self.loaded = loaded

    def check(self) -> None:
        """Let a write pass.

        Raises:
            LostLock: The lock is not ours.
        """
        end_if_copy()  # it would talk on our connection
        now = time.monotonic()
        if now < self._trusted:
            return
        if not self._held():
            raise LostLock
        self._trusted = now + _TRUST


def serializer(own: object, store: Store | None, head: ThreadHead | None) -> Any:
    """Choose how values are written: as the thread is, a new one as the store is, else as the graph's own saver would.

    Args:
        own: The saver that the graph was compiled with, if any.
        store: The open store; ``None`` where there is none yet.
        head: Head of the thread; ``None`` for a new one.

    Returns:
        A serializer, or ``None`` for LangGraph's default.
    """
    from langgraph.checkpoint.base import BaseCheckpointSaver
    from langgraph.checkpoint.serde.encrypted import EncryptedSerializer

    inner = own.serde if isinstance(own, BaseCheckpointSaver) else None
    if isinstance(inner, EncryptedSerializer) or store is None or not _is_encrypted(store, head):
        return inner
    try:
        return EncryptedSerializer.from_pycryptodome_aes()
    except (ValueError, ImportError) as error:
        what = "store" if head is None else "thread"
        raise Refused(f"The {what} is encrypted: {one_sentence(error)}.", "Set LANGGRAPH_AES_KEY.") from error


def _is_encrypted(store: Store, head: ThreadHead | None) -> bool:
    heads = store.newest_heads(1) if head is None else [head]
    found = store.raw([one.key for one in heads])
    blobs = [blob for raw in found for blob in (raw.checkpoint, *raw.channel_blobs.values())]
    return any("+" in (blob.type or "") for blob in blobs)


@contextmanager
def open_saver(
    address: str, serde: Any, fence: Fence, layer: Callable[[Any], Any] = lambda base: base
) -> Iterator[Saver]:
    """Open LangGraph's saver for a store.

    Args:
        address: As for ``parse_address``.
        serde: The serializer; ``None`` is LangGraph's default.
        fence: Passes each write.
        layer: Makes a subclass of the saver's class.

    Raises:
        StoreUnreachable: It cannot be opened.
    """
    place = parse_address(address, os.environ)
    if place.dsn is None:
        from langgraph.checkpoint.sqlite import SqliteSaver

        with closing(sqlite3.connect(place.path or "", timeout=_PATIENCE, check_same_thread=False)) as connection:
            yield layer(_fenced(SqliteSaver, fence, sqlite3.Error))(connection, serde=serde)
        return
    from langgraph.checkpoint.postgres import PostgresSaver
    from psycopg import Connection, Error, OperationalError

    try:
        opened = Connection.connect(place.dsn, **_options())
    except OperationalError as error:
        raise _unreachable(place, error) from error
    with opened as connection:
        _prepare(connection, connection.execute(_WHO).fetchone())
        yield layer(_fenced(PostgresSaver, fence, Error))(connection, serde=serde)


@asynccontextmanager
async def open_async_saver(
    address: str, serde: Any, fence: Fence, layer: Callable[[Any], Any] = lambda base: base
) -> AsyncIterator[Saver]:
    """Open LangGraph's asynchronous saver for a store; see ``open_saver``."""
    place = parse_address(address, os.environ)
    if place.dsn is None:
        from aiosqlite import connect
        from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

        async with connect(place.path or "", timeout=_PATIENCE) as connection:
            yield layer(_async_fenced(AsyncSqliteSaver, fence, sqlite3.Error))(connection, serde=serde)
        return
    from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
    from psycopg import AsyncConnection, Error, OperationalError

    try:
        opened = await AsyncConnection.connect(place.dsn, **_options())
    except OperationalError as error:
        raise _unreachable(place, error) from error
    async with opened as connection:
        _prepare(connection, await (await connection.execute(_WHO)).fetchone())
        yield layer(_async_fenced(AsyncPostgresSaver, fence, Error))(connection, serde=serde)


_WHO = "SELECT pg_backend_pid() AS pid"


def _prepare(connection: Any, row: Any) -> None:
    """Have statements prepared, as LangGraph's own connections do it, unless a pooler stands before the server.

    Behind one the next statement may meet another server process; it has made up the process id that it told us.
    """
    if row["pid"] == connection.info.backend_pid:
        connection.prepare_threshold = 0


def _options() -> dict[str, Any]:
    """How a connection to a server is opened."""
    from psycopg.rows import dict_row

    return {
        "autocommit": True,
        "prepare_threshold": None,
        "row_factory": dict_row,
        "fallback_application_name": "lgtop",
    }


def _unreachable(place: Address, error: Exception) -> StoreUnreachable:
    return StoreUnreachable(f"{place.label} cannot be reached: {mask_dsn(str(error)).strip()}")


def _fenced(base: Any, fence: Fence, failure: type[Exception]) -> Any:
    """A plain saver class of which every write passes the fence.

    A node may run a graph inside itself by ``ainvoke``, in an event loop of its own: that goes to the store from a
    thread, so that the loop does not stand still.
    """

    class Fenced(base):  # type: ignore[misc]
        def get_tuple(self, config: Any) -> Any:
            try:
                found = super().get_tuple(config)
            except failure as error:
                raise _explained(error) from error
            if found is not None and found.pending_writes:
                fence.loaded(found.pending_writes)
            return found

        def put(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
            fence.check()
            try:
                saved = super().put(config, checkpoint, metadata, new_versions)
            except failure as error:
                raise _explained(error) from error
            place = saved["configurable"]
            fence.saved(place.get("checkpoint_ns", ""), place["checkpoint_id"], metadata)
            return saved

        def put_writes(self, config: Any, writes: Any, task_id: str, task_path: str = "") -> None:
            fence.check()
            try:
                super().put_writes(config, writes, task_id, task_path)
            except failure as error:
                raise _explained(error) from error

        async def aget_tuple(self, config: Any) -> Any:
            return await asyncio.to_thread(self.get_tuple, config)

        async def aput(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
            return await asyncio.to_thread(self.put, config, checkpoint, metadata, new_versions)

        async def aput_writes(self, config: Any, writes: Any, task_id: str, task_path: str = "") -> None:
            await asyncio.to_thread(self.put_writes, config, writes, task_id, task_path)

    return Fenced


def _async_fenced(base: Any, fence: Fence, failure: type[Exception]) -> Any:
    """An asynchronous saver class of which every write passes the fence; see ``_fenced``."""

    class Fenced(base):  # type: ignore[misc]
        async def aget_tuple(self, config: Any) -> Any:
            try:
                found = await super().aget_tuple(config)
            except failure as error:
                raise _explained(error) from error
            if found is not None and found.pending_writes:
                fence.loaded(found.pending_writes)
            return found

        async def aput(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
            fence.check()
            try:
                saved = await super().aput(config, checkpoint, metadata, new_versions)
            except failure as error:
                raise _explained(error) from error
            place = saved["configurable"]
            fence.saved(place.get("checkpoint_ns", ""), place["checkpoint_id"], metadata)
            return saved

        async def aput_writes(self, config: Any, writes: Any, task_id: str, task_path: str = "") -> None:
            fence.check()
            try:
                await super().aput_writes(config, writes, task_id, task_path)
            except failure as error:
                raise _explained(error) from error

    return Fenced


def _explained(error: Exception) -> Exception:
    if type(error).__name__ in ("UndefinedColumn", "UndefinedTable"):
        advice = "Call PostgresSaver.setup() once, as the application does when it starts."
        return Refused(f"The store's tables are older than the saver: {one_sentence(error)}.", advice)
    return LostStore(error)

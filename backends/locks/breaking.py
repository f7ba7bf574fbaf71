"""Taking a thread away from who holds it: by ending that process or session, since no lock can be taken otherwise.

The kernel and the server give a lock to nobody else as long as its holder lives, and that is what makes one writer a
thread a promise. So there is nothing to break but the holder. What it has not written is done again by a resume, as
after any crash.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..address import Address
from ..control.gate import Gate
from ..errors import NotFound, Refused, StoreError
from ..runs.run import Run
from ..text import one_line
from .board import LockBoard
from .holder import Holder, this_host
from .key import thread_number
from .postgres_board import SCHEMA

_PATIENCE = 10.0
"""Seconds that an ended holder may take to let go."""

_SESSION = """
    SELECT l.pid FROM pg_locks l
    WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND ((l.classid::bigint << 32) | l.objid::bigint) = %s
"""


@dataclass(frozen=True, slots=True)
class Breaking:
    """How a thread would be taken from its holder.

    Attributes:
        holder: Who holds it now.
        told: What would be done, in one sentence.
        carry_out: Does it, and returns when the thread is free; raises ``Refused`` or ``StoreError``.
    """

    holder: Holder
    told: str
    carry_out: Callable[[], None]


def plan_breaking(address: Address, thread_id: str, runs: Sequence[Run], readonly: bool = False) -> Breaking:
    """Find out who holds a thread and how that can be ended; does nothing yet.

    Args:
        address: The store.
        thread_id: The thread.
        runs: Runs of the store that are recorded on this computer.
        readonly: Whether the person asked for nothing to be written.

    Raises:
        NotFound: Nobody holds it.
        Refused: The holder is neither one of our own runs here nor a session of a server.
        StoreError: It cannot be told who holds it.
    """
    Gate(address, readonly).check()
    holder = _holder(address, thread_id)
    if holder is None:
        raise NotFound(f"Nobody holds thread {thread_id!r}.")
    own = next((run for run in runs if run.live and run.run_id == holder.run_id and run.host == this_host()), None)
    if own is not None:
        told = f"{own.label} is killed (SIGKILL), with everything that it started."
        return Breaking(holder, told, lambda: _kill(address, own))
    if address.dsn is not None:
        told = f"The server ends the session of {holder} (pg_terminate_backend)."
        return Breaking(holder, told, lambda: _terminate(address, holder))
    where = f" on {one_line(holder.host, 80)}" if holder.host and holder.host != this_host() else ""
    raise Refused(
        f"Thread {thread_id!r} is held by {holder}, which lgtop has not started.",
        f"Only the end of that process frees it: stop it{where}"
        + (f", with kill {holder.pid} if need be." if holder.pid else "."),
    )


def _holder(address: Address, thread_id: str) -> Holder | None:
    board = LockBoard(address.target)
    try:
        return board.holders(lambda: [thread_id]).get(thread_id)
    finally:
        board.close()


def _kill(address: Address, run: Run) -> None:
    from ..runs.stop import stop

    stop(run, "kill")
    _wait(lambda: _is_free_of(address, run.thread_id, lambda holder: holder.run_id == run.run_id))


def _terminate(address: Address, holder: Holder) -> None:
    """End the session that holds the lock, unless it is another one by now."""
    import psycopg

    from ..postgres_errors import not_answered, not_connected
    from ..postgres_open import Session

    place = Session(address.dsn or "").place
    failure: Exception | None = None
    try:
        with psycopg.connect(address.dsn or "", autocommit=True, connect_timeout=10) as connection:
            (schema,) = connection.execute(f"SELECT {SCHEMA}".encode()).fetchone() or ("",)
            found = connection.execute(_SESSION.encode(), (thread_number(schema, holder.thread_id),)).fetchone()
            if found is None:
                return
            if _holder(address, holder.thread_id) != holder:
                raise Refused(f"Thread {holder.thread_id!r} is no longer held by {holder}.", "Look again: lgtop locks.")
            connection.execute("SELECT pg_terminate_backend(%s)", (found[0],))
    except psycopg.errors.InsufficientPrivilege:
        failure = Refused(
            f"This role may not end the session of {holder}.",
            "Use the role that holds the thread, or one that is a member of pg_signal_backend.",
        )
    except psycopg.OperationalError as error:
        failure = not_connected(error, place)
    except psycopg.Error as error:
        failure = not_answered(error, place, lost=False)
    if failure is not None:
        raise failure  # outside the handlers: psycopg's own message may quote the address
    _wait(lambda: _is_free_of(address, holder.thread_id, lambda now: now == holder))


def _is_free_of(address: Address, thread_id: str, same: Callable[[Holder], bool]) -> bool:
    now = _holder(address, thread_id)
    return now is None or not same(now)


def _wait(free: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not free():
        if time.monotonic() > deadline:
            raise StoreError(f"The holder was ended and still holds the thread after {_PATIENCE:g} s.")
        time.sleep(0.05)

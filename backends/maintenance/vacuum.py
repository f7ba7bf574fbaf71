"""Giving the free pages of an SQLite file back to the disk: asked for, never silent."""

from __future__ import annotations

from dataclasses import replace

from ..control import journal
from ..control.gate import Gate
from ..errors import AlreadyRunning
from ..locks.board import LockBoard
from .deletion import entry


def vacuum(gate: Gate, *, command: str = "", operator: str | None = None) -> None:
    """Write the file anew without its free pages, and note it in the action log.

    Other writers wait meanwhile, the saver for five seconds before it gives up: so not while anybody runs a thread.

    Args:
        gate: The store.
        command: The ``lgtop`` command, for the action log.
        operator: Who asks; ``None`` is the user of this process.

    Raises:
        AlreadyRunning: Somebody runs a thread of the store.
        Refused: Nothing may be written here, or it is no file.
        StoreError: The store failed, or someone else holds it locked.
    """
    board = LockBoard(gate.target)
    try:
        for thread_id, holder in board.holders().items():
            raise AlreadyRunning(thread_id, str(holder))
    finally:
        board.close()
    noted = replace(entry(gate, journal.VACUUM, "", command, operator), summary="vacuum the file")
    journal.append(noted)
    try:
        gate.vacuum()
    except Exception as error:  # noted, and passed on
        journal.conclude(noted.action_id, outcome="failed", reason=str(error))
        raise
    journal.conclude(noted.action_id, outcome="done")

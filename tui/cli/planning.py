"""All that a plan is made from: the open store, its gate, who holds the thread, and the graph."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from backends.errors import EmptyPlace, Refused, StoreUnreachable

from .opening import address_of, open_reader
from .output import narrate
from .profile import is_readonly

if TYPE_CHECKING:
    from argparse import Namespace

    from backends.address import Address
    from backends.control.gate import Gate
    from backends.control.plan import Intent, Plan
    from backends.locks.holder import Holder
    from backends.reader import Reader

    from .graph_choice import Choice


class Desk:
    """What a control command works with.

    Args:
        options: The command line.
        address: The store.
        reader: The open store; ``None`` where it is yet to be made.
        gate: Through which the store is written.
    """

    def __init__(self, options: Namespace, address: Address, reader: Reader | None, gate: Gate) -> None:
        self.options = options
        self.address = address
        self.gate = gate
        self._reader = reader
        self._holders: dict[str, Holder | None] = {}

    @property
    def reader(self) -> Reader:
        """The open store.

        Raises:
            StoreUnreachable: It is yet to be made.
        """
        if self._reader is None:
            raise StoreUnreachable("The store does not exist yet.")
        return self._reader

    @property
    def is_new(self) -> bool:
        """Whether the store is yet to be made."""
        return self._reader is None

    def holder(self, thread_id: str) -> Holder | None:
        """Who holds a thread; asked once."""
        if thread_id not in self._holders:
            self._holders[thread_id] = None if self.is_new else ask_holder(self.address, thread_id)
        return self._holders[thread_id]

    def __contains__(self, thread_id: object) -> bool:
        """Whether the store has a thread of this id."""
        return self._reader is not None and thread_id in self._reader.store.heads_of([str(thread_id)])

    def choose_graph(self, thread_id: str | None) -> Choice:
        """The graph of a thread, or of a new one; see ``graph_choice.choose``.

        Raises:
            Refused: It is not clear which.
        """
        from .graph_choice import choose

        return choose(self, thread_id)

    def plan(self, intent: Intent, choice: Choice | None = None) -> Plan:
        """Work out what an intent would do.

        Args:
            intent: What is wanted.
            choice: The graph; ``None`` for what needs none.
        """
        from backends.control.planning import make_plan

        ref, drawing, problem = choice or (None, None, "")
        return make_plan(self._reader, intent, ref, drawing, self.gate, self.holder(intent.thread_id), problem)

    def close(self) -> None:
        """Close the connection: a run may take hours, and nothing is read meanwhile."""
        if self._reader is not None:
            self._reader.close()


def ask_holder(address: Address, thread_id: str) -> Holder | None:
    """Who holds a thread's lock now."""
    from backends.locks.board import LockBoard

    board = LockBoard(address.target)
    try:
        return board.holders(lambda: [thread_id]).get(thread_id)
    finally:
        board.close()


@contextmanager
def planning(options: Namespace, create: bool = False) -> Iterator[Desk]:
    """Open the store for a control command, say what must be known about it, and close it at the end.

    Args:
        options: The command line.
        create: Whether a store that is not there yet will do.

    Raises:
        StoreError: It cannot be opened.
    """
    from backends.control.gate import Gate

    address = address_of(options)
    reader = _open_or_none(address) if create else open_reader(address)
    if reader is None:
        there = address.path is None or os.path.lexists(address.path)
        made = "has no checkpoint tables: they will be made" if there else "will be made: it is a new store"
        narrate(f"lgtop: {address.label} {made}.")
    else:
        for warning in reader.store.info.warnings:
            narrate(f"lgtop: {warning}")
    desk = Desk(options, address, reader, Gate(address, is_readonly(options)))
    try:
        yield desk
    finally:
        desk.close()


def _open_or_none(address: Address) -> Reader | None:
    """The open store, or ``None`` where there is room for one."""
    if address.path is not None and not os.path.lexists(address.path):
        folder = os.path.dirname(address.path)
        if not os.path.isdir(folder):
            raise Refused(f"There is no directory {folder}.", "Make it first, or name another path.")
        return None
    try:
        return open_reader(address)
    except EmptyPlace:
        return None

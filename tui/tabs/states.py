"""States that were decoded last: looking at a checkpoint, and then at what changed in it, decodes it once."""

from __future__ import annotations

import gc
import sys
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from backends.channels import START
from backends.delta import resolve
from backends.model import CheckpointKey
from backends.present import approx_size
from backends.reader import Reader
from backends.values import Value

_MANY: Final = 100_000
"""Objects that the collector would take long for."""

_BUDGET: Final = 32_000_000
"""Bytes as stored; decoded values take a few times as much memory."""


@dataclass(frozen=True, slots=True)
class State:
    """The state at a checkpoint.

    Attributes:
        values: Channel values, those of DeltaChannels as ``DeltaValue``.
        sizes: Bytes by channel, roughly.
        given: The input by its channel, ``__start__``, while no superstep has taken it yet; otherwise empty.
        problem: Why there are none: encrypted, corrupt; ``None`` where the checkpoint could be decoded.
    """

    values: Mapping[str, Value]
    sizes: Mapping[str, int]
    problem: str | None = None
    given: Mapping[str, Value] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes of all channels."""
        return sum(self.sizes.values()) + approx_size(self.given)


class States:
    """Belongs to the store's thread. A checkpoint never changes its state, so that nothing here gets old."""

    def __init__(self, budget: int = _BUDGET) -> None:
        self._budget = budget
        self._kept: OrderedDict[CheckpointKey, State] = OrderedDict()

    def of(self, reader: Reader, key: CheckpointKey) -> State:
        """Return the state at a checkpoint.

        Raises:
            NotFound: It is not in the store.
            StoreError: The store cannot be read.
        """
        state = self._kept.get(key) or self._read(reader, key)
        self._kept[key] = state
        self._kept.move_to_end(key)
        while len(self._kept) > 2 and sum(kept.size for kept in self._kept.values()) > self._budget:
            self._kept.popitem(last=False)
        return state

    @staticmethod
    def _read(reader: Reader, key: CheckpointKey) -> State:
        with _uncollected():
            snapshot = reader.snapshot(key)
            if snapshot.problem is not None:
                return State({}, {}, snapshot.problem)
            values = resolve(reader.store, reader.decoder, snapshot)
            given = {START: snapshot.values[START]} if START in snapshot.values else {}
        return State(values, {name: approx_size(value) for name, value in values.items()}, given=given)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the cycle collector away from what is made here.

    Decoded values have no cycles, and there may be a million of them: to look through them would stop the screen for a
    tenth of a second, again and again, and decoding itself for half of its time.
    """
    collecting = gc.isenabled()
    gc.disable()
    before = sys.getallocatedblocks()
    try:
        yield
    finally:
        if sys.getallocatedblocks() - before > _MANY:
            gc.freeze()
        if collecting:
            gc.enable()

"""How long others get between two transactions of a deletion."""

from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from backends.maintenance import deletion
from backends.maintenance.deletion import Deletion, delete
from backends.maintenance.size import Extent
from backends.model import CheckpointKey


class Slow:
    """A store of which every transaction takes so many seconds, on a clock of its own."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.now, self.pauses = seconds, 0.0, []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    @contextmanager
    def writing(self):
        yield SimpleNamespace(remove_checkpoints=lambda batch: None)
        self.now += self.seconds


@pytest.mark.parametrize(
    ("seconds", "pauses"),
    [(0.001, [0.02, 0.02]), (0.3, [0.3, 0.3, 0.3])],
    ids=["quick: only between two", "slow: as long as it took, also before another thread's turn"],
)
def test_a_pause_is_no_shorter_than_the_transaction_before_it(monkeypatch, seconds, pauses):
    keys = tuple(CheckpointKey("t", "", f"{number:03}") for number in range(500, 0, -1))
    extents = {key: (Extent(1, 100), Extent()) for key in keys}
    store = Slow(seconds)
    monkeypatch.setattr(deletion, "time", store)
    delete(store, Deletion("t", keys), extents)
    assert store.pauses == pytest.approx(pauses)

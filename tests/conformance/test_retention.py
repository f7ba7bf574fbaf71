"""Pruning and deleting against LangGraph: what is left means what it did, goes on and forks as it would have."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from backends.maintenance import deletion
from backends.maintenance.policy import Policy
from backends.maintenance.prune import plan_prune, prune_thread
from backends.maintenance.remove import remove_thread
from tests.conformance.places import Place
from tests.conformance.retention import busy_writer, opened, played, pruned, told

SEEDS = (7, 15, 24, 29, 69, 100, 131, 133)
"""Long histories with forks, questions, subgraphs and DeltaChannels; more: ``python -m tests.torture retention``."""


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture(autouse=True)
def _quiet(capfd: pytest.CaptureFixture[str]) -> None:
    """What the graphs' nodes and children print."""


@pytest.mark.parametrize("place", ["sqlite", "postgres"], indirect=True)
def test_a_pruned_thread_is_what_it_was_and_goes_on_the_same(place: Place) -> None:
    found = [pruned(place, seed) for seed in SEEDS]
    assert sum(one.before - one.after for one in found) > 40
    assert {"delta channel", "interrupt", "subgraph"} <= {each for one in found for each in one.story.plan.features}


@pytest.mark.parametrize("place", ["sqlite", "postgres"], indirect=True)
def test_removing_a_thread_leaves_every_other_as_it_was(place: Place) -> None:
    stories = [played(seed, place.address, place.saver, f"t{seed}") for seed in range(1, 5)]
    with opened(place.address) as (gate, reader, sizes):
        others = {story.thread: [row.key for row in reader.store.history(story.thread)] for story in stories[1:]}
        was = {story.thread: told(story, others[story.thread]) for story in stories[1:]}
        remove_thread(gate, reader, sizes, "t1")
        assert not reader.store.history("t1")
        assert not reader.store.writes("t1")
        assert not sizes.checkpoints("t1")
        assert not list(sizes.threads(["t1"], ""))
        assert {story.thread: told(story, others[story.thread]) for story in stories[1:]} == was


@pytest.mark.parametrize("place", ["sqlite", "sqlite-journal", "postgres"], indirect=True)
def test_a_writer_beside_it_is_never_kept_out(place: Place) -> None:
    """An application with half a second of patience saves checkpoints while 20 threads are pruned and deleted."""
    for number in range(60):
        for thread in range(20):
            place.put(f"t{thread}", number, values={"text": "x" * 4_000})
    with busy_writer(place) as writer, opened(place.address) as (gate, reader, sizes):
        writer.wait_for(5)
        for thread in range(10):
            assert prune_thread(gate, reader, sizes, f"t{thread}", Policy(keep=2)).checkpoints == 58
        for thread in range(10, 20):
            remove_thread(gate, reader, sizes, f"t{thread}")
        writer.wait_for(writer.saved + 5)
    assert writer.problem is None
    with place.open() as store:
        assert len(store.history("busy")) == writer.saved
        assert store.counts() == {"busy": writer.saved} | {f"t{thread}": 2 for thread in range(10)}


@pytest.mark.parametrize("place", ["sqlite", "postgres"], indirect=True)
def test_what_is_killed_half_way_leaves_every_checkpoint_readable(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each of the transactions, whatever is still there says what it said."""
    seed = 109
    story = played(seed, place.address, place.saver, "pruned")
    monkeypatch.setattr(deletion, "_ROWS_AT_ONCE", 1)
    with opened(place.address) as (gate, reader, sizes):
        was = told(story, [row.key for row in reader.store.history("pruned")])
        for stop_after in range(len(was)):
            monkeypatch.setattr("backends.maintenance.deletion.time.sleep", stopping(stop_after))
            with suppress(KeyboardInterrupt):
                prune_thread(gate, reader, sizes, "pruned", Policy())
            left = [row.key for row in reader.store.history("pruned")]
            assert told(story, left) == {key: was[key] for key in left}
        assert not plan_prune(reader, sizes, "pruned", Policy())


def stopping(after: int) -> Callable[[float], None]:
    """A pause that does not come back once it was taken so often."""
    pauses = iter(range(after))

    def pause(_: float) -> None:
        if next(pauses, None) is None:
            raise KeyboardInterrupt

    return pause

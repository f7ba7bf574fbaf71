"""Pruning and deleting against LangGraph: what is left means what it did, goes on and forks as it would have."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from backends.control.copy import copy_thread
from backends.maintenance import deletion
from backends.maintenance.policy import Policy
from backends.maintenance.prune import plan_prune, prune_thread
from backends.maintenance.remove import remove_thread
from tests.conformance.places import Place
from tests.conformance.retention import busy_writer, gone_on, opened, played, told
from tests.rows import state_of

SEEDS = 16


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture(autouse=True)
def _quiet(capfd: pytest.CaptureFixture[str]) -> None:
    """What the graphs' nodes and children print."""


@pytest.mark.parametrize("place", ["sqlite", "postgres"], indirect=True)
@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_pruned_thread_is_what_it_was_and_goes_on_the_same(place: Place, seed: int) -> None:
    compare(place, seed)


def compare(place: Place, seed: int) -> tuple[int, int]:
    """Prune one generated thread and hold it against a copy of what it was; the checkpoints before and after."""
    rng = random.Random(f"retention {seed}")
    story = played(seed, place.address, place.saver, "pruned")
    with opened(place.address) as (gate, reader, sizes):
        before = [row.key for row in reader.store.history("pruned")]
        if not before:
            return 0, 0
        copy_thread(gate, "pruned", "whole")
        policy = Policy(keep=rng.choice([1, 1, 1, 2, 3]))
        was = told(story, before)
        state = state_of(story.graph, "pruned")
        status = reader.analyse_heads([reader.head("pruned")])
        planned = plan_prune(reader, sizes, "pruned", policy)
        gone = prune_thread(gate, reader, sizes, "pruned", policy)
        assert gone == planned
        after = [row.key for row in reader.store.history("pruned")]
        assert set(after) == set(before) - set(gone.keys)
        assert len(after) == gone.kept
        assert told(story, after) == {key: was[key] for key in after}
        assert state_of(story.graph, "pruned") == state
        assert reader.analyse_heads([reader.head("pruned")]) == status
        assert not plan_prune(reader, sizes, "pruned", policy), "a second time there is nothing to do"
        assert no_orphans(place, "pruned")
        roots = [key.checkpoint_id for key in after if not key.ns]
    fork = rng.choice([None, None, *roots]) if roots and not story.plan.functional else None
    assert gone_on(seed, place.saver, "pruned", fork) == gone_on(seed, place.saver, "whole", fork)
    return len(before), len(after)


def no_orphans(place: Place, thread: str) -> bool:
    """Whether every blob is named by a checkpoint."""
    if place.kind != "postgres":
        return True
    connection: Any = place.saver.conn  # type: ignore[attr-defined]
    found = connection.execute(
        "select count(*) as n from checkpoint_blobs b where thread_id = %s and not exists (select 1 from checkpoints c"
        " where (c.thread_id, c.checkpoint_ns) = (b.thread_id, b.checkpoint_ns)"
        " and c.checkpoint->'channel_versions'->>b.channel = b.version)",
        (thread,),
    ).fetchone()
    return bool(found["n"] == 0)


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

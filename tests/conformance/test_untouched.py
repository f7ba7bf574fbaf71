"""Looking at a store changes nothing in it, and whatever is in it can be looked at."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from backends.errors import Cancelled, StoreError
from backends.store import Scope, Store, open_store
from tests.hostile import hostile_postgres, hostile_rows, hostile_sqlite

from .following import everything
from .places import Place
from .population import populate


def look_at_everything(store: Store) -> None:
    """Call every method."""
    heads = everything(store)
    cursor = store.cursor()
    store.newest_heads(100)
    store.counts()
    store.counts(list(heads))
    store.created_ids(list(heads))
    for thread_id in heads:
        store.namespaces(thread_id)
        keys = [row.key for row in store.history(thread_id)]
        store.raw(keys)
        store.raw(keys, Scope.CONTROL)
        store.writes(thread_id, values=True)
    list(store.sample(1000))
    for _ in range(10):
        cursor = store.poll(cursor).cursor


def test_looking_changes_nothing(place: Place) -> None:
    populate(place.saver)
    before = place.fingerprint()
    with place.open() as store:
        look_at_everything(store)
        assert place.fingerprint() == before
    assert place.fingerprint() == before


@pytest.fixture(params=["sqlite", "sqlite without task_path", "postgres"])
def hostile(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Store, Path]]:
    """A hostile store of each kind, and the file that appears when an attack succeeds."""
    if request.param == "postgres":
        canary, address = tmp_path / "canary", request.getfixturevalue("postgres_url")
        hostile_postgres(address, canary)
    else:
        address = str(tmp_path / "hostile.db")
        canary = hostile_sqlite(Path(address), task_path=request.param == "sqlite")
    with closing(open_store(address)) as store:
        yield store, canary


def test_a_hostile_store_can_be_looked_at(hostile: tuple[Store, Path]) -> None:
    store, canary = hostile
    look_at_everything(store)
    heads = everything(store)
    rows, _ = hostile_rows(canary, postgres=store.info.kind == "postgres")
    named = {row.thread_id for row in rows if "\ud800" not in row.thread_id}
    assert named <= set(heads)
    assert store.heads_of(list(heads)) == heads
    for head in heads.values():
        assert [raw.key for raw in store.raw([head.key])] == [head.key]
        assert head.key in {row.key for row in store.history(head.thread_id, head.ns)}
    assert not canary.exists()


@pytest.mark.parametrize("name", ["", "no such thread", "x\x00y", "lone \ud800", "' or 1=1 --", "%", "x" * 100_000])
def test_names_that_no_row_has(place: Place, store: Store, name: str) -> None:
    place.put("a", 1)
    assert store.heads_of([name]) == store.counts([name]) == store.created_ids([name]) == {}
    assert store.namespaces(name) == store.history(name) == store.writes(name) == []
    assert store.history("a", ns=name or "none") == store.writes("a", checkpoint_ids=[name], channels=[name]) == []


def test_a_closed_store_says_so(place: Place) -> None:
    with place.open() as store:
        pass
    store.close()
    store.interrupt()
    with pytest.raises(StoreError):
        store.counts()


def test_interrupt_from_another_thread(place: Place) -> None:
    """Cancelled, or done before the interrupt came; never anything else, and the store works afterwards."""
    for number in range(300):
        place.put(f"thread {number}", number)
    with place.open() as store:
        stop = threading.Event()

        def nag() -> None:
            while not stop.is_set():
                store.interrupt()

        nagging = threading.Thread(target=nag)
        nagging.start()
        cancelled = 0
        try:
            for _ in range(200):
                try:
                    assert len(store.counts()) == 300
                except Cancelled:
                    cancelled += 1
        finally:
            stop.set()
            nagging.join()
        assert cancelled
        assert len(store.counts()) == 300

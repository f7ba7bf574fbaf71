"""Locks of threads as an application keeps them."""

from __future__ import annotations

import os
from pathlib import Path

import psycopg
import pytest

from backends.durability.lock_managers import PostgresLockManager, SqliteLockManager, lock_manager_of
from backends.errors import AlreadyRunning, NotAStore, StoreBusy
from tests.holding import Holding
from tests.postgres import with_parameters


def test_a_lock_is_seen_and_keeps_others_out(store: str):
    manager = lock_manager_of(store)
    assert not manager.is_locked("w")
    with manager.lock("w") as lock:
        assert lock.held()
        assert manager.is_locked("w")
        assert not manager.is_locked("other")
        with pytest.raises(AlreadyRunning, match=f"pid {os.getpid()}"), lock_manager_of(store).lock("w"):
            pytest.fail("it was taken twice")
    assert not manager.is_locked("w")
    with Holding(store, "w"):
        assert manager.is_locked("w")


def test_all_locks_of_a_manager_can_be_released(store: str):
    manager, other = lock_manager_of(store), lock_manager_of(store)
    with manager.lock("a") as a, manager.lock("b"), other.lock("c") as c, Holding(store, "d"):
        assert manager.cleanup_all_locks() == 2
        assert not a.held()
        assert c.held()
        assert [key for key in "abcd" if manager.is_locked(key)] == ["c", "d"]
        assert manager.cleanup_all_locks() == 0
        with other.lock("a"):
            pass
    with manager.lock("a"):
        pass


def test_a_manager_takes_no_more_connections_than_it_may(postgres_url: str):
    manager = PostgresLockManager(postgres_url, min_conn=1, max_conn=2, connection_timeout=0.2)
    with manager.lock("a"), manager.lock("b"):
        with pytest.raises(StoreBusy, match="2 locks are held by this process"), manager.lock("c"):
            pytest.fail("there was room")
        manager.cleanup_all_locks()
        with manager.lock("c"), manager.lock("d"):
            assert manager.is_locked("c")
    with manager.lock("a"), pytest.raises(AlreadyRunning), manager.lock("a"):
        pytest.fail("it was taken twice")
    with manager.lock("a"), manager.lock("b"):  # what failed has given its room back
        pass


def test_a_manager_is_for_its_kind_of_store(tmp_path: Path, postgres_url: str):
    with pytest.raises(NotAStore, match="Use SqliteLockManager"):
        PostgresLockManager(str(tmp_path / "x.db"))
    with pytest.raises(NotAStore, match="Use PostgresLockManager"):
        SqliteLockManager(postgres_url)
    with pytest.raises(ValueError, match="max_conn"):
        PostgresLockManager(postgres_url, min_conn=3, max_conn=2)


@pytest.mark.parametrize("spelling", ["url", "parameters", "words", "given"])
def test_however_an_address_is_written_it_is_the_same_lock(postgres_url: str, spelling: str):
    told = psycopg.conninfo.conninfo_to_dict(postgres_url)
    address = {
        "url": postgres_url,
        "parameters": with_parameters(postgres_url, application_name="x"),
        "words": " ".join(f"{name}={told[name]}" for name in ("host", "port", "user", "dbname")),
        "given": with_parameters(postgres_url, connect_timeout="3"),
    }[spelling]
    with PostgresLockManager(address).lock("w"):
        assert lock_manager_of(postgres_url).is_locked("w")

"""Savers that an application asks for: one manager a store, tables made once, a pool that survives."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from backends.durability.checkpointer import CheckpointerManager
from backends.durability.failed import find_failed_workflows
from backends.durability.lock_managers import lock_manager_of
from backends.durability.resume import resume_workflow
from backends.durability.standing import get_checkpoint_status
from backends.errors import NotAStore, Refused, StoreUnreachable
from tests.locking import within
from tests.pooler import Pooler
from tests.postgres import free_port, migrate_shallow
from tests.sqlite_files import fork

from .workflow import PASSWORD_IN_URL, Workflow, assert_covered, config


def test_a_store_has_one_manager_until_it_is_closed(store: str):
    with ThreadPoolExecutor(8) as pool:
        managers = set(pool.map(lambda _: CheckpointerManager.get_or_create(store), range(16)))
    (manager,) = managers
    assert manager.get_checkpointer().get_tuple(config("w")) is None
    manager.close()
    manager.close()
    with pytest.raises(StoreUnreachable, match="was closed"):
        manager.get_checkpointer()
    with CheckpointerManager.get_or_create(store) as another:
        assert another is not manager


def test_other_settings_are_not_ignored(store: str):
    with CheckpointerManager.get_or_create(store, max_conn=3) as manager:
        assert CheckpointerManager.get_or_create(store, max_conn=3) is manager
        with pytest.raises(ValueError, match="other settings"):
            CheckpointerManager.get_or_create(store)


def test_a_forked_child_has_a_manager_of_its_own(workflow: Workflow):
    workflow.run({"n": 0})
    ours = CheckpointerManager.get_or_create(workflow.store)

    def child() -> None:
        assert CheckpointerManager.get_or_create(workflow.store) is not ours
        workflow.run({"n": 0}, "child")

    assert os.waitpid(fork(child), 0)[1] == 0
    assert workflow.run({"n": 0}, "parent") == {"n": 3}
    assert get_checkpoint_status("child", workflow.store) is not None


def test_two_spellings_of_a_file_are_one_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with CheckpointerManager.get_or_create("x.db") as manager:
        assert CheckpointerManager.get_or_create(f"sqlite:///{tmp_path}/x.db") is manager


def test_what_cannot_be_a_store_is_said(tmp_path: Path, postgres_database: Callable[..., str]):
    (tmp_path / "text.db").write_text("this is no database, and long enough to be looked at twice" * 20)
    with pytest.raises(NotAStore, match="not an SQLite database"):
        CheckpointerManager.get_or_create(str(tmp_path / "text.db"))
    with pytest.raises(StoreUnreachable, match="no directory"):
        CheckpointerManager.get_or_create(str(tmp_path / "nowhere" / "x.db"))
    with pytest.raises(StoreUnreachable, match="No PostgreSQL server answers") as caught:
        CheckpointerManager.get_or_create(f"postgresql://ann:{PASSWORD_IN_URL}@127.0.0.1:{free_port()}/x")
    assert_covered(str(caught.value))
    shallow = postgres_database(None)
    migrate_shallow(shallow)
    with pytest.raises(NotAStore, match="Shallow"):
        CheckpointerManager.get_or_create(shallow)


def test_a_role_that_may_not_make_tables_uses_those_that_are_there(
    postgres_database: Callable[..., str], postgres_role: Callable[..., str]
):
    tables = "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}"
    with closing(CheckpointerManager.get_or_create(postgres_role(postgres_database(), tables))) as manager:
        graph = Workflow("").builder().compile(checkpointer=manager.get_checkpointer())
        assert graph.invoke({"n": 0}, config("w")) == {"n": 3}
    empty = postgres_database(None)
    with psycopg.connect(empty, autocommit=True) as admin:
        admin.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    with pytest.raises(Refused, match="may not make the tables: permission denied") as caught:
        CheckpointerManager.get_or_create(postgres_role(empty))
    assert_covered(str(caught.value))


def test_an_older_store_is_migrated_once(postgres_database: Callable[..., str]):
    url = postgres_database(7)
    with closing(CheckpointerManager.get_or_create(url)), psycopg.connect(url) as admin:
        assert admin.execute("SELECT count(*), count(DISTINCT v), max(v) FROM checkpoint_migrations").fetchone() == (
            10,
            10,
            9,
        )


def test_a_pool_survives_its_connections(postgres_url: str):
    workflow = Workflow(postgres_url)
    with closing(CheckpointerManager.get_or_create(postgres_url)):
        workflow.run({"n": 0}, "before")
        with psycopg.connect(postgres_url, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        assert workflow.run({"n": 0}, "after") == {"n": 3}


def test_graphs_run_beside_each_other_within_the_pool(postgres_url: str):
    together = threading.Barrier(4)
    workflow = Workflow(postgres_url)
    workflow.second = lambda: together.wait(20)
    with closing(CheckpointerManager.get_or_create(postgres_url, max_conn=2)):
        saver = CheckpointerManager.get_or_create(postgres_url, max_conn=2)
        assert saver.get_checkpointer() is not saver.get_checkpointer()

        def run(number: int) -> Any:
            graph = workflow.builder().compile(checkpointer=saver.get_checkpointer())
            return graph.invoke({"n": 0}, config(f"w{number}"))

        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(run, range(4))) == [{"n": 3}] * 4
        with psycopg.connect(postgres_url, autocommit=True) as admin:
            query = (
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            assert within(5, lambda: (admin.execute(query).fetchone() or (9,))[0] <= 2)


def test_a_transaction_pooler_is_no_hindrance(postgres_database: Callable[..., str]):
    """But for the steps themselves: the stand-in does not know the pipelines in which LangGraph writes."""
    direct = postgres_database(None)
    workflow = Workflow(direct)
    with Pooler(direct) as pooler, closing(CheckpointerManager.get_or_create(pooler.url)) as manager:
        assert manager.get_checkpointer().get_tuple(config("w")) is None
        with closing(CheckpointerManager.get_or_create(direct)):
            workflow.fail()
            assert [one.thread_id for one in find_failed_workflows(pooler.url, min_age_minutes=0)] == ["w"]
            with lock_manager_of(pooler.url).lock("w"):
                assert resume_workflow("w", direct, workflow.resume)["status"] == "already_running"
            assert resume_workflow("w", pooler.url, workflow.resume)["completed"] is True

"""Places for durable workflows, on both kinds of store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from backends.durability.checkpointer import CheckpointerManager

from .workflow import Workflow


@pytest.fixture(autouse=True)
def _own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the developer's runs out of the tests."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place where a store can be made."""
    if request.param == "sqlite":
        return str(tmp_path / "x.db")
    return str(request.getfixturevalue("postgres_database")(None))


@pytest.fixture
def workflow(store: str) -> Iterator[Workflow]:
    yield Workflow(store)
    CheckpointerManager.get_or_create(store).close()

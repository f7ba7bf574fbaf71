"""One suite for every kind of store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from backends.store import Store

from .places import KINDS, Place, postgres_place, sqlite_place


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """An empty store of each kind, with a saver that writes to it."""
    if request.param == "postgres":
        context = postgres_place(request.getfixturevalue("postgres_url"))
    else:
        context = sqlite_place(tmp_path / "store" / "x.db", "delete" if request.param == "sqlite-journal" else "wal")
        (tmp_path / "store").mkdir()
    with context as opened:
        yield opened


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    """Our read-only connection to it, opened while it is empty."""
    with place.open() as opened:
        yield opened

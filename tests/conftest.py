"""Fixtures that every kind of test may use."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from hypothesis import HealthCheck, settings

from . import postgres

settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

_RUN = pytest.StashKey[postgres.Run]()


def pytest_configure(config: pytest.Config) -> None:
    """Make the directory of the run, in the process that outlives the workers.

    The commands and runs that the tests start may keep what they compile, as those of an installation do. Ctrl+C means
    something to them even where the tests run in the background of a script, which ignores it and has its children
    ignore it.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if not hasattr(config, "workerinput") and postgres.HOME not in os.environ:
        config.stash[_RUN] = postgres.Run()
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Two to a processor: much of the time is spent on waiting for other processes, and for keys."""
    ours = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1  # macOS has none
    return 2 * ours


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server."""
    if _RUN in config.stash:
        config.stash[_RUN].close()


@pytest.fixture(scope="session")
def postgres_server() -> postgres.Server:
    """A running server with a superuser's URL."""
    return postgres.server()


@pytest.fixture
def postgres_database(postgres_server: postgres.Server) -> Iterator[Callable[..., str]]:
    """Make databases: call it with a migration number (newest by default, ``None`` for no tables) for a URL."""
    with ExitStack() as stack:
        yield lambda version=postgres.LATEST: stack.enter_context(postgres.database(postgres_server, version))


@pytest.fixture
def postgres_url(postgres_database: Callable[..., str]) -> str:
    """URL of a database of this test's own, with the saver's newest tables and no rows."""
    return postgres_database()


@pytest.fixture
def postgres_role(postgres_server: postgres.Server, postgres_database: object) -> Iterator[Callable[..., str]]:
    """Make roles: call it with a database's URL and GRANT statements (``{role}``) for the role's URL."""
    with ExitStack() as stack:
        yield lambda url, *grants: stack.enter_context(postgres.role(postgres_server, url, *grants))

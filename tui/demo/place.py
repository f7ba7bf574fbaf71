"""Where a demo happens, and what is left of it: as a rule nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from backends.address import parse_address
from backends.errors import Refused

if TYPE_CHECKING:
    from backends.address import Address

GRAPHS: Final = Path(__file__).resolve().parents[2] / "demo_graphs"
"""Folder of the graphs and of their ``langgraph.json``, wherever lgtop is installed."""

OPERATOR: Final = "lgtop demo"
"""Who starts the runs of the demo itself."""

LEDGER: Final = "LGTOP_LEDGER"
"""Environment variable that tells the graphs where to write down what they did (``demo_graphs/ledger.py``)."""

_KEEPER: Final = Path(__file__).with_name("keeper.py")
_POSTGRES: Final = GRAPHS / "postgres.py"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a demo happens.

    Attributes:
        address: The store; an SQLite file is not there yet, a PostgreSQL schema is there and empty.
        ledger: File in which the graphs write down what they did.
        temporary: Whether everything is removed at the end, records of runs included.
    """

    address: Address
    ledger: Path
    temporary: bool


@contextmanager
def take_place(path: str | None = None, dsn: str | None = None) -> Iterator[Place]:
    """Make room for a demo, and tidy up behind it, also when this process is killed.

    Args:
        path: A new SQLite file, which is kept; ``None`` for one that is removed.
        dsn: A PostgreSQL server that gets a schema for the time of the demo; empty for a server of the demo's own.

    Raises:
        Refused: The file exists already, or the server cannot be used.
    """
    kept = None if path is None else _new_file(path)
    with _server(dsn) as served:
        directory = tempfile.mkdtemp(prefix="lgtop-demo-")
        store = kept or served or os.path.join(directory, "checkpoints.sqlite")
        place = Place(parse_address(store, {}), Path(directory, "ledger.jsonl"), temporary=path is None)
        new = {LEDGER: str(place.ledger)}
        if place.temporary:
            new["XDG_STATE_HOME"] = os.path.join(directory, "state")
        with _environment(new), _kept(place, directory):
            yield place


def _new_file(path: str) -> str:
    """Where a file can be made.

    Raises:
        Refused: It is there already, or no file.
    """
    address = parse_address(path, {})
    if address.path is None:
        raise Refused(f"{address.raw} is no file.", "For a server write --postgres DSN.")
    if os.path.lexists(address.path):
        raise Refused(f"{path} exists already.", "Name a file that does not.")
    return address.path


@contextmanager
def _environment(new: Mapping[str, str]) -> Iterator[None]:
    """Set variables, for our children too."""
    before = {name: os.environ.get(name) for name in new}
    os.environ.update(new)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _kept(place: Place, directory: str) -> Iterator[None]:
    """Have a process that outlives this one end the runs of the demo and remove its directory."""
    keeper = subprocess.Popen(
        [sys.executable, "-P", str(_KEEPER)],
        stdin=subprocess.PIPE,
        start_new_session=True,  # neither ctrl+c nor a closed terminal is meant for it
        text=True,
    )
    try:
        assert keeper.stdin is not None
        order = {"target": place.address.target, "temporary": place.temporary, "directory": directory}
        keeper.stdin.write(json.dumps({**order, "operator": OPERATOR}) + "\n")
        keeper.stdin.flush()
        yield
    finally:
        keeper.communicate()


@contextmanager
def _server(dsn: str | None) -> Iterator[str | None]:
    """A schema of the demo's own on a server; ``None`` where no server is wanted.

    Raises:
        Refused: There is no server, or it refuses.
    """
    if dsn is None:
        yield None
        return
    child = subprocess.Popen(
        [sys.executable, "-P", str(_POSTGRES)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    try:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(f"{dsn}\n")
        child.stdin.flush()
        made = child.stdout.readline().strip()
        if not made:
            _, said = child.communicate()
            raise Refused((said.strip().splitlines() or ["No PostgreSQL server could be used."])[-1])
        yield made
    finally:
        child.communicate()

"""What is installed where graphs run: the interpreter, LangGraph, and the schema that its savers expect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import Refused
from ..runs import interpreter
from ..runs.interpreter import OLDEST, locate

_PATIENCE = 60.0
"""Seconds that importing the savers may take, on a cold disk."""

PACKAGES = {
    "langgraph": "langgraph",
    "sqlite": "langgraph-checkpoint-sqlite",
    "postgres": "langgraph-checkpoint-postgres",
}
"""What a run needs: LangGraph, and the saver of the store's kind."""

_PROBE = """
import sys
sys.path[:] = [entry for entry in sys.path if entry]
import json, sqlite3
from importlib.metadata import PackageNotFoundError, version
told = {"version": list(sys.version_info[:3]), "packages": {}, "migration": None, "columns": None, "problems": {}}
for name in ("langgraph", "langgraph-checkpoint", "langgraph-checkpoint-sqlite", "langgraph-checkpoint-postgres"):
    try:
        told["packages"][name] = version(name)
    except PackageNotFoundError:
        told["packages"][name] = None

def attempt(kind, ask):
    try:
        return ask()
    except Exception as error:  # a broken package may raise anything when it is imported
        told["problems"][kind] = f"{type(error).__name__}: {error}"

def pregel():
    import langgraph.pregel

def columns():
    from langgraph.checkpoint.sqlite import SqliteSaver
    connection = sqlite3.connect(":memory:")
    SqliteSaver(connection).setup()
    return {t: [row[1] for row in connection.execute(f"pragma table_info({t})")] for t in ("checkpoints", "writes")}

def migration():
    from langgraph.checkpoint.postgres.base import MIGRATIONS
    return len(MIGRATIONS) - 1

attempt("langgraph", pregel)
told["columns"] = attempt("sqlite", columns)
told["migration"] = attempt("postgres", migration)
print(json.dumps(told))
"""


@dataclass(frozen=True, slots=True)
class Installed:
    """What an interpreter has.

    Attributes:
        python: Its path.
        version: Of Python.
        packages: Version of LangGraph's packages by name; ``None`` for what is not installed.
        columns: Columns of each table that its SQLite saver makes; ``None`` where it cannot be asked.
        migration: Newest migration that its PostgreSQL saver makes; ``None`` where it cannot be asked.
        problems: Why something cannot be imported, by key of ``PACKAGES``; untrusted.
    """

    python: str
    version: tuple[int, ...]
    packages: Mapping[str, str | None]
    columns: Mapping[str, tuple[str, ...]] | None
    migration: int | None
    problems: Mapping[str, str]

    @property
    def too_old(self) -> bool:
        """Whether no run can have this Python."""
        return self.version < OLDEST


def ask(python: str, cwd: Path) -> Installed:
    """Ask an interpreter; blocks for a second or more, while it imports the savers.

    Args:
        python: As for ``runs.interpreter.locate``.
        cwd: What a relative path is relative to.

    Raises:
        Refused: There is no such interpreter, or it does not answer.
    """
    found = locate(python, cwd)
    told = interpreter.ask(found, _PROBE, _PATIENCE)
    try:
        return _installed(found, told)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Refused(f"{found} does not answer as a Python would.") from error


def _installed(python: str, told: Mapping[str, Any]) -> Installed:
    columns = told["columns"]
    return Installed(
        python,
        tuple(told["version"]),
        told["packages"],
        None if columns is None else {table: tuple(names) for table, names in columns.items()},
        told["migration"],
        told["problems"],
    )

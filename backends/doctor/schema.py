"""The layout of a store against the one that the installed saver writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..text import one_line
from .finding import Finding, State
from .installed import Installed

_NAME = "schema"


def compare_columns(there: Mapping[str, Sequence[str]], found: Installed | None) -> Finding:
    """Compare the tables of an SQLite store.

    A saver adds what is missing when it first uses the store, where it may
    (langgraph/checkpoint/sqlite/__init__.py, ``setup``).

    Args:
        there: Columns of each table of the store.
        found: What is installed; ``None`` where it cannot be told.
    """
    if found is None or found.columns is None:
        return Finding(_NAME, State.NOTE, "The layout was compared with nothing: no saver for SQLite could be asked.")
    wanted = {(table, column) for table, columns in found.columns.items() for column in columns}
    present = {(table, column) for table in found.columns for column in there.get(table, ())}
    if missing := _listed(wanted - present):
        told = f"The store is older than the saver of {found.python}: it has no {missing}."
        return Finding(_NAME, State.WARNING, told, "The saver adds it the next time that it writes.")
    if extra := _listed(present - wanted):
        told = f"The store is newer than the saver of {found.python}, which does not know {extra}."
        return Finding(_NAME, State.FAULT, told, _upgrade(found, "langgraph-checkpoint-sqlite"))
    return Finding(_NAME, State.OK, "The tables are those of the installed saver.")


def compare_migration(there: int | None, found: Installed | None) -> Finding:
    """Compare the migrations of a PostgreSQL store; only ``setup()`` brings them up to date.

    Args:
        there: The newest one recorded; ``None`` where the role cannot tell.
        found: What is installed; ``None`` where it cannot be told.
    """
    if there is None:
        told = "The schema version cannot be told: checkpoint_migrations is missing, empty or not readable."
        return Finding(_NAME, State.WARNING, told, "GRANT SELECT ON checkpoint_migrations, or call setup() once.")
    if found is None or found.migration is None:
        told = f"Migration {there} was compared with nothing: no saver for PostgreSQL could be asked."
        return Finding(_NAME, State.NOTE, told)
    if there < found.migration:
        told = f"The schema is at migration {there}; the saver of {found.python} needs {found.migration}."
        return Finding(_NAME, State.FAULT, told, "Let the application call setup() of its saver once, as the owner.")
    if there > found.migration:
        told = f"The schema is at migration {there}; the saver of {found.python} knows only {found.migration}."
        return Finding(_NAME, State.FAULT, told, _upgrade(found, "langgraph-checkpoint-postgres"))
    return Finding(_NAME, State.OK, f"Migration {there}, as the installed saver has it.")


def _listed(columns: set[tuple[str, str]]) -> str:
    return one_line(", ".join(sorted(f"{table}.{column}" for table, column in columns)), 200)


def _upgrade(found: Installed, package: str) -> str:
    return f"{found.python} -m pip install --upgrade {package}; or name the project's Python with --python."

"""``langgraph.json``: the graphs of a project (langgraph_cli/schemas.py:193-235, 636-760)."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import Refused
from ..runs.spec import GraphRef
from ..text import one_line
from .dotenv import parse_env

NAME = "langgraph.json"
"""Name of the file."""

_LARGEST = 4 << 20
"""Bytes of a configuration that are read; a larger one is none."""


def find(start: Path) -> Path | None:
    """Return the ``langgraph.json`` in a directory or the nearest one above it."""
    start = Path(os.path.abspath(start))
    return next((path for folder in (start, *start.parents) if (path := folder / NAME).is_file()), None)


@dataclass(frozen=True, slots=True)
class Project:
    """A configuration.

    Attributes:
        root: Its directory, absolute.
        graphs: Target of each graph by its id, in the file's order.
        dependencies: Local directories, absolute.
        env: Variables.
    """

    root: str
    graphs: Mapping[str, str]
    dependencies: tuple[str, ...]
    env: Mapping[str, str]

    def ref(self, target: str, name: str = "", python: str = "") -> GraphRef:
        """Return a graph of the project, listed or not."""
        return GraphRef(target, self.root, name or target, self.dependencies, self.env, python)

    def refs(self, python: str = "") -> list[GraphRef]:
        """Return the graphs that are listed."""
        return [self.ref(target, name, python) for name, target in self.graphs.items()]


def read_project(path: Path) -> Project:
    """Read a configuration; its ``checkpointer`` plays no part: graphs run on the store that is open.

    Raises:
        Refused: It cannot be read, or is not one; the reason says where.
    """
    path = Path(os.path.abspath(path))
    config = _load(path)
    graphs = config.get("graphs")
    if not isinstance(graphs, dict) or not graphs:
        raise Refused(f'{path} names no graphs: "graphs" has to be an object with an entry for each.')
    targets = {name: _target(entry, name, path) for name, entry in graphs.items()}
    return Project(str(path.parent), targets, _dependencies(config, path), _env(config, path))


def read_config(path: Path, python: str = "") -> list[GraphRef]:
    """Return the graphs that a configuration lists, in its order.

    Args:
        path: The file.
        python: Interpreter for all of them.

    Raises:
        Refused: As ``read_project``.
    """
    return read_project(path).refs(python)


def _load(path: Path) -> dict[str, Any]:
    try:
        with open(path, encoding="utf-8") as file:
            config = json.loads(file.read(_LARGEST))
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.") from error
    except json.JSONDecodeError as error:
        raise Refused(f"{path} is not JSON: {error.msg} in line {error.lineno}, column {error.colno}.") from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise Refused(f"{path} is not JSON.") from error
    if not isinstance(config, dict):
        raise Refused(f"{path} is not a configuration: it has to be a JSON object.")
    return config


def _target(entry: Any, name: str, path: Path) -> str:
    """The target of an entry: a string, or an object with ``path``."""
    target = entry.get("path") if isinstance(entry, dict) else entry
    if not isinstance(target, str) or not all(target.rpartition(":")):
        wanted = "./file.py:variable or package.module:attribute"
        raise Refused(f"{path}: the target of graph {one_line(name, 80)!r} has to be {wanted}.")
    return target


def _dependencies(config: Mapping[str, Any], path: Path) -> tuple[str, ...]:
    """Local directories, in order; the others are names of packages (langgraph_cli/cli.py:828-834)."""
    found = config.get("dependencies", [])
    if not isinstance(found, list) or not all(isinstance(entry, str) for entry in found):
        raise Refused(f'{path}: "dependencies" has to be a list of texts.')
    folders = (Path(os.path.normpath(path.parent / entry)) for entry in found)
    return tuple(dict.fromkeys(str(folder) for folder in folders if folder.is_dir()))


def _env(config: Mapping[str, Any], path: Path) -> dict[str, str]:
    """Variables from the mapping, or from the file that is named."""
    found = config.get("env") or {}
    if isinstance(found, str):
        file = path.parent / found
        try:
            return parse_env(file.read_text(encoding="utf-8"), os.environ)
        except OSError as error:
            raise Refused(f'{path}: the "env" file {file} cannot be read: {error.strerror}.') from error
        except UnicodeDecodeError as error:
            raise Refused(f'{path}: the "env" file {file} is not text.') from error
    if isinstance(found, dict) and all(isinstance(value, str | int | float) for value in found.values()):
        return {name: str(value) for name, value in found.items()}
    raise Refused(f'{path}: "env" has to be the name of a file, or an object with a text for each variable.')

"""A graph as a person names it: ``path/file.py:variable``, ``package.module:attribute``, or its id in the project."""

from __future__ import annotations

import os
from difflib import get_close_matches
from pathlib import Path

from ..errors import Refused
from ..runs.spec import GraphRef
from ..text import one_line
from .config import Project, find, read_project

_FORMS = "Give path/file.py:variable, package.module:attribute, or the name of a graph in langgraph.json."


def parse_ref(text: str, cwd: Path, python: str = "") -> GraphRef:
    """Find out which graph is meant; nothing is imported.

    In a project, that is where ``langgraph.json`` is in or above the current directory, a graph has the project's
    dependencies and environment, also one that is not listed; one that is listed has its name, however it was given.

    Args:
        text: What was given.
        cwd: What paths are relative to, absolute.
        python: Interpreter to run it with.

    Raises:
        Refused: No such graph or file; the reason says what comes near.
    """
    config = find(cwd)
    project = read_project(config) if config else Project(str(cwd), {}, (), {})
    module, _, attribute = text.rpartition(":")
    if not module or not attribute:
        return _named(text, project, python)
    if not is_file(module):
        return _listed(text, project, python) or project.ref(text, python=python)
    path = Path(os.path.abspath(cwd / os.path.expanduser(module)))
    if not path.is_file():
        raise Refused(f"There is no file {one_line(str(path), 300)}.", _FORMS)
    target = f"{_relative(path, project.root)}:{attribute}"
    return _listed(f"{path}:{attribute}", project, python) or project.ref(target, python=python)


def location(ref: GraphRef) -> Path | None:
    """Return the file of a graph that is given by path, absolute; ``None`` for one that is given by module."""
    module = ref.target.rpartition(":")[0]
    return Path(os.path.abspath(Path(ref.root) / module)) if is_file(module) else None


def is_file(module: str) -> bool:
    """Whether the part of a target before its last colon is a path and not a module."""
    return "/" in module or module.endswith(".py")


def _relative(path: Path, root: str) -> str:
    """A path as targets have it: with a slash, so that it cannot be taken for a module."""
    return f"./{path.relative_to(root)}" if path.is_relative_to(root) else str(path)


def _listed(target: str, project: Project, python: str) -> GraphRef | None:
    """The entry of the configuration that means the same object."""
    return next((ref for ref in project.refs(python) if target in (ref.target, _absolute(ref))), None)


def _absolute(ref: GraphRef) -> str:
    path = location(ref)
    return f"{path}:{ref.target.rpartition(':')[2]}" if path else ref.target


def _named(text: str, project: Project, python: str) -> GraphRef:
    if text in project.graphs:
        return project.ref(project.graphs[text], text, python)
    near = get_close_matches(text, project.graphs, 3)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    raise Refused(f"There is no graph called {one_line(text, 100)!r}.{hint}", _FORMS)

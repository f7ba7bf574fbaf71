"""Whether the interpreter of the graphs can run them on this store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from ..runs.interpreter import OLDEST
from ..text import one_line
from .finding import Finding, State
from .installed import PACKAGES, Installed


def examine_interpreter(found: Installed, kind: Literal["sqlite", "postgres"] | None) -> Iterator[Finding]:
    """Look at Python and at the packages that a run needs.

    Args:
        found: What is installed.
        kind: Of the store, which decides on the saver; ``None`` where no store is named.
    """
    version = ".".join(map(str, found.version))
    if found.too_old:
        oldest = ".".join(map(str, OLDEST))
        told = f"{found.python} is Python {version}; a run needs {oldest} or newer."
        yield Finding("python", State.FAULT, told, "Name another with --python.")
        return
    yield Finding("python", State.OK, f"Python {version}, {found.python}.")
    for part in ("langgraph", *([kind] if kind else [])):
        yield _package(found, part)


def _package(found: Installed, part: str) -> Finding:
    name = PACKAGES[part]
    installed, problem = found.packages.get(name), one_line(found.problems.get(part, ""), 300)
    if installed is None and problem:
        advice = f"Install it: {found.python} -m pip install {name}; or name the project's Python with --python."
        return Finding("packages", State.FAULT, f"{found.python} has no {name}.", advice)
    if problem:
        told = f"{name} {installed} cannot be imported by {found.python}: {problem}"
        return Finding("packages", State.FAULT, told, f"{found.python} -m pip install --force-reinstall {name}")
    return Finding("packages", State.OK, f"{name} {installed or 'without a version'}.")

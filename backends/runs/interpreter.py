"""Which Python runs a graph, and whether it can."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import Refused
from ..text import one_line

OLDEST = (3, 11)
"""The oldest Python that the child runs on: ``-P`` and ``ExceptionGroup`` come with it."""

_PROBE = """
import sys
sys.path[:] = [entry for entry in sys.path if entry]
from importlib.util import find_spec
def has(name):
    try:
        return find_spec(name) is not None
    except ImportError:
        return False
import json
names = ("langgraph.pregel", "langgraph.checkpoint.sqlite", "langgraph.checkpoint.postgres")
print(json.dumps([list(sys.version_info[:3]), [name for name in names if not has(name)]]))
"""

_PACKAGES = {
    "langgraph.pregel": "langgraph",
    "langgraph.checkpoint.sqlite": "langgraph-checkpoint-sqlite",
    "langgraph.checkpoint.postgres": "langgraph-checkpoint-postgres",
}

_SOUND: set[tuple[str, int, bool | None]] = set()
"""Interpreters that have passed, by path, time of the file and saver; what is missing may be installed any minute."""

_PATIENCE = 30.0
"""Seconds that an interpreter may take to say its version."""


def locate(text: str, cwd: Path) -> str:
    """Return the absolute path of an interpreter.

    Args:
        text: A path, the directory of a virtual environment, or a command on ``PATH``; empty means the one that runs
            lgtop.
        cwd: What a relative path is relative to.

    Raises:
        Refused: There is none.
    """
    if not text:
        return sys.executable
    path = Path(os.path.abspath(cwd / os.path.expanduser(text)))  # a symlink stays one: it is what makes it a venv's
    for candidate in (path, path / "bin" / "python"):
        if candidate.is_file() and os.access(candidate, os.X_OK):
            return str(candidate)
    if os.sep not in text and (found := shutil.which(text)):
        return found
    advice = "Name a python executable or a virtual environment, such as .venv/bin/python."
    raise Refused(f"There is no Python interpreter at {one_line(text, 200)}.", advice)


def check(python: str, *, postgres: bool | None) -> None:
    """Make sure that an interpreter can run the child.

    Args:
        python: As ``locate`` returned it.
        postgres: Which saver the store needs; ``None`` for none.

    Raises:
        Refused: It does not start, is too old, or lacks a package; the advice says what to install.
    """
    if python == sys.executable:
        return  # lgtop itself depends on all of it
    try:
        sound = (python, os.stat(python).st_mtime_ns, postgres)
    except OSError as error:
        raise Refused(f"The Python interpreter {python} cannot be used: {error.strerror}.") from error
    if sound in _SOUND:
        return
    version, missing = _probe(python)
    if version < OLDEST:
        found, wanted = (".".join(map(str, numbers)) for numbers in (version, OLDEST))
        raise Refused(f"{python} is Python {found}; a run needs {wanted} or newer.", "Name another with --python.")
    unused = {None: ("sqlite", "postgres"), True: ("sqlite",), False: ("postgres",)}[postgres]
    needed = [_PACKAGES[name] for name in missing if not name.endswith(unused)]
    if needed:
        names = " and ".join(needed)
        install = f"{python} -m pip install {' '.join(needed)}"
        raise Refused(
            f"{python} has no {names}.", f"Install it: {install}; or name the project's Python with --python."
        )
    _SOUND.add(sound)


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a child: ours without what would bend another interpreter, and the graph's variables.

    The graph's own win, as in ``langgraph dev`` (langgraph_api/cli.py:287-295).
    """
    ours = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "__PYVENV_LAUNCHER__")}
    return ours | dict(more)


def ask(python: str, program: str, patience: float = _PATIENCE) -> Any:
    """Have an interpreter run a program, and return what its last line says in JSON.

    Args:
        python: Path of the interpreter.
        program: Its source.
        patience: Seconds that it may take.

    Raises:
        Refused: The interpreter does not start, or says something else.
    """
    try:
        asked = subprocess.run(
            [python, "-c", program],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=patience,
            env=environment({}),
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Refused(f"The Python interpreter {python} does not start: {one_line(str(error), 200)}.") from error
    try:
        return json.loads(asked.stdout.splitlines()[-1])
    except (IndexError, ValueError) as error:
        last = (asked.stderr.strip().splitlines() or [f"exit code {asked.returncode}"])[-1]
        raise Refused(f"{python} does not answer as a Python would: {one_line(last, 200)}.") from error


def _probe(python: str) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Version, and the modules that are missing."""
    told = ask(python, _PROBE)
    try:
        version, missing = told
    except (TypeError, ValueError) as error:
        raise Refused(f"{python} does not answer as a Python would.") from error
    return tuple(version), tuple(missing)

"""The child's program: ``<python> -P backends/worker/__main__.py`` with a ``RunSpec`` as JSON on standard input.

With ``--nursery`` it forks a child for each of several requests instead (``nursery``).

It is started by path, so that it runs in any project's environment; our package is loaded from beside it under a
private name, so that a project may have a ``backends`` package of its own.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import signal
import sys

HOME = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
"""The directory that holds ``lgtop.py`` and our packages; never put on ``sys.path``."""

OLDEST = (3, 11)
"""The oldest Python that can run us."""


def main() -> int:
    """Load our package, read the request, run; return the exit code."""
    if sys.version_info < OLDEST:
        print(f"This is Python {sys.version.split()[0]}; lgtop's runs need 3.11 or newer.", file=sys.stderr)
        return 5
    if "--nursery" not in sys.argv:
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT))  # until the run listens
    package = _load_package()
    if "--nursery" in sys.argv:
        request = importlib.import_module(f"{package}.worker.nursery").serve()
        if request is None:
            return 0  # it was the nursery itself; its forks go on from here
    else:
        request = sys.stdin.buffer.read().decode()
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)  # a graph that reads its input finds the end of it, never a terminal
    os.close(nothing)
    return int(importlib.import_module(f"{package}.worker.session").main(request))


def _load_package() -> str:
    """Load our package under its private name, which is returned."""
    specification = importlib.util.spec_from_file_location("_lgtop", os.path.join(HOME, "lgtop.py"))
    if specification is None or specification.loader is None:
        raise ImportError(f"{HOME} does not hold lgtop.py")
    face = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(face)
    return str(face.load_backends().__name__)


if __name__ == "__main__":
    raise SystemExit(main())

"""lgtop: watch and control LangGraph threads from a terminal; ``python -m lgtop`` or the ``lgtop`` command."""

from __future__ import annotations

import os
import sys


def main() -> int:
    """Run the command line; return its exit code."""
    _forget_current_directory()
    from tui.cli.main import run

    return run(sys.argv[1:])


def _forget_current_directory() -> None:
    """Keep packages of the user's project that are called ``tui`` or ``backends`` from standing in front of ours."""
    here = os.path.dirname(os.path.abspath(__file__))
    cwd = os.getcwd()
    if cwd != here:
        sys.path[:] = [p for p in sys.path if os.path.abspath(p or cwd) != cwd]
    if here not in sys.path:
        sys.path.insert(0, here)


if __name__ == "__main__":
    raise SystemExit(main())

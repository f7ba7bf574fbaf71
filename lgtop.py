"""lgtop: watch and control LangGraph threads from a terminal; ``python -m lgtop`` or the ``lgtop`` command."""

from __future__ import annotations

import gc
import os
import sys


def main() -> int:
    """Run the command line; return its exit code."""
    # A short command is over before there is garbage; looking for it seldom, and not on the way out, saves a tenth.
    gc.set_threshold(50_000, 20, 20)
    _forget_current_directory()
    try:
        from tui.cli.main import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # while modules were loaded; later it is the command's own affair
        code = 130
    gc.freeze()
    return code


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

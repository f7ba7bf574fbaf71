"""``lgtop demo``: a store made by really running small graphs, one of them being killed, and the app on it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from . import output
from .arguments import Parser, add_formats
from .exits import Exit
from .open import open_app, print_list

SUMMARY = "make a store by running small graphs, and open it"
DESCRIPTION = """\
Run the graphs of demo_graphs/ in processes of their own: some end, some wait for an answer, some fail, and one
process is killed in the middle of a node. Then open the app on their store while two threads go on running.

The store is made in a temporary directory and removed at the end, unless --store names a new file to keep.
Without a terminal the list of threads is printed instead."""
EXAMPLES = """\
  lgtop demo
  lgtop demo --store demo.sqlite
  lgtop demo --json"""

_PLAY = Path(__file__).resolve().parents[2] / "demo_graphs" / "play.py"
_GRACE = 5.0
"""Seconds that a child has to end by itself."""


class DemoError(Exception):
    """The demo graphs could not be run."""


def arguments(parser: Parser) -> None:
    """Describe the command line."""
    parser.add_argument("-s", "--store", metavar="PATH", help="make the store here, in a new SQLite file, and keep it")
    add_formats(parser, "thread")


def run(options: Namespace) -> Exit:
    """Make the store and show it."""
    with _place(options.store) as path:
        if os.path.lexists(path):
            output.narrate(f"lgtop demo: {path} exists already. Name a file that does not.")
            return Exit.REFUSED
        output.narrate(f"Running small graphs into {path} …")
        try:
            _seed(path)
        except DemoError as error:
            output.narrate(f"lgtop demo: {error}")
            return Exit.FAILED
        if options.json or options.jsonl or not output.has_terminal():
            return print_list(Namespace(**{**vars(options), "store": path}))
        from backends.address import parse_address

        with _playing(path, "live"):
            return open_app(parse_address(path, {}))


@contextmanager
def _place(chosen: str | None) -> Iterator[str]:
    """Path of the store: the chosen one, or one in a directory that is removed afterwards."""
    if chosen:
        yield chosen
        return
    with tempfile.TemporaryDirectory(prefix="lgtop-demo-", ignore_cleanup_errors=True) as directory:
        yield os.path.join(directory, "checkpoints.sqlite")


def _seed(path: str) -> None:
    """Play what ends by itself and, beside it, what is killed.

    Raises:
        DemoError: One of them ended otherwise.
    """
    with (
        tempfile.TemporaryFile() as errors,
        _playing(path, "settled", errors) as settled,
        _playing(path, "killed", errors) as killed,
    ):
        for child, expected in ((settled, 0), (killed, -signal.SIGKILL)):
            if child.wait() != expected:
                errors.seek(0)
                said = errors.read().decode(errors="replace").split("\n")
                raise DemoError(f"the graphs could not be run. {next(filter(None, reversed(said)), '')}")


@contextmanager
def _playing(path: str, part: str, errors: IO[bytes] | int = subprocess.DEVNULL) -> Iterator[subprocess.Popen[bytes]]:
    """A child that plays a part; it is gone at the end.

    Its input is a pipe that nobody writes to: should this process die, the pipe closes and the child ends.
    """
    child = subprocess.Popen(
        [sys.executable, "-P", str(_PLAY), path, part],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=errors,
        env={**os.environ, "LANGSMITH_TRACING": "false", "LANGCHAIN_TRACING_V2": "false"},
    )
    try:
        yield child
    finally:
        if child.stdin:
            child.stdin.close()
        try:
            child.wait(_GRACE)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

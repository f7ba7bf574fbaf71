"""The parts that the argument parsers of all commands share."""

from __future__ import annotations

import argparse
import os
from typing import NoReturn


class UsageError(Exception):
    """The command line cannot be understood.

    Args:
        message: What is wrong, in one sentence.
        command: Whose ``--help`` explains it: ``lgtop ls``.
    """

    def __init__(self, message: str, command: str = "lgtop") -> None:
        super().__init__(message)
        self.command = command


def _formatter(prog: str) -> argparse.HelpFormatter:
    """Help as wide as the terminal; argparse would load ``shutil`` and three codecs to find that out."""
    try:
        columns = os.get_terminal_size().columns
    except OSError:
        columns = 100
    return argparse.RawDescriptionHelpFormatter(prog, width=max(40, min(columns, 112) - 2))


class Parser(argparse.ArgumentParser):
    """A parser that raises ``UsageError`` and leaves the exit code to the caller."""

    def __init__(self, command: str, description: str, examples: str) -> None:
        super().__init__(
            prog=command,
            description=description,
            epilog=f"examples:\n{examples}",
            formatter_class=_formatter,
            allow_abbrev=False,
        )
        self.add_argument(
            "--profile", metavar="NAME", help="a profile of config.toml: its store, graph, ...; default: LGTOP_PROFILE"
        )

    def error(self, message: str) -> NoReturn:
        """Refuse the command line; argparse itself ends no sentence."""
        raise UsageError(message if message.endswith((".", "?")) else f"{message}.", self.prog)


def add_store(parser: Parser) -> None:
    """Add ``-s STORE``."""
    parser.add_argument(
        "-s",
        "--store",
        metavar="STORE",
        help="a path, sqlite:///path or postgresql://…; default: LGTOP_STORE, then PGHOST, PGDATABASE or PGSERVICE",
    )
    parser.set_defaults(works_on_store=True)


def add_formats(parser: Parser, item: str) -> None:
    """Add ``--json`` and ``--jsonl``."""
    formats = parser.add_mutually_exclusive_group()
    formats.add_argument("--json", action="store_true", help=f"print one JSON array of {item}s")
    formats.add_argument("--jsonl", action="store_true", help=f"print one JSON object a line, each a {item}")


def add_filter(parser: Parser) -> None:
    """Add ``--filter``."""
    parser.add_argument(
        "--filter",
        metavar="QUERY",
        default="",
        help="only threads that fit (default: all); lgtop ls --help explains it",
    )


def add_thread(parser: Parser) -> None:
    """Add the positional THREAD."""
    parser.add_argument("thread", metavar="THREAD", help="thread id")


def add_namespace(parser: Parser, default: str) -> None:
    """Add ``--ns``."""
    parser.add_argument("--ns", metavar="NS", help=f"checkpoint namespace of a subgraph; default: {default}")


def natural(text: str) -> int:
    """Read a number that is at least one."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 1")
    return number


def seconds(text: str) -> float:
    """Read a positive number of seconds."""
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a positive number of seconds")
    return number


REFERENCES = """\
a checkpoint is named by
  its id, or the beginning of it   1f0c4c2e-…
  head                             the newest one (default)
  ~2                               two steps before the head
  @3                               the newest one of step 3
"""

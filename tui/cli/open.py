"""``lgtop [STORE]``: the app, or the list where there is no terminal to open it on."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from . import ls, output
from .arguments import Parser, add_filter, add_formats
from .exits import Exit
from .opening import address_of

if TYPE_CHECKING:
    from backends.address import Address

SUMMARY = "open a store and watch its threads"
DESCRIPTION = "Open a checkpoint store read-only and watch its threads. Without a terminal, print the list of threads."
EXAMPLES = """\
  lgtop checkpoints.sqlite
  lgtop checkpoints.sqlite --filter '!status:done'
  lgtop postgresql://app@db.example/app"""


def arguments(parser: Parser) -> None:
    """Describe the command line."""
    parser.add_argument("store", metavar="STORE", nargs="?", help="a path, sqlite:///path or postgresql://…")
    parser.add_argument("-s", "--store", dest="named", metavar="STORE", help="the same, as the other commands take it")
    add_filter(parser)
    add_formats(parser, "thread")


def run(options: Namespace) -> Exit:
    """Open the app or print the list."""
    options.store = options.store or options.named
    if options.json or options.jsonl or not output.has_terminal():
        return print_list(options)
    from backends.query import parse
    from backends.store import open_store

    # Both are refused in a sentence here rather than on a screen that opens and closes again.
    if options.filter:
        parse(options.filter)
    address = address_of(options)
    open_store(address.dsn or address.path or address.raw).close()
    return open_app(address, options.filter)


def print_list(options: Namespace) -> Exit:
    """Print what ``lgtop ls`` would."""
    unset = {"filter": "", "sort": "active", "reverse": False, "limit": None}
    return ls.run(Namespace(**{**unset, **vars(options)}))


def open_app(address: Address, query: str = "") -> Exit:
    """Run the app until the person leaves it."""
    from tui.launch import launch

    return Exit(launch(address, query=query))

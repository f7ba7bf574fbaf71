"""``lgtop [STORE]``: the app, or the list where there is no terminal to open it on."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from . import ls, output
from .arguments import Parser, UsageError, add_filter, add_formats
from .control_arguments import add_graph
from .exits import Exit
from .opening import address_of
from .profile import chosen

if TYPE_CHECKING:
    from backends.address import Address
    from tui.control import Project

SUMMARY = "open a store, watch its threads and control them"
DESCRIPTION = """\
Open a checkpoint store, watch its threads and control them. Opening writes nothing; what is done to a thread is shown
beforehand and asked for. Graphs come from the langgraph.json in the current directory or above it, or from --graph.
Without a terminal, print the list of threads."""
EXAMPLES = """\
  lgtop checkpoints.sqlite
  lgtop checkpoints.sqlite --filter '!status:done' --readonly
  lgtop checkpoints.sqlite --graph src/app.py:graph --python .venv/bin/python
  lgtop postgresql://app@db.example/app"""


def arguments(parser: Parser) -> None:
    """Describe the command line."""
    parser.add_argument("store", metavar="STORE", nargs="?", help="a path, sqlite:///path or postgresql://…")
    parser.add_argument("-s", "--store", dest="named", metavar="STORE", help="the same, as the other commands take it")
    add_filter(parser)
    parser.add_argument("--readonly", action="store_true", help="refuse whatever would write")
    add_graph(parser)
    parser.set_defaults(works_on_store=True)
    add_formats(parser, "thread")


def run(options: Namespace) -> Exit:
    """Open the app or print the list."""
    options.store = options.store or options.named
    if options.json or options.jsonl or not output.has_terminal():
        return print_list(options)
    from backends.first_page import first_page
    from backends.store import open_store

    # Both are refused in a sentence here rather than on a screen that opens and closes again.
    if options.filter:
        from backends.query import parse

        parse(options.filter)
    address, settings = address_of(options), _settings(options)
    project, first = _project(options), first_page(open_store(address.target, brief=True))
    return open_app(address, options.filter, readonly=options.readonly, project=project, first=first, **settings)


def print_list(options: Namespace) -> Exit:
    """Print what ``lgtop ls`` would."""
    unset = {"filter": "", "sort": "active", "reverse": False, "limit": None}
    return ls.run(Namespace(**{**unset, **vars(options)}))


def open_app(address: Address, query: str = "", **options: Any) -> Exit:
    """Run the app until the person leaves it; ``options`` as those of ``LgtopApp``."""
    from tui.launch import launch

    return Exit(launch(address, query=query, **options))


def _settings(options: Namespace) -> dict[str, Any]:
    """What ``config.toml`` and the profile say about the screen.

    Raises:
        UsageError: The configuration cannot be used.
    """
    import os

    from tui.config_path import config_path

    profile = chosen(options)
    if profile is None and not os.path.lexists(config_path()):
        return {}
    from tui.config import Config, ConfigError, Look, load_config

    try:
        config: Config = load_config()
        if config.keys:
            from tui.keymap import KeymapError, checked, groups

            try:
                checked(config.keys, groups())
            except KeymapError as error:
                raise ConfigError(f"{config_path()}, [keys]: {error}") from None
    except ConfigError as error:
        raise UsageError(str(error), options.prog) from None
    look = (profile.look if profile else Look()).over(config.look)
    found: dict[str, Any] = {
        "filters": look.filters,
        "columns": look.columns,
        "keymap": config.keys,
        "sort": look.sort,
        "reverse": look.reverse,
        "theme": look.theme,
        "mark": (profile.name, profile.colour) if profile and profile.colour else None,
    }
    return {name: value for name, value in found.items() if value}


def _project(options: Namespace) -> Project | None:
    """What was said about graphs; ``None`` where nothing was, and nothing needs to be loaded for it."""
    if not options.graph and not options.python:
        return None
    from pathlib import Path

    from tui.control import Project

    return Project(Path.cwd(), options.graph or "", options.python)

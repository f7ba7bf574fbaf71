"""The command line: finds the command, runs it, and turns what goes wrong into a sentence and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from keyword import iskeyword
from typing import Final, Protocol

from backends.errors import AlreadyRunning, NotFound, QueryError, Refused, StoreError

from .arguments import Parser, UsageError
from .exits import Exit
from .output import narrate

GROUPS: Final = {
    "look": ("ls", "show", "history", "diff", "inbox", "watch", "graphs", "du", "demo"),
    "control": ("run", "resume", "answer", "fork", "edit", "stop", "runs", "log", "undo", "audit"),
    "operate": ("copy", "rm", "prune", "export", "import", "locks", "doctor"),
}
"""Commands in the order of the overview; each is a module of this package."""

COMMANDS: Final = tuple(name for names in GROUPS.values() for name in names)

_OPTIONS_WITH_VALUE: Final = frozenset({"-s", "--store", "--profile"})
"""Options that may stand before the command."""


class Command(Protocol):
    """What the module of a command offers."""

    SUMMARY: str
    DESCRIPTION: str
    EXAMPLES: str

    def arguments(self, parser: Parser) -> None:
        """Describe the command line."""

    def run(self, options: object) -> Exit:
        """Do it."""


def run(argv: Sequence[str]) -> int:
    """Run ``lgtop``.

    Args:
        argv: The words after the program's name.

    Returns:
        The exit code, see ``Exit``.
    """
    _prepare_streams()
    try:
        code = _dispatch(list(argv))
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has seen enough, as in ``lgtop ls | head -1``. Python flushes once more at exit, into nothing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.DONE
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except UsageError as error:
        narrate(f"{error.command}: {error} See {error.command} --help.")
        return Exit.USAGE
    except QueryError as error:
        narrate(f"lgtop: the filter cannot be understood: {error.reason}")
        return Exit.USAGE
    except NotFound as error:
        narrate(f"lgtop: {error}")
        return Exit.NOT_FOUND
    except AlreadyRunning as error:
        narrate(f"lgtop: {error}")
        return Exit.BUSY
    except Refused as error:
        narrate(f"lgtop: refused: {error}")
        return Exit.REFUSED
    except StoreError as error:
        narrate(f"lgtop: {error}")
        return Exit.STORE
    except Exception as error:
        if os.environ.get("LGTOP_DEBUG"):
            raise
        narrate(f"lgtop: {_told(error)} LGTOP_DEBUG=1 shows where.")
        return Exit.FAILED
    return code


def _told(error: Exception) -> str:
    """A sentence about an error that nobody foresaw; it may quote an address, but not its password."""
    from backends.address import mask_dsn

    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}{f': {error.filename}' if error.filename else ''}."
    return mask_dsn(f"{type(error).__name__}: {error}.")


def _dispatch(argv: list[str]) -> Exit:
    name = _take_command(argv)
    if name is None and argv:
        if argv[0] in ("-h", "--help", "help"):
            sys.stdout.write(overview())
            return Exit.DONE
        if argv[0] in ("-V", "--version"):
            sys.stdout.write(f"lgtop {version()}\n")
            return Exit.DONE
        _suspect_typing_error(argv)
    command: Command = _module(name or "open")
    parser = Parser(f"lgtop {name}" if name else "lgtop", command.DESCRIPTION, command.EXAMPLES)
    command.arguments(parser)
    try:
        options = parser.parse_args(argv)
    except SystemExit:  # --help has been printed
        return Exit.DONE
    options.prog = parser.prog
    if options.profile or os.environ.get("LGTOP_PROFILE"):
        from .profile import apply_profile

        apply_profile(options)
    return command.run(options)


def _module(name: str) -> Command:
    """The module of a command; one that Python keeps the name of for itself has an underscore behind it."""
    module: Command = import_module(f".{name}_" if iskeyword(name) else f".{name}", __package__)
    return module


def _take_command(argv: list[str]) -> str | None:
    """Remove the command from the words and return it; what else stands first is a store to open."""
    at = 0
    while at < len(argv) and argv[at].startswith("-"):
        at += 2 if argv[at] in _OPTIONS_WITH_VALUE else 1
    return argv.pop(at) if at < len(argv) and argv[at] in COMMANDS else None


def _suspect_typing_error(argv: Sequence[str]) -> None:
    """Refuse a word that is neither a file nor looks like an address, but resembles a command.

    Raises:
        UsageError: It does.
    """
    word = argv[0]
    if not word.isalpha() or os.path.lexists(word):
        return
    from difflib import get_close_matches

    if meant := get_close_matches(word, COMMANDS, n=1):
        raise UsageError(f"There is no command and no file {word!r}. Did you mean lgtop {meant[0]}?")


def overview() -> str:
    """The text of ``lgtop --help``."""
    look, control, operate = ("\n".join(map(_summary, names)) for names in GROUPS.values())
    return f"""\
usage: lgtop [STORE]
       lgtop COMMAND [options]

Watch and control LangGraph threads in the checkpoint store that an application writes: SQLite or PostgreSQL.

  lgtop STORE opens the store on the terminal; without a terminal it prints the list of threads.

commands that only look:
{look}

commands that control; --dry-run says what they would do:
{control}

commands that keep a store in order:
{operate}

  lgtop COMMAND --help explains a command.

options:
  -s, --store STORE   a path, sqlite:///path or postgresql://…; default: LGTOP_STORE, then PGHOST, PGDATABASE
                      or PGSERVICE
  --profile NAME      a profile of config.toml; default: LGTOP_PROFILE
  --version           print the version
  -h, --help          print this

environment:
  LGTOP_STORE         the store, where neither the command line nor a profile names one
  LGTOP_PROFILE       the profile, where none is named
  LANGGRAPH_AES_KEY   key of values that were written encrypted
  NO_COLOR            no colours

exit codes:
  0 done   1 failed   2 usage   3 not found   4 already running   5 refused
  6 store unreachable or unreadable   130 interrupted

examples:
  lgtop demo
  lgtop checkpoints.sqlite
  lgtop ls -s postgresql://app@db.example/app --filter 'status:waiting,failed age<1d'
  lgtop show -s checkpoints.sqlite doc-7f3a --json | jq .state
  LGTOP_STORE=checkpoints.sqlite lgtop watch --jsonl
  lgtop resume -s checkpoints.sqlite doc-7f3a
"""


def _summary(name: str) -> str:
    return f"  {name:<10}{_module(name).SUMMARY}"


def version() -> str:
    """The installed version; ``(not installed)`` when run from a checkout."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("lgtop")
    except PackageNotFoundError:
        return "(not installed)"


def _prepare_streams() -> None:
    """Make the three streams fit to use.

    One that was closed (``>&-``) leads nowhere, and takes the place that the next opened file, the store, would get.
    One that knows only ASCII gets an escaped code point instead of an error.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")

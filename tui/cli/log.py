"""``lgtop log``: what has been done to threads from this machine, by whom, and what came of it."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from backends.errors import NotFound
from backends.text import one_line

from . import output
from .arguments import Parser, add_formats, add_store, natural
from .exits import Exit
from .opening import key_of_named_store
from .table import Column, draw

if TYPE_CHECKING:
    from backends.control.journal import Entry

SUMMARY = "list what has been done to threads from this machine: who, when, what came of it"
DESCRIPTION = """\
List the actions that lgtop was asked for on a store, newest first; on every store where none is named. The JSON form
has the LangGraph call and the command that would do the same. lgtop undo takes an action back, where it can be."""
EXAMPLES = """\
  lgtop log -s checkpoints.sqlite --limit 20
  lgtop log -s checkpoints.sqlite --thread doc-7f3a --json | jq -r '.[].command'"""

COLUMNS = (
    Column("ACTION"),
    Column("AGE", right=True),
    Column("WHO", least=8, drop=2),
    Column("VERB"),
    Column("THREAD", least=12, middle=True),
    Column("OUTCOME"),
    Column("WHAT", least=16),
)


def arguments(parser: Parser) -> None:
    """Describe the command line."""
    add_store(parser)
    parser.add_argument("--thread", metavar="ID", help="only actions on this thread, or that made it")
    parser.add_argument("--limit", type=natural, metavar="N", default=200, help="at most N actions (default: 200)")
    add_formats(parser, "action")


def run(options: Namespace) -> Exit:
    """Print the log."""
    found = entries(key_of_named_store(options))
    wanted = options.thread
    chosen = [one for one in found if wanted in (None, one.thread_id, one.target)][: options.limit]
    if options.json or options.jsonl:
        from .run_records import action_record

        output.print_records(map(action_record, chosen), as_lines=options.jsonl)
    elif chosen:
        output.print_lines(draw(COLUMNS, list(_cells(chosen)), output.width(), output.coloured()))
    else:
        output.narrate("Nothing has been done yet." if not found else "No action fits.")
    return Exit.DONE


def entries(store_key: str | None) -> Sequence[Entry]:
    """The actions on a store, or for ``None`` on every store, newest first."""
    from backends.control.journal import entries

    return entries(store_key, limit=None)


def find_action(found: Sequence[Entry], wanted: str) -> Entry:
    """The action that a person means by its id or the end of it.

    Raises:
        NotFound: None fits, or several do.
    """
    fitting = [one for one in found if one.action_id.endswith(wanted)]
    if not fitting:
        raise NotFound(f"There is no action {wanted!r}. See lgtop log.")
    if len(fitting) > 1:
        raise NotFound(f"{len(fitting)} actions end with {wanted!r}: give more of the id.")
    return fitting[0]


def _cells(chosen: Sequence[Entry]) -> Iterator[list[str]]:
    from tui.words import age

    now = time.time()
    for one in chosen:
        yield [
            one_line(one.action_id),
            age(now - one.when),
            one_line(one.operator),
            one_line(one.verb),
            one_line(one.target or one.thread_id),
            "undone" if one.undone else one_line(one.outcome) or "-",
            one_line(f"{one.summary}  {one.reason}".rstrip(), 400),
        ]

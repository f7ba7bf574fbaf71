"""``lgtop import``: threads from a file that ``lgtop export`` wrote."""

from __future__ import annotations

import os
import shlex
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from backends.text import one_line

from . import output
from .arguments import Parser, add_store
from .exits import Exit
from .planning import planning

if TYPE_CHECKING:
    from backends.transfer.importing import Imported

SUMMARY = "read threads from a file that export wrote"
DESCRIPTION = """\
Read the threads of a file into a store, of the kind that they were exported from or of the other one. Each thread is
written in one transaction, under its lock, and only if there is none of its id: nothing is ever overwritten. A thread
that is refused keeps none of the others out. Encrypted checkpoints change from one kind of store to the other only with
LANGGRAPH_AES_KEY. A store that does not exist yet is made, by LangGraph's own saver, when the first thread is found to
fit into it.

The exit code is 0 when every thread was imported, 5 (or 4: its lock is held) when none was, and 1 otherwise.
lgtop undo takes an import back."""
EXAMPLES = """\
  lgtop import -s checkpoints.sqlite doc-7f3a.jsonl
  lgtop import -s new.sqlite all.jsonl
  lgtop import -s postgresql://app@db.example/app doc-7f3a.jsonl --as doc-7f3a-incident
  gunzip < all.jsonl.gz | lgtop import -s checkpoints.sqlite - --json
  lgtop import -s checkpoints.sqlite all.jsonl --dry-run"""


def arguments(parser: Parser) -> None:
    """Describe the command line."""
    add_store(parser)
    parser.add_argument("file", metavar="FILE", help="what lgtop export wrote; - is standard input")
    parser.add_argument("--as", dest="rename", metavar="NEW", help="another id, where the file holds one thread")
    parser.add_argument("--dry-run", action="store_true", help="check the file and convert it, and write nothing")
    parser.add_argument("--json", action="store_true", help="print one JSON array with an item for each thread")


def run(options: Namespace) -> Exit:
    """Read the file."""
    with planning(options, create=True) as desk, _file(options.file) as file:
        from backends.transfer.importing import import_threads

        desk.close()
        words = ["lgtop", "import", "-s", desk.address.label, options.file]
        words += ["--as", options.rename] if options.rename else []
        outcomes: list[Imported] = []
        made = import_threads(
            file,
            desk.gate,
            rename=options.rename,
            dry_run=options.dry_run,
            create=desk.is_new,
            command=shlex.join(words),
        )
        told = _told(made, outcomes)
        if options.json:
            from dataclasses import asdict

            output.print_records(map(asdict, told), as_lines=False)
        else:
            output.print_lines(map(_line, told))
    return _exit(outcomes)


def _told(made: Iterator[Imported], outcomes: list[Imported]) -> Iterator[Imported]:
    """Pass outcomes on as they come, and keep them for the exit code."""
    for one in made:
        outcomes.append(one)
        if one.reason:
            output.narrate(f"lgtop: {one.outcome}: {one.reason}")
        yield one


def _line(one: Imported) -> str:
    rows = f"  {one.checkpoints} checkpoints, {one.writes} writes" if one.outcome == "imported" else ""
    return f"{one.outcome:<10}  {one_line(one.imported_as)}{rows}"


def _exit(outcomes: list[Imported]) -> Exit:
    failed = [one for one in outcomes if one.outcome in ("refused", "busy")]
    if not failed:
        return Exit.DONE
    if len(failed) < len(outcomes):
        return Exit.FAILED
    return Exit.BUSY if all(one.outcome == "busy" for one in failed) else Exit.REFUSED


@contextmanager
def _file(name: str) -> Iterator[BinaryIO]:
    if name == "-":
        yield sys.stdin.buffer
        return
    from backends.errors import NotFound

    if not os.path.exists(name):
        raise NotFound(f"There is no file {name}.")
    with open(name, "rb") as file:
        yield file

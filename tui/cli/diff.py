"""``lgtop diff``: what changed between two checkpoints of a thread."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from backends.store import Scope
from backends.text import one_line

from . import output
from .arguments import REFERENCES, Parser, add_namespace, add_store, add_thread
from .exits import Exit
from .opening import opened, require_thread
from .show import find
from .table import clip

if TYPE_CHECKING:
    from backends.diff import Change
    from backends.model import CheckpointKey
    from backends.reader import Reader

SUMMARY = "show what changed in the state between two checkpoints"
DESCRIPTION = f"""\
Show what changed in the state of a thread, channel by channel. Without references: from the parent of the
head to the head. With one: from there to the head. With two: from the first to the second.

{REFERENCES}"""
EXAMPLES = """\
  lgtop diff -s checkpoints.sqlite doc-7f3a
  lgtop diff -s checkpoints.sqlite doc-7f3a ~3
  lgtop diff -s checkpoints.sqlite doc-7f3a @1 @4 --json"""

_PREVIEW = 2000


def arguments(parser: Parser) -> None:
    """Describe the command line."""
    add_store(parser)
    add_thread(parser)
    parser.add_argument("a", metavar="A", nargs="?", help="from this checkpoint (default: the parent of the head)")
    parser.add_argument("b", metavar="B", nargs="?", help="to this checkpoint (default: head)")
    add_namespace(parser, "the thread's own")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(options: Namespace) -> Exit:
    """Print the changes."""
    with opened(options) as reader:
        require_thread(reader, options.thread)
        old, new = _ends(reader, options)
        changes = reader.changes(old, new)
        if options.json:
            output.print_record(_record(old, new, changes))
            return Exit.DONE
        output.narrate(f"{old.checkpoint_id if old else '(nothing)'} → {new.checkpoint_id}")
        if not changes:
            output.narrate("Nothing in the state differs.")
        width = output.width()
        lines = _lines(changes, output.coloured())
        output.print_lines(f"\x1b[{sgr}m{text}\x1b[0m" if sgr else text for text, sgr in _cut(lines, width))
    return Exit.DONE


def _ends(reader: Reader, options: Namespace) -> tuple[CheckpointKey | None, CheckpointKey]:
    new = find(reader, options.thread, options.b, options.ns)
    if options.a is not None:
        return find(reader, options.thread, options.a, options.ns), new
    parent = reader.snapshot(new).parent_id
    if not parent:
        return None, new
    old = new._replace(checkpoint_id=parent)
    if not reader.store.raw([old], Scope.CONTROL):
        output.narrate(f"The parent {parent} is no longer in the store; everything counts as new.")
        return None, new
    return old, new


def _record(old: CheckpointKey | None, new: CheckpointKey, changes: Sequence[Change]) -> output.Record:
    from backends.diff import channel_summary

    from .records import change_record

    return {
        "thread_id": new.thread_id,
        "ns": new.ns,
        "from": old.checkpoint_id if old else None,
        "to": new.checkpoint_id,
        "channels": dict(channel_summary(changes)),
        "changes": [change_record(change) for change in changes],
    }


def _lines(changes: Sequence[Change], coloured: bool) -> Iterator[tuple[str, str]]:
    """Lines with their SGR parameters: a title for every channel, then what went and what came."""
    from backends.diff import channel_summary
    from backends.present import preview

    def styled(sgr: str) -> str:
        return sgr if coloured else ""

    summary = channel_summary(changes)
    for channel, group in groupby(changes, key=lambda change: change.path[0] if change.path else ""):
        yield f"{one_line(str(channel))}  {one_line(summary.get(str(channel), ''))}".rstrip(), styled("1")
        for change in group:
            place = one_line("".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in change.path[1:]))
            label = f"{place}: " if place else ""
            if change.op != "add":
                yield f"  - {label}{preview(change.old, _PREVIEW)}", styled("31")
            if change.op != "remove":
                yield f"  + {label}{preview(change.new, _PREVIEW)}", styled("32")


def _cut(lines: Iterator[tuple[str, str]], width: int | None) -> Iterator[tuple[str, str]]:
    return lines if width is None else ((clip(text, width), sgr) for text, sgr in lines)

"""``lgtop inbox``: every question that waits for a person, over all threads."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from backends.model import StatusName
from backends.text import one_line

from . import output
from .arguments import Parser, add_formats, add_store
from .exits import Exit
from .opening import opened
from .table import Column, draw

if TYPE_CHECKING:
    from backends.model import Interrupt, ThreadHead
    from backends.reader import Reader

SUMMARY = "list every question that waits for a person"
DESCRIPTION = """\
List every pending interrupt of a store, the one that has waited longest first. The JSON form holds the whole
question and, where the application gave one, the JSON Schema of the answer. The question of a thread that
somebody runs just now can be answered when they have let go of it."""
EXAMPLES = """\
  lgtop inbox -s checkpoints.sqlite
  lgtop inbox -s checkpoints.sqlite --json | jq '.[] | {thread_id, value}'"""

COLUMNS = (
    Column("THREAD", least=16, middle=True),
    Column("NODE", least=8, drop=2),
    Column("AGE", right=True),
    Column("ID", drop=1),
    Column("QUESTION", least=16),
)
_PREVIEW = 400


def arguments(parser: Parser) -> None:
    """Describe the command line."""
    add_store(parser)
    add_formats(parser, "question")


def run(options: Namespace) -> Exit:
    """Print the questions."""
    with opened(options) as reader:
        now = time.time()
        questions = sorted(pending(reader), key=lambda found: found.head.updated_at or 0.0)
        if options.json or options.jsonl:
            from .records import inbox_record

            output.print_records((inbox_record(*found, now) for found in questions), as_lines=options.jsonl)
        elif questions:
            lines = draw(COLUMNS, list(_cells(questions, now)), output.width(), output.coloured())
            output.print_lines(lines)
        else:
            output.narrate("No thread waits for an answer.")
    return Exit.DONE


class Pending(NamedTuple):
    """A pending question.

    Attributes:
        head: The head of its thread.
        interrupt: The question.
        running_by: Who runs the thread just now.
    """

    head: ThreadHead
    interrupt: Interrupt
    running_by: str | None


def pending(reader: Reader) -> Iterator[Pending]:
    """Every pending question."""
    from .records import running_by

    for heads in reader.store.heads():
        batch = reader.narrowed(heads, (StatusName.WAITING,))
        analyses = reader.analyse_heads(batch)
        for head in batch:
            if analysis := analyses.get(head.thread_id):
                for interrupt in analysis.interrupts:
                    yield Pending(head, interrupt, running_by(analysis))


def _cells(questions: Iterable[Pending], now: float) -> Iterator[list[str]]:
    from backends.questions import question_text
    from tui.words import age

    for head, interrupt, running in questions:
        asked = head.updated_at
        question = question_text(interrupt.value, _PREVIEW)
        yield [
            one_line(head.thread_id),
            one_line(interrupt.node),
            age(None if asked is None else now - asked),
            one_line(interrupt.id),
            f"({running}) {question}" if running else question,
        ]

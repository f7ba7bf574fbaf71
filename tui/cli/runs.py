"""``lgtop runs``: the runs that lgtop started on this machine, live and past."""

from __future__ import annotations

import os
import sys
import time
from argparse import Namespace
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from backends.errors import NotFound
from backends.text import one_line

from . import output
from .arguments import Parser, add_formats, add_store, natural
from .exits import Exit
from .opening import key_of_named_store
from .run_records import run_record
from .statuses import run_colour
from .table import Column, draw

if TYPE_CHECKING:
    from backends.runs.events import Event
    from backends.runs.run import Run

SUMMARY = "list the runs started from this machine, or follow one"
DESCRIPTION = """\
List the runs that lgtop started for a store, newest first; of every store where none is named. With --follow, tell on
standard error what a run has done and does, until it ends, and print how it ended; ctrl+c only stops telling.
--follow --jsonl prints the run's events themselves, an object a line."""
EXAMPLES = """\
  lgtop runs -s checkpoints.sqlite
  lgtop runs --live --json | jq '.[] | {run_id, thread_id, state}'
  lgtop runs --follow 261121-0910-k3f2"""

COLUMNS = (
    Column("RUN"),
    Column("STATE", paint=run_colour),
    Column("THREAD", least=12, middle=True),
    Column("GRAPH", least=6, drop=2),
    Column("VERB", drop=3),
    Column("TASKS", right=True, drop=5),
    Column("TOOK", right=True, drop=6),
    Column("AGE", right=True, drop=4),
    Column("STORE", least=8, drop=1),
    Column("WHY", least=10),
)


def arguments(parser: Parser) -> None:
    """Describe the command line."""
    add_store(parser)
    parser.add_argument("--thread", metavar="ID", help="only runs of this thread")
    parser.add_argument("--live", action="store_true", help="only runs whose process is there")
    parser.add_argument("--limit", type=natural, metavar="N", help="at most N runs; default: all")
    parser.add_argument(
        "--follow", metavar="RUN", help="tell what this run does; its id, or the beginning or end of it"
    )
    add_formats(parser, "run")


def run(options: Namespace) -> Exit:
    """Print the list, or follow a run."""
    runs = every_run(key_of_named_store(options))
    if options.follow:
        return _follow(find_run(runs, options.follow), options)
    chosen = [one for one in runs if _fits(one, options)][: options.limit]
    if options.json or options.jsonl:
        output.print_records(map(run_record, chosen), as_lines=options.jsonl)
    elif chosen:
        output.print_lines(draw(COLUMNS, list(_cells(chosen)), output.width(), output.coloured()))
    else:
        output.narrate("No runs." if not runs else "No run fits.")
    return Exit.DONE


def every_run(store_key: str | None) -> Sequence[Run]:
    """The runs for a store, or for ``None`` of every store, newest first."""
    from backends.runs.ledger import Ledger

    return Ledger(store_key).refresh()


def find_run(runs: Sequence[Run], wanted: str) -> Run:
    """The run that a person means by its id, the beginning or the end of it.

    Raises:
        NotFound: None fits, or several do.
    """
    exact = [one for one in runs if one.run_id == wanted]
    found = exact or [one for one in runs if one.run_id.startswith(wanted) or one.run_id.endswith(wanted)]
    if not found:
        raise NotFound(f"There is no run {wanted!r}. See lgtop runs.")
    if len(found) > 1:
        raise NotFound(f"{len(found)} runs fit {wanted!r}: {', '.join(one.run_id for one in found[:5])}.")
    return found[0]


def _fits(one: Run, options: Namespace) -> bool:
    return (one.live or not options.live) and (options.thread in (None, one.thread_id))


def _follow(one: Run, options: Namespace) -> Exit:
    from .following import exit_of, read_again, watch
    from .narration import Narrator

    watch(one, _print_events if options.jsonl else Narrator().tell)
    ended = read_again(one)
    if not options.jsonl:
        from .results import print_stopped

        print_stopped(ended, options.json)
    return exit_of(ended)


def _print_events(events: Sequence[Event]) -> None:
    output.print_records(map(_record, events), as_lines=True)
    sys.stdout.flush()


def _record(event: Event) -> dict[str, Any]:
    return {"at": output.timestamp(event.t), "kind": event.kind.value, **event.data}


def _cells(runs: Sequence[Run]) -> Iterator[list[str]]:
    from tui.run_states import sign
    from tui.words import age

    now = time.time()
    for one in runs:
        yield [
            one.run_id,
            sign(one.state),
            one_line(one.thread_id),
            one_line(one.graph),
            one_line(one.verb),
            f"{one.finished}/{one.begun}",
            age((one.ended_at or now) - one.started_at),
            age(now - one.started_at),
            one_line(os.path.basename(one.store) or one.store),
            one_line(one.reason or ", ".join(one.nodes or one.next), 400),
        ]

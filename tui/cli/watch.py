"""``lgtop watch``: a line for every change, as it is committed."""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from collections.abc import Iterable, Iterator
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from backends.errors import StoreError
from backends.model import ThreadHead, ThreadRow
from backends.text import one_line

from . import output
from .arguments import Parser, add_filter, add_store, seconds
from .exits import Exit
from .opening import address_of, open_reader, opened
from .selection import Listed, told
from .statuses import status_colour, status_text
from .table import clip

if TYPE_CHECKING:
    from backends.address import Address
    from backends.feed import Event
    from backends.query import Query
    from backends.reader import Reader
    from backends.witness import Witness

    from .alerting import Caller, Entries

SUMMARY = "print a line for every change, as it is committed"
DESCRIPTION = """\
Print a line for every thread that changes, as the change is committed, until ctrl+c; also when somebody takes
or lets go of it. Loss and return of the
store are told on standard error; what changed meanwhile is printed when it is back.

A line of --jsonl is a thread as in lgtop ls --jsonl, and before it "event" ("changed", or "removed" with nothing
but the thread id) and "at", the time of printing.

--exec runs a command, by sh -c, whenever a thread that fits the filter enters a status; those that have it already when
the watch begins do not count. The command finds LGTOP_THREAD, LGTOP_STATUS, LGTOP_REASON, LGTOP_NEXT, LGTOP_STEP and
LGTOP_CHECKPOINT in its environment and the thread as in lgtop ls --jsonl on standard input. Anyone who writes to the
store decides what is in them: quote them, as in "$LGTOP_THREAD". Commands run one after the other."""
EXAMPLES = """\
  lgtop watch -s checkpoints.sqlite
  lgtop watch -s checkpoints.sqlite --filter status:waiting --jsonl | while read line; do notify "$line"; done
  lgtop watch -s checkpoints.sqlite --filter status:failed,crashed --exec 'mail -s "$LGTOP_THREAD $LGTOP_STATUS" ops'"""

_WHY = 200
_DEAF_SECONDS = 0.5


def arguments(parser: Parser) -> None:
    """Describe the command line."""
    add_store(parser)
    add_filter(parser)
    parser.add_argument(
        "--interval",
        type=seconds,
        metavar="SECONDS",
        help="gather changes for so long and print each thread once; default: print each change",
    )
    parser.add_argument(
        "--exec", dest="command", metavar="CMD", help="run this when a thread that fits the filter enters a status"
    )
    parser.add_argument("--jsonl", action="store_true", help="print one JSON object a line")


def run(options: Namespace) -> Exit:
    """Print changes until ctrl+c, which ends with ``KeyboardInterrupt``."""
    from backends.feed import Feed
    from backends.query import parse
    from backends.witness import Witness

    query = parse(options.filter)
    address = address_of(options)
    events: SimpleQueue[Event] = SimpleQueue()
    witness = Witness.of(address)
    with opened(options):
        feed = Feed(address, events.put, witness=witness)
    caller = _caller(options.command, address)
    watcher = Watcher(address, query, options.jsonl, witness, caller)
    feed.start()
    try:
        while True:
            watcher.take(_gathered(events, options.interval))
    finally:
        feed.stop()
        watcher.close()
        if caller is not None:
            caller.close()


def _caller(command: str | None, address: Address) -> Caller | None:
    if command is None:
        return None
    from .alerting import Caller

    return Caller(command, address)


def _gathered(events: SimpleQueue[Event], interval: float | None) -> Iterator[Event]:
    """The next event, and with an interval those that follow it within that time."""
    yield _next(events)
    deadline = time.monotonic() + (interval or 0.0)
    while (left := deadline - time.monotonic()) > 0:
        try:
            yield events.get(timeout=left)
        except Empty:
            return


def _next(events: SimpleQueue[Event]) -> Event:
    """Wait for an event, waking now and then: ctrl+c just before the wait begins would be noticed only at its end."""
    while True:
        with suppress(Empty):
            return events.get(timeout=_DEAF_SECONDS)


class Watcher:
    """Turns events of the feed into lines; reads on a connection of its own what the events do not tell.

    Args:
        address: The store.
        query: Which threads to tell of.
        as_json: Whether a line is a JSON object.
        witness: Who knows of locks and runs; kept up to date by the feed.
        caller: Who runs a command for threads that enter a status.
    """

    def __init__(
        self, address: Address, query: Query, as_json: bool, witness: Witness, caller: Caller | None = None
    ) -> None:
        self._address = address
        self._query = query
        self._as_json = as_json
        self._witness = witness
        self._caller = caller
        self._entries = _entries() if caller is not None else None
        self._reader: Reader | None = None
        self._loaded = False
        self._changed: dict[str, ThreadHead] = {}
        self._removed: dict[str, None] = {}
        self._printed: dict[str, Listed] = {}

    def take(self, events: Iterable[Event]) -> None:
        """Print what changed, each thread once."""
        for event in events:
            self._note(event)
        for thread_id in self._removed:
            self._print_removed(thread_id)
        self._removed.clear()
        if self._changed:
            # Should the store be lost just now, the feed tells of it and of its return; the changes are kept till then.
            with suppress(StoreError):
                self._reader = self._reader or open_reader(self._address, self._witness)
                for listed in told(self._reader, sorted(self._changed.values(), key=_when)):
                    self._print_changed(listed)
                self._changed.clear()

    def close(self) -> None:
        """Close the connection; the next change opens another."""
        if self._reader is not None:
            self._reader.store.close()
            self._reader = None

    def _note(self, event: Event) -> None:
        from backends import feed

        match event:
            case feed.Changed(heads, gone):
                self._changed |= {head.thread_id: head for head in heads}
                if self._entries is not None:
                    self._entries.changed(head.thread_id for head in heads)
                for thread_id in sorted(gone):
                    self._changed.pop(thread_id, None)
                    self._removed[thread_id] = None
            case feed.HeadsLoaded(heads, complete):
                if self._entries is not None and not self._loaded:
                    self._entries.begin(heads)
                if self._loaded:  # once more, because the store was lost meanwhile
                    self._changed |= {head.thread_id: head for head in heads}
                elif complete:
                    self._loaded = True
                    output.narrate(f"Watching {self._address.label}; ctrl+c ends.")
            case feed.Analysed(summaries) if self._entries is not None:
                self._entries.learn(summaries)
            case feed.Lost(reason, advice, retry_in):
                self.close()
                output.narrate(f"lgtop: {reason} {advice} Trying again in {retry_in:g} s.")
            case feed.Recovered():
                output.narrate("lgtop: the store is back.")
            case feed.Reloading(reason):
                self.close()
                output.narrate(f"lgtop: {reason} Reading everything again.")

    def _print_removed(self, thread_id: str) -> None:
        known = self._printed.pop(thread_id, None)
        if self._entries is not None:
            self._entries.forget(thread_id)
        if known is None and self._query:
            return
        if self._as_json:
            _print_record({"event": "removed", "thread_id": thread_id})
        else:
            _print_line("- removed", one_line(thread_id), "2")

    def _print_changed(self, listed: Listed) -> None:
        thread_id = listed.head.thread_id
        entered = self._entries is not None and self._entries.entered(listed)
        if self._printed.get(thread_id) == listed or not self._query.matches(_row(listed), time.time()):
            return
        self._printed[thread_id] = listed
        if entered and self._caller is not None:
            self._caller.call(listed)
        if self._as_json:
            from .records import thread_record

            _print_record({"event": "changed", **thread_record(listed)})
        else:
            status = status_text(listed.analysis)
            _print_line(status, _in_words(listed), status_colour(status))


def _entries() -> Entries:
    from .alerting import Entries

    return Entries()


def _when(head: ThreadHead) -> float:
    return head.updated_at or 0.0


def _print_record(record: output.Record) -> None:
    output.print_records([{"at": output.timestamp(time.time()), **record}], as_lines=True)
    sys.stdout.flush()


def _print_line(status: str, rest: str, colour: str) -> None:
    line = f"{time.strftime('%H:%M:%S')}  {status:<10}  {rest}"
    width = output.width()
    line = line if width is None else clip(line, width)
    output.print_lines([line.replace(status, f"\x1b[{colour}m{status}\x1b[0m", 1) if output.coloured() else line])
    sys.stdout.flush()


def _in_words(listed: Listed) -> str:
    head, analysis = listed.head, listed.analysis
    following = one_line(", ".join(analysis.next))
    facts = [
        one_line(head.thread_id),
        "" if head.step is None else f"step {head.step}",
        f"next {following}" if following else "",
        one_line(analysis.reason, _WHY),
    ]
    return "  ".join(fact for fact in facts if fact)


def _row(listed: Listed) -> ThreadRow:
    from backends.status import summarise

    return ThreadRow(listed.head, summarise(listed.analysis), listed.checkpoints)

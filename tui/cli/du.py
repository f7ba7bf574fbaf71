"""``lgtop du``: what takes how much room in a store."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from backends.text import one_line

from . import output
from .arguments import Parser, UsageError, add_filter, add_store, natural
from .exits import Exit
from .opening import address_of, open_reader, require_thread
from .table import Column, draw

if TYPE_CHECKING:
    from backends.maintenance.size import ChannelSize, Room, Sizes, ThreadSize
    from backends.reader import Reader

    from .output import Record

SUMMARY = "say what takes how much room: threads, or the channels of one; and what the last day added"
DESCRIPTION = """\
Measure the threads of a store, the largest first, or the channels of one thread. Bytes are those of the stored values;
pages, indexes and free room come on top, and are told for the store as a whole. DAY is what checkpoints and writes of
the last 24 hours take, on PostgreSQL without the channel values, which carry no time.

Without a THREAD or a --filter every row of the store is looked at once: that takes as long as reading the file."""
EXAMPLES = """\
  lgtop du -s checkpoints.sqlite --limit 20
  lgtop du -s checkpoints.sqlite doc-7f3a
  lgtop du -s postgresql://app@db.example/app --json | jq '.threads[:10]'"""

THREADS = (
    Column("THREAD", least=12, middle=True),
    Column("BYTES", right=True),
    Column("CKPTS", right=True),
    Column("WRITES", right=True, drop=1),
    Column("EACH", right=True, drop=2),
    Column("DAY", right=True),
)
CHANNELS = (
    Column("CHANNEL", least=12),
    Column("BYTES", right=True),
    Column("VALUES", right=True),
    Column("STORED", right=True, drop=1),
    Column("WRITES", right=True),
)
_DAY = 86_400.0


def arguments(parser: Parser) -> None:
    """Describe the command line."""
    add_store(parser)
    parser.add_argument("thread", metavar="THREAD", nargs="?", help="thread id; default: every thread")
    add_filter(parser)
    parser.add_argument("--limit", type=natural, metavar="N", help="at most the N largest threads; default: all")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(options: Namespace) -> Exit:
    """Measure it."""
    from backends.maintenance.size import open_sizes

    if options.thread and options.filter.strip():
        raise UsageError("Name either a THREAD or a --filter.", options.prog)
    address = address_of(options)
    with (
        closing(open_reader(address)) as reader,
        closing(open_sizes(address)) as sizes,
        output.narrated_if_slow("lgtop: measuring ..."),
    ):
        if options.thread:
            require_thread(reader, options.thread)
            _print_thread(sizes, options)
        else:
            _print_threads(reader, sizes, options)
    return Exit.DONE


def _print_threads(reader: Reader, sizes: Sizes, options: Namespace) -> None:
    wanted = None
    if options.filter.strip():
        from .selection import fitting

        wanted = list(fitting(reader, options.filter))
    found = sorted(sizes.threads(wanted, _a_day_ago()), key=lambda one: (-one.bytes, one.thread_id))
    room, shown = sizes.room(), found[: options.limit]
    if options.json:
        output.print_record(
            {
                "store": {"bytes": room.bytes, "free": room.free},
                "total": {"threads": len(found), "bytes": sum(one.bytes for one in found)}
                | {"day": sum(one.recent for one in found)},
                "threads": [_thread_record(one) for one in shown],
            }
        )
        return
    from tui.words import size

    output.print_lines(draw(THREADS, list(_thread_cells(shown)), output.width(), output.coloured()))
    total = sum(one.bytes for one in found)
    output.narrate(
        f"lgtop: {len(found):,} threads: {size(total)}, of the last day {size(sum(one.recent for one in found))}."
    )
    output.narrate(f"lgtop: {_on_disk(room)}")


def _print_thread(sizes: Sizes, options: Namespace) -> None:
    (whole,) = sizes.threads([options.thread], _a_day_ago())
    channels = sizes.channels(options.thread)
    if options.json:
        output.print_record({**_thread_record(whole), "channels": [_channel_record(one) for one in channels]})
        return
    output.print_lines(draw(CHANNELS, list(_channel_cells(channels)), output.width(), output.coloured()))
    output.print_lines(draw(THREADS, list(_thread_cells([whole])), output.width(), output.coloured()))


def _thread_record(one: ThreadSize) -> Record:
    return {
        "thread_id": one.thread_id,
        "bytes": one.bytes,
        "checkpoints": one.checkpoints.rows,
        "checkpoint_bytes": one.checkpoints.bytes,
        "writes": one.writes.rows,
        "write_bytes": one.writes.bytes,
        "blobs": one.blobs.rows,
        "blob_bytes": one.blobs.bytes,
        "day": one.recent,
    }


def _channel_record(one: ChannelSize) -> Record:
    return {
        "channel": one.name or None,
        "bytes": one.bytes,
        "values": one.values.rows,
        "value_bytes": one.values.bytes,
        "writes": one.writes.rows,
        "write_bytes": one.writes.bytes,
    }


def _thread_cells(found: Sequence[ThreadSize]) -> Iterator[list[str]]:
    from tui.words import size

    for one in found:
        each = one.bytes // max(1, one.checkpoints.rows)
        rows = f"{one.checkpoints.rows:,}", f"{one.writes.rows:,}"
        yield [one_line(one.thread_id), size(one.bytes), *rows, size(each), size(one.recent)]


def _channel_cells(found: Sequence[ChannelSize]) -> Iterator[list[str]]:
    from tui.words import size

    for one in found:
        name = one_line(one.name) or "(ids, versions, metadata)"
        yield [name, size(one.bytes), size(one.values.bytes), f"{one.values.rows:,}", size(one.writes.bytes)]


def _on_disk(room: Room) -> str:
    from tui.words import size

    if room.free is None:
        return f"the tables take {size(room.bytes)} on disk, indexes included."
    return f"the file takes {size(room.bytes)}, of which {size(room.free)} are free for new rows."


def _a_day_ago() -> str:
    from backends.ids import checkpoint_id_at

    return checkpoint_id_at(time.time() - _DAY)

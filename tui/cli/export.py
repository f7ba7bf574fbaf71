"""``lgtop export``: threads as one file, or a report of one."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, BinaryIO

from . import output
from .arguments import Parser, UsageError, add_filter, add_store
from .exits import Exit
from .opening import opened, require_thread

if TYPE_CHECKING:
    from backends.reader import Reader
    from backends.transfer.redact import Redaction

SUMMARY = "write threads to a file that import reads, or a report of a thread"
DESCRIPTION = """\
Write threads to a file: checkpoints of all namespaces, blobs and pending writes, byte for byte, one JSON object a
line. lgtop import reads it into a store of either kind, and the threads go on there. The file goes to standard output
unless -o names one. Nothing is locked: a thread may be running meanwhile.

--redact KEY replaces the values of every key, field and channel of that name (any case; * stands for any text);
--redact /PATTERN/ replaces text that fits a regular expression. What is replaced keeps its kind, so that checkpoints
still decode. Ids of threads and names of nodes and channels stay. Values that cannot be read (a pickle, damaged bytes,
encrypted without LANGGRAPH_AES_KEY) are written as they are; they are named, and the exit code is 1.

--report writes a Markdown page about one thread instead: status, reason, questions, errors, state, history."""
EXAMPLES = """\
  lgtop export -s checkpoints.sqlite doc-7f3a -o doc-7f3a.jsonl
  lgtop export -s checkpoints.sqlite --filter status:failed --redact api_key --redact '/[\\w.]+@\\w+/' -o failed.jsonl
  lgtop export -s checkpoints.sqlite --all | gzip > all.jsonl.gz
  lgtop export -s checkpoints.sqlite doc-7f3a --report > incident.md"""

_NAMED = 10
"""Values that are named as not redacted; more are counted."""


def arguments(parser: Parser) -> None:
    """Describe the command line."""
    add_store(parser)
    parser.add_argument("threads", metavar="THREAD", nargs="*", help="thread ids")
    add_filter(parser)
    parser.add_argument("--all", action="store_true", help="every thread of the store")
    parser.add_argument("-o", "--output", metavar="FILE", help="write to a new file; default: standard output")
    parser.add_argument("--force", action="store_true", help="replace the file if it is there")
    parser.add_argument(
        "--redact", metavar="KEY|/PATTERN/", action="append", default=[], help="replace values first; may be repeated"
    )
    parser.add_argument("--report", action="store_true", help="write a Markdown report of one thread instead")
    parser.add_argument("--json", action="store_true", help="with -o: print what was written as one JSON object")


def run(options: Namespace) -> Exit:
    """Write the file."""
    _require_sense(options)
    redaction = _redaction(options)
    with opened(options) as reader:
        for thread_id in options.threads:
            require_thread(reader, thread_id)
        if options.report:
            _write_report(reader, options, redaction)
            return _end(options, redaction, [])
        threads = list(_chosen(reader, options))
        written = _write_threads(reader, threads, options, redaction)
    return _end(options, redaction, written)


def _require_sense(options: Namespace) -> None:
    chosen = sum((bool(options.threads), bool(options.filter.strip()), options.all))
    if chosen != 1:
        raise UsageError("Name threads, or choose them with --filter or --all.", options.prog)
    if options.report and len(options.threads) != 1:
        raise UsageError("--report is about one thread.", options.prog)
    if options.json and options.output is None:
        raise UsageError("--json needs -o: standard output is the file itself.", options.prog)


def _redaction(options: Namespace) -> Redaction | None:
    if not options.redact:
        return None
    from backends.errors import QueryError
    from backends.transfer.redact import Redaction
    from backends.transfer.rules import Rules

    try:
        return Redaction(Rules.parse(options.redact))
    except QueryError as error:
        raise UsageError(f"--redact: {error.reason}", options.prog) from None


def _chosen(reader: Reader, options: Namespace) -> Iterator[str]:
    """Thread ids, the one with the latest activity last: imported, it is the newest again."""
    if options.threads:
        yield from dict.fromkeys(options.threads)
        return
    if options.all:
        heads = [head for batch in reader.store.heads() for head in batch]
    else:
        from backends.order import View
        from backends.query import parse

        from .selection import select

        heads = [listed.head for listed in select(reader, View(parse(options.filter), "active", False), None)]
    yield from (head.thread_id for head in sorted(heads, key=lambda head: head.newest_id))


def _write_threads(
    reader: Reader, threads: list[str], options: Namespace, redaction: Redaction | None
) -> list[dict[str, Any]]:
    from dataclasses import asdict

    from backends.transfer.export import export

    from .main import version

    with _file(options) as file:
        made = export(reader.store, threads, file.write, redaction, f"lgtop {version()}")
        written = [asdict(one) for one in made]
    rows = sum(one["checkpoints"] for one in written)
    output.narrate(f"lgtop: exported {_several(len(written), 'thread')}, {_several(rows, 'checkpoint')}.")
    return written


def _write_report(reader: Reader, options: Namespace, redaction: Redaction | None) -> None:
    from backends.transfer.report import report

    if redaction is not None:
        from backends.reader import Reader as Whole
        from backends.transfer.redacted import RedactedStore

        reader = Whole(RedactedStore(reader.store, redaction), reader.decoder, reader.witness)
    lines = [*report(reader, options.threads[0]), ""]
    with _file(options) as file:
        file.write("\n".join(lines).encode())


def _end(options: Namespace, redaction: Redaction | None, written: list[dict[str, Any]]) -> Exit:
    """Say what could not be redacted, and print what was written."""
    left = [] if redaction is None else redaction.left
    for one in left[:_NAMED]:
        what = f"{one.thread_id} {one.checkpoint_id} {one.channel}".strip()
        output.narrate(f"lgtop: not redacted, written as it is: {what}: {one.reason}.")
    if redaction is not None and redaction.unread:
        unread = _several(redaction.unread, "value")
        output.narrate(f"lgtop: {unread} could not be redacted, {redaction.encrypted} of them encrypted.")
    if options.json:
        unredacted = [
            {"thread_id": one.thread_id, "checkpoint_id": one.checkpoint_id, "channel": one.channel}
            | {"reason": one.reason, "encrypted": one.encrypted}
            for one in left
        ]
        output.print_record(
            {
                "file": options.output,
                "bytes": os.path.getsize(options.output),
                "threads": written,
                "redacted": 0 if redaction is None else redaction.redacted,
                "not_redacted": 0 if redaction is None else redaction.unread,
                "unredacted": unredacted,
            }
        )
    return Exit.FAILED if redaction is not None and redaction.unread else Exit.DONE


@contextmanager
def _file(options: Namespace) -> Iterator[BinaryIO]:
    """Standard output, or a file that appears under its name when it is complete; readable by its owner only."""
    if options.output is None:
        sys.stdout.flush()
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    from backends.errors import Refused

    if os.path.lexists(options.output) and not options.force:
        raise Refused(f"There is a file {options.output} already.", "Name another one, or give --force.")
    part = f"{options.output}.{os.getpid()}.part"
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(handle, "wb") as file:
            yield file
        os.replace(part, options.output)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(part)
        raise


def _several(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"

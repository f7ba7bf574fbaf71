"""``lgtop export``: threads as one file, or a report of one."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from typing import TYPE_CHECKING, Any

from . import output
from .arguments import Parser, UsageError
from .bulk_arguments import add_pace, add_targets
from .exits import Exit
from .opening import address_of, opened

if TYPE_CHECKING:
    from collections.abc import Callable

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
encrypted without LANGGRAPH_AES_KEY) are replaced as a whole; they are named, and the exit code is 1.

A file appears under its name when it is complete. ctrl+c leaves none; nor does a thread that cannot be read, which
is tried again with --retries.

--report writes a Markdown page about one thread instead: status, reason, questions, errors, state, history."""
EXAMPLES = """\
  lgtop export -s checkpoints.sqlite doc-7f3a -o doc-7f3a.jsonl
  lgtop export -s checkpoints.sqlite --filter status:failed --redact api_key --redact '/[\\w.]+@\\w+/' -o failed.jsonl
  lgtop export -s checkpoints.sqlite --all | gzip > all.jsonl.gz
  lgtop export -s checkpoints.sqlite doc-7f3a --report > incident.md"""

_NAMED = 10
"""Values that are named as replaced as a whole; more are counted."""


def arguments(parser: Parser) -> None:
    """Describe the command line."""
    add_targets(parser)
    parser.add_argument("-o", "--output", metavar="FILE", help="write to a new file; default: standard output")
    parser.add_argument("--force", action="store_true", help="replace the file if it is there")
    parser.add_argument(
        "--redact", metavar="KEY|/PATTERN/", action="append", default=[], help="replace values first; may be repeated"
    )
    parser.add_argument("--dry-run", action="store_true", help="only say which threads would be written")
    add_pace(parser, concurrency=False)
    parser.add_argument("--report", action="store_true", help="write a Markdown report of one thread instead")
    parser.add_argument("--json", action="store_true", help="with -o: print what was written as one JSON object")


def run(options: Namespace) -> Exit:
    """Write the file."""
    _require_sense(options)
    redaction = _redaction(options)
    with opened(options) as reader:
        from .selection import chosen

        threads = tuple(chosen(options, reader))  # the one with the latest activity last: imported, it is newest again
        if options.dry_run:
            return _tell_only(threads)
        if options.report:
            _write_report(reader, options, redaction)
            return _end(options, redaction, [])
        if options.output is None or not threads:
            written = _stream(reader, threads, options, redaction)
        else:
            made = _write_file(threads, options, redaction)
            if isinstance(made, Exit):
                return made
            written = made
    rows = sum(one["checkpoints"] for one in written)
    output.narrate(f"lgtop: exported {_several(len(written), 'thread')}, {_several(rows, 'checkpoint')}.")
    return _end(options, redaction, written)


def _require_sense(options: Namespace) -> None:
    if options.report and len(options.threads) != 1:
        raise UsageError("--report is about one thread.", options.prog)
    if options.json and options.output is None:
        raise UsageError("--json needs -o: standard output is the file itself.", options.prog)


def _tell_only(threads: tuple[str, ...]) -> Exit:
    from backends.bulk.preview import sentence
    from backends.bulk.request import Action
    from backends.text import one_line

    output.print_lines(map(one_line, threads))
    output.narrate(f"lgtop: {sentence(Action.EXPORT, threads)}. Nothing was written.")
    return Exit.DONE


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


def _stream(
    reader: Reader, threads: tuple[str, ...], options: Namespace, redaction: Redaction | None
) -> list[dict[str, Any]]:
    """Write the threads as they are read."""
    from dataclasses import asdict

    from backends.transfer.export import export

    from .main import version

    def write(sink: Callable[[bytes], object]) -> list[dict[str, Any]]:
        return [asdict(one) for one in export(reader.store, threads, sink, redaction, f"lgtop {version()}")]

    written: list[dict[str, Any]] = _into(options, write)
    return written


def _write_file(
    threads: tuple[str, ...], options: Namespace, redaction: Redaction | None
) -> list[dict[str, Any]] | Exit:
    """Write the threads to a file with a line of progress; the exit code where there is none in the end."""
    from dataclasses import asdict

    from backends.bulk.exporting import Exporting
    from backends.bulk.job import Job
    from backends.bulk.request import Action, BulkRequest
    from backends.control.gate import Gate

    from .bulk import exit_of, tell_left_out
    from .bulk_progress import carry_out
    from .main import version

    request = BulkRequest(
        Action.EXPORT,
        threads,
        path=options.output,
        replace=options.force,
        retries=options.retries,
        backoff=options.backoff,
    )
    gate = Gate(address_of(options))
    deed = Exporting(request, gate, f"lgtop {version()}", redaction)
    job = Job(request, gate, deed)
    interrupted = carry_out(job)
    outcomes = job.outcomes()
    tell_left_out([one for one in outcomes if one.state.value != "done"])
    if interrupted:
        return Exit.INTERRUPTED
    code = exit_of(outcomes)
    return [asdict(one) for one in deed.written] if code is Exit.DONE else code


def _write_report(reader: Reader, options: Namespace, redaction: Redaction | None) -> None:
    from backends.transfer.report import report

    if redaction is not None:
        from backends.reader import Reader as Whole
        from backends.transfer.redacted import RedactedStore

        reader = Whole(RedactedStore(reader.store, redaction), reader.decoder, reader.witness)
    page = "\n".join([*report(reader, options.threads[0]), ""]).encode()
    _into(options, lambda write: write(page))


def _end(options: Namespace, redaction: Redaction | None, written: list[dict[str, Any]]) -> Exit:
    """Say what had to be replaced as a whole, and print what was written."""
    left = [] if redaction is None else redaction.left
    for one in left[:_NAMED]:
        what = f"{one.thread_id} {one.checkpoint_id} {one.channel}".strip()
        output.narrate(f"lgtop: replaced as a whole: {what}: {one.reason}.")
    if redaction is not None and redaction.unread:
        unread = _several(redaction.unread, "value")
        told = "could not be read, and so were replaced as a whole"
        output.narrate(f"lgtop: {unread} {told}; encrypted: {redaction.encrypted:,}.")
    if options.json:
        replaced = [
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
                "unreadable": 0 if redaction is None else redaction.unread,
                "replaced": replaced,
            }
        )
    return Exit.FAILED if redaction is not None and redaction.unread else Exit.DONE


def _into(options: Namespace, produce: Callable[[Callable[[bytes], object]], Any]) -> Any:
    """Let something be written to standard output, or to a file that appears under its name when it is complete."""
    if options.output is None:
        sys.stdout.flush()
        made = produce(sys.stdout.buffer.write)
        sys.stdout.buffer.flush()
        return made
    from backends.bulk.exporting import Part
    from backends.transfer.export import require_elsewhere

    require_elsewhere(options.output, address_of(options))
    part = Part(options.output, options.force)
    try:
        made = produce(part.file.write)
        part.keep()
    finally:
        part.drop()
    return made


def _several(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"

"""Standard output is data, standard error is narration; neither ever carries what a terminal would obey."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from backends.text import one_line

_WONDER = 1.0
"""Seconds that a person waits without wondering."""

Record = Mapping[str, Any]
"""One item of JSON output."""


def narrate(sentence: str) -> None:
    """Say something to the person, not to the pipe; where nobody listens any more, the work goes on."""
    narrate_lines([one_line(sentence)])


def narrate_lines(lines: Sequence[str]) -> None:
    """Say several things at once: lines that hold no untrusted text that is not cleaned."""
    if lines:
        with suppress(BrokenPipeError):
            sys.stderr.write("".join([f"{line}\n" for line in lines]))
            sys.stderr.flush()


@contextmanager
def narrated_if_slow(sentence: str) -> Iterator[None]:
    """Say what is being waited for, if it takes longer than a person waits without wondering."""
    from threading import Timer

    timer = Timer(_WONDER, narrate, [sentence])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def has_terminal() -> bool:
    """Whether there is a person with a terminal to open the app on; it reads stdin and draws on stderr."""
    dumb = os.environ.get("TERM", "") in ("", "dumb")
    return not dumb and all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))


def width() -> int | None:
    """Columns of the terminal that output goes to; ``None`` for a pipe or a file, where nothing is cut."""
    if not sys.stdout.isatty():
        return None
    from shutil import get_terminal_size

    return get_terminal_size().columns


def coloured() -> bool:
    """Whether output may be coloured (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def print_lines(lines: Iterable[str]) -> None:
    """Print lines that hold no untrusted text that is not cleaned."""
    for line in lines:
        sys.stdout.write(f"{line}\n")


def print_records(records: Iterable[Record], as_lines: bool) -> None:
    """Print JSON as it comes in: one array with an item a line, or with ``as_lines`` one object a line."""
    if as_lines:
        for record in records:
            sys.stdout.write(f"{encode(record)}\n")
        return
    opening = "["
    for record in records:
        sys.stdout.write(f"{opening}\n{encode(record)}")
        opening = ","
    sys.stdout.write("\n]\n" if opening == "," else "[]\n")


def print_record(record: Record) -> None:
    """Print one JSON object, indented where a person reads it."""
    sys.stdout.write(f"{encode(record, indent=2 if sys.stdout.isatty() else None)}\n")


def encode(record: Any, indent: int | None = None) -> str:
    """JSON in ASCII: lossless, and free of escape sequences, bidirectional controls and lone surrogates."""
    return json.dumps(record, ensure_ascii=True, allow_nan=False, indent=indent)


def timestamp(when: float | None) -> str | None:
    """Unix time as ISO 8601 in UTC with microseconds: ``2026-11-20T09:15:00.123456Z``."""
    if when is None:
        return None
    whole, micro = divmod(round(when * 1_000_000), 1_000_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole))}.{micro:06d}Z"

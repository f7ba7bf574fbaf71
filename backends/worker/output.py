"""Printed text on its way into a record, bounded: a run that prints without end must not fill the disk.

Events: a first burst of lines, then so many a second; what is left out is counted. ``output.log``: the beginning and
the end, with the number of bytes between them.
"""

from __future__ import annotations

import re
import time
from collections import deque
from pathlib import Path

from ..runs.events import Kind
from ..runs.recorder import Recorder

OUTPUT = "output.log"
"""Name of the file in a record."""

HEAD = 4 << 20
"""Bytes of the beginning that are kept."""

TAIL = 1 << 20
"""Bytes of the end that are kept once the beginning is full."""

BURST = 500
"""Lines that become events at once."""

RATE = 50.0
"""Lines that become events in each second after that."""

_LINE = 4_000
"""Bytes after which a line without an end is broken."""

_ENDS = re.compile(rb"\r\n|\n|\r")
"""Ends of lines; a progress bar writes a carriage return each time."""


class Output:
    """Takes what is printed and writes down what fits; belongs to the reading process.

    Args:
        folder: The record.
        recorder: Takes the events.

    Raises:
        OSError: The file cannot be made.
    """

    def __init__(self, folder: Path, recorder: Recorder) -> None:
        self._recorder = recorder
        self._file = open(folder / OUTPUT, "ab", buffering=0)  # noqa: SIM115 - open as long as the run
        self._written = 0
        self._tail: deque[bytes] = deque()
        self._kept = 0
        self._dropped = 0
        self._rest: dict[str, bytes] = {}
        self._tokens = float(BURST)
        self._filled = time.monotonic()
        self._silent = 0

    def add(self, stream: str, data: bytes) -> None:
        """Take what was printed on a stream; nothing (``b""``) is its end."""
        self._store(data)
        self._refill()
        if self._tokens < 1:
            self._silent += data.count(b"\n")
            self._rest[stream] = b""
            return
        *lines, rest = _ENDS.split(self._rest.get(stream, b"") + data)
        if not data or len(rest) > _LINE:
            lines, rest = [*lines, rest], b""
        self._rest[stream] = rest
        for line in filter(None, lines):
            self._say(stream, line)

    def breathe(self) -> None:
        """Say how much was left out, as soon as there is room again."""
        self._refill()
        if self._silent and self._tokens >= 1:
            self._event("lgtop", f"… {self._silent:,} lines left out here; see {OUTPUT} in the record")
            self._silent = 0

    def close(self) -> None:
        """Write down what is left: unfinished lines, the end of a long output."""
        for stream, rest in self._rest.items():
            if rest:
                self._say(stream, rest)
        self._tokens = 1.0
        self.breathe()
        if self._dropped:
            self._write(f"\n… {self._dropped:,} bytes left out …\n".encode())
        for part in self._tail:
            self._write(part)
        self._file.close()

    def _say(self, stream: str, line: bytes) -> None:
        if self._tokens < 1:
            self._silent += 1
            return
        self._tokens -= 1
        self._event(stream, line[:_LINE].decode("utf-8", "replace"))

    def _event(self, stream: str, text: str) -> None:
        self._recorder.write(Kind.LOG, stream=stream, level=None, text=text)

    def _refill(self) -> None:
        now = time.monotonic()
        self._tokens = min(float(BURST), self._tokens + (now - self._filled) * RATE)
        self._filled = now

    def _store(self, data: bytes) -> None:
        """Keep the beginning in the file and the end in memory."""
        room = HEAD - self._written
        if room > 0:
            self._write(data[:room])
            self._written += len(data[:room])
            data = data[room:]
        if not data:
            return
        self._tail.append(data)
        self._kept += len(data)
        while self._kept - len(self._tail[0]) >= TAIL:
            gone = len(self._tail.popleft())
            self._kept -= gone
            self._dropped += gone

    def _write(self, data: bytes) -> None:
        try:
            self._file.write(data)
        except OSError:  # a full disk: the events say so, by the recorder
            self._written = HEAD

"""EXPORT: threads one after the other into a file that appears under its name when it is complete."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO

from ..control.gate import Gate
from ..errors import NotFound, Refused
from ..store import Store, open_store
from ..transfer.export import Exported, export, require_elsewhere
from ..transfer.format import END, line_of
from ..transfer.redact import Redaction
from .outcome import Outcome, State
from .request import BulkRequest


class Part:
    """A file under another name until it is complete; readable by its owner only.

    Args:
        path: The name that it gets.
        replace: Whether a file of that name may be replaced.

    Raises:
        Refused: There is a file of that name.
        OSError: It cannot be made.
    """

    def __init__(self, path: str, replace: bool) -> None:
        if os.path.lexists(path) and not replace:
            raise Refused(f"There is a file {path} already.", "Name another one, or give --force.")
        self.path = path
        self._part = f"{path}.{os.getpid()}.part"
        handle = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self.file: BinaryIO = open(handle, "wb")  # noqa: SIM115

    def keep(self) -> None:
        """Give it its name.

        Raises:
            OSError: It cannot be written to its end.
        """
        self.file.close()
        os.replace(self._part, self.path)

    def drop(self) -> None:
        """Remove it; nothing where it has its name already."""
        with suppress(OSError):  # the disk is full: what is not written yet is not wanted
            self.file.close()
        with suppress(FileNotFoundError):
            os.unlink(self._part)


class Exporting:
    """Writes the file of a request.

    Args:
        request: What is asked for.
        gate: The store.
        made_by: Program and version, for the file's header.
        redaction: What to replace first, and where it keeps what it could not replace.

    Attributes:
        written: What has been written, thread by thread.

    Raises:
        Refused: There is a file of that name, or it is the store itself.
        OSError: It cannot be made.
    """

    def __init__(self, request: BulkRequest, gate: Gate, made_by: str = "", redaction: Redaction | None = None) -> None:
        self.written: list[Exported] = []
        self._gate = gate
        self._made_by = made_by
        self._redaction = redaction
        require_elsewhere(request.path, gate.address)
        self._part = Part(request.path, request.replace)

    def hand(self, stopping: Callable[[], bool]) -> ExportingHand:
        """See ``deed.Deed``; there is one hand at a time."""
        return ExportingHand(open_store(self._gate.target), self._write)

    def finish(self, complete: bool) -> str:
        """See ``deed.Deed``."""
        problem = "" if complete else "The file was not completed, and is not there."
        if complete and self.written:
            try:
                self._part.file.write(line_of({"record": END, "threads": len(self.written)}))
                self._part.keep()
            except OSError as error:
                problem = f"The file cannot be written: {error.strerror}."
        self._part.drop()
        return problem

    def _write(self, store: Store, thread_id: str) -> None:
        """Write one thread; what it has written is taken back where it fails."""
        file = self._part.file
        begin, lines = file.tell(), 0

        def write(line: bytes) -> None:
            nonlocal lines
            lines += 1
            if not begin or lines > 1:  # the first line is the header, which a file has once
                file.write(line)

        try:
            self.written.append(next(export(store, [thread_id], write, self._redaction, self._made_by)))
        except BaseException:
            file.seek(begin)
            file.truncate()
            raise


class ExportingHand:
    """Writes one thread after the other; see ``deed.Hand``.

    Args:
        store: The open store.
        write: Writes a thread.
    """

    def __init__(self, store: Store, write: Callable[[Store, str], None]) -> None:
        self._store = store
        self._write = write

    def do(self, thread_id: str, attempt: int) -> Outcome:
        """See ``deed.Hand``."""
        if thread_id not in self._store.heads_of([thread_id]):
            raise NotFound(f"No thread {thread_id!r}.")
        self._write(self._store, thread_id)
        return Outcome(thread_id, State.DONE)

    def close(self) -> None:
        """See ``deed.Hand``."""
        self._store.close()

"""Threads written to a file, row by row."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ..address import Address
from ..errors import NotFound, Refused
from ..locks.sidecar import SUFFIX
from ..store import Store
from ..stored import StoredRow, layout_of
from .format import END, END_OF_THREAD, HEADER, THREAD, VERSION, line_of, record_of
from .redact import Redaction


@dataclass(frozen=True, slots=True)
class Exported:
    """A thread that was written.

    Attributes:
        thread_id: Its id.
        checkpoints: Rows, over all namespaces.
        blobs: Rows; PostgreSQL only.
        writes: Rows.
        redacted: Values in which something was replaced.
    """

    thread_id: str
    checkpoints: int
    blobs: int
    writes: int
    redacted: int = 0


def export(
    store: Store,
    thread_ids: Iterable[str],
    write: Callable[[bytes], object],
    redaction: Redaction | None = None,
    made_by: str = "",
) -> Iterator[Exported]:
    """Write threads to a file; memory follows the largest row, not the thread.

    A thread may be running: what is saved by the time its export begins is written, and some of what follows.

    Args:
        store: Where they are.
        thread_ids: Which.
        write: Takes the file's bytes, piece by piece.
        redaction: What to replace first, and where it keeps what it could not replace.
        made_by: Program and version, for the header.

    Yields:
        Each thread as soon as it is written.

    Raises:
        NotFound: There is no such thread; the file is then incomplete, as after any error.
        StoreError: The store cannot be read.
    """
    kind = store.info.kind
    write(line_of({**_header(kind, made_by), "redacted": redaction is not None}))
    number = 0
    for thread_id in thread_ids:
        write(line_of({"record": THREAD, "thread_id": thread_id, "layout": layout_of(kind)}))
        rows = store.stored(thread_id)
        before = 0 if redaction is None else redaction.redacted
        done = _write_rows(rows if redaction is None else redaction.rows(thread_id, rows), write)
        if not done:
            raise NotFound(f"No thread {thread_id!r} in {store.info.name}.")
        write(line_of({"record": END_OF_THREAD, **_counts(done)}))
        number += 1
        redacted = 0 if redaction is None else redaction.redacted - before
        yield Exported(thread_id, **_counts(done), redacted=redacted)
    write(line_of({"record": END, "threads": number}))


def require_elsewhere(path: str, address: Address) -> None:
    """Make sure that a file to be written is none of those that the store consists of.

    Raises:
        Refused: It is.
    """
    if address.path is not None and os.path.exists(path):
        store = os.path.realpath(address.path)
        for part in (store, *(f"{store}{suffix}" for suffix in ("-wal", "-shm", "-journal", SUFFIX))):
            if os.path.exists(part) and os.path.samefile(path, part):
                raise Refused(f"{path} is part of the store itself.", "Name another file.")


def _header(kind: str, made_by: str) -> dict[str, Any]:
    made_at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return {"record": HEADER, "version": VERSION, "made_by": made_by, "made_at": made_at, "store": kind}


def _write_rows(rows: Iterable[StoredRow], write: Callable[[bytes], object]) -> Counter[str]:
    found: Counter[str] = Counter()
    for row in rows:
        record = record_of(row)
        found[record["record"]] += 1
        write(line_of(record))
    return found


def _counts(found: Counter[str]) -> dict[str, int]:
    return {"checkpoints": found["checkpoint"], "blobs": found["blob"], "writes": found["write"]}

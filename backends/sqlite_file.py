"""What the file system tells about an SQLite file: which file it is, whether it changed, whether it has a WAL."""

from __future__ import annotations

import os
import stat
import threading
import time
from contextlib import suppress
from dataclasses import dataclass

from .address import similar_files
from .errors import EmptyPlace, NotAStore, StoreReplaced

WHICH_FILE = "Give the file that the application's SqliteSaver or AsyncSqliteSaver writes."

SETTLING = 0.05
"""Seconds after which a further write shows in the modification time: kernels stamp it by a clock that ticks."""

_MAGIC = b"SQLite format 3\0"

_wal_modes: dict[tuple[int, int], bool] = {}
_kept: dict[tuple[int, int], int] = {}
_wal_modes_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class FileState:
    """A database file and its WAL at one time.

    Attributes:
        identity: Device and inode.
        size: Bytes.
        modified: Modification time, nanoseconds.
        wal: Inode and size of the ``-wal`` file; ``None`` when there is none, or an empty one that nobody has open.
    """

    identity: tuple[int, int]
    size: int
    modified: int
    wal: tuple[int, int] | None

    @classmethod
    def of(cls, path: str) -> FileState:
        """Look at a file.

        Raises:
            FileNotFoundError: It does not exist (any more).
            OSError: It cannot be looked at.
        """
        found = os.stat(path)
        beside = os.path.realpath(path)  # SQLite puts the WAL beside the file that a link leads to
        try:
            wal = os.stat(f"{beside}-wal")
        except FileNotFoundError:
            return cls((found.st_dev, found.st_ino), found.st_size, found.st_mtime_ns, None)
        used = wal.st_size > 0 or os.path.exists(f"{beside}-shm")
        return cls(
            (found.st_dev, found.st_ino),
            found.st_size,
            found.st_mtime_ns,
            (wal.st_ino, wal.st_size) if used else None,
        )

    def same_content(self, other: FileState) -> bool:
        """Whether the database file, WAL aside, was not written to between two settled looks."""
        return (self.identity, self.size, self.modified) == (other.identity, other.size, other.modified)

    @property
    def settled(self) -> bool:
        """Whether any write from now on will show in ``modified``."""
        coarse = self.modified % 1_000_000_000 == 0  # a file system that keeps whole seconds
        age = abs(time.time() - self.modified / 1e9)  # a time in the future is no time of a write from now on either
        return age > (2.0 if coarse else SETTLING)


def uses_wal(path: str) -> bool:
    """Check that a path is an SQLite database file, and return whether it is in WAL mode (bytes 18, 19 of its header).

    A file is read for this only once in the life of the process: an answer that has become wrong does no harm, as
    either way of opening sees the truth.

    Raises:
        NotAStore: It is not a database file.
        OSError: It cannot be read.
    """
    found = os.stat(path)
    if stat.S_ISDIR(found.st_mode):
        raise NotAStore(f"{path} is a directory.", suggestion(path) or WHICH_FILE)
    if not stat.S_ISREG(found.st_mode):
        raise NotAStore(f"{path} is not a regular file.", WHICH_FILE)
    identity = (found.st_dev, found.st_ino)
    with _wal_modes_lock:
        if identity not in _wal_modes:
            _wal_modes[identity] = _header_says_wal(path, identity)
        return _wal_modes[identity]


def _header_says_wal(path: str, identity: tuple[int, int]) -> bool:
    name, header = os.path.basename(path), _header(path, identity)
    if not header:
        raise EmptyPlace(f"{name} is empty.", "LangGraph makes its tables when the application first uses the store.")
    if not header.startswith(_MAGIC):
        raise NotAStore(f"{name} is not an SQLite database, or it is encrypted.", WHICH_FILE)
    return header[18:20] == b"\x02\x02"


def _header(path: str, identity: tuple[int, int]) -> bytes:
    """Read the beginning of a file that an SQLite connection of this process may have open.

    Closing a file drops all locks that the process holds on it, SQLite's too (https://www.sqlite.org/howtocorrupt.html,
    section 2.2): the next other process to leave would then delete the WAL that our application goes on writing to. So
    the descriptor is closed only when the process has no other one of that file, and kept for life otherwise.
    """
    descriptor = _kept.get(identity)
    if descriptor is not None:
        return os.pread(descriptor, 20, 0)
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.pread(descriptor, 20, 0)
    finally:
        if _open_elsewhere(descriptor):
            _kept[identity] = descriptor
        else:
            os.close(descriptor)


def _open_elsewhere(descriptor: int) -> bool:
    """Whether the process has a file open by another descriptor, too; yes where that cannot be told."""
    this = os.fstat(descriptor)
    try:
        others = [int(name) for name in os.listdir("/dev/fd")]
    except OSError:
        return True
    for other in others:
        with suppress(OSError):  # the one that listed them is closed by now
            if other != descriptor and os.path.samestat(this, os.fstat(other)):
                return True
    return False


def replaced(path: str, expected: FileState) -> StoreReplaced | None:
    """Say how a file is no longer the one that was opened; ``None`` when it still is."""
    name = os.path.basename(path)
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return StoreReplaced(f"{name} was deleted.", "It is opened again when it comes back.")
    except OSError as error:
        return StoreReplaced(f"{name} is out of reach: {error.strerror}.", "It is opened again when it comes back.")
    if (found.st_dev, found.st_ino) != expected.identity:
        return StoreReplaced(f"{name} was replaced by another file.", "It is opened again.")
    if found.st_size == 0:
        return StoreReplaced(f"{name} was truncated.", "It is opened again when it holds a store.")
    return None


def suggestion(path: str) -> str:
    """Ask whether another file was meant; empty when there is none near."""
    names = similar_files(path)
    return f"Did you mean {' or '.join(names)}?" if names else ""

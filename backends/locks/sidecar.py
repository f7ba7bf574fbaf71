"""The file beside an SQLite store whose bytes are locked for threads: ``<store>-lgtop``.

It stands beside the database, as SQLite's own ``-wal``, because that is the one place that everyone who can write the
store has in common: XDG_RUNTIME_DIR of a service, of a login and of a container are three places. The database file
itself is never opened here: closing it would drop the locks that SQLite holds on it for the whole process
(https://www.sqlite.org/howtocorrupt.html, section 2.2).

Everything here is called with the process's mutex held.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from contextlib import suppress

from ..errors import Refused, StoreUnreachable
from .process import this_process

SUFFIX = "-lgtop"

_FLAGS = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
"""No link is followed, and no pipe waited for, that stands where the file is expected."""


def sidecar_of(store: str) -> str:
    """Path of the sidecar file of a store; links to the store are followed, as SQLite does for its ``-wal``."""
    return os.path.realpath(store) + SUFFIX


def opened_to_look(path: str) -> int | None:
    """The process's descriptor of a sidecar file, for reading at least; ``None`` when there is no such file.

    Raises:
        StoreUnreachable: The file is there, but cannot be opened.
    """
    descriptor = current(path)
    try:
        return _opened(path, os.O_RDONLY) if descriptor is None else descriptor
    except FileNotFoundError:
        return None
    except OSError as error:
        raise no_locks_told(path, error) from error


def opened_to_lock(path: str, store: str) -> int:
    """The process's descriptor of a sidecar file, for locking; the file is made when it is not there.

    Args:
        path: The sidecar file.
        store: The database file, whose permissions the new file gets; need not exist.

    Raises:
        Refused: It can be neither made nor written.
        StoreUnreachable: There is no such directory.
    """
    descriptor = current(path)
    if descriptor is not None and fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDWR:
        return descriptor
    try:
        try:
            return _opened(path, os.O_RDWR | os.O_APPEND)
        except FileNotFoundError:
            return _made(path, store)
    except FileNotFoundError as error:
        raise StoreUnreachable(f"There is no directory {os.path.dirname(path)}.", "Make it first.") from error
    except OSError as error:
        raise not_lockable(path, error) from error


def current(path: str) -> int | None:
    """The process's descriptor, if it still is that of the file at ``path``; one of a file that has gone is let go.

    Locks on a file that was deleted or replaced keep nobody out any more: they are forgotten with it.
    """
    process = this_process()
    descriptor = process.files.get(path)
    if descriptor is None or _same(descriptor, path):
        return descriptor
    os.close(process.files.pop(path))
    for place in [place for place in process.held if place[0] == path]:
        del process.held[place]
    return None


def not_lockable(path: str, error: OSError) -> Refused:
    """Say why a sidecar file cannot be used."""
    name = os.path.basename(path)
    match error.errno:
        case errno.EROFS:
            return Refused(f"The thread cannot be locked: {name} would stand on a read-only file system.")
        case errno.EACCES | errno.EPERM:
            advice = "Its directory must be writable, and the file itself where there is one."
            return Refused(f"The thread cannot be locked: no permission to write {name}.", advice)
        case errno.ELOOP:
            return Refused(f"The thread cannot be locked: {name} is a link.", "Remove it: lgtop makes it as a file.")
        case errno.ENOLCK | errno.EOPNOTSUPP | errno.ENOSYS | errno.EINVAL:
            advice = "Mount it with locks (NFS: without nolock), or keep the store on a local disk."
            return Refused(f"The thread cannot be locked: the file system of {name} has no locks.", advice)
    return Refused(f"The thread cannot be locked: {name} cannot be used ({error.strerror}).")


def no_locks_told(path: str, error: OSError) -> StoreUnreachable:
    """Say why it is not known who holds a thread."""
    return StoreUnreachable(
        f"Who runs a thread cannot be told: {os.path.basename(path)} cannot be read ({error.strerror}).",
        "It wants the permissions of the store, and a file system with locks.",
    )


def _opened(path: str, flags: int) -> int:
    """Open a file once more, for more than before; what was open for reading cannot have held a lock."""
    descriptor = os.open(path, flags | _FLAGS)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EEXIST, "not a regular file")
    process = this_process()
    if path in process.files:
        os.close(process.files[path])
    process.files[path] = descriptor
    return descriptor


def _made(path: str, store: str) -> int:
    """Make the file with the permissions and the group of the database, and as root also its owner, as for a WAL."""
    try:
        found = os.stat(store)
    except FileNotFoundError:
        found = None
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | _FLAGS, 0o666)
    except FileExistsError:  # another process was first
        return _opened(path, os.O_RDWR | os.O_APPEND)
    if found is not None:
        with suppress(PermissionError):  # who is not in the group of the database cannot give it the file
            os.fchown(descriptor, found.st_uid if os.geteuid() == 0 else -1, found.st_gid)
        os.fchmod(descriptor, stat.S_IMODE(found.st_mode) & 0o666)
    this_process().files[path] = descriptor
    return descriptor


def _same(descriptor: int, path: str) -> bool:
    try:
        found = os.stat(path, follow_symlinks=False)
    except OSError:
        return False
    ours = os.fstat(descriptor)
    return (found.st_dev, found.st_ino) == (ours.st_dev, ours.st_ino)

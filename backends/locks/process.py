"""What this process holds, in one place for all copies of this package that it has loaded.

An application may have the package twice: as ``backends`` and under the alias of ``lgtop.load_backends``. The kernel
knows only processes: to it, both are one owner. So what is held stands in ``sys.modules``, as plain values.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from types import ModuleType
from typing import cast

_NAME = "_lgtop_locks"


class Process(ModuleType):
    """The locks of this process.

    Attributes:
        mutex: To be held while the others are used.
        files: Sidecar file -> its only descriptor. A process loses all its record locks on a file when it closes any
            descriptor of that file (POSIX, ``fcntl``), so it is opened once and stays open.
        held: (Sidecar file, byte) -> the note written for it (``notes.py``).
        sockets: Descriptor and inode of each connection that holds a lock.
        adopted: (Store key, thread) of locks that the process itself stands for: a run's own.
    """

    def __init__(self) -> None:
        super().__init__(_NAME)
        self.mutex = threading.RLock()
        self.files: dict[str, int] = {}
        self.held: dict[tuple[str, int], str] = {}
        self.sockets: dict[int, int] = {}
        self.adopted: set[tuple[str, str]] = set()


def this_process() -> Process:
    """What this process holds; a forked child begins with nothing."""
    found = sys.modules.get(_NAME)
    if found is None:
        found = sys.modules.setdefault(_NAME, Process())
        os.register_at_fork(after_in_child=_begin_anew)
    return cast(Process, found)


def _begin_anew() -> None:
    """Let go, in a forked child, of what would keep a lock alive that its parent no longer holds.

    Record locks are not inherited, and a child that closes the file keeps its parent's. A session of PostgreSQL lives
    as long as any process has its socket, so the child puts something else in its place.
    """
    inherited = this_process()
    sys.modules[_NAME] = Process()
    for descriptor in inherited.files.values():
        os.close(descriptor)
    for descriptor, inode in inherited.sockets.items():
        with suppress(OSError):  # a connection that was lost has closed it
            if os.fstat(descriptor).st_ino == inode:
                nowhere = os.open(os.devnull, os.O_RDWR)
                os.dup2(nowhere, descriptor, inheritable=False)
                os.close(nowhere)

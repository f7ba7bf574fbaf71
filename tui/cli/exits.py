"""What the exit code of ``lgtop`` says."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes, the same for every command."""

    DONE = 0
    FAILED = 1
    """The operation failed."""
    USAGE = 2
    """The command line, or a filter in it, cannot be understood."""
    NOT_FOUND = 3
    """No such thread, namespace or checkpoint."""
    BUSY = 4
    """The thread is already running."""
    REFUSED = 5
    """A precondition does not hold."""
    STORE = 6
    """The store cannot be reached or read, or is none."""
    INTERRUPTED = 130
    """Ended with ctrl+c."""

"""Errors as typed values: each carries a sentence that a person can act on."""

from __future__ import annotations


class StoreError(Exception):
    """A store cannot be opened or read.

    Args:
        reason: What is wrong, in one sentence, without a password.
        advice: What to do about it, in one sentence.
    """

    def __init__(self, reason: str, advice: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.reason} {self.advice}".rstrip()


class NotAStore(StoreError):
    """The address leads to something that is not a LangGraph checkpoint store."""


class EmptyPlace(NotAStore):
    """The file or the database is there, and has no checkpoint tables yet: a store can be made in it."""


class StoreUnreachable(StoreError):
    """The store cannot be reached now: missing file, refused connection, bad password, lost connection."""


class StoreReplaced(StoreError):
    """The file behind an open connection was deleted or replaced; open it again."""


class StoreBusy(StoreError):
    """The store is locked by someone else for longer than we wait."""


class Cancelled(StoreError):
    """The statement was cancelled with ``Store.interrupt``."""


class NotFound(Exception):
    """No such thread, namespace or checkpoint."""


class QueryError(ValueError):
    """A filter cannot be understood.

    Args:
        reason: What is wrong with it, with a suggestion where there is one.
        position: Index of the offending character in the text.
    """

    def __init__(self, reason: str, position: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.position = position


class Refused(Exception):
    """A control verb was not carried out, and nothing was written.

    Args:
        reason: Why, in one sentence.
        advice: What to do about it.
    """

    def __init__(self, reason: str, advice: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.reason} {self.advice}".rstrip()


class AlreadyRunning(Exception):
    """Someone else holds the thread's lock.

    Args:
        thread_id: The thread.
        holder: Who, in one safe line.
    """

    def __init__(self, thread_id: str, holder: str) -> None:
        super().__init__(f"Thread {thread_id!r} is already running: {holder}.")
        self.thread_id = thread_id
        self.holder = holder

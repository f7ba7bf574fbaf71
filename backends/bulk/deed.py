"""What a job calls for each thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from .outcome import Outcome


class Hand(Protocol):
    """Does one thread after the other; belongs to one thread of the job, with connections of its own."""

    def do(self, thread_id: str, attempt: int) -> Outcome:
        """Do it, and wait until it is done.

        Args:
            thread_id: The thread.
            attempt: 1, or more after it has failed.

        Returns:
            What became of it; the job adds tries and seconds.

        Raises:
            AlreadyRunning: Somebody holds the thread.
            NotFound: The thread is gone.
            Refused: A precondition does not hold.
            StoreError: The store failed; the hand is then closed, and another one opened.
        """
        ...

    def close(self) -> None:
        """Close its connections."""
        ...


class Deed(Protocol):
    """Makes hands, and ends what they share."""

    def hand(self, stopping: Callable[[], bool]) -> Hand:
        """Open a hand.

        Args:
            stopping: Whether what is under way should come to an end at the next whole checkpoint.

        Raises:
            Refused: The store may not be written to.
            StoreError: It cannot be opened.
        """
        ...

    def finish(self, complete: bool) -> str:
        """End what the hands share; called once, after the last of them was closed. Never raises.

        Args:
            complete: Whether every thread is done, or was skipped.

        Returns:
            Why what was done came to nothing all the same, in one sentence; empty where it stands.
        """
        ...

"""A lock that is held."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class Lock(ABC):
    """The right to run or change a thread, until it is released or the process ends in whatever way.

    It belongs to the process that took it: in a forked child it is not held, and releasing it there does nothing.

    Attributes:
        thread_id: The thread.
    """

    __slots__ = ("thread_id",)

    def __init__(self, thread_id: str) -> None:
        self.thread_id = thread_id

    @abstractmethod
    def held(self) -> bool:
        """Whether it is still ours: cheap, no round trip. False after ``release`` and when it was lost."""

    @abstractmethod
    def release(self) -> None:
        """Let others have the thread; may be called again."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()

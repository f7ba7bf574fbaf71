"""What an injected fault does when it strikes."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from typing import Final, NoReturn

from ..faults import How

EXIT_CODE: Final = 70
"""Of a process that an injected fault makes leave (``EX_SOFTWARE``)."""


class InjectedFault(RuntimeError):
    """The exception of a fault that raises."""

    def __init__(self, text: str = "injected while the node ran") -> None:
        super().__init__(text)


class Hanging(BaseException):
    """Raised in the thread of a node that is to hang."""


def hang_here() -> NoReturn:
    """Never come back; this thread."""
    while True:
        threading.Event().wait()


async def hang() -> NoReturn:
    """Never come back; this task."""
    while True:
        await asyncio.Event().wait()


def end_process(how: How) -> NoReturn:
    """Kill the process, or leave it without a word."""
    if how is How.KILL:
        os.kill(os.getpid(), signal.SIGKILL)
        threading.Event().wait()
    os._exit(EXIT_CODE)

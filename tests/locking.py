"""Processes that contend for a thread, for tests: each does what it is told, one word at a time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parents[1]
DEADLINE = 20.0

_CHILD = """
import os, signal, sys
from backends.errors import AlreadyRunning
from backends.locks.take import take

address, thread, who = sys.argv[1:]
lock = None
for word in sys.stdin:
    match word.strip():
        case "take":
            try:
                lock = take(address, thread, who=who)
                told = "taken"
            except AlreadyRunning as error:
                told = f"busy: {error.holder}"
        case "held":
            told = str(lock.held())
        case "release":
            lock.release()
            told = "released"
        case "fork":
            told = os.fork()
            if not told:
                os.setsid()
                signal.pause()
    print(told, flush=True)
"""


class Contender:
    """A process that can take one thread.

    Args:
        address: The store.
        thread_id: The thread.
        who: What it says about itself.
    """

    def __init__(self, address: str, thread_id: str, who: str = "someone") -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _CHILD, address, thread_id, who],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._others: list[int] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.kill()
        for pid in self._others:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def tell(self, word: str) -> None:
        """Say what to do: take, held, release or fork."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()

    def answer(self) -> str:
        """What came of it."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().rstrip("\n")

    def ask(self, word: str) -> str:
        """Tell, and wait for the answer."""
        self.tell(word)
        return self.answer()

    def fork(self) -> int:
        """Leave a child behind that outlives it until the test is over; its process id."""
        self._others.append(int(self.ask("fork")))
        return self._others[-1]

    def kill(self) -> None:
        """Kill it (SIGKILL)."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    """Whether a condition comes true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.001)
    return True

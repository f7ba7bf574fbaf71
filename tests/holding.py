"""Other processes that hold threads."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parents[1]

_CHILD = """
import sys
from backends.locks.take import take

address, thread_id, who = sys.argv[1:]
with take(address, thread_id, who=who):
    print("held", flush=True)
    sys.stdin.readline()
print("free", flush=True)
sys.stdin.readline()
"""


class Holding:
    """A process that holds a thread until it is told otherwise.

    Args:
        address: The store.
        thread_id: The thread.
        who: What it says about itself.
    """

    def __init__(self, address: str, thread_id: str, who: str = "nightly@batch") -> None:
        argv = [sys.executable, "-c", _CHILD, address, thread_id, who]
        self._process = subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._hear("held")

    @property
    def pid(self) -> int:
        return self._process.pid

    def let_go(self) -> None:
        """Release the thread, and live on."""
        self._say()
        self._hear("free")

    def kill(self) -> None:
        """Die as a process dies that is killed."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def _say(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def _hear(self, word: str) -> None:
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == f"{word}\n"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

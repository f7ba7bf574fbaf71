"""A real pseudo-terminal with a screen: runs a program as a person would, reads what is on the glass.

The end-to-end tests use it where tmux is missing; the benchmarks everywhere, because it knows when a byte came.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence

import pyte


class Screen(pyte.Screen):
    """A screen that is empty when a program takes it over, and when it gives it back; pyte knows no second one."""

    def set_mode(self, *modes: int, **options: bool) -> None:
        """Switch modes on."""
        super().set_mode(*modes, **options)
        self._clear_if_alternate(modes)

    def reset_mode(self, *modes: int, **options: bool) -> None:
        """Switch modes off."""
        super().reset_mode(*modes, **options)
        self._clear_if_alternate(modes)

    def _clear_if_alternate(self, modes: Sequence[int]) -> None:
        if 1049 in modes:
            self.erase_in_display(2)
            self.cursor_position()


class PtyTerminal:
    """A program in a pseudo-terminal of its own."""

    def __init__(
        self, argv: Sequence[str], *, columns: int = 120, rows: int = 40, env: Mapping[str, str] | None = None
    ) -> None:
        self.started = time.perf_counter()
        self._screen = Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.received = b""
        self.ended = False
        self._exit_code: int | None = None
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(env or {})}
            os.execvpe(argv[0], list(argv), environment)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def send(self, keys: str) -> None:
        """Type `keys`."""
        os.write(self._fd, keys.encode())

    def pump(self, seconds: float) -> bool:
        """Feed what arrives within `seconds` to the screen; False when nothing came or the program is gone."""
        ready, _, _ = select.select([self._fd], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self._fd, 65536)
        except OSError:
            data = b""
        self.ended = not data
        self.received += data
        self._stream.feed(data)
        return bool(data)

    @property
    def text(self) -> str:
        """What is on the screen now."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    def wait_for(self, wanted: str | Callable[[str], bool], timeout: float = 20.0) -> float:
        """Wait until the screen shows `wanted`.

        Returns:
            `time.perf_counter()` when the bytes that completed it had been read.
        """
        matches = (lambda text: wanted in text) if isinstance(wanted, str) else wanted
        deadline = time.perf_counter() + timeout
        while not matches(self.text):
            left = deadline - time.perf_counter()
            if left <= 0:
                raise AssertionError(f"{wanted!r} did not appear within {timeout} s; the screen:\n{self.text}")
            self.pump(min(left, 0.05))
        return time.perf_counter()

    def wait_for_bytes(self, *wanted: bytes, at_least: int = 1, timeout: float = 20.0, since: int = 0) -> float:
        """Wait until some of `wanted` came from the program after offset `since`, without drawing a screen."""
        deadline = time.perf_counter() + timeout
        while sum(each in self.received[since:] for each in wanted) < at_least:
            left = deadline - time.perf_counter()
            if left <= 0:
                raise AssertionError(f"{at_least} of {wanted!r} did not come within {timeout} s")
            self.drain(min(left, 0.05))
        return time.perf_counter()

    def drain(self, seconds: float) -> None:
        """Take what arrives first within `seconds`, without drawing a screen: none can be drawn afterwards."""
        if select.select([self._fd], [], [], seconds)[0]:
            self.received += os.read(self._fd, 65536)

    def close(self) -> int:
        """Kill what is left of the program; return its exit code (negative: the signal). May be called again."""
        if self._exit_code is None:
            done, status = os.waitpid(self.pid, 0 if self.ended else os.WNOHANG)  # it leaves the terminal, then ends
            if not done:
                os.kill(self.pid, signal.SIGKILL)
                _, status = os.waitpid(self.pid, 0)
            os.close(self._fd)
            self._exit_code = os.waitstatus_to_exitcode(status)
        return self._exit_code

    def __enter__(self) -> PtyTerminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

"""A terminal as a person has it: tmux where there is one, otherwise a pseudo-terminal with an emulator."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from ..terminal import PtyTerminal

PROMPT = "shell>"
"""What the shell shows when it waits for a command."""

KEYS = {"enter": ("Enter", "\r"), "escape": ("Escape", "\x1b"), "tab": ("Tab", "\t"), "down": ("Down", "\x1b[B")}
"""Name of a key -> what tmux calls it, and what it sends."""


class Terminal(Protocol):
    """What the tests do with a terminal."""

    def type(self, text: str) -> None:
        """Type text as it stands."""

    def press(self, key: str) -> None:
        """Press a key of ``KEYS``."""

    def screen(self) -> str:
        """What is on the glass."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Tmux:
    """A tmux server of its own with a shell in one window."""

    def __init__(self, columns: int, rows: int, environment: Mapping[str, str]) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="lgtop-e2e-")
        self._socket = str(Path(self._directory.name) / "tmux")
        clean = {k: v for k, v in os.environ.items() if k not in ("TMUX", "TMUX_PANE", "COLUMNS", "LINES")}
        self._environment = {**clean, "TERM": "xterm-256color", **environment}
        size = ["-x", str(columns), "-y", str(rows)]
        self._tmux("-f", "/dev/null", "new-session", "-d", *size, "/bin/sh")

    def _tmux(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-S", self._socket, *words],
            env=self._environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=20,
        )
        return done.stdout

    def type(self, text: str) -> None:
        self._tmux("send-keys", "-l", text)

    def press(self, key: str) -> None:
        self._tmux("send-keys", KEYS[key][0])

    def screen(self) -> str:
        return self._tmux("capture-pane", "-p")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._tmux("kill-server")
        self._directory.cleanup()


class Emulated:
    """A shell in a pseudo-terminal."""

    def __init__(self, columns: int, rows: int, environment: Mapping[str, str]) -> None:
        self._terminal = PtyTerminal(["/bin/sh"], columns=columns, rows=rows, env=environment)

    def type(self, text: str) -> None:
        self._terminal.send(text)

    def press(self, key: str) -> None:
        self._terminal.send(KEYS[key][1])

    def screen(self) -> str:
        self._terminal.pump(0.05)
        return self._terminal.text

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._terminal.close()


def terminal(columns: int, rows: int, environment: Mapping[str, str] | None = None) -> Terminal:
    """A shell on a screen of the given size."""
    kind: Callable[..., Terminal] = Tmux if shutil.which("tmux") else Emulated
    opened = kind(columns, rows, environment or {})
    opened.type(f"PS1='{PROMPT}'; clear\n")  # a shell may choose its own when it starts
    wait_for(opened, lambda text: text.strip() == PROMPT)
    return opened


def wait_for(screen: Terminal, wanted: str | Sequence[str] | Callable[[str], bool], timeout: float = 30.0) -> str:
    """Wait until the screen shows all that is wanted; return it.

    Raises:
        AssertionError: It did not in time; quotes the screen.
    """
    words = [wanted] if isinstance(wanted, str) else wanted
    fits = words if callable(words) else lambda text: all(word in text for word in words)
    deadline = time.monotonic() + timeout
    while not fits(text := screen.screen()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{wanted!r} did not appear in {timeout} s; the screen:\n{text}")
        time.sleep(0.03)
    return text

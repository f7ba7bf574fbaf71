"""What is wrong with the connection, and what happens next."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import ceil

from textual.content import Content
from textual.reactive import reactive
from textual.timer import Timer
from textual.widgets import Static

from backends.text import one_line

from ..live import Connection, State

_GOOD_NEWS = 4.0
"""Seconds that a recovery stays on screen."""


class Banner(Static):
    """A line or two above the list, only there when there is something to say.

    Args:
        clock: Unix time, for the countdown.
    """

    DEFAULT_CSS = """
    Banner {
        display: none;
        height: auto;
        max-height: 4;
        padding: 0 1;
        background: $surface;
        color: $warning;
        &.-lost { display: block; color: $error; }
        &.-good { display: block; color: $success; }
        &.-warning { display: block; color: $warning; }
    }
    """

    connection: reactive[Connection] = reactive(Connection())
    """State of the connection."""

    warnings: reactive[tuple[str, ...]] = reactive(())
    """What a person must know about an open store."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        super().__init__(markup=False)
        self._clock = clock
        self._timer: Timer | None = None
        self._said = ("", "")

    def on_mount(self) -> None:
        """Start the countdown's timer."""
        self._timer = self.set_interval(1.0, self._say, pause=True)

    def watch_connection(self, connection: Connection) -> None:
        """Say what changed; good news goes away by itself."""
        if connection.state is State.RECOVERED:
            self.set_timer(_GOOD_NEWS, self._say)
        if self._timer is not None:
            (self._timer.resume if connection.state is State.LOST else self._timer.pause)()
        self._say()

    def watch_warnings(self) -> None:
        """Say them."""
        self._say()

    def _say(self) -> None:
        """Show the most important thing."""
        text, look = self._text()
        if (text, look) == self._said:
            return
        self._said = (text, look)
        for name in ("-lost", "-good", "-warning"):
            self.set_class(name == look, name)
        self.update(Content(text))

    def _text(self) -> tuple[str, str]:
        connection, now = self.connection, self._clock()
        if connection.state is State.LOST:
            wait = max(0, ceil(connection.retry_at - now)) if connection.retry_at is not None else None
            when = "trying again now…" if not wait else f"trying again in {wait} s"
            advice = f" {one_line(connection.advice, 300)}" if connection.advice else ""
            return f"✖ {one_line(connection.reason, 300)}{advice} · {when}", "-lost"
        if connection.state is State.RELOADING:
            return f"{one_line(connection.reason, 300)} · reading it again…", "-warning"
        if connection.state is State.RECOVERED and now - connection.since < _GOOD_NEWS:
            return "✓ connected again", "-good"
        if self.warnings:
            return "\n".join(f"! {one_line(warning, 300)}" for warning in self.warnings), "-warning"
        return "", ""

"""When to look for changes next: at once after an alarm, seldom where nothing happens, never too often."""

from __future__ import annotations

from typing import Final

GAP: Final = 0.05
"""Seconds from one look that found changes to the next; 200 commits a second become 20 looks."""

TICK: Final = 1.0
"""Seconds between looks while a working alarm is silent: some file systems report no events."""

_BUSY, _QUIET = 0.1, 0.2
"""Seconds between looks without an alarm. A look costs a server 0.2 ms and us 0.1 ms of CPU: five a second are worth it
also where nothing has happened for days, since then the first commit matters most."""

_QUIET_AFTER: Final = 10.0
"""Seconds."""

_ECHO: Final = 0.01
"""Seconds to the second look after an alarm that came before its commit; doubles with each look."""

_MISSES: Final = 2
"""Changes found without an alarm until it is no longer trusted."""


class Pace:
    """Decides when to look; all times are monotonic seconds.

    Args:
        now: The present.

    Attributes:
        alarmed: Whether an alarm is set; to be kept up to date by the owner.
    """

    def __init__(self, now: float) -> None:
        self.alarmed = False
        self._looked = now
        self._found = now
        self._found_any = False
        self._echo: float | None = None
        self._misses = 0

    def due(self, rung: bool) -> float:
        """When to look next.

        Args:
            rung: Whether the alarm has rung since the last look.
        """
        earliest = self._found + GAP if self._found_any else self._looked
        return earliest if rung else max(earliest, self._looked + self._interval())

    def looked(self, now: float, changed: bool, rung: bool) -> None:
        """Take note of a look.

        Args:
            now: When it was.
            changed: Whether it found something.
            rung: Whether the alarm had rung.
        """
        if changed:
            self._misses = 0 if rung or self._echo is not None else self._misses + 1
            self._echo = None
            self._found, self._found_any = now, True
        elif rung:
            self._echo = _ECHO
        elif self._echo is not None:
            self._echo = self._echo * 2 if self._echo * 2 < TICK else None
        self._looked = now

    def _interval(self) -> float:
        if self._echo is not None:
            return self._echo
        if self.alarmed and self._misses < _MISSES:
            return TICK
        return _BUSY if self._looked - self._found < _QUIET_AFTER else _QUIET

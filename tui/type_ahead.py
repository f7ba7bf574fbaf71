"""Keys typed faster than the screen changes: each waits until the one before it has been acted on.

Textual sends a key to what has the focus when it arrives, and looks for its binding when it has bubbled up to the app
(textual/app.py, ``App.on_event`` and ``App._on_key``). Read at once, as a slow line delivers them, the letters of
``/done`` would all go to the list, where letters are verbs.
"""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import Any, Final

from textual import events, on
from textual.app import App
from textual.message import Message

_LAPS: Final = 2
"""How often everything posted before is waited for: once for the key itself, once more for what its widget posted."""

_LONGEST: Final = 0.5
"""Seconds after which a key waits no longer: a widget that has gone keeps what was on its way to it."""


class Landed(Message):
    """Goes the way of a key, behind it.

    Args:
        typed: The key.
        laps: How often to go that way again.
    """

    def __init__(self, typed: events.InputEvent | events.Paste, laps: int) -> None:
        super().__init__()
        self.typed = typed
        self.laps = laps


class TypeAheadApp(App[None]):
    """An app that acts on keys in their order."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._typed: deque[events.InputEvent | events.Paste] = deque()

    async def on_event(self, event: events.Event) -> None:
        """Hold a key back while another is on its way; the first of those that are held is that other."""
        if not isinstance(event, (events.Key, events.Paste)) or event.is_forwarded:
            await super().on_event(event)
            return
        self._typed.append(event)
        if len(self._typed) == 1:
            await self._deliver()
        else:
            self.set_timer(_LONGEST, partial(self._release, self._typed[0]))

    async def _deliver(self) -> None:
        """Act on the first."""
        typed = self._typed[0]
        try:
            await super().on_event(typed)
        finally:
            self._follow(typed, _LAPS)

    def _follow(self, typed: events.InputEvent | events.Paste, laps: int) -> None:
        """Send word after a key, from where keys go now."""
        if not self.screen_stack:
            return
        target = self.focused or self.screen
        landed = Landed(typed, laps - 1)
        landed.set_sender(target)  # a message does not bubble past its sender, which would be the app
        if not target.post_message(landed):
            self.post_message(landed)

    @on(Landed)
    async def _landed(self, landed: Landed) -> None:
        landed.stop()
        if landed.laps:
            self._follow(landed.typed, landed.laps)
        else:
            await self._release(landed.typed)

    async def _release(self, typed: events.InputEvent | events.Paste) -> None:
        """The first has been acted on, or waited for long enough: go on with the next."""
        if self._typed and self._typed[0] is typed:
            self._typed.popleft()
            if self._typed:
                await self._deliver()

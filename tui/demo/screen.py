"""The list of threads with the tour under it: each press of the key plays a beat."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from textual import work
from textual.app import ComposeResult
from textual.widgets import Input

from ..screens import threads
from ..widgets.caption import Caption

if TYPE_CHECKING:
    from backends.model import StatusName

    from .script import Beat, Told

_PATIENCE: Final = 5.0
"""Seconds that the list has to show what the store holds already."""

_LINES: Final = 5
"""Of the caption: what happened, three proofs, what comes next."""

_GLANCE: Final = 0.05


class TourScreen(threads.ThreadsScreen):
    """The first screen of a demo with a tour.

    Args:
        beats: The tour.
        ready: Done when the store is filled.
        pause: Seconds between two beats; ``None`` leaves it to the person.
    """

    CSS_PATH = str(Path(threads.__file__).with_name("threads.tcss"))

    def __init__(self, beats: Sequence[Beat], ready: Callable[[], Awaitable[None]], pause: float | None) -> None:
        super().__init__()
        self._beats = list(beats)
        self._ready = ready
        self._pause = pause
        self._playing = False
        self.broken = 0

    def compose(self) -> ComposeResult:
        """The list, and the caption under it."""
        yield from super().compose()
        yield Caption(_LINES)

    def on_mount(self) -> None:
        """Begin when the store is filled."""
        self.query_one(Caption).say("Some threads are being killed, stopped and left running…")
        self._begin()

    @work(group="tour")
    async def _begin(self) -> None:
        await self._ready()
        await self._play_next()
        while self._pause is not None and self._beats:
            await asyncio.sleep(self._pause)
            await self._play_next()
        if self._pause is not None:
            await asyncio.sleep(self._pause)
            self.app.exit(return_code=int(self.broken > 0))

    @property
    def listens(self) -> bool:
        """Whether the key is the tour's: not where a space is typed, nor when the tour is over or drives itself."""
        begun = any(caption.display for caption in self.query(Caption))
        return begun and self._pause is None and not isinstance(self.focused, Input)

    @work(group="tour")
    async def go_on(self) -> None:
        """Play the next beat; behind the last one, take the caption away."""
        if self._playing:
            return
        if self._beats:
            await self._play_next()
        else:
            self.query_one(Caption).display = False
            self.refresh_bindings()

    async def _play_next(self) -> None:
        beat, self._playing = self._beats.pop(0), True
        caption = self.query_one(Caption)
        caption.say(f"{beat.cue[0].upper()}{beat.cue[1:]}…")
        try:
            told = await asyncio.to_thread(beat.play)
        except Exception as error:
            self._beats.clear()
            self.broken += 1
            caption.say("The tour cannot go on.", [(str(error), False)])
            return
        finally:
            self._playing = False
        proofs = [(promise.text, promise.held) for promise in told.promises]
        if told.thread and not await self._seen(told):
            proofs.append(("the list on this screen does not say so", False))
        self.broken += sum(not held for _, held in proofs)
        caption.say(told.text, proofs, self._cue())

    def _cue(self) -> str:
        if self._beats:
            return f"{'next' if self._pause is not None else 'space'}  {self._beats[0].cue}"
        return "" if self._pause is not None else "space  end the tour: every other key works as ever"

    async def _seen(self, told: Told) -> bool:
        """Wait until the list shows the thread as the store has it, and put the cursor on it."""
        deadline = asyncio.get_running_loop().time() + _PATIENCE
        while self._status(told.thread) is not told.status:
            if asyncio.get_running_loop().time() > deadline:
                return False
            await asyncio.sleep(_GLANCE)
        self.threads.select(told.thread)
        return True

    def _status(self, thread: str) -> StatusName | None:
        row = self.lgtop.index.rows.get(thread)
        return None if row is None or row.summary is None else row.summary.status

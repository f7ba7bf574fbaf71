"""The app on the store of a demo: it fills the store while one looks, and ends what only the demo has started."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding, BindingType
from textual.screen import Screen

from ..app import LgtopApp
from ..control import Control, Project
from .place import GRAPHS, OPERATOR, Place
from .screen import TourScreen
from .seed import seed_stopped

if TYPE_CHECKING:
    from backends.runs.run import Run

    from .script import Beat
    from .stage import Stage


class DemoControl(Control):
    """Asks nobody what is to become of runs that end with the demo anyway.

    Attributes:
        temporary: Whether every run ends with it, and not only its own.
    """

    temporary = True

    @property
    def live_runs(self) -> tuple[Run, ...]:
        """Runs that would go on without us."""
        return () if self.temporary else tuple(run for run in super().live_runs if run.operator != OPERATOR)


class DemoApp(LgtopApp):
    """The app of ``lgtop demo``.

    Args:
        place: Where the demo happens; threads that ended by themselves are there.
        stage: Starts and stops the runs.
        beats: The tour; empty for none.
        pause: Seconds between two beats of a tour that drives itself.
        options: As for ``LgtopApp``.
    """

    CSS_PATH = LgtopApp.CSS_PATH

    BINDINGS: ClassVar[list[BindingType]] = [
        # Of the app and not of the screen, whose own space marks a thread when the tour is over.
        Binding("space", "go_on", "next", key_display="space", priority=True, id="tour.next", tooltip="Go on"),
    ]

    def __init__(
        self, place: Place, stage: Stage, beats: Sequence[Beat] = (), pause: float | None = None, **options: Any
    ) -> None:
        super().__init__(place.address, readonly=False, crashes=True, project=Project(GRAPHS), **options)
        self._place = place
        self._stage = stage
        self._beats = beats
        self._pause = pause
        self._filled = asyncio.Event()

    @cached_property
    def control(self) -> Control:
        """Carries out verbs, and knows the runs."""
        control = DemoControl(self, self.address, self.store_thread, Project(GRAPHS), self.readonly)
        control.temporary = self._place.temporary
        return control

    def get_default_screen(self) -> Screen[Any]:
        """The list, with the tour if there is one."""
        if not self._beats:
            return super().get_default_screen()
        return TourScreen(self._beats, self._until_filled, self._pause)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the tour's key alone where the tour does not want it."""
        if action == "go_on":
            return isinstance(self.screen, TourScreen) and self.screen.listens
        return super().check_action(action, parameters)

    def action_go_on(self) -> None:
        """Play the next beat of the tour."""
        if isinstance(self.screen, TourScreen):
            self.screen.go_on()

    def on_ready(self) -> None:
        """Go on filling the store."""
        self.run_worker(self._go_on_filling(), group="demo", exit_on_error=False)

    async def _go_on_filling(self) -> None:
        try:
            await asyncio.to_thread(seed_stopped, self._place, self._stage)
        except Exception as error:
            self.notify(str(error), severity="error", timeout=10)
        finally:
            self._filled.set()

    def on_unmount(self) -> None:
        """Have nobody wait for runs that are about to end."""
        self._stage.leave()

    async def _until_filled(self) -> None:
        await self._filled.wait()

"""An experiment: one thread, or three side by side, with one ledger; it goes on while its screen is away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from backends.control.names import propose_thread_id
from backends.errors import Refused
from backends.folders import private_folder, state_folder
from backends.runs.run import Run
from backends.runs.stop import stop

from .setup import Setup
from .trial import Trial

if TYPE_CHECKING:
    from ..app import LgtopApp


class Experiment:
    """What the lab holds.

    Args:
        app: The app.

    Attributes:
        setup: What is tried; ``None`` until a graph is known.
        trials: Its threads; none before the start.
        changed: Called on the event loop when there is news; the screen that shows it sets it.
    """

    def __init__(self, app: LgtopApp) -> None:
        self.setup: Setup | None = None
        self.trials: tuple[Trial, ...] = ()
        self.changed: Callable[[], None] = _nothing
        self._app = app
        self._ledger: Path | None = None
        self._turn = asyncio.Lock()

    @property
    def live(self) -> bool:
        """Whether a run of it is alive, or about to be."""
        return self.running or any(trial.busy for trial in self.trials)

    @property
    def running(self) -> bool:
        """Whether a run of it is alive."""
        return any(trial.run is not None and trial.run.live for trial in self.trials)

    @property
    def can_resume(self) -> bool:
        """Whether one of its threads has work left."""
        return any(trial.can_resume for trial in self.trials)

    def has(self, thread_id: str) -> bool:
        """Whether a thread is one of its own."""
        return any(trial.thread_id == thread_id for trial in self.trials)

    async def start(self) -> None:
        """Start it anew, on new threads.

        Raises:
            Refused: It cannot be started; says why.
            StoreError: The store cannot be read.
        """
        async with self._turn:
            await self._start()

    async def _start(self) -> None:
        setup = self.setup
        if setup is None:
            raise Refused("No graph has been chosen.")
        if self.live:
            raise Refused("It runs: kill it, or wait.")
        await self._reset()
        base = propose_thread_id(setup.graph.name, self._app.index.rows)
        try:
            self._ledger = private_folder(state_folder() / "lab") / f"{base}.jsonl"
        except OSError as error:
            raise Refused(f"No ledger can be kept: {error}.", "Set XDG_STATE_HOME to a place that can.") from error
        ids = {mode: f"{base}-{mode}" if setup.compare else base for mode in setup.durabilities}
        self.trials = tuple(
            Trial(self._app, setup, mode, thread_id, self._ledger, self._tell) for mode, thread_id in ids.items()
        )
        self.changed()
        await asyncio.gather(*(trial.start() for trial in self.trials))

    async def resume(self) -> None:
        """Let every thread with work left go on, undisturbed.

        Raises:
            Refused: It cannot be resumed; says why.
            StoreError: The store cannot be read.
        """
        async with self._turn:
            await asyncio.gather(*(trial.resume() for trial in self.trials))

    async def kill(self) -> None:
        """Kill what runs.

        Raises:
            Refused: It ended this moment.
        """
        for trial in self.trials:
            if trial.run is not None and trial.run.live:
                await asyncio.to_thread(stop, trial.run, "kill")

    async def reset(self) -> None:
        """Kill what runs, and forget the threads; what they left in the store stays there.

        What is just being started is waited for: it could not be killed yet.
        """
        async with self._turn:
            await self._reset()

    async def _reset(self) -> None:
        trials, self.trials = self.trials, ()
        for trial in trials:
            trial.stop()
            if trial.run is not None and trial.run.live:
                try:
                    await asyncio.to_thread(stop, trial.run, "kill")
                except Refused:
                    continue  # it ended this moment
        if self._ledger is not None:
            self._ledger.unlink(missing_ok=True)
        self.changed()

    def take(self, setup: Setup) -> None:
        """Try something else, from the next start on."""
        self.setup = setup
        self.changed()

    def runs_changed(self, runs: Iterable[Run]) -> None:
        """Take up how the runs are now."""
        found = tuple(runs)
        for trial in self.trials:
            trial.runs_changed(found)

    def _tell(self) -> None:
        self.changed()


def _nothing() -> None:
    """Nobody looks."""

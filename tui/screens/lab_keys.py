"""What the keys of the crash lab do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import ClassVar, Final

from textual import work
from textual.binding import Binding, BindingType
from textual.worker import Worker, WorkerState

from backends.errors import AlreadyRunning, NotFound, Refused, StoreError

from ..lab.experiment import Experiment
from ..verbs.carry import complain
from ..widgets.fault_pane import FAULT_KEYS, FaultKeys
from .dimmed import DimmedKeys

_BEGUN: Final = "This experiment has begun: reset it first."
_READING: Final = "A graph is being read."
_SETS_UP: Final = ("graph", "input", "durability", "compare")


class LabKeys(FaultKeys, DimmedKeys):
    """A screen on which experiments are made; a subclass shows them.

    Attributes:
        reading: Whether a graph is being read, which is tried next.
    """

    reading = False

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("N", "start", "start", id="lab.start", tooltip="Start on a new thread; the fault strikes on the way"),
        Binding("r", "resume", "resume", id="lab.resume", tooltip="Let it go on, undisturbed"),
        Binding("K", "kill", "kill", id="lab.kill", tooltip="Kill what runs, now"),
        Binding("z", "reset", "reset", id="lab.reset", tooltip="Forget this experiment, and begin anew"),
        Binding("c", "compare", "compare", id="lab.compare", tooltip="The same under sync, async and exit; or one"),
        Binding("o", "graph", "graph", show=False, id="lab.graph", tooltip="Choose the graph"),
        Binding("i", "input", "input", show=False, id="lab.input", tooltip="Write the input"),
        Binding("d", "durability", "durability", show=False, id="lab.durability", tooltip="sync, async or exit"),
        *FAULT_KEYS,
        Binding("t", "thread", "thread", id="lab.thread", tooltip="Open the thread"),
        Binding("escape", "back", "back", key_display="esc", id="lab.back", tooltip="Back; what runs goes on"),
    ]

    @property
    def experiment(self) -> Experiment:
        """What is tried; it outlives this screen."""
        return self.lgtop.experiment

    def show(self) -> None:
        """Bring everything up to date."""
        raise NotImplementedError

    def why_not(self, action: str) -> str:
        """Say why something cannot be done; empty where it can."""
        lab = self.experiment
        if action in _SETS_UP and lab.trials:
            return _BEGUN
        if action in ("start", *_SETS_UP) and self.reading:
            return _READING
        if action in ("start", "resume", "kill"):
            refusal = self.lgtop.control.gate.refusal(self.lgtop.live.info)
            if refusal:
                return refusal
        if action == "start" and (lab.setup is None or lab.live):
            return "No graph has been chosen." if lab.setup is None else "It runs: kill it, or wait."
        if action == "kill" and not lab.running:
            return "It is being started." if lab.live else "Nothing runs."
        if action == "resume" and not lab.can_resume:
            return "It runs." if lab.live else "There is nothing to resume." if lab.trials else "Start it first."
        if action in ("reset", "thread") and not lab.trials:
            return "Nothing has been started."
        return ""

    def action_back(self) -> None:
        """Back to where we came from."""
        self.app.pop_screen()

    def action_start(self) -> None:
        """Start it."""
        self._go(self._start)

    async def _start(self) -> None:
        from ..verbs.crash import allowed

        if await allowed(self.lgtop):
            await self.experiment.start()

    def action_resume(self) -> None:
        """Resume it."""
        self._go(self.experiment.resume)

    def action_kill(self) -> None:
        """Kill it."""
        self._go(self.experiment.kill)

    def action_reset(self) -> None:
        """Forget it."""
        self._go(self.experiment.reset)

    def action_compare(self) -> None:
        """Three side by side, or one."""
        if (setup := self.experiment.setup) is not None:
            self.experiment.take(replace(setup, compare=not setup.compare))

    def action_durability(self) -> None:
        """Save in another way."""
        if (setup := self.experiment.setup) is not None and not setup.compare:
            self.experiment.take(setup.next_durability())

    def action_graph(self) -> None:
        """Choose the graph."""
        self._do(self._choose_graph)

    async def _choose_graph(self) -> None:
        from ..verbs.crash import choose

        with self.reading_graph():
            setup = await choose(self.lgtop, self.experiment.setup)
        if setup is not None:
            self.experiment.take(setup)

    def action_input(self) -> None:
        """Write the input."""
        self._do(self._write_input)

    async def _write_input(self) -> None:
        from ..dialogs.give_input import GiveInput

        setup = self.experiment.setup
        given = None if setup is None else await self.app.push_screen_wait(GiveInput(setup.drawing, setup.input))
        if setup is not None and given is not None:
            self.experiment.take(replace(setup, input=given[0]))

    def _go(self, what: Callable[[], Awaitable[None]]) -> None:
        """Do something to the experiment, even if this screen is left meanwhile: no run may be lost sight of."""
        self.app.run_worker(self._going(what), group="lab", exit_on_error=False)

    async def _going(self, what: Callable[[], Awaitable[None]]) -> None:
        try:
            with self.complaining():
                await what()
        except Exception as error:  # the screen hears of its own workers only, and the lab goes on
            self.lgtop.tell_failure(error)
        self.experiment.changed()

    @work(group="verb", exit_on_error=False)
    async def _do(self, what: Callable[[], Awaitable[None]]) -> None:
        """Do something that takes a while; whatever stands in its way is said."""
        with self.complaining():
            await what()
        self.show()

    @contextmanager
    def reading_graph(self) -> Iterator[None]:
        """Start nothing meanwhile, which would be the graph before."""
        self.reading = True
        self.refresh_bindings()
        try:
            yield
        finally:
            self.reading = False
            self.refresh_bindings()

    @contextmanager
    def complaining(self) -> Iterator[None]:
        """Say what stands in the way."""
        try:
            yield
        except (Refused, AlreadyRunning, StoreError, NotFound) as error:
            complain(self.lgtop, error)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Tell of an error that nobody foresaw; the lab goes on."""
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            self.lgtop.tell_failure(event.worker.error)

"""The crash lab: a graph is run, struck where one wants it, and resumed; one sees what was kept, lost and repeated."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import ClassVar, Final

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.worker import Worker, WorkerState

from backends.errors import AlreadyRunning, NotFound, Refused, StoreError
from backends.runs.run import Run

from ..lab.experiment import Experiment
from ..lab.fate import mark
from ..lab.setup import DURABILITIES, Setup
from ..lab.unfolded import paths
from ..live import Change, Connection
from ..verbs.carry import complain
from ..widgets.banner import Banner
from ..widgets.fate_table import Column, FateTable, FateTitles
from ..widgets.fault_pane import FAULT_KEYS, FaultKeys, FaultLine, FaultPane
from ..widgets.key_bar import KeyBar
from ..widgets.lines import Lines
from ..widgets.top_bar import TopBar
from ..widgets.trial_lines import SetupLine, TrialLine
from .dimmed import DimmedKeys

_WIDE: Final = 100
"""Cells from which the graph fits in beside three threads."""

_BEGUN: Final = "This experiment has begun: reset it first."


class LabScreen(FaultKeys, DimmedKeys):
    """The lab.

    Args:
        thread_id: A thread whose graph and input to begin with; empty for none.
    """

    CSS_PATH = "lab.tcss"
    AUTO_FOCUS = "FaultGraph"
    BINDING_GROUP_TITLE = "Crash lab"

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

    def __init__(self, thread_id: str = "") -> None:
        super().__init__()
        self._wanted = thread_id
        self._line = FaultLine()
        self._pane = FaultPane(self._line)
        self._drawn: Setup | None = None

    def compose(self) -> ComposeResult:
        """What is tried, how it is doing, the graph, and what became of each node."""
        yield TopBar(self.lgtop.address.label, ("crash lab",), self.lgtop.readonly)
        yield SetupLine()
        yield self._line
        yield Banner(self.lgtop.clock)
        with Vertical(id="trials"):
            yield from (TrialLine() for _ in DURABILITIES)
        with Horizontal(id="bench"):
            yield self._pane
            with Vertical(id="fates"):
                yield FateTitles()
                yield FateTable()
        yield KeyBar()

    @property
    def pane(self) -> FaultPane:
        """The graph."""
        return self._pane

    @property
    def table(self) -> FateTable:
        """What became of each node."""
        return self.query_one(FateTable)

    @property
    def experiment(self) -> Experiment:
        """What is tried; it outlives this screen."""
        return self.lgtop.experiment

    def on_mount(self) -> None:
        """Follow store and runs; find out what to begin with."""
        app = self.lgtop
        self._pane.view.placeholder = ("looking for graphs…", "a process of its own imports their code")
        app.live.changed.subscribe(self, self._changed)
        app.live.connected.subscribe(self, self._connected)
        app.control.runs_changed.subscribe(self, self._runs_changed)
        self.experiment.changed = self._show
        self._connected(app.live.connection)
        self._changed(Change())
        self._runs_changed(app.control.runs)
        self._prepare()

    def on_resize(self, event: events.Resize) -> None:
        """Where there is little room, the graph gives way to three threads side by side."""
        self.set_class(event.size.width < _WIDE, "-narrow")

    def on_unmount(self) -> None:
        """Nobody looks any more."""
        if self.experiment.changed == self._show:
            self.experiment.changed = lambda: None

    # What comes in

    def _connected(self, connection: Connection) -> None:
        self.query_one(TopBar).info = self.lgtop.live.info
        self.query_one(Banner).connection = connection
        self.refresh_bindings()

    def _changed(self, change: Change) -> None:
        counts = self.lgtop.index.counts
        self.query_one(TopBar).counts = counts if counts.total or counts.complete else None
        if any(self.experiment.has(thread_id) for thread_id in change.touched):
            self._show()

    def _runs_changed(self, runs: Sequence[Run]) -> None:
        self.experiment.runs_changed(runs)

    @work(exclusive=True, group="setup", exit_on_error=False)
    async def _prepare(self) -> None:
        """Propose something to try, unless an experiment is there already."""
        from ..verbs.crash import propose

        lab, wanted = self.experiment, self._wanted
        if wanted and not lab.has(wanted) and (lab.live or lab.can_resume):
            self.app.notify("The last experiment is not over: reset it to begin with another thread.")
        elif lab.setup is None or (wanted and not lab.has(wanted)):
            with self._complaining():
                setup = await propose(self.lgtop, wanted)
                if setup is not None:
                    await lab.reset()
                    lab.take(setup)
        self._show()

    # What is shown

    def _show(self) -> None:
        """Bring everything up to date."""
        lab = self.experiment
        setup = lab.setup
        if not self.is_mounted or setup is None:
            return
        self.query_one(SetupLine).setup = setup
        self.query_one("#bench").set_class(setup.compare, "-compare")
        self._show_graph(setup)
        names = list(dict.fromkeys([*paths(self._pane.unfolded), *(p for t in lab.trials for p in t.course.paths)]))
        columns = [Column(trial.durability, tuple(trial.accounts(names))) for trial in lab.trials]
        self.table.placeholder = ("not started", "N starts it")
        self.table.show(columns)
        titles = self.query_one(FateTitles)
        titles.table = self.table
        titles.refresh()
        for number, line in enumerate(self.query(TrialLine)):
            line.display = number < len(setup.durabilities)
            if line.display:
                line.tell(lab.trials[number] if number < len(lab.trials) else None, setup.durabilities[number])
        self._mark()
        self.refresh_bindings()

    def _show_graph(self, setup: Setup) -> None:
        """Draw the graph, if it is another one."""
        self._pane.allow(not self.experiment.trials)
        if self._drawn is None or self._drawn.drawing is not setup.drawing:
            self._drawn = setup
            self._pane.strike = setup.strike
            self._pane.show_graph(setup.drawing, setup.strike.node)

    def _mark(self) -> None:
        """Light the nodes up, as the chosen thread has it."""
        columns, chosen = self.table.columns, self.table.chosen
        accounts = columns[chosen].accounts if chosen < len(columns) else ()
        marks = {account.path: found for account in accounts if (found := mark(account)) is not None}
        self._pane.show_marks(marks, [account.path for account in accounts])

    @on(FateTable.Chosen)
    def _column(self, event: FateTable.Chosen) -> None:
        event.stop()
        self.query_one(FateTitles).refresh()
        self._mark()

    @on(FaultPane.Changed)
    def _struck(self, event: FaultPane.Changed) -> None:
        event.stop()
        if self.experiment.setup is not None:
            self.experiment.take(replace(self.experiment.setup, strike=event.strike))

    @on(Lines.Activated)
    def _nothing(self, event: Lines.Activated) -> None:
        event.stop()

    # Keys

    def why_not(self, action: str) -> str:
        """Say why something cannot be done; empty where it can."""
        lab = self.experiment
        if action in ("graph", "input", "durability", "compare") and lab.trials:
            return _BEGUN
        if action in ("start", "resume", "kill"):
            refusal = self.lgtop.control.gate.refusal(self.lgtop.live.info)
            if refusal:
                return refusal
        if action == "start" and (lab.setup is None or lab.live):
            return "No graph has been chosen." if lab.setup is None else "It runs: kill it, or wait."
        if action == "kill" and not lab.live:
            return "Nothing runs."
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
        self._do(self._start)

    async def _start(self) -> None:
        from ..verbs.crash import allowed

        if await allowed(self.lgtop):
            await self.experiment.start()

    def action_resume(self) -> None:
        """Resume it."""
        self._do(self.experiment.resume)

    def action_kill(self) -> None:
        """Kill it."""
        self._do(self.experiment.kill)

    def action_reset(self) -> None:
        """Forget it."""
        self._do(self.experiment.reset)

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

    def action_thread(self) -> None:
        """Open the thread that the graph shows."""
        trials = self.experiment.trials
        if trials:
            self.lgtop.open_thread(trials[min(self.table.chosen, len(trials) - 1)].thread_id)

    def action_choose(self, number: int) -> None:
        """Show a column's thread in the graph."""
        self.table.choose(number)

    @work(group="verb", exit_on_error=False)
    async def _do(self, what: Callable[[], Awaitable[None]]) -> None:
        """Do something that takes a while; whatever stands in its way is said."""
        with self._complaining():
            await what()
        self._show()

    @contextmanager
    def _complaining(self) -> Iterator[None]:
        """Say what stands in the way."""
        try:
            yield
        except (Refused, AlreadyRunning, StoreError, NotFound) as error:
            complain(self.lgtop, error)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Tell of an error that nobody foresaw; the lab goes on."""
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            self.lgtop.tell_failure(event.worker.error)

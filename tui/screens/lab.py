"""The crash lab: a graph is run, struck where one wants it, and resumed; one sees what was kept, lost and repeated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from textual import events, on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from backends.runs.run import Run

from ..lab.fate import mark
from ..lab.setup import DURABILITIES, Setup
from ..lab.unfolded import paths
from ..live import Change, Connection
from ..widgets.banner import Banner
from ..widgets.fate_table import Column, FateTable, FateTitles
from ..widgets.fault_pane import FaultLine, FaultPane
from ..widgets.key_bar import KeyBar
from ..widgets.lines import Lines
from ..widgets.top_bar import TopBar
from ..widgets.trial_lines import SetupLine, TrialLine
from .lab_keys import LabKeys

_WIDE: Final = 100
"""Cells from which the graph fits in beside three threads."""


class LabScreen(LabKeys):
    """The lab.

    Args:
        thread_id: A thread whose graph and input to begin with; empty for none.
    """

    CSS_PATH = "lab.tcss"
    AUTO_FOCUS = "FaultGraph"
    BINDING_GROUP_TITLE = "Crash lab"

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

    def on_mount(self) -> None:
        """Follow store and runs; find out what to begin with."""
        app = self.lgtop
        self._pane.view.placeholder = ("looking for graphs…", "a process of its own imports their code")
        for line in self.query(TrialLine):
            line.display = False  # until there is something to try
        app.live.changed.subscribe(self, self._changed)
        app.live.connected.subscribe(self, self._connected)
        app.control.runs_changed.subscribe(self, self._runs_changed)
        self.experiment.changed = self.show
        self._connected(app.live.connection)
        self._changed(Change())
        self._runs_changed(app.control.runs)
        self._prepare()

    def on_resize(self, event: events.Resize) -> None:
        """Where there is little room, the graph gives way to three threads side by side."""
        self.set_class(event.size.width < _WIDE, "-narrow")

    def on_unmount(self) -> None:
        """Nobody looks any more."""
        if self.experiment.changed == self.show:
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
            self.show()

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
            with self.complaining(), self.reading_graph():
                setup = await propose(self.lgtop, wanted)
                if setup is not None:
                    await lab.reset()
                    lab.take(setup)
        self.show()

    # What is shown

    def show(self) -> None:
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

    # The chosen thread

    def action_thread(self) -> None:
        """Open the thread that the graph shows."""
        trials = self.experiment.trials
        if trials:
            self.lgtop.open_thread(trials[min(self.table.chosen, len(trials) - 1)].thread_id)

    def action_choose(self, number: int) -> None:
        """Show a column's thread in the graph."""
        self.table.choose(number)

"""The runs that lgtop started on this store: those that go on, and those that have ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from backends.runs.run import Run

from ..live import Change, Connection
from ..widgets.banner import Banner
from ..widgets.columns import Placed
from ..widgets.key_bar import KeyBar
from ..widgets.lines import Lines
from ..widgets.run_list import RunList
from ..widgets.titles import Titles
from ..widgets.top_bar import TopBar
from .run_keys import RunKeys

_NONE = ("no runs yet", "N on the list of threads starts one, as lgtop run does")


class RunsScreen(RunKeys):
    """Runs with their progress; enter follows one."""

    AUTO_FOCUS = "RunList"
    BINDING_GROUP_TITLE = "Runs"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "copy id", id="runs.copy", tooltip="Copy the id of this run"),
    ]

    def compose(self) -> ComposeResult:
        """Where we are, the connection, the list, the keys."""
        yield TopBar(self.lgtop.address.label, ("runs",), self.lgtop.readonly)
        yield Banner(self.lgtop.clock)
        yield Titles()
        yield RunList(self.lgtop.clock)
        yield KeyBar()

    def on_mount(self) -> None:
        """Follow the runs."""
        live, control = self.lgtop.live, self.lgtop.control
        live.changed.subscribe(self, self._changed)
        live.connected.subscribe(self, self._connected)
        control.runs_changed.subscribe(self, self._show)
        self.watch(self.runs, "columns", self._laid_out)
        self.set_interval(5.0 if self.lgtop.terminal.remote else 1.0, self.runs.tick)
        self._connected(live.connection)
        self._changed(Change())
        self._show(control.runs)

    @property
    def runs(self) -> RunList:
        """The list."""
        return self.query_one(RunList)

    @property
    def chosen(self) -> Run | None:
        """The run under the cursor."""
        return self.runs.selected

    def _changed(self, change: Change) -> None:
        """The store has news."""
        counts = self.lgtop.index.counts
        self.query_one(TopBar).counts = counts if counts.total or counts.complete else None

    def _connected(self, connection: Connection) -> None:
        """Say how the connection is."""
        self.query_one(TopBar).info = self.lgtop.live.info
        self.query_one(Banner).connection = connection

    def _show(self, runs: Sequence[Run]) -> None:
        """Show the runs as they are now."""
        self.runs.placeholder = _NONE
        self.runs.show(runs)
        live = sum(run.live for run in runs)
        self.query_one(Titles).note = (f"{live:,} live", "running") if live else ("", "")
        self.refresh_bindings()

    def _laid_out(self, columns: tuple[Placed, ...]) -> None:
        """Keep the titles above their columns."""
        self.query_one(Titles).columns = columns

    @on(Lines.Activated)
    def _open(self, event: Lines.Activated) -> None:
        event.stop()
        if (run := self.chosen) is not None:
            from .run import RunScreen

            self.app.push_screen(RunScreen(run))

    def action_copy(self) -> None:
        """Copy the run's id."""
        if (run := self.chosen) is not None:
            self.lgtop.copy(run.run_id, "run id")

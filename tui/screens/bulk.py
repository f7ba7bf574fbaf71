"""What is done to many threads: how far it is, and what has become of each of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.worker import Worker, WorkerState

from backends.bulk.outcome import Outcome, Progress, State

from ..bulk import Work
from ..live import Change, Connection
from ..widgets.banner import Banner
from ..widgets.bulk_bars import BulkCounts, BulkLine
from ..widgets.bulk_list import TROUBLED, BulkList
from ..widgets.columns import Placed
from ..widgets.key_bar import KeyBar
from ..widgets.lines import Lines
from ..widgets.run_list import nodes_text
from ..widgets.titles import Titles
from ..widgets.top_bar import TopBar
from .dimmed import DimmedKeys

_NONE = ("nothing has been done to many threads yet", "b on the list of threads begins: mark some, or take them all")


class BulkScreen(DimmedKeys):
    """One piece of work on many threads; it goes on when the screen is left."""

    CSS_PATH = "bulk.tcss"
    AUTO_FOCUS = "BulkList"
    BINDING_GROUP_TITLE = "Many threads"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", key_display="esc", id="bulk.back", tooltip="Back; what is done goes on"),
        Binding("s", "stop", "stop", id="bulk.stop", tooltip="Begin nothing more; what runs ends at its next step"),
        Binding("r", "retry", "retry", id="bulk.retry", tooltip="Do it again to those that failed or were stopped"),
        Binding("f", "troubled", "only trouble", id="bulk.troubled", tooltip="Show only what went wrong, or all"),
        Binding("t", "thread", "thread", id="bulk.thread", tooltip="Open the thread"),
        Binding("y", "copy", "copy id", id="bulk.copy", tooltip="Copy the id of the thread"),
        Binding("left_square_bracket", "turn(1)", "Older", show=False, key_display="[", id="bulk.older",
                tooltip="What was done before"),
        Binding("right_square_bracket", "turn(-1)", "Newer", show=False, key_display="]", id="bulk.newer",
                tooltip="What was done after"),
    ]  # fmt: skip

    def __init__(self, shown: Work | None = None) -> None:
        super().__init__()
        self._shown = shown
        self._progress = Progress(0)
        self._only_trouble = False

    def compose(self) -> ComposeResult:
        """Where we are, how far it is, the threads, the keys."""
        yield TopBar(self.lgtop.address.label, ("many threads",), self.lgtop.readonly)
        yield BulkLine()
        yield BulkCounts()
        yield Banner(self.lgtop.clock)
        yield Titles()
        yield BulkList()
        yield KeyBar()

    def on_mount(self) -> None:
        """Follow the work and the store."""
        live, bulk = self.lgtop.live, self.lgtop.bulk
        live.changed.subscribe(self, self._changed)
        live.connected.subscribe(self, self._connected)
        bulk.changed.subscribe(self, self._went_on)
        self.watch(self.outcomes, "columns", self._laid_out)
        self.set_interval(5.0 if self.lgtop.terminal.remote else 1.0, self._tick)
        self._connected(live.connection)
        self._changed(Change())
        self.look_at(self._shown or next(iter((*bulk.running, *bulk.works)), None))

    @property
    def outcomes(self) -> BulkList:
        """The list."""
        return self.query_one(BulkList)

    @property
    def shown(self) -> Work | None:
        """What is on screen."""
        return self._shown

    def look_at(self, shown: Work | None) -> None:
        """Show another piece of work."""
        self._shown = shown
        self._only_trouble = False
        self._show()

    # What comes in

    def _changed(self, change: Change) -> None:
        counts = self.lgtop.index.counts
        self.query_one(TopBar).counts = counts if counts.total or counts.complete else None

    def _connected(self, connection: Connection) -> None:
        self.query_one(TopBar).info = self.lgtop.live.info
        self.query_one(Banner).connection = connection
        self.refresh_bindings()

    def _laid_out(self, columns: tuple[Placed, ...]) -> None:
        self.query_one(Titles).columns = columns

    def _went_on(self, news: Work) -> None:
        if news is self._shown:
            self._show()

    def _tick(self) -> None:
        """Time goes on."""
        if self._shown is not None and not self._shown.over:
            self.lgtop.bulk.look_again(self._shown)

    def _show(self) -> None:
        """Bring everything up to date."""
        shown, line, counts = self._shown, self.query_one(BulkLine), self.query_one(BulkCounts)
        outcomes: Sequence[Outcome] = ()
        if shown is None:
            self.outcomes.placeholder = _NONE
        else:
            self._progress, outcomes = shown.seen
            self.outcomes.retried = bool(shown.request.retries)
            line.title = shown.title
            line.progress = counts.progress = self._progress
            counts.note = self._note(shown)
            self.outcomes.placeholder = ("nothing went wrong", "f shows all threads")
        doing = {run.thread_id: nodes_text(run) for run in self.lgtop.control.live_runs}
        self.outcomes.show(outcomes, TROUBLED if self._only_trouble else None, doing)
        self.refresh_bindings()

    def _note(self, shown: Work) -> tuple[str, str]:
        """What is to be said at the right."""
        left, works = self._progress.failed + self._progress.stopped, self.lgtop.bulk.works
        older, newer = shown is not works[-1], shown is not works[0]
        others = f"{'   [ older' if older else ''}{'   ] newer' if newer else ''}"
        if not shown.over:
            stops = "stopping: what runs ends first" if shown.job.stopping else ""
            return f"{stops or f'{shown.request.concurrency} at a time'}{others}", "warning" if stops else "dim"
        return (f"over · r takes up {left:,} again" if left else "over") + others, "dim"

    # Keys

    def why_not(self, action: str) -> str:
        """Say why something cannot be done; empty where it can."""
        shown, one = self._shown, self.outcomes.selected
        if action in ("stop", "retry", "troubled") and shown is None:
            return _NONE[0].capitalize() + "."
        if action == "stop" and shown is not None:
            return "It is over." if shown.over else "It is being stopped." if shown.job.stopping else ""
        if action == "retry" and shown is not None:
            if not shown.over:
                return "It goes on: those that fail can be tried again when it is over."
            if not self._progress.failed and not self._progress.stopped:
                return "None has failed, and none was stopped."
            return self.lgtop.control.gate.refusal()
        if action in ("thread", "copy") and one is None:
            return "No thread is selected."
        return ""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There may be nothing older or newer."""
        if action == "turn":
            return len(self.lgtop.bulk.works) > 1
        return super().check_action(action, parameters)

    @on(Lines.Activated)
    def _open(self, event: Lines.Activated) -> None:
        """What the run has told, where there is one; else the thread."""
        event.stop()
        one = self.outcomes.selected
        if one is None:
            return
        control = self.lgtop.control
        run = next((run for run in control.runs if run.run_id == one.run_id), None)
        if one.state is State.RUNNING and run is None:
            run = control.run_of(one.thread_id)
        if run is None:
            self.action_thread()
            return
        from .run import RunScreen

        self.app.push_screen(RunScreen(run))

    def action_thread(self) -> None:
        """Open the thread."""
        one = self.outcomes.selected
        if one is None:
            return
        if one.thread_id in self.lgtop.index.rows:
            self.lgtop.open_thread(one.thread_id)
        else:
            self.app.notify("The thread is not in the store any more.", severity="warning")

    def action_copy(self) -> None:
        """Copy the thread's id."""
        if (one := self.outcomes.selected) is not None:
            self.lgtop.copy(one.thread_id, "thread id")

    def action_back(self) -> None:
        """Back to where we came from."""
        self.app.pop_screen()

    def action_troubled(self) -> None:
        """Only what went wrong, or all."""
        self._only_trouble = not self._only_trouble
        self._show()

    def action_turn(self, step: int) -> None:
        """What was done before, or after."""
        works = self.lgtop.bulk.works
        if self._shown in works:
            self.look_at(works[max(0, min(works.index(self._shown) + step, len(works) - 1))])

    def action_stop(self) -> None:
        """Begin nothing more."""
        if self._shown is not None:
            self._shown.job.stop()
            self._show()

    @work(exclusive=True, group="retry", exit_on_error=False)
    async def action_retry(self) -> None:
        """Do it again to those that failed."""
        from ..verbs.many import retry

        if self._shown is not None and (again := await retry(self.lgtop, self._shown)) is not None:
            self.look_at(again)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Tell of an error that nobody foresaw; the screen goes on."""
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            self.lgtop.tell_failure(event.worker.error)

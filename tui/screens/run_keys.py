"""What every screen with a run on it can do with that run."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, Final

from textual import work
from textual.binding import Binding, BindingType

from backends.errors import Refused
from backends.runs.run import Run, RunState

from ..dialogs.confirm import Confirm
from ..widgets.lines import Lines
from ..widgets.sheet import Paragraph
from .dimmed import DimmedKeys

if TYPE_CHECKING:
    from backends.runs.stop import How

_TOLD: Final[dict[str, str]] = {
    "drain": "Run {} stops before its next superstep: what runs now is finished and saved.",
    "cancel": "Run {} is cancelled: the tasks that run now end without saving.",
    "kill": "Run {} has been killed.",
}


class RunKeys(DimmedKeys):
    """A screen that is about runs; a subclass says about which one at the moment."""

    CSS_PATH = "runs.tcss"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", key_display="esc", id="run.back", tooltip="Back"),
        Binding("s", "stop('drain')", "drain", id="run.drain", tooltip="Stop this run before its next superstep"),
        Binding("S", "stop('cancel')", "cancel", id="run.cancel", tooltip="Cancel the tasks of this run"),
        Binding("K", "kill", "kill", id="run.kill", tooltip="Kill the process of this run"),
        Binding("t", "thread", "thread", id="run.thread", tooltip="Open the thread of this run"),
    ]

    @property
    def chosen(self) -> Run | None:
        """The run that keys are meant for."""
        raise NotImplementedError

    def why_not(self, action: str) -> str:
        """Say why the run cannot be stopped; empty where it can."""
        run = self.chosen
        if action not in ("stop", "kill"):
            return ""
        if run is None:
            return "There is no run here."
        if not run.live:
            return f"Run {run.run_id} is not running: it is {run.state}."
        return self.lgtop.control.gate.refusal()

    def on_lines_cursor_moved(self, event: Lines.CursorMoved) -> None:
        """Another run can be stopped, or not."""
        self.refresh_bindings()

    # Keys

    def action_back(self) -> None:
        """Back to where we came from."""
        self.app.pop_screen()

    def action_thread(self) -> None:
        """Open the thread."""
        if (run := self.chosen) is not None:
            self.lgtop.open_thread(run.thread_id)

    def action_stop(self, how: How) -> None:
        """Stop the run."""
        if (run := self.chosen) is not None:
            self._stop(run, how)

    @work(group="stop")
    async def action_kill(self) -> None:
        """Kill the run, once that has been confirmed."""
        run = self.chosen
        if run is not None and await self.app.push_screen_wait(Confirm(f"Kill {run.label}?", _killing(run))):
            self._stop(run, "kill")

    @work(group="stop")
    async def _stop(self, run: Run, how: How) -> None:
        """Ask the run to stop, and say what comes of it."""
        from backends.runs.stop import stop

        try:
            await asyncio.to_thread(stop, run, how)
        except Refused as error:
            self.app.notify(str(error), severity="warning")
        else:
            self.app.notify(_TOLD[how].format(run.run_id))


def _killing(run: Run) -> list[Paragraph]:
    """What a person is told before a run is killed."""
    names = ", ".join(run.nodes)
    running = f"{names} {'runs' if len(run.nodes) == 1 else 'run'} now: " if names else ""
    text = (
        f"{running}what is not finished is lost, and is done again when the thread is resumed, with whatever it does "
        "outside. Finished tasks stay saved."
    )
    gentle = "" if run.state is RunState.STOPPING else "s stops it before its next superstep, and loses nothing."
    return [Paragraph(text), *([Paragraph(), Paragraph(gentle, look="dim")] if gentle else [])]

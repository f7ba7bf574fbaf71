"""Leaving while runs go on: what is to become of them?"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from backends.bulk.request import RUNNING
from backends.errors import Refused
from backends.runs.run import Run
from backends.text import one_line

from ..bulk_words import summary
from ..widgets.lines import Lines
from ..widgets.run_list import nodes_text
from ..words import short_id
from .choose import Choice, Choices
from .modal import Modal

if TYPE_CHECKING:
    from backends.runs.stop import How

    from ..app import LgtopApp
    from ..bulk import Work

LEAVE: Final = "leave"
"""The answer that does nothing to the runs; the others are those of ``backends.runs.stop.How``."""

_CHOICES: Final = (
    Choice(LEAVE, "leave them running", "they go on; lgtop finds them again"),
    Choice("drain", "drain, then quit", "each stops after its step; nothing is lost"),
    Choice("kill", "kill, then quit", "as a crash: running tasks are done again"),
)

_LISTED: Final = 5
"""Runs that are named."""

_PATIENCE: Final = 5.0
"""Seconds to wait for what is done to the rows of a thread at this moment."""

_CHROME: Final = 6
"""Lines of the frame, its title, the hint and a gap."""


class Quit(Modal[str | None]):
    """Asks what becomes of the runs; answers ``leave``, ``drain`` or ``kill``, or ``None`` to stay.

    Args:
        runs: Runs that go on.
        works: What is done to many threads, and is not over. There is a run or one of these.
    """

    AUTO_FOCUS = "Choices"
    BINDING_GROUP_TITLE = "Quit"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "stay", key_display="esc", id="dialog.close", tooltip="Close; change nothing"),
    ]

    def __init__(self, runs: Sequence[Run], works: Sequence[Work] = ()) -> None:
        super().__init__()
        self._runs = runs
        self._works = works

    def compose(self) -> ComposeResult:
        """The runs, and what can be done."""
        count = len(self._runs)
        lines = [*map(_begun, self._works), *_named(self._runs)]
        with Vertical(classes="dialog") as frame:
            frame.styles.height = len(lines) + 1 + len(_CHOICES) + _CHROME
            title = "A run goes on" if count == 1 else f"{count} runs go on"
            if self._works:
                title = f"{self._works[0].title} goes on"
            yield Static(title, classes="dialog-title", markup=False)
            for line in lines:
                yield Static(line, classes="dialog-line", markup=False)
            yield Static(classes="dialog-line")
            yield Choices(_CHOICES, None)
            yield Static("↵ choose   esc stay", classes="dialog-hint", markup=False)

    def on_lines_activated(self, event: Lines.Activated) -> None:
        """Answer."""
        event.stop()
        self.dismiss(_CHOICES[event.row].name)


async def leave(app: LgtopApp) -> None:
    """Quit, once it is settled what becomes of the runs that go on on this computer."""
    here = socket.gethostname()
    runs, works = [run for run in app.control.live_runs if run.host == here], app.bulk.running
    if runs or works:
        answer = await app.push_screen_wait(Quit(runs, works))
        if answer is None:
            return
        ended = await asyncio.to_thread(_end, works, answer)
        app.say_at_exit([*ended, *await asyncio.to_thread(_settle, runs, answer)])
    app.exit()


def _begun(work: Work) -> str:
    """How far something is that is done to many threads."""
    progress, _ = work.look()
    return f"▸ {summary(progress)}: what is pending is left alone"


def _end(works: Iterable[Work], answer: str) -> list[str]:
    """Begin nothing more; what is done to rows at this moment is finished, what runs does as the person answered."""
    said: list[str] = []
    for work in works:
        if answer != LEAVE or work.request.action not in RUNNING:
            work.job.stop()
        if work.request.action not in RUNNING:
            work.job.wait(_PATIENCE)
        progress, _ = work.look()
        said.append(one_line(f"{work.title}: {summary(progress)}", 300))
    return said


def _named(runs: Sequence[Run]) -> Iterable[str]:
    """A line for each run, but only for the first few."""
    for run in runs[:_LISTED]:
        doing = nodes_text(run)
        where = f"{short_id(one_line(run.thread_id, 200), 30)}  {one_line(run.verb, 20)}"
        yield f"● {where}{f'  {doing}' if doing else ''}"
    if len(runs) > _LISTED:
        yield f"  and {len(runs) - _LISTED} more"


def _settle(runs: Iterable[Run], answer: str) -> list[str]:
    """Do to the runs what the person has answered; return safe sentences about those that are left."""
    from backends.runs.stop import stop

    ways: dict[str, How] = {"drain": "drain", "kill": "kill"}
    said: list[str] = []
    for run in runs:
        try:
            if answer in ways:
                stop(run, ways[answer])
        except Refused as error:
            said.append(one_line(str(error), 300))
        if answer != "kill":
            goes = "goes on" if answer == LEAVE else "stops after its step"
            said.append(one_line(f"Run {run.run_id} {goes}: lgtop runs --follow {run.run_id}", 300))
    return said

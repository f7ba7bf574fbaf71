"""The keys for verbs, the same on every screen with threads on it: what they do, when they are dimmed, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual import events, work
from textual.binding import Binding
from textual.worker import Worker, WorkerState

from ..live import Change, Connection
from ..verbs.spot import VERBS, Spot, why_not
from ..widgets.key_bar import KeyBar
from ..widgets.lines import Lines
from .dimmed import DimmedKeys

if TYPE_CHECKING:
    from backends.runs.run import Run

_KEYS: Final = {
    "resume": ("r", "Run what is not finished"),
    "answer": ("a", "Answer the questions of this thread"),
    "fork": ("f", "Go on from here in another way, or copy"),
    "edit": ("e", "Write another state"),
    "start": ("N", "Start a run"),
    "stop": ("s", "Stop the run of this thread"),
    "crash": ("x", "Crash the next run, or go to the crash lab"),
    "delete": ("D", "Delete this thread"),
    "prune": ("P", "Delete old checkpoints of this thread"),
    "export": ("E", "Export this thread to a file"),
}

_UNSEEN: Final = ("prune", "export")
"""Verbs that stand in the help and among the commands, but not in the last line."""


def controls(*verbs: str) -> list[Binding]:
    """Bindings for verbs, in this order; the same ids on every screen, so that a keymap holds everywhere."""
    return [
        Binding(
            key,
            verb,
            "new run" if verb == "start" else verb,
            show=verb not in _UNSEEN,
            id=f"control.{verb}",
            tooltip=tooltip,
        )
        for verb, (key, tooltip) in ((verb, _KEYS[verb]) for verb in verbs)
    ]


class ControlScreen(DimmedKeys):
    """A screen whose keys act on the thread under the cursor.

    A subclass lists ``controls`` among its bindings and says in ``spot`` where the person is.
    """

    _following = False

    def spot(self) -> Spot | None:
        """Where the person is; ``None`` where no thread is under the cursor."""
        raise NotImplementedError

    def spot_for(self, verb: str) -> Spot | None:
        """What a verb is about here; ``None`` where it is about nothing that is there yet."""
        return self.spot()

    def on_mount(self) -> None:
        """Follow whatever decides what can be done."""
        self.lgtop.live.changed.subscribe(self, self.see_verbs)
        self.lgtop.live.connected.subscribe(self, self.see_verbs)
        if self.lgtop.knows_verbs:
            self._follow_runs()

    def _follow_runs(self) -> None:
        """Hear of runs, too; the first rows come before, because the code for runs has to be loaded."""
        if not self._following:
            self._following = True
            self.lgtop.control.runs_changed.subscribe(self, self.see_verbs)
            self.see_verbs()

    def on_lines_cursor_moved(self, event: Lines.CursorMoved) -> None:
        """Other verbs may make sense here."""
        self.call_next(self.see_verbs)

    def on_key(self, event: events.Key) -> None:
        """Who knows already which verb it shall be need not wait for what tells whether it makes sense."""
        active = self.active_bindings.get(event.key)
        if active is not None and active.binding.action in VERBS and self.lgtop.live.info is not None:
            self._follow_runs()

    def see_verbs(self, news: Change | Connection | tuple[Run, ...] | None = None) -> None:
        """Draw the keys again if others make sense now than when they were drawn."""
        if not self._following and (self.lgtop.live.index.rows or self.lgtop.live.index.complete):
            self.call_after_refresh(self._follow_runs)
        drawn = self.query_one(KeyBar).drawn
        if any(enabled is bool(self.why_not(action)) for action, enabled in drawn.items()):
            self.refresh_bindings()

    def _reasons(self, *verbs: str) -> tuple[str, ...]:
        """Why each verb cannot be done here and now; empty where it can."""
        info = self.lgtop.live.info
        if info is None or not self.lgtop.knows_verbs:
            return ("The store is not open yet.",) * len(verbs)
        spot, control = self.spot(), self.lgtop.control
        run = control.run_of(spot.thread_id) if spot is not None else None
        refusal = control.gate.refusal(info)
        return tuple(why_not(verb, self.spot_for(verb), run, refusal) for verb in verbs)

    def why_not(self, action: str) -> str:
        """Say why a verb cannot be done here and now; empty where it can, and for every other key."""
        return self._reasons(action)[0] if action in VERBS else ""

    @work(exclusive=True, group="verb", exit_on_error=False)
    async def _begin(self, verb: str) -> None:
        await self.begin(verb)
        self.see_verbs()

    async def begin(self, verb: str) -> None:
        """Begin a verb; called in a worker."""
        from ..verbs.begin import begin

        await begin(self.lgtop, verb, self.spot_for(verb))

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Tell of an error that nobody foresaw; the screen goes on."""
        if event.worker.group == "verb" and event.state is WorkerState.ERROR and event.worker.error is not None:
            self.lgtop.tell_failure(event.worker.error)

    def action_resume(self) -> None:
        """Run what is not finished."""
        self._begin("resume")

    def action_answer(self) -> None:
        """Answer the questions of the thread."""
        self._begin("answer")

    def action_fork(self) -> None:
        """Go on in another way."""
        self._begin("fork")

    def action_edit(self) -> None:
        """Write another state."""
        self._begin("edit")

    def action_start(self) -> None:
        """Start a run."""
        self._begin("start")

    def action_stop(self) -> None:
        """Stop the run of the thread."""
        self._begin("stop")

    def action_crash(self) -> None:
        """Crash a run."""
        self._begin("crash")

    def action_delete(self) -> None:
        """Delete the thread."""
        self._begin("delete")

    def action_prune(self) -> None:
        """Delete what nothing of the thread needs."""
        self._begin("prune")

    def action_export(self) -> None:
        """Export the thread."""
        self._begin("export")

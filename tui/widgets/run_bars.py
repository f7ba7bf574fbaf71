"""The lines above the events of a run: how it is doing, what it is, and what is shown of it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from textual.reactive import reactive

from backends.runs.run import Run
from backends.text import one_line

from ..run_states import like, sign
from .one_line import OneLine, Piece
from .run_list import nodes_text, tasks_text, took


class RunLine(OneLine):
    """``● running  analyze, summary      3/4 tasks · 12s``."""

    DEFAULT_CSS = "RunLine { padding: 0 1; }"

    shown: reactive[Run | None] = reactive(None)
    """The run."""

    now: reactive[float] = reactive(0.0)
    """Unix time."""

    def pieces(self, width: int) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """State, and what it does or why it ended; progress at the right."""
        run = self.shown
        if run is None:
            return [], []
        doing = nodes_text(run)
        left: list[Piece] = [(sign(run.state), like(run.state).value)]
        left += [(f"  {one_line(part, 400)}", look) for part, look in ((run.reason, ""), (doing, "")) if part]
        tasks = tasks_text(run)
        progress = [part for part in (f"{tasks} tasks" if tasks else "", took(run, self.now)) if part]
        return left, [(f"  {' · '.join(progress)}", "dim")]


class RunFacts(OneLine):
    """``resume loan-0042 · documents · sync · you@laptop · pid 4312``."""

    DEFAULT_CSS = "RunFacts { padding: 0 1; }"

    shown: reactive[Run | None] = reactive(None)
    """The run."""

    def pieces(self, width: int) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """What was asked, by whom, and where it runs."""
        run = self.shown
        if run is None:
            return [], []
        left: list[Piece] = [(f"{one_line(run.verb, 20)} ", "dim"), (one_line(run.thread_id, 200), "strong")]
        pid = f"pid {run.pid}" if run.pid else ""
        facts = (run.graph, run.durability, run.operator, pid)
        left += [(f" · {one_line(fact, 80)}", "dim") for fact in facts if fact]
        form = "  %Y-%m-%d %H:%M:%S" if width >= 100 else "  %H:%M:%S"
        return left, [(time.strftime(form, time.localtime(run.started_at)), "dim")]


@dataclass(frozen=True, slots=True)
class EventFacts:
    """What the title of the events says.

    Attributes:
        total: Events so far.
        dropped: Those among them that are no longer shown, because there are too many.
        logs: Whether the lines that the user's code printed are shown.
        at_end: Whether the cursor goes with new lines.
        over: Whether nothing more will come.
        found: What a search found.
    """

    total: int = 0
    dropped: int = 0
    logs: bool = True
    at_end: bool = True
    over: bool = False
    found: str = ""


class EventTitle(OneLine):
    """``EVENTS  142  without logs      goes on``."""

    DEFAULT_CSS = "EventTitle { padding: 0 1; }"

    facts: reactive[EventFacts] = reactive(EventFacts())
    """What to say."""

    def pieces(self, width: int) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """Lay the title out."""
        facts = self.facts
        left: list[Piece] = [("EVENTS", "bold accent"), (f"  {facts.total:,}", "dim")]
        if facts.dropped:
            left.append((f"  the first {facts.dropped:,} only in the record", "warning"))
        if not facts.logs:
            left.append(("  logs hidden", "accent", "screen.logs"))
        if facts.found:
            return left, [(f"  {facts.found}", "accent")]
        return left, [] if facts.over else [("  following", "accent") if facts.at_end else ("  more may come", "dim")]

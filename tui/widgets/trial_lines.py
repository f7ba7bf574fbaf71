"""The lines about an experiment: what is tried, and how each of its threads is doing."""

from __future__ import annotations

import json
from collections.abc import Sequence

from textual.reactive import reactive

from backends.model import StatusName
from backends.text import one_line

from ..glyphs import STATUS
from ..lab.setup import Setup
from ..lab.trial import Trial
from .one_line import OneLine, Piece


class SetupLine(OneLine):
    """``o documents  i {"document_id": …}  d sync``: what is tried, and the keys that change it."""

    DEFAULT_CSS = "SetupLine { padding: 0 1; }"

    setup: reactive[Setup | None] = reactive(None)
    """What is tried."""

    def pieces(self, width: int) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """Graph and input at the left, how it is saved at the right."""
        setup = self.setup
        if setup is None:
            return [("looking for graphs…", "dim")], []
        saves = "sync | async | exit" if setup.compare else setup.durability
        left: list[Piece] = [
            ("graph  ", "dim"),
            ("o ", "accent", "app.simulate_key('o')"),
            (one_line(setup.graph.name, 40), "bold strong"),
            ("  i ", "accent", "app.simulate_key('i')"),
            (one_line(json.dumps(setup.input, ensure_ascii=False), 400), ""),
        ]
        key = "faint" if setup.compare else "accent"
        return left, [("  d ", key, "app.simulate_key('d')"), (saves, "strong")]


class TrialLine(OneLine):
    """``sync   † crashed  killed by SIGKILL while sentiment ran      documents-…-k3``."""

    DEFAULT_CSS = "TrialLine { padding: 0 1; }"

    facts: reactive[tuple[str, StatusName, str, str] | None] = reactive(None)
    """How it is saved, its status, why, and its id; ``None`` before it is started."""

    title: reactive[str] = reactive("")
    """How it will be saved."""

    def tell(self, trial: Trial | None, title: str) -> None:
        """Show how a thread is doing."""
        self.title = title
        self.facts = None if trial is None else (trial.durability, trial.status, trial.reason, trial.thread_id)

    def pieces(self, width: int) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """Status and reason at the left, the thread at the right where there is room."""
        if self.facts is None:
            return [(f"{self.title:<6} ", "dim"), ("not started", "faint")], []
        durability, status, reason, thread = self.facts
        known = status is not StatusName.UNKNOWN
        word = f"{STATUS[status]} {status.value}" if known else "· starting"
        left: list[Piece] = [
            (f"{durability:<6} ", "dim"),
            (word, f"bold {status.value}" if known else "dim"),
            (f"  {one_line(reason, 400)}", ""),
        ]
        return left, [(f"  {one_line(thread, 60)}", "dim")] if width >= 100 else []

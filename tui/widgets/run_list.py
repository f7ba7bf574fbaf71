"""The runs of a store, one line each: those that go on first, then the newest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Final

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.reactive import reactive

from backends.runs.run import Run
from backends.text import one_line

from ..run_states import like, sign
from ..words import age, short_id
from .columns import GAP, Column, Placed, place
from .lines import Lines
from .one_line import fit

GUTTER: Final = 2
"""Cells before the first column."""

COLUMNS: Final = (
    Column("state", "STATE", 10, 11, 11),
    Column("thread", "THREAD", 12, 24, 40, rank=1),
    Column("verb", "VERB", 6, 6, 7, rank=7),
    Column("graph", "GRAPH", 8, 14, 24, rank=8),
    Column("nodes", "NODES", 10, 16, 32, rank=2),
    Column("tasks", "TASKS", 5, 5, 9, right=True, rank=4),
    Column("took", "TOOK", 5, 5, 5, right=True, rank=3),
    Column("started", "AGO", 4, 4, 4, right=True, rank=6),
    Column("reason", "WHY", 16, 30, 10_000, rank=5),
)
"""In the order in which they stand."""


class RunList(Lines):
    """The list; its cursor stays on its run.

    Args:
        clock: Unix time, for spans.
    """

    DEFAULT_CSS = "RunList { overflow-y: scroll; }"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter", "activate", "follow", key_display="↵", id="lines.activate", tooltip="Follow what the run does"
        ),
    ]

    columns: reactive[tuple[Placed, ...]] = reactive((), repaint=False, init=False)
    """The columns as they are laid out now."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self._runs: Sequence[Run] = ()
        self._spans: dict[str, tuple[str, str]] = {}

    @property
    def selected(self) -> Run | None:
        """The run under the cursor."""
        return self._runs[self.cursor] if self.cursor < len(self._runs) else None

    def show(self, runs: Sequence[Run]) -> None:
        """Show other runs.

        Args:
            runs: Newest first.
        """
        here, old = self.selected, self._runs
        self._runs = [*(run for run in runs if run.live), *(run for run in runs if not run.live)]
        ids = [run.run_id for run in self._runs]
        if self._lay_out() or ids != [run.run_id for run in old]:
            self.rows_changed(ids.index(here.run_id) if here is not None and here.run_id in ids else None)
            return
        for y, (was, run) in enumerate(zip(old, self._runs, strict=True)):
            if was != run:
                self.refresh_row(y)

    def tick(self) -> None:
        """Draw the visible rows whose spans of time read differently by now."""
        for y in self.visible_rows:
            run = self._runs[y]
            if self._spans.get(run.run_id) != self._times(run):
                self.refresh_row(y)

    def on_resize(self) -> None:
        """Lay the columns out anew."""
        self._lay_out()
        super().on_resize()

    def _lay_out(self) -> bool:
        """Find room for the columns; whether any of them is elsewhere now."""
        contents = {
            name: max((cell_len(text(run)) for run in self._runs), default=0)
            for name, text in (("thread", _thread), ("graph", _graph), ("nodes", nodes_text), ("tasks", tasks_text))
        }
        placed = place(self.view.width, GUTTER, contents, COLUMNS)
        changed = placed != self.columns
        self.columns = placed
        return changed

    # Drawing

    @property
    def line_count(self) -> int:
        """Number of runs."""
        return len(self._runs)

    def render_row(self, y: int, width: int, selected: bool) -> list[Segment]:
        """Draw a run."""
        cells = self._cells(self._runs[y], selected)
        segments = [Segment("▌ " if selected else "  ", self.ink("accent"))]
        for placed in self.columns:
            text, style = cells[placed.column.name]
            segments.append(Segment(fit(text, placed.width, placed.column.right) + " " * GAP, style))
        return segments

    def _cells(self, run: Run, selected: bool) -> Mapping[str, tuple[str, Style]]:
        """Text and style of every column of a row."""
        plain = self.ink("strong") if selected else Style.null()
        dim = plain if selected else self.ink("dim")
        thread = next((placed.width for placed in self.columns if placed.column.name == "thread"), 0)
        took, started = self._spans[run.run_id] = self._times(run)
        return {
            "state": (sign(run.state), self.ink(like(run.state).value)),
            "thread": (short_id(_thread(run), thread), plain),
            "verb": (one_line(run.verb, 20), dim),
            "graph": (_graph(run), dim),
            "nodes": (nodes_text(run), plain if run.live else dim),
            "tasks": (tasks_text(run), dim),
            "took": (took, dim),
            "started": (started, dim),
            "reason": (why(run), plain if run.reason else dim),
        }

    def _times(self, run: Run) -> tuple[str, str]:
        now = self._clock()
        return took(run, now), age(now - run.started_at)


def took(run: Run, now: float) -> str:
    """How long a run has taken, or takes already."""
    return age((run.ended_at if run.ended_at is not None else now) - run.started_at)


def nodes_text(run: Run) -> str:
    """Nodes that run now; of a run that has ended, those that come next."""
    if run.live:
        return one_line(", ".join(f"{name} ×{count}" if count > 1 else name for name, count in run.nodes.items()), 200)
    return one_line(f"next {', '.join(run.next)}", 200) if run.next else ""


def tasks_text(run: Run) -> str:
    """Tasks finished of those begun: ``3/4``."""
    return f"{run.finished:,}/{run.begun:,}" if run.begun else ""


def why(run: Run) -> str:
    """The reason of its state; where there is none, who asked for it."""
    return one_line(run.reason or run.operator, 400)


def _thread(run: Run) -> str:
    return one_line(run.thread_id, 200)


def _graph(run: Run) -> str:
    return one_line(run.graph, 60)

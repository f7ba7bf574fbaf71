"""The threads that something is done to, one line each, with what has become of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.reactive import reactive

from backends.bulk.outcome import OVER, Outcome, State
from backends.text import one_line

from ..bulk_words import look, told, why
from ..words import age, short_id
from .columns import GAP, Column, Placed, place
from .lines import Lines
from .one_line import fit

GUTTER: Final = 2
"""Cells before the first column."""

_LOOKED_AT: Final = 500
"""Ids that decide how wide their column is: the longest of a hundred thousand would not be seen."""

COLUMNS: Final = (
    Column("state", "STATE", 9, 9, 9),
    Column("thread", "THREAD", 12, 26, 48, rank=1),
    Column("tries", "TRIES", 5, 5, 5, right=True, rank=4),
    Column("took", "TOOK", 5, 5, 5, right=True, rank=3),
    Column("reason", "WHY", 16, 30, 10_000, rank=2),
)
"""In the order in which they stand."""

_IDLE: Final[Mapping[str, str]] = MappingProxyType({})

TROUBLED: Final = frozenset({State.FAILED, State.REFUSED, State.STOPPED})
"""States that want a look."""

_EXPLAINED: Final = frozenset({State.FAILED, State.REFUSED})
"""States whose reason is worth a bright line."""


class BulkList(Lines):
    """The list, in the order in which the threads are taken; its cursor stays on its thread.

    Attributes:
        retried: Whether threads that fail are tried again by themselves: how often has a column then.
    """

    DEFAULT_CSS = "BulkList { overflow-y: scroll; }"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter", "activate", "open", key_display="↵", id="lines.activate", tooltip="The run's log, or the thread"
        ),
    ]

    columns: reactive[tuple[Placed, ...]] = reactive((), repaint=False, init=False)
    """The columns as they are laid out now."""

    def __init__(self) -> None:
        super().__init__()
        self._outcomes: Sequence[Outcome] = ()
        self._longest = 0
        self.retried = False
        self._doing: Mapping[str, str] = {}

    @property
    def selected(self) -> Outcome | None:
        """What became of the thread under the cursor."""
        return self._outcomes[self.cursor] if self.cursor < len(self._outcomes) else None

    def show(
        self, outcomes: Sequence[Outcome], only: Collection[State] | None = None, doing: Mapping[str, str] = _IDLE
    ) -> None:
        """Show how things stand; lines that look different are drawn again.

        Args:
            outcomes: Of all threads, always in the same order.
            only: States to show; ``None`` for all.
            doing: What runs now, by thread; safe text.
        """
        here, old, did = self.selected, self._outcomes, self._doing
        self._doing = doing
        self._outcomes = outcomes if only is None else [one for one in outcomes if one.state in only]
        same = len(old) == len(self._outcomes) and (only is None or _ids(old) == _ids(self._outcomes))
        if same and old and old[0].thread_id == self._outcomes[0].thread_id:
            for y in self.visible_rows:
                name = old[y].thread_id
                if old[y] != self._outcomes[y] or did.get(name) != doing.get(name):
                    self.refresh_row(y)
            return
        self._longest = max((len(one.thread_id) for one in self._outcomes[:_LOOKED_AT]), default=0)
        self._lay_out()
        self.rows_changed(None if here is None else _place(self._outcomes, here.thread_id))

    def on_resize(self) -> None:
        """Lay the columns out anew."""
        self._lay_out()
        super().on_resize()

    def _lay_out(self) -> None:
        columns = [column for column in COLUMNS if self.retried or column.name != "tries"]
        self.columns = place(self.view.width, GUTTER, {"thread": self._longest}, columns)

    # Drawing

    @property
    def line_count(self) -> int:
        """Number of threads that are shown."""
        return len(self._outcomes)

    def render_row(self, y: int, width: int, selected: bool) -> list[Segment]:
        """Draw what became of a thread."""
        cells = self._cells(self._outcomes[y], selected)
        segments = [Segment("▌ " if selected else "  ", self.ink("accent"))]
        for placed in self.columns:
            text, style = cells[placed.column.name]
            segments.append(Segment(fit(text, placed.width, placed.column.right) + " " * GAP, style))
        return segments

    def _cells(self, one: Outcome, selected: bool) -> Mapping[str, tuple[str, Style]]:
        """Text and style of every column of a row."""
        plain = self.ink("strong") if selected else Style.null()
        dim = plain if selected else self.ink("dim")
        waits = one.state is State.PENDING
        room = next((placed.width for placed in self.columns if placed.column.name == "thread"), 0)
        return {
            "state": (told(one.state), self.ink(look(one.state))),
            "thread": (short_id(one_line(one.thread_id, 200), room), dim if waits else plain),
            "tries": (str(one.tries) if one.tries > 1 else "", dim),
            "took": (age(one.seconds) if one.tries and one.state in OVER else "", dim),
            "reason": (self._why(one), plain if one.state in _EXPLAINED else dim),
        }

    def _why(self, one: Outcome) -> str:
        """Why it stands as it does; where there is nothing to explain, what came of it."""
        if one.state is State.RUNNING:
            return self._doing.get(one.thread_id, "")
        return why(one)


def _ids(outcomes: Sequence[Outcome]) -> list[str]:
    return [one.thread_id for one in outcomes]


def _place(outcomes: Sequence[Outcome], thread_id: str) -> int | None:
    return next((y for y, one in enumerate(outcomes) if one.thread_id == thread_id), None)

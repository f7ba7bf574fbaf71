"""The questions that wait for a person, one line each, the one that has waited longest first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType

from backends.text import one_line

from ..words import age, short_id
from .columns import GAP, Column, Placed, place
from .lines import Lines
from .one_line import fit

GUTTER: Final = 2
"""Cells before the first column."""

COLUMNS: Final = (
    Column("thread", "THREAD", 12, 26, 40),
    Column("node", "NODE", 8, 14, 24, rank=2),
    Column("waits", "WAITS", 5, 5, 5, right=True, rank=1),
    Column("question", "QUESTION", 20, 40, 10_000, rank=0),
)
"""In the order in which they stand."""


@dataclass(frozen=True, slots=True)
class Question:
    """A pending interrupt.

    Attributes:
        id: The interrupt's id; untrusted.
        thread_id: The thread that waits; untrusted.
        node: The node that asks; untrusted.
        asked_at: Unix time of the thread's last activity; ``None`` where its id carries none.
        text: The question on one safe line.
    """

    id: str
    thread_id: str
    node: str
    asked_at: float | None
    text: str


class Questions(Lines):
    """The list.

    Args:
        clock: Unix time, for ages.
    """

    DEFAULT_CSS = "Questions { overflow-y: scroll; }"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "activate", "open", key_display="↵", id="lines.activate", tooltip="Open the thread that asks"),
    ]

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self._questions: Sequence[Question] = ()
        self.columns: tuple[Placed, ...] = ()

    def show(self, questions: Sequence[Question]) -> None:
        """Show other questions; the cursor stays on its own, if that is still there."""
        here = self.selected
        self._questions = questions
        self._lay_out()
        found = (row for row, question in enumerate(questions) if here is not None and question.id == here.id)
        self.rows_changed(cursor=next(found, None))

    @property
    def selected(self) -> Question | None:
        """The question under the cursor."""
        return self._questions[self.cursor] if self.cursor < len(self._questions) else None

    @property
    def line_count(self) -> int:
        """Number of questions."""
        return len(self._questions)

    def on_resize(self) -> None:
        """Lay the columns out anew."""
        self._lay_out()
        super().on_resize()

    def _lay_out(self) -> None:
        contents = {
            "thread": max((len(question.thread_id) for question in self._questions), default=0),
            "node": max((len(question.node) for question in self._questions), default=0),
        }
        self.columns = place(self.view.width, GUTTER, contents, COLUMNS)

    def render_row(self, y: int, width: int, selected: bool) -> list[Segment]:
        """Draw a question."""
        question = self._questions[y]
        plain = Style.null()
        dim = plain if selected else self.ink("dim")
        waits = age(None if question.asked_at is None else self._clock() - question.asked_at)
        segments = [Segment("▌ " if selected else "  ", self.ink("accent"))]
        for placed in self.columns:
            text, style = {
                "thread": (short_id(one_line(question.thread_id, 200), placed.width), plain),
                "node": (one_line(question.node, 100), dim),
                "waits": (waits, dim),
                "question": (question.text, self.ink("waiting")),
            }[placed.column.name]
            segments.append(Segment(fit(text, placed.width, placed.column.right) + " " * GAP, style))
        return segments

"""One answer to the questions of many threads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from backends.control.schema import problems
from backends.model import Interrupt
from backends.present import to_json
from backends.questions import question_text

from ..bulk_words import threads
from ..forms.shape import shape_of_answer
from ..widgets.entry import Entry
from ..widgets.key_bar import KeyBar
from ..widgets.sheet import Paragraph, Sheet
from .one_entry import OneEntry

if TYPE_CHECKING:
    from backends.reader import Reader

_READ: Final = 500
"""Threads whose questions are read to show what is asked."""

_SHOWN: Final = 4
"""Questions that are shown."""

_WIDTH: Final = 78
_SIDES: Final = 4
_CHROME: Final = 7
"""Lines of the frame, its title, its keys, and the gaps between them."""


@dataclass(frozen=True, slots=True)
class Questions:
    """What some threads ask.

    Attributes:
        asked: Different questions with how many threads ask each, the most frequent first.
        waiting: Threads that ask anything, among those that were read.
        read: Threads that were read.
        total: Threads.
    """

    asked: tuple[tuple[Interrupt, int], ...]
    waiting: int
    read: int
    total: int


def read_questions(reader: Reader, thread_ids: Sequence[str]) -> Questions:
    """Read what the first threads ask; called on a thread of its own."""
    heads = reader.store.heads_of(list(thread_ids[:_READ]))
    found: dict[tuple[str, str], list[Interrupt]] = {}
    waiting = 0
    for analysis in reader.analyse_heads(list(heads.values())).values():
        waiting += bool(analysis.interrupts)
        for question in analysis.interrupts:
            kind = (question.node, question_text(question.value, 300))
            found.setdefault(kind, []).append(question)
    ordered = sorted(found.values(), key=lambda alike: -len(alike))
    asked = tuple((alike[0], len(alike)) for alike in ordered)
    return Questions(asked, waiting, min(len(thread_ids), _READ), len(thread_ids))


class BulkAnswer(OneEntry[tuple[Any] | None]):
    """Asks for one answer; answers with it, or with ``None``.

    Args:
        questions: What is asked.
    """

    BINDING_GROUP_TITLE = "Answer"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+o", "accept", "go on", id="answer.accept", tooltip="See what it does"),
        Binding("ctrl+r", "turn", "JSON", id="answer.json", tooltip="As JSON, or as a form"),
    ]

    def __init__(self, questions: Questions) -> None:
        self._questions = questions
        first = questions.asked[0][0] if questions.asked else None
        schema = first.response_schema if first is not None else None
        shape = None if first is None else shape_of_answer(to_json(first.value), schema)
        super().__init__(Entry(shape, check=lambda value: problems(value, schema)))

    def compose(self) -> ComposeResult:
        """A frame with the questions, and what there is to fill in."""
        with Vertical(classes="dialog bulk-dialog"):
            yield Static("Answer alike", classes="dialog-title", markup=False)
            yield Sheet(paragraphs(self._questions))
            yield self._entry
            yield KeyBar()

    def on_resize(self) -> None:
        """Make the frame as high as what is in it."""
        self._fit()

    def _fit(self) -> None:
        sheet = self.query_one(Sheet)
        wanted = sheet.height_at(min(_WIDTH, self.size.width) - _SIDES)
        sheet.styles.height = wanted = max(1, min(wanted, self.size.height // 2))
        self.query_one(".dialog").styles.height = min(self.size.height, wanted + self._entry.lines + _CHROME)

    def answer(self, value: Any) -> tuple[Any] | None:
        """The value, in a tuple since it may be ``None`` itself."""
        return (value,)

    def action_turn(self) -> None:
        """As a form, or as JSON."""
        super().action_turn()
        self._fit()


def paragraphs(questions: Questions) -> list[Paragraph]:
    """What is asked, and by how many."""
    if not questions.asked:
        return [Paragraph("None of these threads waits for an answer now.", look="warning")]
    found = [
        Paragraph(question_text(question.value, 600), f"{count:,} ×" if count > 1 or number else "1 ×", "waiting")
        for number, (question, count) in enumerate(questions.asked[:_SHOWN])
    ]
    if len(questions.asked) > _SHOWN:
        found.append(Paragraph(f"and {len(questions.asked) - _SHOWN:,} other questions", look="dim"))
    if questions.read < questions.total:
        found.append(Paragraph(f"as the first {questions.read:,} of {threads(questions.total)} ask", look="dim"))
    if len(questions.asked) > 1:
        found.append(
            Paragraph("Every question gets this same answer; where it does not fit, none is sent.", look="dim")
        )
    return [*found, Paragraph()]

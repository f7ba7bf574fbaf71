"""Answers to the questions of a thread: one of them, some, or all at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.reactive import reactive
from textual.widgets import Static

from backends.control.plan import Intent
from backends.control.schema import problems
from backends.model import Interrupt
from backends.present import preview, to_json
from backends.questions import question_text
from backends.runs.spec import Verb
from backends.text import one_line
from backends.values import Value

from ..editor import edit
from ..forms.field import FieldError
from ..forms.shape import shape_of_answer
from ..verbs.carry import carry_out
from ..widgets.entry import Entry
from ..widgets.key_bar import KeyBar
from ..widgets.one_line import OneLine, Piece
from ..widgets.sheet import Paragraph, Sheet
from .modal import Modal

if TYPE_CHECKING:
    from ..app import LgtopApp

_LONGEST: Final = 2000
"""Characters of a question's text, and of each value beside it, that are shown."""

_WIDTH: Final = 78
_HIGHEST: Final = 34
"""Cells of the frame at most."""

_SIDES: Final = 4
"""Cells of the frame, left and right."""

_CHROME: Final = 7
"""Lines of the frame, its title, its keys, and the gaps between them."""

_BAR: Final = 2
"""Lines that several questions take."""


class QuestionBar(OneLine):
    """``✓ finance   ● legal``: which questions there are, which one is on screen, which have an answer.

    Args:
        nodes: Who asks; untrusted.
    """

    DEFAULT_CSS = "QuestionBar { padding: 0 1; margin-bottom: 1; }"

    current: reactive[int] = reactive(0)
    """The question on screen."""

    answered: reactive[frozenset[int]] = reactive(frozenset())
    """Questions with an answer."""

    def __init__(self, nodes: Sequence[str]) -> None:
        super().__init__()
        self._askers = [one_line(node, 24) for node in nodes]

    def pieces(self, width: int) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """Lay the line out."""
        left: list[Piece] = []
        for number, node in enumerate(self._askers):
            here = number == self.current
            mark = "✓" if number in self.answered else "●" if here else "·"
            left += [(f"{mark} ", "accent" if here else "dim"), (node, "bold strong" if here else "dim"), ("   ", "")]
        count = f"{len(self.answered)} of {len(self._askers)} answered"
        return left, [(count, "dim")]


class Answer(Modal[bool]):
    """Asks for answers, shows what they would do, and sends them; answers with whether it did.

    Args:
        thread_id: The thread; untrusted.
        head: Root head that the questions were read from; ``None`` for a thread without a root namespace.
        questions: What is asked.
        first: Which one to begin with.
    """

    BINDING_GROUP_TITLE = "Answer"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+o", "accept", "go on", id="answer.accept", tooltip="See what it does"),
        Binding("ctrl+n", "next", "next", id="answer.next", tooltip="Next question"),
        Binding("tab", "tab", show=False, id="answer.tab", tooltip="Next field, then the next question"),
        Binding("ctrl+r", "turn", "JSON", id="answer.json", tooltip="As JSON, or as a form"),
        Binding("ctrl+t", "editor", "editor", id="answer.editor", tooltip="Write it in $EDITOR"),
    ]

    def __init__(self, thread_id: str, head: str | None, questions: Sequence[Interrupt], first: int = 0) -> None:
        super().__init__()
        self._thread = thread_id
        self._head = head
        self._questions = tuple(questions)
        self._entries = [_entry(question) for question in questions]
        self._answers: dict[str, Any] = {}
        self._current = first

    def compose(self) -> ComposeResult:
        """A frame with the question and what there is to fill in."""
        with Vertical(classes="dialog"):
            yield Static(f"Answer {one_line(self._thread, 60)}", classes="dialog-title", markup=False)
            bar = QuestionBar([question.node for question in self._questions])
            bar.display = len(self._questions) > 1
            yield bar
            yield Sheet()
            yield from self._entries
            yield KeyBar()

    def on_mount(self) -> None:
        """Show the first question."""
        self._look(self._current)
        self.call_after_refresh(self.entry.enter)

    def on_resize(self) -> None:
        """Leave the question what it needs, and no more than a third."""
        self._fit()

    # Which question

    @property
    def entry(self) -> Entry:
        """Where the present answer is filled in."""
        return self._entries[self._current]

    @property
    def question(self) -> Interrupt:
        """The question on screen."""
        return self._questions[self._current]

    def _look(self, number: int) -> None:
        """Show a question."""
        self._current = number
        for place, entry in enumerate(self._entries):
            entry.display = place == number
        self.query_one(Sheet).show(list(paragraphs(self.question.value)))
        bar = self.query_one(QuestionBar)
        bar.current = number
        bar.answered = frozenset(place for place, one in enumerate(self._questions) if one.id in self._answers)
        self._fit()
        self.refresh_bindings()

    def _fit(self) -> None:
        """Make the frame as high as what is in it."""
        frame, sheet = self.query_one(".dialog"), self.query_one(Sheet)
        most = min(self.size.height, _HIGHEST)
        wanted = sheet.height_at(min(_WIDTH, self.size.width) - _SIDES)
        sheet.styles.height = wanted = max(1, min(wanted, most // 3))
        chrome = _CHROME + (_BAR if len(self._questions) > 1 else 0)
        frame.styles.height = min(most, chrome + wanted + self.entry.lines)

    async def action_next(self) -> None:
        """Keep this answer, if anything was filled in, and show the next question; keys typed ahead go there."""
        if self.entry.touched and not await self._keep():
            return
        self._look((self._current + 1) % len(self._questions))
        self.entry.enter()

    async def action_tab(self) -> None:
        """Go to the next field, from the last one to the next question."""
        if not self.entry.as_json and self.entry.form.go_on():
            return
        if len(self._questions) > 1:
            await self.action_next()
        else:
            self.entry.enter()

    async def _keep(self) -> bool:
        """Take the present answer; False where it cannot be sent as it is."""
        try:
            self._answers[self.question.id] = await self.entry.value()
        except FieldError:
            return False
        return True

    # What was filled in

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What makes no sense for this question is not offered."""
        if action == "next":
            return len(self._questions) > 1
        if action == "turn":
            return self.entry.has_form
        return super().check_action(action, parameters)

    def action_turn(self) -> None:
        """Fill it in as JSON, or as a form again."""
        self.entry.turn()
        self._fit()

    def action_editor(self) -> None:
        """Write the answer in an editor."""
        if (text := edit(cast("LgtopApp", self.app), self.entry.text)) is not None:
            self.entry.take(text)
            self._fit()

    @on(Entry.Submitted)
    def _submitted(self, event: Entry.Submitted) -> None:
        event.stop()
        self.action_accept()

    def action_accept(self) -> None:
        """Go on, once."""
        if not self.is_busy("accept"):
            self._accept()

    @work(group="accept", exit_on_error=False)
    async def _accept(self) -> None:
        """Show what the answers would do, and send them if the person wants it."""
        if not await self._keep():
            return
        self.query_one(QuestionBar).answered |= {self._current}
        intent = Intent(Verb.ANSWER.value, self._thread, seen_head=self._head, answers=dict(self._answers))
        if await carry_out(cast("LgtopApp", self.app), intent):
            self.dismiss(True)


def _entry(question: Interrupt) -> Entry:
    """What an answer is filled in with."""
    schema = question.response_schema
    return Entry(shape_of_answer(to_json(question.value), schema), check=lambda value: problems(value, schema))


def paragraphs(value: Value) -> Iterator[Paragraph]:
    """A question: its sentence, and whatever else was given with it."""
    sentence = value[:_LONGEST] if isinstance(value, str) else _unquoted(question_text(value, _LONGEST))
    yield Paragraph(sentence, look="waiting", wide=True)
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        text = item[:_LONGEST] if isinstance(item, str) else preview(item, _LONGEST)
        if item != "" and _unquoted(preview(item, _LONGEST)) != sentence:
            yield Paragraph(text, one_line(str(key), 16))


def _unquoted(text: str) -> str:
    """A sentence without the quotes that a preview has around it."""
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text

"""A value to fill in: as a form where its shape is known, as JSON always."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from backends.text import one_line

from ..forms.field import FieldError
from ..forms.json_text import JsonError, read_json, write_json
from ..forms.shape import Shape
from .form import Form
from .json_area import JsonArea
from .one_line import OneLine, Piece

_HINT: Final = 'JSON: true, 12, "a text needs quotes", {"key": …}; or @path of a file'

_AREA: Final = 12
"""Lines for JSON."""


class EntryNote(OneLine):
    """What the present field is for, or what is wrong."""

    DEFAULT_CSS = "EntryNote { padding: 0 1; }"

    def __init__(self) -> None:
        super().__init__()
        self._text, self._wrong = "", False

    def say(self, text: str, wrong: bool = False) -> None:
        """Say something else.

        Args:
            text: Untrusted.
            wrong: Whether it is about a mistake.
        """
        self._text, self._wrong = one_line(text, 300), wrong
        self.refresh()

    def pieces(self, width: int) -> tuple[list[Piece], list[Piece]]:
        """The one piece."""
        return [(f"{'✖ ' if self._wrong else ''}{self._text}", "error" if self._wrong else "dim")], []


class Entry(Vertical):
    """Fills in one value.

    Args:
        shape: The form; ``None`` leaves JSON.
        text: JSON to begin with.
        as_json: Whether to begin with JSON although there is a form.
        check: Says what is wrong with a value, a sentence each.

    Attributes:
        form: The fields; none where there is no form.
        area: The text.
        note: The line below.
    """

    DEFAULT_CSS = """
    Entry { height: 1fr; }
    Entry > Form, Entry.-json > JsonArea { display: block; }
    Entry > JsonArea, Entry.-json > Form { display: none; }
    """

    @dataclass
    class Submitted(Message):
        """Enter was pressed in the form."""

    def __init__(
        self,
        shape: Shape | None,
        text: str = "",
        *,
        as_json: bool = False,
        check: Callable[[Any], Sequence[str]] = lambda _: (),
    ) -> None:
        super().__init__()
        self._check = check
        self._shape = shape
        self._begun: object = None
        self.form = Form(shape.fields if shape is not None else ())
        self.area = JsonArea(text)
        self.note = EntryNote()
        self.set_class(as_json or shape is None, "-json")

    def compose(self) -> ComposeResult:
        """The form, the text, and what there is to say."""
        yield self.form
        yield self.area
        yield self.note

    def on_mount(self) -> None:
        """Remember how it began."""
        self._begun = self._now

    @property
    def as_json(self) -> bool:
        """Whether JSON is on screen."""
        return self.has_class("-json")

    @property
    def has_form(self) -> bool:
        """Whether there is a form."""
        return self._shape is not None

    @property
    def lines(self) -> int:
        """Lines that it would take to show all of it."""
        return (_AREA if self.as_json else self.form.lines) + 1

    @property
    def _now(self) -> object:
        return self.area.text if self.as_json else self.form.texts

    @property
    def touched(self) -> bool:
        """Whether anything was filled in."""
        return self._now != self._begun

    def enter(self) -> None:
        """Go where one begins to fill in."""
        if self.as_json:
            self.area.focus()
            self.note.say(_HINT)
        else:
            self.form.enter()

    async def value(self) -> Any:
        """The value.

        Raises:
            FieldError: It cannot be sent as it is; the screen says why.
        """
        try:
            value = await self._read()
            if problems := self._check(value):
                raise FieldError("", "; ".join(problems))
        except FieldError as error:
            if error.name and not self.as_json:
                self.form.tell(error)
            else:
                self.note.say(error.reason, wrong=True)
            raise
        return value

    async def _read(self) -> Any:
        if not self.as_json and self._shape is not None:
            return self._shape.value(self.form.values())
        try:
            return await self.area.value()
        except JsonError as error:
            raise FieldError("", error.reason) from None

    def wrong(self, reason: str) -> None:
        """Say that the value as a whole cannot be sent."""
        self.note.say(reason, wrong=True)

    # Another way to fill it in

    def turn(self) -> None:
        """From the form to JSON, or back; what was filled in goes along as far as it can."""
        if self._shape is None:
            return
        if self.as_json:
            self._to_form(self._shape)
        else:
            self.take(self._drafted(self._shape))
        self.enter()

    def _to_form(self, shape: Shape) -> None:
        try:
            given = shape.given(read_json(self.area.text))
        except JsonError:
            given = None
        if given is not None:
            self.form.fill(given)
        self.remove_class("-json")
        self.note.say("" if given is not None else "The form does not hold what was written as JSON.")

    def _drafted(self, shape: Shape) -> str:
        """What was filled in, as JSON, complete or not."""
        return write_json(shape.draft(self.form.readable()))

    def take(self, text: str) -> None:
        """Go on with a JSON text."""
        self.area.load_text(text)
        self.add_class("-json")
        self.note.say("")

    @property
    def text(self) -> str:
        """The value as JSON, as far as it has been filled in, for an editor."""
        return self.area.text if self.as_json or self._shape is None else self._drafted(self._shape)

    @on(Form.Noted)
    def _noted(self, event: Form.Noted) -> None:
        event.stop()
        self.note.say(event.text, event.wrong)

    @on(Form.Submitted)
    def _submitted(self, event: Form.Submitted) -> None:
        event.stop()
        self.post_message(self.Submitted())

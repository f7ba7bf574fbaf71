"""Fields to fill in, one a line, and a line below that says what the present one is for or what is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message
from textual.widgets import Input, Static

from backends.text import one_line

from ..forms.field import UNSET, Field, FieldError, Kind, Unset
from .one_line import fit
from .picker import Picker
from .steady_input import SteadyInput

_WIDEST_NAME: Final = 24
"""Cells of the column of names."""

_PLACEHOLDERS: Final = {Kind.INTEGER: "whole number", Kind.NUMBER: "number", Kind.JSON: "JSON"}


class FieldInput(SteadyInput):
    """What is typed into a field."""

    DEFAULT_CSS = """
    FieldInput, FieldInput:focus {
        height: 1;
        border: none;
        padding: 0 1;
        background: $boost;
        &:focus { background: $panel; }
        & > .input--placeholder { color: $faint; }
    }
    """


class Form(VerticalScroll, can_focus=False):
    """Fills in fields; the arrows and tab go from one to the next, enter goes on.

    Args:
        fields: What to fill in.
    """

    DEFAULT_CSS = """
    Form { height: 1fr; padding: 0 1; scrollbar-size-vertical: 1; }
    Form > Horizontal { height: 1; margin-bottom: 1; }
    Form .field-name { width: auto; color: $dim; }
    Form .field-name.-wrong { color: $error; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "go(1)", "Next", show=False, id="form.next", tooltip="Next field"),
        Binding("up", "go(-1)", "Previous", show=False, id="form.previous", tooltip="Previous field"),
    ]

    @dataclass
    class Noted(Message):
        """There is something else to say about the fields.

        Attributes:
            text: Safe text of one line.
            wrong: Whether it says what is wrong.
        """

        text: str
        wrong: bool = False

    @dataclass
    class Submitted(Message):
        """Enter was pressed in a field."""

    def __init__(self, fields: Sequence[Field]) -> None:
        super().__init__()
        self._fields = tuple(fields)
        names = [one_line(field.name or "answer", _WIDEST_NAME) for field in fields]
        width = max(map(cell_len, names), default=0)
        self._names = [Static(f"{fit(name, width)}  ", classes="field-name", markup=False) for name in names]
        self._controls = [_control(field) for field in fields]

    def compose(self) -> ComposeResult:
        """A name and a control a line."""
        for name, control in zip(self._names, self._controls, strict=True):
            yield Horizontal(name, control)

    @property
    def lines(self) -> int:
        """Lines that all fields take."""
        return 2 * len(self._fields)

    @property
    def texts(self) -> tuple[str, ...]:
        """What stands in the fields."""
        return tuple(control.value for control in self._controls)

    # Values

    def values(self) -> dict[str, Any]:
        """What was filled in, by name; what was left open is absent.

        Raises:
            FieldError: One field does not hold what it must.
        """
        found = ((field.name, field.read(text)) for field, text in zip(self._fields, self.texts, strict=True))
        return {name: value for name, value in found if not isinstance(value, Unset)}

    def readable(self) -> dict[str, Any]:
        """The same of those fields that hold what they must."""
        found = {}
        for field, text in zip(self._fields, self.texts, strict=True):
            with suppress(FieldError):
                if not isinstance(value := field.read(text), Unset):
                    found[field.name] = value
        return found

    def fill(self, given: Mapping[str, Any]) -> None:
        """Put other values into the fields."""
        for field, control in zip(self._fields, self._controls, strict=True):
            control.value = field.write(given.get(field.name, UNSET))

    def tell(self, error: FieldError) -> None:
        """Say what is wrong, and go to the field that it is about."""
        for field, label, control in zip(self._fields, self._names, self._controls, strict=True):
            label.set_class(field.name == error.name, "-wrong")
            if field.name == error.name:
                control.focus()
        name = f"{one_line(error.name, 40)}: " if error.name else ""
        self.call_after_refresh(self.post_message, self.Noted(one_line(f"{name}{error.reason}", 300), wrong=True))

    # Moving about

    def enter(self) -> None:
        """Go to the first field."""
        if self._controls:
            self._controls[0].focus()

    def action_go(self, step: int) -> None:
        """Go to the next field or the one before, round the end."""
        controls = self._controls
        here = next((number for number, control in enumerate(controls) if control.has_focus), 0)
        controls[(here + step) % len(controls)].focus()

    def go_on(self) -> bool:
        """Go to the next field, or to the first one from elsewhere; false after the last one."""
        here = next((number for number, control in enumerate(self._controls) if control.has_focus), -1)
        if here + 1 >= len(self._controls):
            return False
        self._controls[here + 1].focus()
        return True

    def on_descendant_focus(self) -> None:
        """Say what the field is for."""
        for field, control in zip(self._fields, self._controls, strict=True):
            if control.has_focus:
                self.post_message(self.Noted(one_line(field.note, 300)))

    @on(Input.Changed)
    @on(Picker.Changed)
    def _changed(self, event: Input.Changed | Picker.Changed) -> None:
        """Nothing is wrong any more as far as one knows."""
        event.stop()
        for name in self._names:
            name.remove_class("-wrong")

    @on(Input.Submitted)
    @on(Picker.Submitted)
    def _submitted(self, event: Input.Submitted | Picker.Submitted) -> None:
        event.stop()
        self.post_message(self.Submitted())


def _control(field: Field) -> Picker | FieldInput:
    """What a field is filled in with; optional choices can be left open again."""
    text = field.write(field.default)
    if field.kind is Kind.CHOICE:
        none = () if field.required and not field.nullable else ("",)
        return Picker([*(label for label, _ in field.options), *none], text)
    hints = (_PLACEHOLDERS.get(field.kind, ""), "" if field.required else "optional")
    return FieldInput(text, placeholder=", ".join(filter(None, hints)), select_on_focus=False)

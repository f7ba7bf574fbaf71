"""A short list to choose one thing from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from ..widgets.lines import Lines
from ..widgets.one_line import clip
from .modal import Modal


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to choose.

    Attributes:
        name: What the dialog answers with.
        label: What it is called; safe text.
        note: What it means; safe text.
    """

    name: str
    label: str
    note: str = ""


class Choices(Lines):
    """The rows of the dialog."""

    DEFAULT_CSS = """
    Choices {
        background: $surface;
    }
    """

    def __init__(self, choices: Sequence[Choice], now: str | None) -> None:
        super().__init__()
        self._choices = choices
        self._now = now
        self._label_width = max((cell_len(choice.label) for choice in choices), default=0)

    @property
    def line_count(self) -> int:
        """Number of choices."""
        return len(self._choices)

    def render_row(self, y: int, width: int, selected: bool) -> list[Segment]:
        """Draw a choice; the present one has a dot."""
        choice = self._choices[y]
        now = choice.name == self._now
        padding = " " * (self._label_width - cell_len(choice.label) + 3)
        note = clip(choice.note, width - self._label_width - 6)
        return [
            Segment(" ● " if now else "   ", self.ink("accent")),
            Segment(choice.label, self.ink("accent") if now else Style.null()),
            Segment(padding + note, self.ink("dim")),
        ]

    def row_clicked(self, y: int, x: int, times: int) -> None:
        """One click chooses."""
        self.cursor = y
        self.action_activate()


class Choose(Modal[str | None]):
    """Ask for one of a few things; answers with its name, or ``None``.

    Args:
        title: What is chosen.
        choices: What there is.
        now: Name of the present choice.
        hint: A line below.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "close", show=False, id="choose.close", tooltip="Close; change nothing"),
    ]

    def __init__(self, title: str, choices: Sequence[Choice], now: str | None = None, hint: str = "") -> None:
        super().__init__()
        self._heading = title
        self._choices = choices
        self._now = now
        self._hint = hint

    def compose(self) -> ComposeResult:
        """A frame with the list in it."""
        with Vertical(classes="dialog") as frame:
            frame.styles.height = len(self._choices) + 5
            yield Static(self._heading, classes="dialog-title", markup=False)
            yield Choices(self._choices, self._now)
            yield Static(self._hint or "↵ choose   esc close", classes="dialog-hint", markup=False)

    def on_mount(self) -> None:
        """Begin at the present choice."""
        names = [choice.name for choice in self._choices]
        if self._now in names:
            self.query_one(Choices).cursor = names.index(self._now)

    def on_lines_activated(self, event: Lines.Activated) -> None:
        """Answer."""
        event.stop()
        self.dismiss(self._choices[event.row].name)

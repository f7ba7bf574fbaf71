"""One of a few things, on one line: ``‹ review ›``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive

from backends.text import one_line

from .one_line import OneLine, Piece

_LONGEST: Final = 60
"""Characters of an option that are shown."""


class Picker(OneLine, can_focus=True):
    """Chooses with the arrows, or with the first letter of what is wanted.

    Args:
        options: What there is; untrusted.
        value: What is chosen at first; empty for nothing.
        notes: What each option means, shown behind it; safe.
    """

    DEFAULT_CSS = """
    Picker { background: $boost; }
    Picker:focus { background: $panel; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,space", "turn(1)", "next", show=False, id="picker.next", tooltip="Next choice"),
        Binding("left", "turn(-1)", "previous", show=False, id="picker.previous", tooltip="Previous choice"),
        Binding("enter", "submit", "go on", show=False, id="picker.submit", tooltip="Go on with what is filled in"),
    ]

    value: reactive[str] = reactive("", init=False)
    """The chosen option; empty while nothing is chosen."""

    @dataclass
    class Changed(Message):
        """Something else was chosen.

        Attributes:
            picker: Where.
        """

        picker: Picker

        @property
        def control(self) -> Picker:
            """The picker, for ``@on`` selectors."""
            return self.picker

    @dataclass
    class Submitted(Message):
        """Enter was pressed."""

    def __init__(self, options: Sequence[str], value: str = "", notes: Sequence[str] = ()) -> None:
        super().__init__()
        self.options = tuple(options)
        self._notes = dict(zip(self.options, notes, strict=False))
        self.set_reactive(Picker.value, value)

    def offer(self, options: Sequence[str], notes: Sequence[str] = ()) -> None:
        """Offer other options; what is chosen stays, if it is among them."""
        self.options = tuple(options)
        self._notes = dict(zip(self.options, notes, strict=False))
        if self.value not in self.options:
            self.value = ""
        self.refresh()

    def pieces(self, width: int) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """The choice between two arrows, its note behind it, and where it stands among the others."""
        arrows = "accent" if self.has_focus else "faint"
        chosen = one_line(self.value, _LONGEST) or ("choose with ← →" if self.has_focus else "not chosen")
        left: list[Piece] = [
            ("‹ ", arrows, "turn(-1)"),
            (chosen, "bold strong" if self.value else "dim", "turn(1)"),
            (" ›", arrows, "turn(1)"),
            (f"  {self._notes.get(self.value, '')}", "dim"),
        ]
        if not self.value:
            others = ", ".join(one_line(option, 20) for option in self.options[:6])
            left[-1] = (f"  {others}{', …' if len(self.options) > 6 else ''}", "dim")
        place = f" {self._place + 1}/{len(self.options)}" if len(self.options) > 3 and self.value else ""
        return left, [(place, "faint")] if place else []

    @property
    def _place(self) -> int:
        return self.options.index(self.value) if self.value in self.options else -1

    def action_turn(self, step: int) -> None:
        """Go to the next option or the one before, round the end."""
        if self.options:
            start = self._place if self._place >= 0 or step > 0 else 0
            self.value = self.options[(start + step) % len(self.options)]

    def action_submit(self) -> None:
        """Go on."""
        self.post_message(self.Submitted())

    def on_key(self, event: events.Key) -> None:
        """A letter chooses the next option that begins with it."""
        if not (event.is_printable and event.character and event.character != " "):
            return
        event.stop()
        event.prevent_default()
        wanted = event.character.lower()
        after = self._place + 1
        turned = (*self.options[after:], *self.options[:after])
        self.value = next((option for option in turned if option.lower().startswith(wanted)), self.value)

    def on_click(self) -> None:
        """The arrows act by themselves; a click anywhere comes here first."""
        self.focus()

    def watch_value(self) -> None:
        """Say so."""
        self.post_message(self.Changed(self))

    def on_focus(self) -> None:
        """The arrows light up."""
        self.refresh()

    def on_blur(self) -> None:
        """The arrows go dim."""
        self.refresh()

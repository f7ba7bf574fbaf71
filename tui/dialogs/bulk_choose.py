"""What is to be done to many threads?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from backends.bulk.request import Action
from backends.text import one_line

from ..bulk_words import MEANINGS
from ..widgets.key_bar import KeyBar
from ..widgets.lines import Lines
from ..widgets.one_line import clip
from .modal import Modal

_CHROME: Final = 7
"""Lines of the frame, its title, its keys, and the gaps between them."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Something that may be done.

    Attributes:
        action: What.
        fits: How many of the threads it makes sense for, as far as is known.
        why_not: Why it cannot be done to any; empty where it can.
    """

    action: Action
    fits: int
    why_not: str = ""


class Offers(Lines):
    """The rows of the dialog.

    Args:
        offers: What there is.
        total: How many threads there are.
    """

    DEFAULT_CSS = "Offers { background: $surface; }"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "activate", "choose", key_display="↵", id="lines.activate", tooltip="Do this"),
    ]

    def __init__(self, offers: Sequence[Offer], total: int) -> None:
        super().__init__()
        self._offers = offers
        self._total = total
        self._figures = max((len(f"{offer.fits:,}") for offer in offers), default=1)

    @property
    def line_count(self) -> int:
        """Number of verbs."""
        return len(self._offers)

    def render_row(self, y: int, width: int, selected: bool) -> list[Segment]:
        """Draw a verb: how many it fits and what it does, or why it cannot be done."""
        offer = self._offers[y]
        meaning = MEANINGS[offer.action]
        faint = self.ink("faint")
        style = faint if offer.why_not else self.ink("accent") if selected else Style.null()
        figure = "" if offer.why_not else f"{offer.fits:,}"
        note = clip(one_line(offer.why_not, 200), width - self._figures - 22) if offer.why_not else meaning.note
        return [
            Segment(f" {meaning.key}  ", faint if offer.why_not else self.ink("dim")),
            Segment(meaning.name.ljust(14), style),
            Segment(figure.rjust(self._figures) + "  ", Style.null()),
            Segment(note, faint if offer.why_not else self.ink("dim")),
        ]

    def row_clicked(self, y: int, x: int, times: int) -> None:
        """One click chooses."""
        self.cursor = y
        self.action_activate()


class BulkChoose(Modal[Action | None]):
    """Asks for a verb; answers with it, or with ``None``.

    Args:
        title: Which threads; untrusted.
        about: More about them, a line; untrusted.
        offers: What there is.
        total: How many threads there are.
    """

    AUTO_FOCUS = "Offers"
    BINDING_GROUP_TITLE = "Many threads"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(meaning.key, f"choose('{action.value}')", meaning.name, show=False, id=f"many.{action.value}",
                tooltip=f"{meaning.name.capitalize()}: {meaning.note}")
        for action, meaning in MEANINGS.items()
    ]  # fmt: skip

    def __init__(self, title: str, about: str, offers: Sequence[Offer], total: int) -> None:
        super().__init__()
        self._heading = one_line(title, 200)
        self._about = one_line(about, 300)
        self._offers = offers
        self._total = total

    def compose(self) -> ComposeResult:
        """A frame with the verbs in it."""
        with Vertical(classes="dialog bulk-dialog") as frame:
            frame.styles.height = len(self._offers) + _CHROME
            yield Static(self._heading, classes="dialog-title bulk-title", markup=False)
            yield Static(self._about, classes="dialog-hint bulk-about", markup=False)
            yield Offers(self._offers, self._total)
            yield KeyBar()

    def on_mount(self) -> None:
        """Begin at the first verb that can be done."""
        able = (y for y, offer in enumerate(self._offers) if not offer.why_not)
        self.query_one(Offers).cursor = next(able, 0)

    def on_lines_activated(self, event: Lines.Activated) -> None:
        """Answer."""
        event.stop()
        self._answer(self._offers[event.row])

    def action_choose(self, name: str) -> None:
        """Answer with the verb of a key."""
        self._answer(next(offer for offer in self._offers if offer.action == name))

    def _answer(self, offer: Offer) -> None:
        if offer.why_not:
            self.app.notify(offer.why_not, severity="warning")
        else:
            self.dismiss(offer.action)

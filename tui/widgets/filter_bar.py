"""The line that says which threads are shown and in which order; ``/`` turns it into an input."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.reactive import reactive
from textual.widgets import Input

from backends.text import one_line

from .one_line import OneLine, Piece


class ViewFacts(NamedTuple):
    """What the line says.

    Attributes:
        text: The filter.
        shown: Threads that it lets through.
        approximate: Whether that figure may still change because not everything has been read.
        marked: Marked threads.
        order: The order, as a person says it.
        paused: Whether rows keep their places.
        arrived: New threads that wait for the end of the pause.
        reading: Threads read so far, while the list is incomplete.
    """

    text: str = ""
    shown: int = 0
    approximate: bool = False
    marked: int = 0
    order: str = "attention first"
    paused: bool = False
    arrived: int = 0
    reading: int | None = None


class ViewLine(OneLine):
    """Filter at the left; marks, pause and order at the right."""

    facts: reactive[ViewFacts] = reactive(ViewFacts())
    """What to say."""

    editing: reactive[bool] = reactive(False)
    """Whether the input stands at the left."""

    def pieces(self, width: int) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """Lay the line out."""
        facts, left, right = self.facts, list[Piece](), list[Piece]()
        figure = f"{'≈' if facts.approximate else ''}{facts.shown:,} shown"
        if self.editing:
            right.append((f"  {figure}" if facts.text else "", "dim"))
        elif facts.text:
            left = [("/ ", "accent", "screen.filter"), (one_line(facts.text, 300), "", "screen.filter")]
            left.append((f"   {figure}", "dim"))
        else:
            left = [("/", "accent", "screen.filter"), (" all threads", "dim", "screen.filter")]
        if facts.reading is not None:
            right.append((f"   reading {facts.reading:,}…", "dim"))
        if facts.marked:
            right.append((f"   ◆ {facts.marked:,} marked", "accent"))
        if facts.paused:
            new = f" · {facts.arrived:,} new" if facts.arrived else ""
            right.append((f"   paused{new}", "warning", "screen.pause"))
        right.append((f"   {facts.order}", "dim", "screen.choose_sort"))
        return left, right


class FilterBar(Horizontal):
    """The view line, with the input in front while somebody types.

    Args:
        choices: Completions of a filter.
    """

    DEFAULT_CSS = """
    FilterBar {
        height: 1;
        padding: 0 1;
        &.-editing ViewLine { width: 40%; }
    }
    """

    def __init__(self, choices: Callable[[str], Sequence[str]]) -> None:
        super().__init__()
        self._choices = choices

    def compose(self) -> ComposeResult:
        """The line alone; the input is made when it is first wanted."""
        yield ViewLine()

    @property
    def line(self) -> ViewLine:
        """The line."""
        return self.query_one(ViewLine)

    async def edit(self, text: str) -> Input:
        """Turn into an input.

        Args:
            text: The filter so far.

        Returns:
            The input, for the focus.
        """
        from .filter_input import Completer, FilterInput

        field = FilterInput(
            text, placeholder="status:waiting node:review age<1h words", suggester=Completer(self._choices)
        )
        self.line.editing = True
        self.add_class("-editing")
        await self.mount(Prompt(), field, before=0)
        return field

    async def leave(self) -> None:
        """Turn back into a line."""
        await self.query("FilterInput, Prompt").remove()
        self.line.editing = False
        self.remove_class("-editing")

    @property
    def editing(self) -> bool:
        """Whether the input is there."""
        return self.line.editing

    def caret_cell(self, position: int) -> int:
        """Cell of this line at which a character of the typed text stands."""
        if not self.editing:
            return 3
        field = self.query_one("FilterInput", Input)
        return 3 + cell_len(field.value[:position]) - field.scroll_offset.x


class Prompt(OneLine):
    """The slash before the input."""

    DEFAULT_CSS = "Prompt { width: 2; }"

    def pieces(self, width: int) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """The slash."""
        return [("/ ", "accent")], ()

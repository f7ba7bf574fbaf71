"""A long text on the whole screen."""

from __future__ import annotations

import asyncio
import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.reactive import reactive
from textual.screen import Screen
from textual.widgets import Input

from backends.text import clean, one_line
from backends.wrap import TAB, cells, wrap

from ..widgets.key_bar import KeyBar
from ..widgets.lines import Lines
from ..widgets.one_line import OneLine, Piece
from ..widgets.search_input import SearchInput, pattern_of
from ..widgets.text_lines import TextLines
from ..words import size

if TYPE_CHECKING:
    from ..app import LgtopApp

_WIDEST: Final = 10_000
"""Cells of a line that are shown when lines are not broken."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A text made ready for a width.

    Attributes:
        lines: Safe text.
        starts: For each line of the text, the first of its lines here.
        widest: Cells of the longest line.
    """

    lines: Sequence[str]
    starts: Sequence[int]
    widest: int


def lay_out(text: str, width: int | None) -> Layout:
    """Clean a text and break it.

    Args:
        text: Untrusted.
        width: Cells a line; ``None`` leaves lines as they are.
    """
    lines: list[str] = []
    starts: list[int] = []
    for line in clean(text).split("\n"):
        starts.append(len(lines))
        if width is None:
            lines.append(line.expandtabs(TAB)[:_WIDEST])
        else:
            lines.extend(wrap(line, width))
    return Layout(lines, starts, max(map(cells, lines)))


class PagerTitle(OneLine):
    """What is read, how long it is, and where in it we are."""

    DEFAULT_CSS = """
    PagerTitle {
        background: $surface;
        padding: 0 1;
    }
    """

    text: reactive[str] = reactive("")
    """Name of what is read; safe."""

    facts: reactive[str] = reactive("")
    """Size and place."""

    found: reactive[str] = reactive("")
    """What a search found."""

    def pieces(self, width: int) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """Lay the line out."""
        left = [(self.text, "bold strong"), (f"  {self.facts}", "dim")]
        return left, [(f"  {self.found}", "accent")] if self.found else []


class Pager(Screen[None]):
    """Reads a text.

    Args:
        title: What it is; untrusted.
        text: The text; untrusted.
    """

    CSS_PATH = "pager.tcss"
    AUTO_FOCUS = "TextLines"
    BINDING_GROUP_TITLE = "Text"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "back", "back", key_display="esc", id="pager.back", tooltip="Back"),
        Binding("slash", "search", "search", key_display="/", id="pager.search", tooltip="Search in the text"),
        Binding("n", "match(1)", "Next match", show=False, id="pager.next", tooltip="Next match"),
        Binding("N", "match(-1)", "Previous match", show=False, id="pager.previous", tooltip="Previous match"),
        Binding("w", "wrap", "wrap", id="pager.wrap", tooltip="Break long lines, or scroll sideways"),
        Binding("y", "copy", "copy", id="pager.copy", tooltip="Copy the whole text"),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._what = one_line(title, 100)
        self._text = text
        self._wrapped = True
        self._laid = Layout((), (0,), 0)
        self._matches: Sequence[int] = ()
        self._searched: tuple[Layout, re.Pattern[str] | None] = self._laid, None

    def compose(self) -> ComposeResult:
        """Title, text, search, keys."""
        yield PagerTitle()
        yield TextLines()
        yield SearchInput()
        yield KeyBar()

    @property
    def lines(self) -> TextLines:
        """The text."""
        return self.query_one(TextLines)

    def on_mount(self) -> None:
        """Say what this is while the text is made ready."""
        self.query_one(PagerTitle).text = self._what
        self.lines.placeholder = ("reading…",)

    def on_resize(self) -> None:
        """Break the lines to the width."""
        self._arrange()

    @work(exclusive=True, group="arrange", exit_on_error=False)
    async def _arrange(self) -> None:
        """Lay the text out on another thread, and stay at the same place in it."""
        width = max(2, self.lines.size.width - 2) if self._wrapped else None
        line = bisect_right(self._laid.starts, self.lines.cursor) - 1
        layout = await asyncio.to_thread(lay_out, self._text, width)
        self._laid = layout
        self.lines.show(layout.lines, 0 if self._wrapped else layout.widest + 1, layout.starts[line])
        self._say()
        if self.lines.pattern is not None:
            self._find(self.lines.pattern, go=False)

    @on(Lines.CursorMoved)
    def _say(self) -> None:
        """Say where we are."""
        layout = self._laid
        line = bisect_right(layout.starts, self.lines.cursor)
        title = self.query_one(PagerTitle)
        title.facts = f"{size(len(self._text))} · line {line:,} of {len(layout.starts):,}"
        if not self._matches:
            title.found = "no match" if self.lines.pattern is not None and self._searched[0] is layout else ""
            return
        place = bisect_left(self._matches, self.lines.cursor)
        here = place < len(self._matches) and self._matches[place] == self.lines.cursor
        count = f"{len(self._matches):,}"
        title.found = f"{place + 1:,} of {count}" if here else f"{count} lines match"

    # Search

    def action_search(self) -> None:
        """Begin to type what to look for."""
        self.query_one(SearchInput).open()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._look_for(pattern_of(event.value))

    @on(SearchInput.Left)
    def _left(self, event: SearchInput.Left) -> None:
        event.stop()
        if not event.keep:
            self._look_for(None)
        self.lines.focus()

    def _look_for(self, pattern: re.Pattern[str] | None) -> None:
        self.lines.pattern = pattern
        self._matches = ()
        if pattern is not None:
            self._find(pattern, go=True)
        self._say()

    @work(exclusive=True, group="find", exit_on_error=False)
    async def _find(self, pattern: re.Pattern[str], go: bool) -> None:
        """Find the lines that match, on another thread."""
        layout = self._laid
        found = await asyncio.to_thread(
            lambda: [number for number, line in enumerate(layout.lines) if pattern.search(line)]
        )
        if pattern is not self.lines.pattern or layout is not self._laid:
            return
        self._matches, self._searched = found, (layout, pattern)
        if go and found:
            place = bisect_left(found, self.lines.cursor)
            self.lines.cursor = found[place % len(found)]
        self._say()

    def action_match(self, step: int) -> None:
        """Go to the next match, or the one before, round the end."""
        if self._matches:
            find, offset = (bisect_right, 0) if step > 0 else (bisect_left, -1)
            place = find(self._matches, self.lines.cursor) + offset
            self.lines.cursor = self._matches[place % len(self._matches)]

    # The rest

    def action_wrap(self) -> None:
        """Break long lines, or scroll sideways."""
        self._wrapped = not self._wrapped
        self._arrange()

    def action_copy(self) -> None:
        """Copy the whole text."""
        text = self._text.encode("utf-8", "replace").decode()
        cast("LgtopApp", self.app).copy(text, f"{self._what or 'text'} ({size(len(text))})")

    def action_back(self) -> None:
        """End the search, or go back."""
        if self.lines.pattern is not None:
            self.query_one(SearchInput).action_leave(False)
        else:
            self.app.pop_screen()

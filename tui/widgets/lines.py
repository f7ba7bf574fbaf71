"""A virtual list: rows are drawn only when they are on screen, so a million of them cost as much as forty.

Textual's ``DataTable`` and ``Tree`` repaint everything on each change and measure every row; the Line API does neither.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from backends.wrap import wrap

from ..ink import ink
from .restyle import restyle


class Lines(ScrollView, can_focus=True):
    """Base of every list of one-line rows with a cursor.

    A subclass gives ``line_count`` and ``render_row`` and calls, when its data changes, ``refresh_row`` (one row looks
    different) or ``rows_changed`` (rows came, went or moved). It keeps its selection by identity, and says in
    ``rows_changed`` where that identity is now. Rows are plain text in segments: nothing here parses markup.

    The text of a row must be safe already (``backends.text``), so that its width is what the terminal makes of it.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"lines--cursor", "lines--match"}

    DEFAULT_CSS = """
    Lines {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        scrollbar-size-horizontal: 1;
        & > .lines--cursor { background: $surface; }
        &:focus > .lines--cursor { background: $panel; }
        & > .lines--match { background: $warning; color: $background; }
    }
    """

    BINDING_GROUP_TITLE = "Move"

    LEGEND: ClassVar[Sequence[tuple[str, str]]] = ()
    """Signs that stand in its rows, and what they mean; shown in the help."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Down", show=False, id="lines.down", tooltip="One row down"),
        Binding("k,up", "move(-1)", "Up", show=False, id="lines.up", tooltip="One row up"),
        Binding("ctrl+d", "page(0.5)", "Half page down", show=False, id="lines.half-down", tooltip="Half a page down"),
        Binding("ctrl+u", "page(-0.5)", "Half page up", show=False, id="lines.half-up", tooltip="Half a page up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="lines.page-down", tooltip="One page down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="lines.page-up", tooltip="One page up"),
        Binding("g,home", "first", "First", show=False, id="lines.first", tooltip="First row"),
        Binding("G,end", "last", "Last", show=False, id="lines.last", tooltip="Last row"),
        Binding("enter", "activate", "Open", show=False, id="lines.activate", tooltip="Open the row under the cursor"),
    ]

    cursor: reactive[int] = reactive(0, repaint=False, init=False)
    """Row under the cursor; 0 when there are no rows."""

    pattern: reactive[re.Pattern[str] | None] = reactive(None, repaint=False, init=False)
    """Text to highlight in every row, e.g. the search in progress."""

    placeholder: reactive[tuple[str, ...]] = reactive((), init=False)
    """Safe texts to show in the middle while there are no rows: what is missing, then what to do about it."""

    @dataclass
    class CursorMoved(Message, bubble=True):
        """The cursor is on another row.

        Attributes:
            lines: The list.
            row: Its cursor row.
        """

        lines: Lines
        row: int

        @property
        def control(self) -> Lines:
            """The list, for ``@on`` selectors."""
            return self.lines

        def can_replace(self, message: Message) -> bool:
            """Only the latest position matters."""
            return isinstance(message, Lines.CursorMoved) and message.lines is self.lines

    @dataclass
    class Activated(Message, bubble=True):
        """Enter was pressed on a row, or it was double-clicked.

        Attributes:
            lines: The list.
            row: The row.
        """

        lines: Lines
        row: int

        @property
        def control(self) -> Lines:
            """The list, for ``@on`` selectors."""
            return self.lines

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._strips: LRUCache[int, Strip] = LRUCache(512)
        self._ground: Style | None = None

    # What a subclass gives

    @property
    def line_count(self) -> int:
        """Number of rows."""
        raise NotImplementedError

    def render_row(self, y: int, width: int, selected: bool) -> Sequence[Segment] | Strip:
        """Draw a row.

        Args:
            y: Row number, 0 to ``line_count - 1``.
            width: Cells available: the viewport, or ``content_width`` where that is larger.
            selected: Whether the cursor is here. Its background is laid under the row afterwards, so segments
                without a background of their own take it.

        Returns:
            Safe text; shorter rows are padded, longer ones cut.
        """
        raise NotImplementedError

    @property
    def content_width(self) -> int:
        """Widest row in cells, for lists that scroll sideways (with ``overflow-x: auto``); 0 follows the viewport."""
        return 0

    def row_text(self, y: int) -> str:
        """The text of a row as it is copied with the mouse; what is drawn, unless a subclass knows better."""
        return "".join(segment.text for segment in self._row_strip(y)).rstrip()

    def row_clicked(self, y: int, x: int, times: int) -> None:
        """Act on a click; moves the cursor and activates on a double click.

        Args:
            y: Row.
            x: Cell in the row, horizontal scrolling included.
            times: 1, 2 for a double click, ...
        """
        self.cursor = y
        if times == 2:
            self.action_activate()

    # What a subclass calls

    def component(self, name: str) -> Style:
        """Style of a component class alone, so that the background of cursor and row shines through.

        Colours of such classes must be opaque: nothing is blended here.
        """
        return self.get_component_rich_style(name, partial=True)

    def ink(self, spec: str) -> Style:
        """Style of a variable of the theme, for segments; see ``tui.ink``."""
        return ink(self, spec)

    def refresh_row(self, y: int) -> None:
        """Draw one row again, if it is visible; costs one row of output."""
        self._strips.discard(y)
        if 0 <= y - self.scroll_offset.y < self.view.height:
            self.refresh(Region(0, y - self.scroll_offset.y, self.view.width, 1))

    def rows_moved(self, visible: Iterable[int]) -> None:
        """Take up rows that changed places, where neither their number nor the cursor changed.

        Args:
            visible: The rows on screen that look different now.
        """
        self._strips.clear()
        for y in visible:
            self.refresh_row(y)

    def redraw(self) -> None:
        """Draw every row again."""
        self._strips.clear()
        self.refresh()

    def rows_changed(self, cursor: int | None = None) -> None:
        """Take up new rows.

        The row under the cursor stays on its screen line while the list is scrolled. At the top the list stays at the
        top, so that new rows are seen, for as long as the cursor fits in.

        Args:
            cursor: Where the row under the cursor is now; ``None`` leaves its number alone.
        """
        self._strips.clear()
        old, top = self.cursor, self.scroll_offset.y
        self.virtual_size = Size(self.content_width, self.line_count)
        self.set_reactive(Lines.cursor, self.validate_cursor(old if cursor is None else cursor))
        if top and self.cursor != old:
            self.scroll_to(y=top + self.cursor - old, animate=False, force=True)
        self.show_cursor()
        self.refresh()
        if self.cursor != old:
            self.post_message(self.CursorMoved(self, self.cursor))

    def show_cursor(self) -> None:
        """Scroll as little as needed to have the cursor on screen."""
        height = self.view.height
        if not height:
            return
        top = self.scroll_offset.y
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, force=True)
        elif self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False, force=True)

    @property
    def view(self) -> Size:
        """Cells for rows: the widget without its scrollbars."""
        return self.scrollable_content_region.size

    @property
    def visible_rows(self) -> range:
        """Rows on screen."""
        top = self.scroll_offset.y
        return range(top, min(self.line_count, top + self.view.height))

    # Cursor

    def validate_cursor(self, row: int) -> int:
        """Keep the cursor on a row."""
        return max(0, min(row, self.line_count - 1))

    def watch_cursor(self, old: int, new: int) -> None:
        """Draw the two rows concerned and say so."""
        self.refresh_row(old)
        self.refresh_row(new)
        self.show_cursor()
        self.post_message(self.CursorMoved(self, new))

    def watch_pattern(self) -> None:
        """Draw every row with its new matches."""
        self.redraw()

    def action_move(self, rows: int) -> None:
        """Move the cursor by so many rows."""
        self.cursor += rows

    def action_page(self, pages: float) -> None:
        """Move cursor and view by so many pages."""
        rows = int(self.view.height * pages)
        self.scroll_to(y=self.scroll_offset.y + rows, animate=False, force=True)
        self.cursor += rows

    def action_first(self) -> None:
        """Go to the first row."""
        self.cursor = 0

    def action_last(self) -> None:
        """Go to the last row."""
        self.cursor = self.line_count - 1

    def action_activate(self) -> None:
        """Open the row under the cursor."""
        if self.line_count:
            self.post_message(self.Activated(self, self.cursor))

    # Events

    def on_click(self, event: events.Click) -> None:
        """Turn a click into a row; Textual's own double click would select the text of all rows."""
        event.prevent_default()
        x, y = event.get_content_offset_capture(self) + self.scroll_offset
        if 0 <= y < self.line_count:
            self.row_clicked(y, x, event.chain)

    def on_focus(self) -> None:
        """The cursor looks different with focus."""
        self.refresh_row(self.cursor)

    def on_blur(self) -> None:
        """The cursor looks different without focus."""
        self.refresh_row(self.cursor)

    def on_resize(self) -> None:
        """Rows are drawn to the width."""
        self.rows_changed()

    def notify_style_update(self) -> None:
        """Drop rows drawn in the old colours."""
        super().notify_style_update()
        self._strips.clear()
        self._ground = None

    def scroll_to(self, x: float | None = None, y: float | None = None, **options: Any) -> None:
        """Scroll at once: animated scrolling sends every frame of a full page down the wire."""
        super().scroll_to(x, y, **{**options, "animate": False})

    # Drawing

    def render_line(self, y: int) -> Strip:
        """Draw the visible line ``y``."""
        x, top = self.scroll_offset
        row, width = y + top, self.view.width
        if row >= self.line_count:
            return self._blank(y, width)
        strip = self._row_strip(row)
        if self.pattern is not None:
            spans = [match.span() for match in self.pattern.finditer(strip.text) if match.group()]
            strip = restyle(strip, spans, self.get_component_rich_style("lines--match"))
        if (selection := self.text_selection) is not None and (span := selection.get_span(row)) is not None:
            start, end = span
            whole = (start, len(strip.text) if end == -1 else end)
            strip = restyle(strip, [whole], self.screen.get_component_rich_style("screen--selection"))
        if x or strip.cell_length != width:
            strip = strip.crop(x, x + width)
        return strip.apply_offsets(x, row)

    @property
    def ground(self) -> Style:
        """The style of the list itself; Textual works it out from all ancestors each time it is asked."""
        if self._ground is None:
            self._ground = self.rich_style
        return self._ground

    def _blank(self, y: int, width: int) -> Strip:
        """Draw a line without a row: one of the placeholder, centred in the upper half, or nothing."""
        line = y - max(0, self.view.height // 3 - 1)
        said = [] if self.line_count else self._said(max(2, width - 4))
        if not 0 <= line < len(said):
            return Strip.blank(width, self.ground)
        text = Strip([Segment(said[line][0], ink(self, said[line][1]))])
        left = Strip.blank(max(0, width - text.cell_length) // 2)
        return Strip.join([left, text]).adjust_cell_length(width).apply_style(self.ground)

    def _said(self, width: int) -> list[tuple[str, str]]:
        """The placeholder, broken to a width: lines and their looks."""
        looks = ("bold foreground", *["dim"] * len(self.placeholder))
        return [(line, look) for text, look in zip(self.placeholder, looks, strict=False) for line in wrap(text, width)]

    def _row_strip(self, y: int) -> Strip:
        """Draw a row at full width, over the background of the cursor where that is."""
        if (strip := self._strips.get(y)) is not None:
            return strip
        width = max(self.view.width, self.content_width)
        selected = y == self.cursor
        under = self.get_component_rich_style("lines--cursor") if selected else self.ground
        row: Iterable[Segment] = self.render_row(y, width, selected)
        if selected and self.app.current_theme.ansi:
            # Sixteen colours leave no background on which all the others can be read.
            row = [Segment(segment.text) for segment in row]
        # One strip, not one for each step: making strips is most of what drawing costs.
        segments = [Segment(text, under + style if style else under) for text, style, _ in row]
        length = sum(cell_len(segment.text) for segment in segments)
        if length < width:
            segments.append(Segment(" " * (width - length), under))
        strip = Strip(segments, max(length, width))
        if length > width:
            strip = strip.crop(0, width)
        self._strips[y] = strip
        return strip

    # Selecting text with the mouse

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Text of the selected rows only, however long the list is."""
        first = 0 if selection.start is None else selection.start.y
        last = self.line_count - 1 if selection.end is None else min(selection.end.y, self.line_count - 1)
        if last < first:
            return None
        rows = [self.row_text(y) for y in range(first, last + 1)]
        if selection.end is not None and last == selection.end.y:
            rows[-1] = rows[-1][: selection.end.x]
        if selection.start is not None:
            rows[0] = rows[0][selection.start.x :]
        return "\n".join(rows), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Draw the selection."""
        self.refresh()

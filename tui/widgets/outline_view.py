"""An outline on the screen: fold marks, names, values, types at the right edge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive

from backends.outline import Node, Outline, Path, Row, Tone
from backends.present import preview, type_label
from backends.text import one_line
from backends.values import Typed

from .lines import Lines
from .one_line import clip

_OPENED, _FOLDED, _LEAF = "▾ ", "▸ ", "  "

_LONGEST_NAME: Final = 28
"""Cells beyond which a name no longer pushes its value to the right."""

_LEAST_TEXT: Final = 12
"""Cells that a value gets before its type is left out."""

_INKS: Final = {tone: tone.value for tone in Tone} | {
    Tone.PLAIN: "foreground",
    Tone.QUIET: "dim",
    Tone.SPEAKER: "accent",
}
"""Colours of the theme."""

_MARKS: Final = {"+": Tone.ADDED, "−": Tone.REMOVED, "~": Tone.CHANGED, "→": Tone.SPEAKER}
"""Marks that have a colour of their own, whatever the row says."""

_LONG: Final = 60
"""Characters from which a string says how long it is."""


class OutlineView(Lines):
    """Rows of an ``Outline``; the cursor stays on its node when other roots are shown."""

    DEFAULT_CSS = "OutlineView { scrollbar-gutter: stable; }"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter", "activate", "open, fold", key_display="↵", id="lines.activate", tooltip="Unfold, fold, or read"
        ),
        Binding("l,right", "unfold", "Unfold", show=False, id="outline.unfold", tooltip="Unfold this row"),
        Binding(
            "h,left", "fold", "Fold", show=False, id="outline.fold", tooltip="Fold this row, or go to the one above it"
        ),
    ]

    @dataclass
    class Read(Message):
        """A value without rows below it was opened.

        Attributes:
            node: Its row.
        """

        node: Node

    stale: reactive[bool] = reactive(False, repaint=False, init=False)
    """Whether the rows belong to something that is no longer asked for."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.outline = Outline()
        self._kind = ""
        self._kept: dict[str, tuple[Outline, Path, int]] = {}

    # What is shown

    @property
    def node(self) -> Node | None:
        """The node under the cursor."""
        return self.outline.rows[self.cursor].node if self.outline.rows else None

    def show(self, roots: Sequence[Node], kind: str = "") -> None:
        """Show other rows: what was unfolded stays unfolded, and the cursor stays on its path and screen line.

        Args:
            roots: The rows.
            kind: What kind of rows they are; each kind has folds and a cursor of its own.
        """
        path: Path = self.node.path if self.node else ()
        self._kept[self._kind] = self.outline, path, self.cursor - self.scroll_offset.y
        self._kind = kind
        self.outline, path, screen_line = self._kept.get(kind, (Outline(), (), 0))
        self.outline.show(roots)
        cursor = self.outline.nearest(path)
        self.rows_changed(cursor)
        self.scroll_to(y=max(0, cursor - screen_line))

    def watch_stale(self) -> None:
        """Dim every row, or brighten it again."""
        self.redraw()

    def reveal(self, trail: Sequence[Path]) -> bool:
        """Put the cursor on a node that may be folded away; False if it is gone."""
        index = self.outline.reveal(trail)
        if index is not None:
            self.rows_changed()
            self.cursor = index
        return index is not None

    # Folding

    def action_activate(self) -> None:
        """Unfold or fold; a leaf is read in full."""
        if self.outline.rows:
            if self.outline.toggle(self.cursor):
                self._folded()
            elif self.node is not None:
                self.post_message(self.Read(self.node))

    def action_unfold(self) -> None:
        """Unfold, or go to the first row below."""
        if not self.outline.rows:
            return
        if self.outline.unfold(self.cursor):
            self._folded()
        elif self.outline.rows[self.cursor].opened:
            self.action_move(1)

    def action_fold(self) -> None:
        """Fold, or go to the row above in the tree."""
        if not self.outline.rows:
            return
        if self.outline.fold(self.cursor):
            self._folded()
        elif (above := self.outline.parent(self.cursor)) is not None:
            self.cursor = above

    def fold_all(self) -> bool:
        """Fold every row; False when none was unfolded."""
        path: Path = self.node.path if self.node else ()
        folded = self.outline.fold_all()
        if folded:
            self.rows_changed(self.outline.nearest(path))
        return folded

    def _folded(self) -> None:
        """Rows came or went below the cursor; show as many of the new ones as fit."""
        self.rows_changed()
        end = self.outline.end(self.cursor)
        height = self.scrollable_content_region.height
        if end > self.scroll_offset.y + height:
            self.scroll_to(y=min(self.cursor, end - height))

    def row_clicked(self, y: int, x: int, times: int) -> None:
        """A click on the fold mark folds; a double click anywhere does what enter does."""
        self.cursor = y
        row = self.outline.rows[y]
        start = 1 + 2 * row.depth
        if times == 2 or (row.node.unfold is not None and start <= x < start + 2):
            self.action_activate()

    # Drawing

    @property
    def line_count(self) -> int:
        """Number of visible rows."""
        return len(self.outline.rows)

    def render_row(self, y: int, width: int, selected: bool) -> list[Segment]:
        """Draw a node."""
        row = self.outline.rows[y]
        node = row.node
        segments = [self._bar(selected), *self._head(row, selected)]
        room = width - sum(cell_len(segment.text) for segment in segments)
        label = "" if node.tone is Tone.SPEAKER else _label(row)
        if label and room - cell_len(label) - 3 < (0 if row.depth == 0 else _LEAST_TEXT):
            label = ""
        space = max(0, room - (cell_len(label) + 3 if label else 1))
        text = clip(_text(row, space, labelled=bool(label)), space)
        segments.append(Segment(text, self._text_style(node, selected)))
        if label:
            gap = " " * (room - cell_len(text) - cell_len(label) - 1)
            segments.append(Segment(f"{gap}{label} ", self.ink("dim")))
        faint = self.ink("faint")
        return [Segment(segment.text, faint) for segment in segments] if self.stale else segments

    def _bar(self, selected: bool) -> Segment:
        """The cursor's mark, bright where the keys go."""
        return Segment("▌" if selected else " ", self.ink("accent" if self.has_focus else "faint"))

    def _head(self, row: Row, selected: bool) -> list[Segment]:
        """Indentation, fold mark, the node's own mark, its name, and who speaks."""
        node = row.node
        fold = _LEAF if node.unfold is None else _OPENED if row.opened else _FOLDED
        segments = [Segment("  " * row.depth + fold, self.ink("dim"))]
        if node.mark:
            look = _MARKS.get(node.mark, node.tone)
            segments.append(Segment(f"{node.mark} ", self.ink(_INKS[look])))
        if node.name:
            name = clip(one_line(node.name, 200), 60)
            name += " " * (min(row.align, _LONGEST_NAME) - cell_len(name))
            strong = selected or row.depth == 0
            segments.append(Segment(f"{name}  ", self.ink("strong" if strong else "dim")))
        if node.tone is Tone.SPEAKER and node.label:
            segments.append(Segment(f"{node.label:<6} ", self.ink("accent")))
        return segments

    def _text_style(self, node: Node, selected: bool) -> Style:
        if node.tone in (Tone.PLAIN, Tone.SPEAKER, Tone.DONE):
            return self.ink("strong") if selected else Style.null()
        return self.ink(_INKS[node.tone])


def _text(row: Row, room: int, labelled: bool) -> str:
    """What is said about a node, in about so many cells; nothing where the rows below say it."""
    node = row.node
    text = node.brief if row.opened and node.brief is not None else node.text
    if text is not None:
        return one_line(text, max(1, room))
    value = node.value
    if labelled and isinstance(value, Typed) and type_label(value).startswith("‹"):
        value = value.data  # its class stands at the right edge
    return preview(value, max(1, room))


def _label(row: Row) -> str:
    """Type and size, where they say more than the value does."""
    node = row.node
    if node.label is not None:
        return one_line(node.label, 60)
    plain = node.value is None or isinstance(node.value, bool | int | float)
    if plain or (isinstance(node.value, str) and len(node.value) < _LONG):
        return ""
    return type_label(node.value)

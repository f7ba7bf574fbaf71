"""A thread's history: the lineage tree, newest first, with a cursor that stays on its checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, TypeAlias

from rich.cells import cell_len
from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.message import Message

from backends.lanes import NODE, START
from backends.lineage import CheckpointLine, FolderKey, FolderLine, Line, Lineage, build
from backends.model import CheckpointKey, CheckpointRow
from backends.text import one_line

from ..words import age
from .lines import Lines
from .one_line import clip

HEAD: Final = "●"
"""The head's glyph in the tree."""

_WIDEST_GRAPH: Final = 12
"""Cells of the tree beyond which the other columns are no longer aligned."""

_SOURCE: Final = 6
_ELAPSED: Final = 7
_TAG: Final = 5
_LEAST_NODES: Final = 12
"""Cells of columns; node names with less room than that push an ordinary source out."""

Mark: TypeAlias = CheckpointKey | FolderKey


class History(Lines):
    """Lines of a ``Lineage``: tree, step, source, the nodes that wrote, time since the parent."""

    DEFAULT_CSS = "History { scrollbar-gutter: stable; }"

    LEGEND: ClassVar[Sequence[tuple[str, str]]] = (
        (f"{HEAD} head", "The checkpoint that the thread goes on from"),
        (NODE, "A checkpoint; a branch that was left stands to the right"),
        (START, "Where a line begins: it has no parent"),
        ("▸ ▾", "A call of a subgraph, folded and unfolded"),
        ("+2.1s", "Time since the checkpoint before it"),
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "activate", "look inside", key_display="↵", id="lines.activate", tooltip="Look inside"),
        Binding("l,right", "open", "Open", show=False, id="history.open", tooltip="Open this subgraph"),
        Binding("h,left", "close", "Close", show=False, id="history.close", tooltip="Close this subgraph"),
    ]

    @dataclass
    class Entered(Message):
        """Enter was pressed on a checkpoint."""

    def __init__(self) -> None:
        super().__init__(id="history")
        self.lineage: Lineage = build(())
        self.opened: set[FolderKey] = set()
        self.base: CheckpointKey | None = None
        self._lines: list[Line] = []
        self._rows: dict[Mark, int] = {}
        self._graph = 2
        self._step = 1

    # Which line

    @property
    def mark(self) -> Mark | None:
        """What the cursor is on."""
        return self._lines[self.cursor].key if self._lines else None

    @property
    def selected(self) -> CheckpointKey | None:
        """The checkpoint under the cursor; of a subgraph call the one that it hangs at, or else its newest."""
        mark = self.mark
        if not isinstance(mark, FolderKey):
            return mark
        return mark.host if mark.host in self._rows else self.lineage.newest_in(mark)

    def row(self, key: CheckpointKey) -> CheckpointRow | None:
        """The stored row of a checkpoint of the history."""
        line = self.lineage.line(key)
        return line.row if line is not None else None

    @property
    def on_head(self) -> bool:
        """Whether the cursor is on the checkpoint that the thread goes on from."""
        return self.mark is not None and self.mark == self.lineage.head

    def select(self, key: CheckpointKey) -> bool:
        """Put the cursor on a checkpoint and open the folders above it; False if it is not in the history."""
        if key not in self._rows:
            self.opened.update(self.lineage.folders_above(key))
            self._list(self.mark)
        if key in self._rows:
            self.cursor = self._rows[key]
        return key in self._rows

    def step(self, lines: int) -> None:
        """Go to the next checkpoint up or down, passing over folders."""
        row = self.cursor + lines
        while 0 <= row < len(self._lines) and isinstance(self._lines[row], FolderLine):
            row += lines
        if 0 <= row < len(self._lines):
            self.cursor = row

    # What is listed

    def show(self, lineage: Lineage, follow: bool = False) -> None:
        """Show a longer history; the cursor stays on its line.

        Args:
            lineage: The history.
            follow: Take a cursor that is on the head along to the new one.
        """
        mark = self.mark
        if lineage.head is not None and (mark is None or (follow and self.on_head)):
            mark = lineage.head
            self.opened.update(lineage.folders_above(mark))
        self.lineage = lineage
        self._list(mark)

    def mark_base(self, base: CheckpointKey | None) -> None:
        """Show which checkpoint others are compared with."""
        old, self.base = self.base, base
        for key in (old, base):
            if key in self._rows:
                self.refresh_row(self._rows[key])

    def action_activate(self) -> None:
        """Open or close a folder; a checkpoint is looked into."""
        if isinstance(self.mark, FolderKey):
            self._toggle(self.mark)
        elif self.mark is not None:
            self.post_message(self.Entered())

    def action_open(self) -> None:
        """Open a folder."""
        if isinstance(self.mark, FolderKey) and self.mark not in self.opened:
            self._toggle(self.mark)

    def action_close(self) -> None:
        """Close a folder, or go to the folder that this line is in."""
        if self.mark is None:
            return
        if isinstance(self.mark, FolderKey) and self.mark in self.opened:
            self._toggle(self.mark)
        elif above := self.lineage.folders_above(self.mark):
            self.cursor = self._rows[above[0]]

    def _toggle(self, folder: FolderKey) -> None:
        self.opened ^= {folder}
        self._list(folder)

    def _list(self, mark: Mark | None) -> None:
        """Lay the lines out anew, with the cursor on ``mark``, or on the folder that hides it."""
        self._lines = self.lineage.lines(self.opened)
        self._rows = {line.key: row for row, line in enumerate(self._lines)}
        checkpoints = [line for line in self._lines if isinstance(line, CheckpointLine)]
        self._graph = min(max((len(line.graph) for line in checkpoints), default=2), _WIDEST_GRAPH)
        self._step = max((len(str(line.row.step)) for line in checkpoints if line.row.step is not None), default=1)
        hiding = [] if mark is None or mark in self._rows else self.lineage.folders_above(mark)
        place = next((self._rows[key] for key in (mark, *hiding) if key in self._rows), self.cursor)
        self.rows_changed(place)

    # Drawing

    @property
    def line_count(self) -> int:
        """Number of listed lines."""
        return len(self._lines)

    def render_row(self, y: int, width: int, selected: bool) -> list[Segment]:
        """Draw a checkpoint or a folder."""
        line = self._lines[y]
        bar = Segment("▌" if selected else " ", self.ink("accent" if self.has_focus else "faint"))
        if isinstance(line, FolderLine):
            return [bar, *self._folder(line, width - 1, selected)]
        return [bar, *self._checkpoint(line, width - 1, selected)]

    def _checkpoint(self, line: CheckpointLine, width: int, selected: bool) -> list[Segment]:
        dim = self.ink("dim")
        step = "-" if line.row.step is None else str(line.row.step)
        left = [*self._tree(line), Segment(f"{step:>{self._step}} ", dim)]
        tag = "base" if line.key == self.base else "head" if line.head else ""
        right = [
            Segment(f" {tag}" if tag else "", self.ink("bold accent")),
            Segment(f"{elapsed(line.elapsed):>{_ELAPSED}} ", dim),
        ]
        room = width - sum(cell_len(segment.text) for segment in (*left, *right))
        wide = width - self._graph - self._step - _TAG - _ELAPSED >= _SOURCE + _LEAST_NODES
        return [*left, *self._what(line, max(0, room), wide, selected), *right]

    def _what(self, line: CheckpointLine, room: int, wide: bool, selected: bool) -> list[Segment]:
        """Why there is a checkpoint, and which nodes wrote it; "loop" goes without saying where room is short."""
        plain = self.ink("strong" if selected else "foreground")
        source = one_line(line.row.source or "-", _SOURCE)
        badges = {"loop": self.ink("dim"), "input": plain}
        names = one_line(", ".join(line.nodes), 200)
        said = wide or source != "loop" or not names
        badge = badges.get(source, self.ink("changed"))
        head = Segment(f"{source:<{_SOURCE}} "[:room] if said else "", badge)
        rest = room - len(head.text)
        names = clip(names, rest)
        return [head, Segment(names + " " * (rest - cell_len(names)), plain)]

    def _tree(self, line: CheckpointLine) -> list[Segment]:
        """The columns; the checkpoint's own glyph stands out."""
        graph = f"{line.graph:<{self._graph}}"
        at = max(graph.find(NODE), graph.find(START))
        lines = self.ink("dim")
        node = Segment(HEAD, self.ink("bold accent")) if line.head else Segment(graph[at])
        return [Segment(graph[:at], lines), node, Segment(graph[at + 1 :] + " ", lines)]

    def _folder(self, line: FolderLine, width: int, selected: bool) -> list[Segment]:
        plain = self.ink("strong" if selected else "foreground")
        lines, dim = self.ink("dim"), self.ink("dim")
        fold = "▾ " if line.opened else "▸ "
        count = f"{line.count:,} checkpoint{'' if line.count == 1 else 's'}"
        if line.stray:
            count += ", of a checkpoint not here"
        room = width - cell_len(line.graph) - 2
        label = clip(one_line(line.label, 100), room)
        count = clip(count, max(0, room - cell_len(label) - 2))
        return [Segment(line.graph, lines), Segment(fold, dim), Segment(f"{label}  ", plain), Segment(count, dim)]


def elapsed(seconds: float | None) -> str:
    """A duration with two figures: ``+8ms``, ``+1.2s``, ``+42s``, ``+12m``, ``+3h``; empty where it is not known."""
    if seconds is None:
        return ""
    if seconds < 0.9995:
        return f"+{seconds * 1000:.0f}ms"
    return f"+{seconds:.1f}s" if seconds < 9.95 else f"+{age(round(seconds))}"

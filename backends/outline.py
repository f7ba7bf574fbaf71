"""A tree of rows that is flattened lazily: fold, unfold, find; what is folded costs nothing.

What the rows stand for is decided by the nodes (``unfold`` makes them of values); here is only the mechanics.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from .present import preview
from .values import Value

Path: TypeAlias = tuple[Hashable, ...]
"""Identity of a node in its outline, stable from one checkpoint to the next: channel, then keys and indexes."""


class Tone(StrEnum):
    """What a row says beyond its text; always paired with a glyph or a word, as colour may be missing."""

    PLAIN = "plain"
    QUIET = "quiet"
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    WAITING = "waiting"
    FAILED = "failed"
    DONE = "done"
    SPEAKER = "speaker"


@dataclass(frozen=True, slots=True)
class Node:
    """One row, and how to get the rows below it. All texts are untrusted until they are drawn.

    Attributes:
        path: See ``Path``.
        name: Key, index, channel or task; may be empty.
        value: What is copied, opened in the pager and, where ``text`` is ``None``, previewed.
        label: Type and size; ``None`` takes them from the value when the row is drawn.
        text: What is said about it; ``None`` takes a preview of the value when the row is drawn.
        brief: What is said instead of ``text`` while the node is unfolded; ``None`` says the same.
        tone: See ``Tone``.
        mark: A glyph in front, e.g. ``+`` and ``-`` of a diff.
        unfold: Makes the rows below; ``None`` for leaves.
        open: Whether it is unfolded until the person decides otherwise.
        find: Text that a search looks into besides the name; ``None`` takes the value of a leaf.
        inside: The rows below that a search looks into, where some of them only show what ``find`` has already.
    """

    path: Path
    name: str
    value: Value = None
    label: str | None = None
    text: str | None = None
    brief: str | None = field(default=None, kw_only=True)
    tone: Tone = Tone.PLAIN
    mark: str = ""
    unfold: Callable[[], Sequence[Node]] | None = None
    open: bool = False
    find: str | None = None
    inside: Callable[[], Sequence[Node]] | None = None


class Row(NamedTuple):
    """A visible node.

    Attributes:
        node: The node.
        depth: 0 for roots.
        opened: Whether the rows below it follow.
        align: Length of the longest name among the node and its siblings.
    """

    node: Node
    depth: int
    opened: bool
    align: int


class Outline:
    """The visible rows of a forest of nodes.

    Args:
        roots: Top rows.

    Attributes:
        rows: What is visible, in order.
        chosen: Which paths a person has unfolded (true) or folded; kept for other roots that have the same paths.
    """

    def __init__(self, roots: Iterable[Node] = ()) -> None:
        self.chosen: dict[Path, bool] = {}
        self.rows: list[Row] = []
        self.show(roots)

    def show(self, roots: Iterable[Node]) -> None:
        """Put other roots in place; what was unfolded stays so where the paths still exist."""
        self.roots = tuple(roots)
        self.rows = list(self._flat(self.roots, 0))

    def toggle(self, index: int) -> bool:
        """Fold or unfold a row.

        Returns:
            False for a leaf.
        """
        return self.fold(index) or self.unfold(index)

    def unfold(self, index: int) -> bool:
        """Show the rows below a row.

        Returns:
            False when there are none, or they are shown already.
        """
        row = self.rows[index]
        if row.node.unfold is None or row.opened:
            return False
        self.chosen[row.node.path] = True
        self.rows[index : index + 1] = [row._replace(opened=True), *self._flat(row.node.unfold(), row.depth + 1)]
        return True

    def fold(self, index: int) -> bool:
        """Hide the rows below a row.

        Returns:
            False when none are shown.
        """
        row = self.rows[index]
        if not row.opened:
            return False
        self.chosen[row.node.path] = False
        self.rows[index : self.end(index)] = [row._replace(opened=False)]
        return True

    def fold_all(self) -> bool:
        """Show only the roots.

        Returns:
            False when nothing was unfolded.
        """
        opened = [row.node.path for row in self.rows if row.opened]
        self.chosen.update(dict.fromkeys(opened, False))
        self.show(self.roots)
        return bool(opened)

    def end(self, index: int) -> int:
        """Index after the last row below a row."""
        depth = self.rows[index].depth
        for end in range(index + 1, len(self.rows)):
            if self.rows[end].depth <= depth:
                return end
        return len(self.rows)

    def parent(self, index: int) -> int | None:
        """Index of the row that a row hangs below; ``None`` for roots."""
        depth = self.rows[index].depth
        return next((above for above in range(index - 1, -1, -1) if self.rows[above].depth < depth), None)

    def index_of(self, path: Path) -> int | None:
        """Index of a visible row by its path."""
        return next((index for index, row in enumerate(self.rows) if row.node.path == path), None)

    def nearest(self, path: Path) -> int:
        """Index of a row, or else of the closest visible row above it in the tree; 0 when there is none."""
        for length in range(len(path), 0, -1):
            if (index := self.index_of(path[:length])) is not None:
                return index
        return 0

    def reveal(self, trail: Sequence[Path]) -> int | None:
        """Unfold what hides a node.

        Args:
            trail: Paths from its root to the node itself, as ``search`` returns them.

        Returns:
            Its index now; ``None`` when it does not exist any more.
        """
        index: int | None = None
        for path in trail:
            if index is not None:
                self.unfold(index)
            start = 0 if index is None else index + 1
            index = next((at for at in range(start, len(self.rows)) if self.rows[at].node.path == path), None)
            if index is None:
                return None
        return index

    def _flat(self, nodes: Sequence[Node], depth: int) -> Iterator[Row]:
        """List nodes and, where they are open, what is below them."""
        pending = [_siblings(nodes)]
        while pending:
            align, rest = pending[-1]
            node = next(rest, None)
            if node is None:
                pending.pop()
                continue
            opened = node.unfold is not None and self.chosen.get(node.path, node.open)
            yield Row(node, depth + len(pending) - 1, opened, align)
            if opened and node.unfold is not None:
                pending.append(_siblings(node.unfold()))


def _siblings(nodes: Sequence[Node]) -> tuple[int, Iterator[Node]]:
    """The length of the longest name, and the nodes."""
    return max((len(node.name) for node in nodes), default=0), iter(nodes)


def search(
    roots: Iterable[Node], pattern: re.Pattern[str], cancelled: Callable[[], bool] = lambda: False
) -> Iterator[tuple[Path, ...]]:
    """Find nodes by name or content, also where they are folded away.

    Args:
        roots: Where to look; nodes are unfolded in passing and forgotten again.
        pattern: What to find.
        cancelled: Asked once in a while; true ends the search.

    Yields:
        The paths from root to match, in the order of the rows. Of a value that is both, the match is the leaf.
    """
    trail: list[Path] = []
    pending = [iter(roots)]
    seen = 0
    while pending:
        node = next(pending[-1], None)
        if node is None:
            pending.pop()
            if trail:
                trail.pop()
            continue
        seen += 1
        if not seen % 1024 and cancelled():
            return
        if pattern.search(node.name) or pattern.search(_content(node)):
            yield (*trail, node.path)
        if (unfold := node.inside or node.unfold) is not None:
            trail.append(node.path)
            pending.append(iter(unfold()))


def _content(node: Node) -> str:
    """Text of a node itself, without that of the nodes below it."""
    if node.find is not None:
        return node.find
    if node.unfold is not None:
        return node.text or ""
    if node.text is not None:
        return node.text
    if isinstance(node.value, str):
        return node.value
    return str(node.value) if isinstance(node.value, int | float | None) else preview(node.value)

"""The first line of every screen: where we are, and how the whole store is doing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.reactive import reactive

from backends.index import Counts
from backends.model import ATTENTION, StatusName
from backends.store import StoreInfo
from backends.text import one_line

from ..config import COLOURS
from ..glyphs import APPROXIMATELY, STATUS
from ..words import short_id
from .one_line import OneLine, Piece, cells

_SHOWN = (StatusName.RUNNING, *ATTENTION)
"""Statuses that are counted here."""


class TopBar(OneLine):
    """``lgtop  store › thread      ? 3 waiting  ✖ 1 failed   12,480 threads``.

    Args:
        name: Short name of the store; never a password.
        crumbs: Where we are inside it, outermost first; untrusted.
        readonly: Whether to say so.
    """

    DEFAULT_CSS = """
    TopBar {
        background: $surface;
        padding: 0 1;
    }
    """

    info: reactive[StoreInfo | None] = reactive(None)
    """What is known about the store; ``None`` until it is open."""

    counts: reactive[Counts | None] = reactive(None)
    """Threads by status."""

    crumbs: reactive[tuple[str, ...]] = reactive(())
    """Where we are inside the store, outermost first."""

    def __init__(self, store: str, crumbs: Sequence[str] = (), readonly: bool = True) -> None:
        super().__init__()
        self._store = store
        self._readonly = readonly
        self.set_reactive(TopBar.crumbs, tuple(crumbs))

    def pieces(self, width: int) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """Lay the line out: words go before figures do."""
        right = self._counts()
        room = width - cells(right) - 2
        for left in self._left():
            if cells(left) <= room:
                break
        return left, right

    def _left(self) -> list[list[Piece]]:
        """The left half, from the longest form to the shortest."""
        brand: list[Piece] = [("lgtop", "bold accent"), ("  ", ""), *self._mark()]
        kind = self.info.kind if self.info else ""
        mode = " · ".join(part for part in (kind, "read-only" if self._readonly else "") if part)
        crumbs = [one_line(crumb, 200) for crumb in self.crumbs]
        forms = []
        for limit, with_mode in ((200, True), (200, False), (40, False), (20, False), (12, False)):
            name = short_id(one_line(self._store, 200), limit)
            line = [*brand, (name, "" if crumbs else "bold strong")]
            for number, crumb in enumerate(crumbs, 1):
                style = "bold strong" if number == len(crumbs) else ""
                line += [(" › ", "dim"), (short_id(crumb, limit), style)]
            if with_mode and not crumbs:
                line.append((f"  {mode}", "dim"))
            forms.append(line)
        return forms

    def _mark(self) -> list[Piece]:
        """What keeps a person from taking one store for another."""
        mark: tuple[str, str] | None = getattr(self.app, "mark", None)
        if mark is None:
            return []
        name, colour = mark
        return [(f" {one_line(name, 20)} ", f"bold background on {COLOURS[colour]}"), ("  ", "")]

    def _counts(self) -> list[Piece]:
        """The right half: attention by status, and the total."""
        if self.counts is None:
            return []
        approximately = "" if self.counts.exact else APPROXIMATELY
        pieces: list[Piece] = []
        by_status: Mapping[StatusName, int] = self.counts.by_status
        for status in _SHOWN:
            if count := by_status.get(status, 0):
                text = f"{STATUS[status]} {approximately}{count:,} {status.value}"
                pieces += [(text, status.value, f"app.show_status('{status.value}')"), ("  ", "")]
        total = self.counts.total
        mark = "" if self.counts.complete else APPROXIMATELY
        pieces.append((f" {mark}{total:,} thread{'' if total == 1 else 's'}", "dim"))
        return pieces

"""The first line of every screen: where we are, and how the whole store is doing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from textual.reactive import reactive

from backends.index import Counts
from backends.model import ATTENTION, StatusName
from backends.store import StoreInfo
from backends.text import one_line

from ..glyphs import APPROXIMATELY, STATUS
from ..words import short_id
from .one_line import OneLine, Piece, cells

if TYPE_CHECKING:
    from ..bulk import Bulk

_SHOWN = (StatusName.RUNNING, *ATTENTION)
"""Statuses that are counted here."""

_DISPENSABLE = (
    StatusName.PAUSED,
    StatusName.CANCELLED,
    StatusName.RUNNING,
    StatusName.STALLED,
    StatusName.CRASHED,
    StatusName.FAILED,
    StatusName.WAITING,
)
"""The same in the order in which they are left out where there is too little room."""

_SETTLED = 0.5
"""Seconds after which the bar asks what is done to many threads."""

_LONG = 3
"""Forms of the left half that name the store and say that nothing is written."""


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

    busy: reactive[str] = reactive("")
    """What is done to many threads now, and how far it is; safe text."""

    def on_mount(self) -> None:
        """Follow what is done to many threads."""
        if "bulk" in vars(self.app):
            self._follow_bulk()
        else:
            self.set_timer(_SETTLED, self._follow_bulk)  # not loaded for the first frame: there is none yet

    def _follow_bulk(self) -> None:
        bulk: Bulk | None = getattr(self.app, "bulk", None)
        if bulk is not None:
            bulk.changed.subscribe(self, lambda work: self._be_busy(bulk))
            self._be_busy(bulk)

    def _be_busy(self, bulk: Bulk) -> None:
        self.busy = bulk.said

    def pieces(self, width: int) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """Lay the line out; what is being done stands before the figures, and a click shows it."""
        busy: list[Piece] = [(f"▸ {self.busy}", "accent", "app.bulk"), ("  ", "")] if self.busy else []
        left, right = self._fitted(width - cells(busy))
        return left, [*busy, *right]

    def _fitted(self, width: int) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """Lay the rest out.

        Words go before figures do, that nothing is written goes after the words, the total and our own name never.
        """
        words, *figures = self._right()
        long, short = self._left()[:_LONG], self._left()[_LONG:]
        for right, forms in ((words, long), (figures[0], long), *((right, short) for right in figures)):
            for left in forms:
                if cells(left) + cells(right) + 2 <= width:
                    return left, right
        return short[-1], figures[-1]

    def _left(self) -> list[list[Piece]]:
        """The left half, from the longest form to the shortest; the first ``_LONG`` say all that matters."""
        brand: list[Piece] = [("lgtop", "bold accent"), ("  ", ""), *self._mark()]
        kind = self.info.kind if self.info else ""
        safe = "read-only" if self._readonly else ""
        mode = " · ".join(part for part in (kind, safe) if part)
        crumbs = [one_line(crumb, 200) for crumb in self.crumbs]
        forms = []
        for limit, said in ((200, mode), (200, safe), (40, safe), (200, ""), (40, ""), (20, ""), (12, "")):
            name = short_id(one_line(self._store, 200), limit)
            line = [*brand, (name, "" if crumbs else "bold strong")]
            for number, crumb in enumerate(crumbs, 1):
                style = "bold strong" if number == len(crumbs) else ""
                line += [(" › ", "dim"), (short_id(crumb, limit), style)]
            if said and not crumbs:
                line.append((f"  {said}", "dim"))
            forms.append(line)
        return forms

    def _mark(self) -> list[Piece]:
        """What keeps a person from taking one store for another."""
        mark: tuple[str, str] | None = getattr(self.app, "mark", None)
        if mark is None:
            return []
        from ..config import COLOURS

        name, colour = mark
        return [(f" {one_line(name, 20)} ", f"bold background on {COLOURS[colour]}"), ("  ", "")]

    def _right(self) -> list[list[Piece]]:
        """The right half: with words, then with figures alone, then with fewer and fewer of them, then the total."""
        if self.counts is None:
            return [[], []]
        mark = "" if self.counts.complete else APPROXIMATELY
        total = self.counts.total
        last: Piece = (f" {mark}{total:,} thread{'' if total == 1 else 's'}", "dim")
        shown = [status for status in _SHOWN if self.counts.by_status.get(status)]
        forms = [[*self._counted(shown, words=True), last], [*self._counted(shown, words=False), last]]
        for status in _DISPENSABLE:
            if status in shown:
                shown.remove(status)
                forms.append([*self._counted(shown, words=False), last])
        return forms

    def _counted(self, statuses: Iterable[StatusName], words: bool) -> list[Piece]:
        """How many threads have each status; a click shows them."""
        assert self.counts is not None
        approximately = "" if self.counts.exact else APPROXIMATELY
        pieces: list[Piece] = []
        for status in statuses:
            text = f"{STATUS[status]} {approximately}{self.counts.by_status[status]:,}"
            look = status.value
            pieces += [(f"{text} {look}" if words else text, look, f"app.show_status('{look}')"), ("  ", "")]
        return pieces

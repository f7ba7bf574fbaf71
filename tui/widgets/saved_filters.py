"""The tabs above the list of threads: filters that ``config.toml`` keeps, each a key away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.reactive import reactive

from backends.text import one_line

from .one_line import OneLine, Piece

MOST = 9
"""Tabs that a digit can name."""


class SavedFilters(OneLine):
    """``0 all  1 mine  2 failed today``, with the present one bright.

    Args:
        filters: Filters by the name on their tab; those after the ninth have no tab.
    """

    DEFAULT_CSS = "SavedFilters { padding: 0 1; }"

    current: reactive[str] = reactive("")
    """The filter that is shown."""

    def __init__(self, filters: Mapping[str, str]) -> None:
        super().__init__()
        self._tabs = [("all", ""), *list(filters.items())[:MOST]]

    def text_of(self, number: int) -> str | None:
        """The filter on a tab, 0 for all threads; ``None`` where there is no such tab."""
        return self._tabs[number][1] if number < len(self._tabs) else None

    def pieces(self, width: int) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """Lay the tabs out."""
        pieces: list[Piece] = []
        for number, (name, text) in enumerate(self._tabs):
            present = text.strip() == self.current.strip()
            action = f"screen.saved({number})"
            pieces.append((f"{number} ", "accent", action))
            pieces.append((one_line(name, 30), "bold strong" if present else "dim", action))
            pieces.append(("   ", ""))
        return pieces, ()

"""The last line of every screen: what works here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from textual.screen import Screen

from .one_line import OneLine, Piece, cells

_GAPS: Final[Sequence[Piece]] = (("   ", ""), ("  ", ""))
"""Between two keys: where there is room, and where there is not."""


class _Key(NamedTuple):
    """A key and what it does.

    Attributes:
        action: Its name.
        pieces: As drawn.
        enabled: Whether it can do it here and now.
    """

    action: str
    pieces: tuple[Piece, ...]
    enabled: bool


class KeyBar(OneLine):
    """Keys and what they do, from the bindings that are active now; each can be clicked.

    Bindings of the focused widget come first. Where the line is too short, those that can do nothing here are left out,
    and then the last ones before ``?``.
    """

    DEFAULT_CSS = """
    KeyBar {
        dock: bottom;
        background: $surface;
        padding: 0 1;
    }
    """

    drawn: Mapping[str, bool] = MappingProxyType({})
    """Whether each action could be done when the line was drawn last."""

    def on_mount(self) -> None:
        """Follow the bindings."""
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)

    def _bindings_changed(self, screen: Screen[object]) -> None:
        if screen is self.screen:
            self.refresh()

    def pieces(self, width: int) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """Keys of the screen at the left, as many as fit; those of the whole app at the right."""
        here, everywhere = self._keys()
        self.drawn = {key.action: key.enabled for key in here}
        for gap in _GAPS:
            right = [piece for key in everywhere for piece in (gap, *key.pieces)]
            if _width(here, gap) + cells(right) <= width:
                break
        while here and _width(here, gap) + cells(right) > width:
            here.remove(next((key for key in reversed(here) if not key.enabled), here[-1]))
        return [piece for key in here for piece in (*key.pieces, gap)], right

    def _keys(self) -> tuple[list[_Key], list[_Key]]:
        """Active bindings that want to be seen, each action once.

        Returns:
            Those of the screen; those of the whole app, or the way out of a dialog.
        """
        here: dict[str, _Key] = {}
        everywhere: dict[str, _Key] = {}
        for node, binding, enabled, _ in self.screen.active_bindings.values():
            if not binding.show:
                continue
            keys = everywhere if node is self.app or binding.id == "dialog.close" else here
            action = f"app.simulate_key({binding.key!r})"
            look = ("accent", "dim") if enabled else ("faint", "faint")
            shown = (self.app.get_key_display(binding), look[0], action)
            keys.setdefault(
                binding.action, _Key(binding.action, (shown, (f" {binding.description}", look[1], action)), enabled)
            )
        return list(here.values()), list(everywhere.values())


def _width(keys: Sequence[_Key], gap: Piece) -> int:
    """Cells of keys with a gap behind each."""
    return sum(cells((*key.pieces, gap)) for key in keys)

"""The last line of every screen: what works here."""

from __future__ import annotations

from collections.abc import Sequence

from textual.screen import Screen

from .one_line import OneLine, Piece, cells


class KeyBar(OneLine):
    """Keys and what they do, from the bindings that are active now; each can be clicked.

    Bindings of the focused widget come first; where the line is too short, the last ones before ``?`` are left out.
    """

    DEFAULT_CSS = """
    KeyBar {
        dock: bottom;
        background: $surface;
        padding: 0 1;
    }
    """

    def on_mount(self) -> None:
        """Follow the bindings."""
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)

    def _bindings_changed(self, screen: Screen[object]) -> None:
        if screen is self.screen:
            self.refresh()

    def pieces(self, width: int) -> tuple[Sequence[Piece], Sequence[Piece]]:
        """Keys of the screen at the left, as many as fit; those of the whole app at the right."""
        here, everywhere = self._keys()
        for gap in ("   ", "  "):
            left = [piece for key in here for piece in (*key, (gap, ""))]
            right = [piece for key in everywhere for piece in ((gap, ""), *key)]
            if cells(left) + cells(right) <= width:
                break
        while left and cells(left) + cells(right) > width:
            left = left[:-3]
        return left, right

    def _keys(self) -> tuple[list[list[Piece]], list[list[Piece]]]:
        """Active bindings that want to be seen, each action once.

        Returns:
            Those of the screen; those of the whole app, or the way out of a dialog.
        """
        here: dict[str, list[Piece]] = {}
        everywhere: dict[str, list[Piece]] = {}
        for node, binding, enabled, _ in self.screen.active_bindings.values():
            if not binding.show:
                continue
            keys = everywhere if node is self.app or binding.id == "dialog.close" else here
            action = f"app.simulate_key({binding.key!r})"
            style = ("accent", "dim") if enabled else ("faint", "faint")
            keys.setdefault(
                binding.action,
                [
                    (self.app.get_key_display(binding), style[0], action),
                    (f" {binding.description}", style[1], action),
                ],
            )
        return list(here.values()), list(everywhere.values())

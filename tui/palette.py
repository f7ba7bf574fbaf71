"""The command palette: Textual's own, made to bear keys that come quicker than it opens and closes."""

from __future__ import annotations

from contextlib import suppress

from textual.await_complete import AwaitComplete
from textual.command import CommandPalette
from textual.css.query import NoMatches


class Palette(CommandPalette):
    """What ``:`` opens."""

    def dismiss(self, result: None = None) -> AwaitComplete:
        """Close, unless it is closing already: see ``dialogs.modal``."""
        if not self.is_current:
            return AwaitComplete()
        self.workers.cancel_node(self)
        return super().dismiss(result)

    def _gather_commands(self, search_value: str) -> None:  # type: ignore[override]
        """Search, unless the palette is closing: a letter typed behind ``esc`` would search in what is gone."""
        if self.is_current:
            super()._gather_commands(search_value)

    def _action_command_list(self, action: str) -> None:
        """Pass a key on to the list, once the list is there and laid out; until then it does nothing.

        ``NoMatches``: it is not composed. ``KeyError``: its options have no lines yet (``OptionList._move_page``).
        """
        with suppress(NoMatches, KeyError):
            super()._action_command_list(action)

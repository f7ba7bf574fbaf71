"""The command palette: Textual's own, made to bear keys that come quicker than it opens and closes."""

from __future__ import annotations

from textual.await_complete import AwaitComplete
from textual.command import CommandList, CommandPalette
from textual.css.query import NoMatches


class Palette(CommandPalette):
    """What ``:`` opens."""

    def dismiss(self, result: None = None) -> AwaitComplete:
        """Close, unless it is closing already: see ``dialogs.modal``."""
        if not self.is_current:
            return AwaitComplete()
        return super().dismiss(result)

    def _action_command_list(self, action: str) -> None:
        """Pass a key on to the list; on an empty one Textual's own fails with ``KeyError``."""
        try:
            empty = self.query_one(CommandList).option_count == 0
        except NoMatches:  # not composed yet
            return
        if not empty:
            super()._action_command_list(action)

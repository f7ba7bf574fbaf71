"""An outline that can be searched, whatever is folded away in it."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.message import Message

from backends.outline import Node

from ..finding import Matches, find
from .outline_view import OutlineView


class SearchableOutline(OutlineView):
    """Marks matches, and goes from one to the next."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "match(True)", "next match", show=False, id="outline.next", tooltip="Next match"),
        Binding("N", "match(False)", "previous match", show=False, id="outline.previous", tooltip="Previous match"),
    ]

    @dataclass
    class Searched(Message):
        """There is something new to say about the search.

        Attributes:
            text: Such as ``3 of 27``; empty when there is no search.
        """

        text: str

    def __init__(self) -> None:
        super().__init__(id="outline")
        self._matches: Matches | None = None
        self._cancel = threading.Event()

    def look_for(self, pattern: re.Pattern[str] | None, go: bool = True) -> None:
        """Begin a search, or end it.

        Args:
            pattern: What to look for; ``None`` ends the search.
            go: Whether the cursor goes to the first match from where it is.
        """
        self.pattern = pattern
        self._matches = None
        self._cancel.set()
        if pattern is None:
            self.workers.cancel_group(self, "search")
            self.post_message(self.Searched(""))
        else:
            self._search(pattern, go)

    @work(exclusive=True, group="search", exit_on_error=False)
    async def _search(self, pattern: re.Pattern[str], go: bool) -> None:
        """Search on another thread: 20 MB of values take a second."""
        cancel = self._cancel = threading.Event()
        roots = self.outline.roots
        matches = await asyncio.to_thread(find, roots, pattern, cancel.is_set)
        if pattern is not self.pattern or roots is not self.outline.roots:
            return
        self._matches = matches
        if go:
            self._go(forward=True, here=True)
        self._say()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without a search these keys belong to the screen."""
        if action == "match":
            return self.pattern is not None
        return super().check_action(action, parameters)

    def action_match(self, forward: bool) -> None:
        """Go to the next match, or to the one before."""
        self._go(forward, here=False)
        self._say()

    def show(self, roots: Sequence[Node], kind: str = "") -> None:
        """Show other rows, and search them too."""
        super().show(roots, kind)
        if self.pattern is not None:
            self.look_for(self.pattern, go=False)

    def _go(self, forward: bool, here: bool) -> None:
        if self._matches is not None:
            trail = self._matches.after(self.outline.rows, self.cursor, forward, here)
            if trail is not None:
                self.reveal(trail)

    def _say(self) -> None:
        if self._matches is not None:
            self.post_message(self.Searched(self._matches.place(self.node.path if self.node else ())))

"""What the command palette offers: every action that works here, every theme, and every thread by its id."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.types import IgnoreReturnCallbackType

from backends.text import one_line

from .theme import THEMES

if TYPE_CHECKING:
    from .app import LgtopApp

_MOST_THREADS: Final = 20
"""Threads to offer."""

_SLICE: Final = 5000
"""Ids looked at between two turns of the event loop."""


class Command(NamedTuple):
    """Something to run from the palette.

    Attributes:
        name: What it does.
        key: The key that does the same; may be empty.
        run: Does it.
    """

    name: str
    key: str
    run: IgnoreReturnCallbackType

    def label(self, name: Content | None = None) -> Content:
        """The name, perhaps with highlights, and the key behind it."""
        return Content.assemble(name or self.name, (f"   {self.key}", "dim"))


class Commands(Provider):
    """Actions, themes and threads."""

    async def discover(self) -> Hits:
        """Everything but the threads, before anything is typed."""
        for command in self._commands():
            yield DiscoveryHit(command.label(), command.run, command.name)

    async def search(self, query: str) -> Hits:
        """Whatever matches."""
        matcher = self.matcher(query)
        for command in self._commands():
            if (score := matcher.match(command.name)) > 0:
                yield Hit(score, command.label(matcher.highlight(command.name)), command.run, command.name)
        wanted = query.removeprefix("go to thread").strip().lower()
        if wanted:
            async for hit in self._threads(wanted):
                yield hit

    def _commands(self) -> Iterator[Command]:
        """Actions of the screen below the palette, then the themes."""
        seen: set[str] = set()
        for active in self.screen.active_bindings.values():
            binding = active.binding
            known = binding.id is not None and not binding.id.startswith("lines.")
            if not known or not active.enabled or binding.action in {*seen, "command_palette"}:
                continue
            seen.add(binding.action)
            run = partial(self.app.run_action, binding.action, active.node)
            yield Command(binding.tooltip or binding.description, self.app.get_key_display(binding), run)
        for theme in THEMES:
            yield Command(f"Theme: {theme.name}", "", partial(setattr, self.app, "theme", theme.name))

    async def _threads(self, wanted: str) -> Hits:
        """Threads whose id contains the text."""
        app = cast("LgtopApp", self.app)
        found = 0
        for number, thread_id in enumerate(list(app.index.rows)):
            if number % _SLICE == 0:
                await asyncio.sleep(0)
            if wanted in thread_id.lower():
                label = f"Go to thread {one_line(thread_id, 100)}"
                yield Hit(0.5, Content(label), partial(app.open_thread, thread_id), label)
                found += 1
                if found == _MOST_THREADS:
                    return

"""Keys that arrive all at once are acted on one after another, each where the one before it led."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widget import Widget

from tui.dialogs.answer import Answer
from tui.screens.threads import ThreadsScreen
from tui.widgets.filter_bar import FilterBar

from .conftest import shop, wait_for, wait_for_text
from .control_project import WAITING
from .control_rig import Controlled, dialog


def burst(pilot: Pilot[None], keys: Sequence[str]) -> None:
    """Send keys as a slow line does: read together, before anything has been done about the first."""
    names = {"/": "slash", ":": "colon", " ": "space", "?": "question_mark"}
    for key in keys:
        event = events.Key(names.get(key, key), key if len(key) == 1 else None)
        event.set_sender(pilot.app)
        pilot.app.post_message(event)


async def test_a_filter_typed_at_once_is_a_filter_and_no_verb() -> None:
    async with shop() as (app, pilot):
        burst(pilot, ["/", *"status:failed", "enter"])
        await wait_for(pilot, lambda: isinstance(app.screen, ThreadsScreen) and app.screen.threads.line_count == 1)
        await wait_for(pilot, lambda: not app.screen.query_one(FilterBar).editing)


async def test_what_follows_an_arrow_goes_to_the_next_field(controlled: Controlled) -> None:
    async with controlled.open(WAITING) as (_, pilot):
        await pilot.press("a")
        screen = await dialog(pilot, Answer)
        await wait_for_text(pilot, "choose with")
        burst(pilot, ["y", "down", *"all right"])
        await wait_for(pilot, lambda: screen.entry.form.texts == ("yes", "all right"))


async def test_a_screen_opened_and_left_at_once() -> None:
    async with shop() as (app, pilot):
        cursor = app.screen.threads.cursor
        burst(pilot, ["?", "escape", "j", "j"])
        await wait_for(pilot, lambda: isinstance(app.screen, ThreadsScreen) and app.screen.threads.cursor == cursor + 2)


async def test_a_key_that_is_lost_with_its_widget_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async with shop() as (app, pilot):
        cursor = app.screen.threads.cursor
        lost = []
        forward = Widget._forward_event

        def lose(self: Widget, event: events.Event) -> None:
            if isinstance(event, events.Key) and not lost:
                lost.append(event)
                monkeypatch.setattr(Widget, "post_message", lambda self, message: True)
                app.call_later(monkeypatch.setattr, Widget, "post_message", post)
            else:
                forward(self, event)

        post = Widget.post_message
        monkeypatch.setattr(Widget, "_forward_event", lose)
        burst(pilot, ["j", "j"])
        await wait_for(pilot, lambda: app.screen.threads.cursor == cursor + 1)
        assert lost

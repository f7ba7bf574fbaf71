"""Keys that arrive all at once are acted on one after another, each where the one before it led."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widget import Widget

from backends.control.plan import Intent, Plan
from tui.dialogs.answer import Answer
from tui.dialogs.preview import Preview
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


PLAN = Plan(Intent("resume", "loan-0042", durability="sync"), None, "1f0c", "resume loan-0042", warnings=("old",))


@pytest.mark.parametrize(
    ("keys", "change", "agreed"),
    [
        ("s", {}, True),
        ("sd", {}, True),
        ("s", {"warnings": ()}, True),
        ("s", {"warnings": ("old", "new")}, False),
        ("s", {"refusal": "It is running."}, False),
    ],
)
async def test_yes_is_said_to_the_plan_that_is_still_made(keys: str, change: dict[str, Any], agreed: bool) -> None:
    made = asyncio.Event()

    async def make(intent: Intent) -> Plan:
        await made.wait()
        return replace(PLAN, intent=intent, **change)

    async with shop() as (app, pilot):
        answers: list[Plan | None] = []
        app.push_screen(Preview(PLAN, make), answers.append)
        screen = await dialog(pilot, Preview)
        burst(pilot, [*keys, "enter"])
        await wait_for(pilot, lambda: screen.is_busy("plan") and screen._accepted)
        made.set()
        await wait_for(pilot, lambda: bool(answers) is agreed and screen.plan.intent.step)
        assert screen.plan.intent.durability == ("async" if "d" in keys else "sync")
        assert answers == ([screen.plan] if agreed else [])
        if not agreed:
            assert any("agree again" in toast.message for toast in app._notifications)


async def test_tab_leads_through_the_fields_to_the_next_question(controlled: Controlled) -> None:
    async with controlled.open(WAITING) as (_, pilot):
        await pilot.press("a")
        screen = await dialog(pilot, Answer)
        await wait_for_text(pilot, "choose with")
        first = screen.entry
        burst(pilot, ["y", "tab", *"all right", "tab", "n", "tab", *"too dear", "ctrl+o"])
        await dialog(pilot, Preview)
        assert screen.entry is not first
        assert (first.form.texts, screen.entry.form.texts) == (("yes", "all right"), ("no", "too dear"))
        assert len(pilot.app.screen.plan.intent.answers) == 2  # type: ignore[attr-defined]


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

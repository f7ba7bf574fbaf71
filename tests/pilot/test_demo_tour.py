"""The tour on the screen: a key a beat, a caption with its proofs, and the list that must say the same."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from backends.model import StatusName
from tui.demo import app as demo_app
from tui.demo import screen as demo_screen
from tui.demo.app import DemoApp
from tui.demo.place import Place
from tui.demo.script import Beat, Promise, Told
from tui.terminal import Terminal
from tui.widgets.caption import Caption
from tui.widgets.thread_list import ThreadList

from .conftest import sqlite_address, text_of, wait_for, wait_for_text


class NoStage:
    left = False

    def leave(self):
        self.left = True


def beat(text, held=True, **told):
    return Beat(f"play {text}", lambda: Told(f"{text} was played.", (Promise(f"{text} is so", held),), **told))


@asynccontextmanager
async def toured(store, beats, pause=None, size=(80, 24)):
    app = DemoApp(Place(sqlite_address(store), store, True), NoStage(), beats, pause, terminal=Terminal())
    async with app.run_test(size=size, notifications=True) as pilot:
        yield app, pilot


@pytest.fixture(autouse=True)
def _filled(monkeypatch):
    monkeypatch.setattr(demo_app, "seed_stopped", lambda place, stage: None)
    monkeypatch.setattr(demo_screen, "_PATIENCE", 2.0)


def known(app):
    """A thread of the store whose status is known, and it."""
    return next((i, row.summary.status) for i, row in app.index.rows.items() if row.summary is not None)


async def test_one_key_plays_one_beat_and_then_marks_again(store):
    async with toured(store, [beat("one"), beat("two")]) as (app, pilot):
        await wait_for_text(pilot, "one was played.")
        assert "✓ one is so" in text_of(app)
        assert "space  play two" in text_of(app)
        await pilot.press("space")
        await wait_for_text(pilot, "✓ two is so")
        await pilot.press("space")
        await wait_for(pilot, lambda: "two was played" not in text_of(app))
        threads = app.screen.query_one(ThreadList)
        await wait_for(pilot, lambda: threads.selected is not None)
        assert not threads.marked
        await pilot.press("space")
        await wait_for(pilot, lambda: threads.marked)


async def test_a_space_in_the_filter_is_typed(store):
    async with toured(store, [beat("one"), beat("two")]) as (app, pilot):
        await wait_for_text(pilot, "space  play two")
        await pilot.press("slash")
        await wait_for_text(pilot, "clear")
        await pilot.press("a", "space", "b")
        await wait_for_text(pilot, "a b")
        assert "space  play two" in text_of(app)


async def test_the_cursor_goes_to_the_thread_when_the_list_says_the_same(store):
    beats = [beat("one")]
    async with toured(store, beats) as (app, pilot):
        await wait_for(pilot, lambda: app.index.complete and not app.index.counts.pending)
        thread, status = known(app)
        await wait_for_text(pilot, "✓ one is so")
        app.screen._beats += [beat("same", thread=thread, status=status)]
        await pilot.press("space")
        await wait_for_text(pilot, "✓ same is so")
        assert "does not say so" not in text_of(app)
        assert app.screen.query_one(ThreadList).selected == thread


async def test_a_list_that_says_something_else_breaks_a_promise(store):
    other = beat("other", thread="nobody", status=StatusName.CRASHED)
    async with toured(store, [other]) as (app, pilot):
        await wait_for_text(pilot, "✖ the list on this screen does not say so")
        assert app.screen.broken == 1


async def test_a_beat_that_fails_ends_the_tour_and_not_the_app(store):
    def fail():
        raise RuntimeError("sentiment was not reached")

    async with toured(store, [Beat("fail", fail), beat("never")]) as (app, pilot):
        await wait_for_text(pilot, "✖ sentiment was not reached")
        await pilot.press("space")
        await wait_for(pilot, lambda: not app.screen.query_one(Caption).display)
        assert app.is_running


@pytest.mark.parametrize(("held", "code"), [(True, 0), (False, 1)])
async def test_a_tour_that_drives_itself_ends_with_what_it_found(store, held, code):
    async with toured(store, [beat("one"), beat("two", held)], pause=0.05) as (app, pilot):
        async with asyncio.timeout(30):
            while app.is_running and app.return_code is None:
                await pilot.pause(0.01)
        assert app.return_code == code
    assert app._stage.left


async def test_a_store_that_cannot_be_filled_is_told(store, monkeypatch):
    def fail(place, stage):
        raise RuntimeError("The graphs could not be run.")

    monkeypatch.setattr(demo_app, "seed_stopped", fail)
    async with toured(store, [beat("one")]) as (_, pilot):
        await wait_for_text(pilot, "The graphs could not be run.")
        await wait_for_text(pilot, "one was played.")

"""Draw the picture of the README anew: ``python docs/picture.py``, with lgtop installed.

The real app on the store of the real demo, with its live runs; nothing of it is drawn by hand.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection
from pathlib import Path

from textual.app import App

from backends.model import StatusName
from tui.demo.app import DemoApp
from tui.demo.place import take_place
from tui.demo.seed import playing_live, seed_settled
from tui.demo.stage import Stage
from tui.terminal import Terminal
from tui.theme import DARK

DOCS = Path(__file__).resolve().parent
SIZE = (116, 26)
RUNNING = 6
"""Steps that a run has made before the picture is taken."""

_FONTS = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)
"""Web fonts: a picture fetches nothing."""


def picture(app: App[None], title: str) -> str:
    """What is on screen, as SVG."""
    drawn = _FONTS.sub("", app.export_screenshot(title=title))
    return drawn.replace("Fira Code", "ui-monospace, Menlo, Consolas, DejaVu Sans Mono")


async def draw(app: DemoApp, statuses: Collection[StatusName]) -> str:
    """The list of threads, when there are some in every status, and what runs has gone on for a while."""

    def settled() -> bool:
        run = app.index.rows.get("batch-night")
        shown = all(app.index.counts.by_status.get(status) for status in statuses)
        return shown and run is not None and (run.head.step or 0) > RUNNING

    async with app.run_test(size=SIZE) as pilot:
        while not (settled() and app.index.counts.exact):
            await pilot.pause(0.05)
        await pilot.press("g", "j", "j")
        await pilot.pause()
        return picture(app, "lgtop demo")


def main() -> None:
    """Run the demo, look at it, write ``lgtop.svg``."""
    with take_place() as place:
        stage = Stage(place)
        seed_settled(place)
        with playing_live(place):
            drawn = asyncio.run(draw(DemoApp(place, stage, theme=DARK.name, terminal=Terminal()), stage.statuses))
    (DOCS / "lgtop.svg").write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    main()

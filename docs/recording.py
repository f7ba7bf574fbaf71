"""Record the tour of ``lgtop demo`` anew: ``python docs/recording.py``, with lgtop installed.

The real app, toured by its key on a store of the real demo, with real kills; nothing of it is drawn by hand. Each beat
is a picture, and a style sheet shows them one after the other.
"""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

from picture import picture

from tui.demo.app import DemoApp
from tui.demo.place import take_place
from tui.demo.script import Beat, tour
from tui.demo.seed import playing_live, seed_settled
from tui.demo.stage import Stage
from tui.terminal import Terminal
from tui.theme import DARK
from tui.widgets.caption import Caption

DOCS = Path(__file__).resolve().parent
SIZE = (100, 26)
PACE = 1.0
"""Seconds that a node takes."""

SHOWN = 5.0
"""Seconds that a picture is shown."""

_CLIPS = re.compile(r'<clipPath id="[^"]*-line-\d+">.*?</clipPath>\s*| clip-path="url\(#[^"]*-line-\d+\)"', re.DOTALL)
"""Edges of single lines: they are as long as the screen is wide anyway."""


async def record(app: DemoApp, beats: list[Beat]) -> list[str]:
    """Tour the app; one picture a beat, taken when what the beat says is on the screen."""
    pictures = []
    cues = [f"space  {beat.cue}" for beat in beats[1:]] + ["space  end the tour"]
    async with app.run_test(size=SIZE) as pilot:
        for cue in cues:
            if pictures:
                await pilot.press("space")
            while cue not in app.screen.query_one(Caption).text:
                await pilot.pause(0.05)
            await pilot.pause(1.0)  # what has changed no longer glows
            if (said := app.screen.query_one(Caption).text).count("✖"):
                sys.exit(f"A promise did not hold:\n{said}")
            pictures.append(_CLIPS.sub("", picture(app, "lgtop demo --tour")))
    return pictures


def film(pictures: list[str]) -> str:
    """One SVG that shows all of them, each for a while."""
    (box,) = {re.search(r'viewBox="([^"]+)"', one)[1] for one in pictures}  # type: ignore[index]
    share = 100 / len(pictures)
    frames = "\n".join(
        one.replace("<svg ", f'<svg style="animation-delay:{SHOWN * number}s" ', 1).replace(
            'class="rich-terminal"', 'class="rich-terminal frame"', 1
        )
        for number, one in enumerate(pictures)
    )
    return f"""\
<svg viewBox="{box}" xmlns="http://www.w3.org/2000/svg">
<style>
.frame {{ visibility: hidden; animation: turn {SHOWN * len(pictures)}s step-end infinite; }}
@keyframes turn {{ 0% {{ visibility: visible }} {share:.3f}% {{ visibility: hidden }} }}
@media (prefers-reduced-motion) {{ .frame {{ animation: none }} .frame:nth-of-type(3) {{ visibility: visible }} }}
</style>
{frames}
</svg>
"""


def main() -> None:
    """Run the demo, tour it, write ``tour.svg``."""
    with take_place() as place:
        stage = Stage(place)
        seed_settled(place)
        beats = tour(stage, PACE)
        app = DemoApp(place, stage, beats, theme=DARK.name, terminal=Terminal())
        with playing_live(place):
            pictures = asyncio.run(record(app, beats))
    (DOCS / "tour.svg").write_text(film(pictures), encoding="utf-8")


if __name__ == "__main__":
    main()

"""Draw the picture of the README anew: ``python docs/picture.py``, with lgtop installed.

The real app on the store of the real demo; nothing of it is drawn by hand.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from backends.address import parse_address
from tui.app import LgtopApp
from tui.terminal import Terminal
from tui.theme import DARK

DOCS = Path(__file__).resolve().parent
SIZE = (116, 24)
_FONTS = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)
"""Web fonts: a picture fetches nothing."""


async def draw(store: str) -> str:
    """The thread list as SVG, when everything about every thread is known."""
    app = LgtopApp(parse_address(store, {}), theme=DARK.name, terminal=Terminal())
    async with app.run_test(size=SIZE) as pilot:
        while not (app.index.complete and app.index.rows and not app.index.counts.pending):
            await pilot.pause(0.05)
        await pilot.press("j", "j")
        await pilot.pause()
        picture = _FONTS.sub("", app.export_screenshot(title="lgtop demo"))
        return picture.replace("Fira Code", "ui-monospace, Menlo, Consolas, DejaVu Sans Mono")


def main() -> None:
    """Run the demo, look at it, write ``lgtop.svg``."""
    with tempfile.TemporaryDirectory() as directory:
        os.environ["XDG_STATE_HOME"] = directory
        store = str(Path(directory) / "demo.sqlite")
        words = [sys.executable, "-m", "lgtop", "demo", "--store", store, "--json"]
        subprocess.run(words, cwd=DOCS.parent, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
        (DOCS / "lgtop.svg").write_text(asyncio.run(draw(store)), encoding="utf-8")


if __name__ == "__main__":
    main()

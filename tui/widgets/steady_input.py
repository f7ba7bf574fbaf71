"""An input whose cursor stands still: a blinking one is drawn twice a second, over a slow connection too."""

from __future__ import annotations

from textual.reactive import reactive
from textual.widgets import Input


class SteadyInput(Input):
    """One line."""

    cursor_blink = reactive(False, init=False)

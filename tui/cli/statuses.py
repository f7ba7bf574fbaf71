"""How a status looks in a table: glyph, word, colour."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from backends.model import Analysis, StatusName
from tui.glyphs import STATUS

COLOURS: Final[Mapping[StatusName, str]] = {
    StatusName.RUNNING: "36",
    StatusName.WAITING: "33",
    StatusName.FAILED: "31",
    StatusName.CRASHED: "31",
    StatusName.CANCELLED: "31",
    StatusName.STALLED: "35",
    StatusName.PAUSED: "34",
    StatusName.DONE: "32",
    StatusName.UNKNOWN: "2",
}
"""SGR parameters: the sixteen colours that every terminal has, in the tones that its owner chose."""


def status_text(analysis: Analysis) -> str:
    """Glyph and word; a question mark behind the word says that it was concluded rather than read."""
    return f"{STATUS[analysis.status]} {analysis.status.value}{'?' if analysis.inferred else ''}"


def status_colour(cell: str) -> str:
    """SGR parameters for a text made by ``status_text``."""
    return COLOURS[StatusName(cell.split(" ")[-1].rstrip("?"))]


def run_colour(cell: str) -> str:
    """SGR parameters for a text made by ``run_states.sign``."""
    from backends.runs.run import RunState
    from tui.run_states import like

    return COLOURS[like(RunState(cell.split(" ")[-1]))]

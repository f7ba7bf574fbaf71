"""How the state of a run looks: as the status of a thread that it is most like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from backends.model import StatusName
from backends.runs.run import RunState

from .glyphs import STATUS

_LIKE: Final[Mapping[RunState, StatusName]] = {
    RunState.STARTING: StatusName.RUNNING,
    RunState.STOPPING: StatusName.RUNNING,
    RunState.DRAINED: StatusName.PAUSED,
    RunState.REFUSED: StatusName.UNKNOWN,
    RunState.BUSY: StatusName.UNKNOWN,
}
"""The status whose sign and colour a state borrows; every other state has one of its own name."""


def like(state: RunState) -> StatusName:
    """The status that a state looks like; its value is the name of a colour."""
    return _LIKE.get(state) or StatusName(state.value)


def sign(state: RunState) -> str:
    """Glyph and word: ``● running``."""
    return f"{STATUS[like(state)]} {state.value}"

"""What the verbs on many threads are called, and how the states of their threads look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from backends.bulk.outcome import Outcome, Progress, State
from backends.bulk.request import Action
from backends.model import StatusName
from backends.text import one_line

from .glyphs import NOT_YET, STATUS
from .words import size


class Meaning(NamedTuple):
    """A verb as a person reads it.

    Attributes:
        name: In a list.
        note: What it does, in a few words.
        doing: While it goes on.
        key: The key that means it wherever threads are.
    """

    name: str
    note: str
    doing: str
    key: str


MEANINGS: Final[Mapping[Action, Meaning]] = {
    Action.RESUME: Meaning("resume", "run what is not finished", "resuming", "r"),
    Action.ANSWER: Meaning("answer alike", "the same answer to every question", "answering", "a"),
    Action.STOP: Meaning("stop", "end their runs, gently or not", "stopping", "s"),
    Action.COPY: Meaning("copy", "each as a new thread; nothing runs", "copying", "f"),
    Action.DELETE: Meaning("delete", "all of each thread, for good", "deleting", "D"),
    Action.PRUNE: Meaning("prune", "old checkpoints that nothing needs", "pruning", "P"),
    Action.EXPORT: Meaning("export", "to one file that lgtop import reads", "exporting", "E"),
}
"""In the order in which they are offered."""

_LIKE: Final[Mapping[State, StatusName]] = {
    State.RUNNING: StatusName.RUNNING,
    State.DONE: StatusName.DONE,
    State.FAILED: StatusName.FAILED,
    State.REFUSED: StatusName.STALLED,
    State.SKIPPED: StatusName.UNKNOWN,
    State.STOPPED: StatusName.PAUSED,
}
"""The status whose colour a state borrows."""

_SIGNS: Final[Mapping[State, str]] = {State.PENDING: NOT_YET, State.REFUSED: "!"}
"""Signs of those that are no status."""


def look(state: State) -> str:
    """Name of the colour of a state."""
    return "dim" if state is State.PENDING else _LIKE[state].value


def sign(state: State) -> str:
    """Glyph of a state; the word always stands beside it."""
    return _SIGNS.get(state) or STATUS[_LIKE[state]]


def told(state: State) -> str:
    """Glyph and word: ``✖ failed``."""
    return f"{sign(state)} {state.value}"


def count_of(progress: Progress, state: State) -> int:
    """How many threads are in a state."""
    found: int = getattr(progress, state.value)
    return found


def threads(count: int) -> str:
    """``1 thread``, ``1,200 threads``."""
    return f"{count:,} thread{'' if count == 1 else 's'}"


def summary(progress: Progress) -> str:
    """What became of all of them: ``200 done, 12 failed``."""
    states = [state for state in State if count_of(progress, state)]
    return ", ".join(f"{count_of(progress, state):,} {state.value}" for state in states)


def why(one: Outcome) -> str:
    """Why a thread stands as it does; where there is nothing to explain, what came of it."""
    if one.made:
        return f"copied to {one_line(one.made, 200)}"
    if one.deletion is not None and one.state is State.DONE:
        kept = f", {one.deletion.kept:,} kept" if one.deletion.kept else ""
        return f"{one.deletion.checkpoints:,} checkpoints deleted{kept}, {size(one.deletion.bytes)} freed"
    return one_line(one.reason, 400)

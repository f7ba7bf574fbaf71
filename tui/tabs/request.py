"""What a tab is asked for, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass

from backends.model import CheckpointKey
from backends.outline import Node, Tone


@dataclass(frozen=True, slots=True)
class Request:
    """What to show.

    Attributes:
        key: The checkpoint.
        parent: Its parent, whether in the store or not; ``None`` for the first one.
        base: The checkpoint that a person wants to compare with; ``None`` compares with the parent.
        against: What to call it: ``step 3``.
        width: Cells of a row.
    """

    key: CheckpointKey
    parent: CheckpointKey | None = None
    base: CheckpointKey | None = None
    against: str = ""
    width: int = 80


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows of a tab.

    Attributes:
        nodes: At least one.
        size: Bytes that keeping them takes, roughly.
    """

    nodes: tuple[Node, ...]
    size: int = 0


def note(text: str, tone: Tone = Tone.QUIET) -> Node:
    """A row that only says something; untrusted parts are cleaned when it is drawn."""
    return Node(("note", text), "", None, "", text, tone, find="")

"""What a tab is asked for, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backends.model import CheckpointKey
from backends.outline import Node, Tone

if TYPE_CHECKING:
    from .graph import Mark


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
        nodes: At least one, but for the graph.
        size: Bytes that keeping them takes, roughly.
        marks: The graph's: what has become of its nodes; ``None`` for every other tab.
    """

    nodes: tuple[Node, ...]
    size: int = 0
    marks: Mapping[str, Mark] | None = None


def note(text: str, tone: Tone = Tone.QUIET) -> Node:
    """A row that only says something; untrusted parts are cleaned when it is drawn."""
    return Node(("note", text), "", None, "", text, tone, find="")

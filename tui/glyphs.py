"""The signs of a status, for the screens and for tables on a terminal. One cell each, none of them an emoji."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from backends.model import StatusName, Summary

STATUS: Mapping[StatusName, str] = MappingProxyType(
    {
        StatusName.RUNNING: "●",
        StatusName.WAITING: "?",
        StatusName.FAILED: "✖",
        StatusName.CANCELLED: "⊘",
        StatusName.PAUSED: "‖",
        StatusName.CRASHED: "†",
        StatusName.STALLED: "↯",
        StatusName.DONE: "✓",
        StatusName.UNKNOWN: "○",
    }
)
"""Glyph by status; the word always stands beside it."""

MEANINGS: Mapping[StatusName, str] = MappingProxyType(
    {
        StatusName.RUNNING: "Somebody holds its lock; WHY says who",
        StatusName.WAITING: "A question is open",
        StatusName.FAILED: "A task raised, and nothing handled it",
        StatusName.CRASHED: "The process of its last run died",
        StatusName.STALLED: "Work is due and nobody known is at it",
        StatusName.CANCELLED: "Its tasks were cancelled",
        StatusName.PAUSED: "Stopped, or at a breakpoint",
        StatusName.DONE: "Nothing is left to do",
        StatusName.UNKNOWN: "The rows cannot tell",
    }
)
"""What a status means, in a few words."""

NOT_YET = "·"
"""Stands where a fact is still being read."""

APPROXIMATELY = "≈"
"""Stands before a figure that is not final."""


def status_word(summary: Summary) -> str:
    """The word for a status, with a question mark where it was inferred: ``done?``."""
    return f"{summary.status.value}?" if summary.inferred else summary.status.value


LEGEND = (
    *((f"{STATUS[status]} {status.value}", meaning) for status, meaning in MEANINGS.items()),
    ("done?", "A question mark behind it: concluded, not read"),
    (f"{NOT_YET} {APPROXIMATELY}", "Not read yet; not final yet"),
    ("◆", "Marked"),
)
"""The signs of a list of threads, and what they mean."""

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

NOT_YET = "·"
"""Stands where a fact is still being read."""

APPROXIMATELY = "≈"
"""Stands before a figure that is not final."""


def status_word(summary: Summary) -> str:
    """The word for a status, with a question mark where it was inferred: ``done?``."""
    return f"{summary.status.value}?" if summary.inferred else summary.status.value

"""What an examination finds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How bad it is."""

    OK = "ok"
    NOTE = "note"
    """Worth knowing, and nothing to mend."""
    WARNING = "warning"
    """It works today."""
    FAULT = "fault"
    """Something does not work, or shows what is not true."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: What was looked at, in a word or two; several findings may have one name.
        state: How bad it is.
        told: What was found, in one sentence without a password; may quote untrusted text, cleaned.
        advice: What to do about it; empty where nothing is to be done.
    """

    name: str
    state: State
    told: str
    advice: str = ""


def passed(findings: Iterable[Finding]) -> bool:
    """Whether there is no fault."""
    return all(finding.state is not State.FAULT for finding in findings)


def size(count: float) -> str:
    """A number of bytes for a sentence: ``512 B``, ``2.8 kB``, ``690 MB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 999.5:
            return f"{count:.1f} {unit}" if unit != "B" and count < 9.95 else f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:,.1f} TB"

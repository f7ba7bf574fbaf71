"""What a feed tells about its store, in frozen values that may cross threads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from .model import Summary, ThreadHead
from .store import StoreInfo


@dataclass(frozen=True, slots=True)
class Opened:
    """The store is open; told again after every reopening."""

    info: StoreInfo


@dataclass(frozen=True, slots=True)
class HeadsLoaded:
    """Part of the list of threads has been read.

    Attributes:
        heads: New and different heads.
        complete: True with the last part: every thread of the store has been told of.
    """

    heads: tuple[ThreadHead, ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class Changed:
    """Threads were written to, or deleted.

    Attributes:
        heads: Their present heads; the same as before where only writes were added.
        removed: Threads that are gone.
    """

    heads: tuple[ThreadHead, ...]
    removed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Counted:
    """Numbers of checkpoints by thread id."""

    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Analysed:
    """Statuses by thread id."""

    summaries: Mapping[str, Summary]


@dataclass(frozen=True, slots=True)
class Lost:
    """The store cannot be read; what is shown may be old.

    Attributes:
        reason: What is wrong.
        advice: What to do about it; may be empty.
        retry_in: Seconds until the next attempt.
        error: What was raised.
    """

    reason: str
    advice: str
    retry_in: float
    error: Exception


@dataclass(frozen=True, slots=True)
class Recovered:
    """The store can be read again; everything is read anew."""


@dataclass(frozen=True, slots=True)
class Reloading:
    """Everything is read anew, because the changes alone do not tell what is there now."""

    reason: str


Event: TypeAlias = Opened | HeadsLoaded | Changed | Counted | Analysed | Lost | Recovered | Reloading

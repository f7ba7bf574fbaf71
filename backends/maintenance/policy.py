"""What a person wants kept of a thread's history."""

from __future__ import annotations

from dataclasses import dataclass

from ..model import CheckpointRow


@dataclass(frozen=True, slots=True)
class Policy:
    """How much history stays; a checkpoint may go only where every part of the policy lets it.

    Attributes:
        keep: Checkpoints that stay of each branch of each namespace, the newest first; at least its tip does.
        older_than: Only checkpoints older than so many seconds may go; one whose id carries no time stays.
        finished: Only threads with nothing left to do are touched.
    """

    keep: int = 1
    older_than: float | None = None
    finished: bool = False

    def spares(self, row: CheckpointRow, now: float) -> bool:
        """Whether a checkpoint is too young to go, or has no age."""
        if self.older_than is None:
            return False
        return row.created_at is None or row.created_at > now - self.older_than

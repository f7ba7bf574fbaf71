"""The sum of a job, or of its preview, as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .outcome import Outcome, State, outcome_record
from .request import DELETING, BulkRequest


def summary_record(
    request: BulkRequest, outcomes: Sequence[Outcome], elapsed: float, dry_run: bool = False
) -> dict[str, Any]:
    """Sum up.

    Args:
        request: What was asked.
        outcomes: What became of each thread, or with ``dry_run`` what would: then ``pending`` is what would be done.
        elapsed: Seconds.
        dry_run: Whether nothing was done.

    Returns:
        JSON values; counts of all states, also of those that do not occur.
    """
    states = dict.fromkeys((state.value for state in State), 0)
    for one in outcomes:
        states[one.state.value] += 1
    return {
        "action": request.action.value,
        "dry_run": dry_run,
        "total": len(outcomes),
        "states": states,
        "elapsed": round(elapsed, 3),
        "deleted": _deleted(outcomes) if request.action in DELETING else None,
        "outcomes": [outcome_record(one) for one in outcomes],
    }


def _deleted(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """What has gone of all threads together, or would go."""
    gone = [one.deletion for one in outcomes if one.deletion is not None]
    names = ("checkpoints", "writes", "blobs", "bytes")
    return {"threads": len(gone)} | {name: sum(getattr(one, name) for one in gone) for name in names}

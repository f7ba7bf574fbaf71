"""What deleting did, as JSON and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from backends.text import one_line

from . import output
from .output import Record
from .table import Column, draw

if TYPE_CHECKING:
    from backends.maintenance.size import Room

    from .deleting import Outcome

COLUMNS = (
    Column("THREAD", least=12, middle=True),
    Column("OUTCOME"),
    Column("CKPTS", right=True),
    Column("WRITES", right=True, drop=2),
    Column("KEPT", right=True),
    Column("BYTES", right=True),
    Column("WHY", least=12, drop=1),
)


def summary_record(
    verb: str, outcomes: Sequence[Outcome], yes: bool, before: Room, after: Room, vacuumed: bool
) -> Record:
    """Everything that was done, or would be."""
    touched = [one.deletion for one in outcomes if one.word in ("done", "would")]
    return {
        "verb": verb,
        "dry_run": not yes,
        "threads": [outcome_record(one) for one in outcomes],
        "total": {
            "threads": len(touched),
            "checkpoints": sum(one.checkpoints for one in touched),
            "writes": sum(one.writes for one in touched),
            "blobs": sum(one.blobs for one in touched),
            "bytes": sum(one.bytes for one in touched),
        },
        "store": {"bytes_before": before.bytes, "bytes": after.bytes, "free": after.free, "vacuumed": vacuumed},
    }


def outcome_record(one: Outcome) -> Record:
    """What became of a thread."""
    return {
        "thread_id": one.deletion.thread_id,
        "outcome": one.word,
        "reason": one.reason or None,
        "checkpoints": one.deletion.checkpoints,
        "writes": one.deletion.writes,
        "blobs": one.deletion.blobs,
        "bytes": one.deletion.bytes,
        "kept": one.deletion.kept,
    }


def print_outcomes(outcomes: Sequence[Outcome]) -> None:
    """Print a table of the threads that something becomes of."""
    from tui.words import size

    rows = [
        [
            one_line(one.deletion.thread_id),
            one.word,
            f"{one.deletion.checkpoints:,}",
            f"{one.deletion.writes:,}",
            f"{one.deletion.kept:,}",
            size(one.deletion.bytes),
            one_line(one.reason),
        ]
        for one in outcomes
        if one.word != "nothing"
    ]
    if rows:
        output.print_lines(draw(COLUMNS, rows, output.width(), output.coloured()))

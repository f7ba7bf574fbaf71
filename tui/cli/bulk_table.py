"""What became of many threads, as a table and in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from backends.text import one_line

from . import output
from .table import Column, draw

if TYPE_CHECKING:
    from backends.bulk.outcome import Outcome, Progress
    from backends.bulk.request import BulkRequest

_THREAD = (Column("THREAD", least=12, middle=True), Column("STATE"))
_WHY = Column("WHY", least=12, drop=1)
_RUNS = (*_THREAD, Column("RUN", drop=3), Column("TRIES", right=True, drop=2), Column("SECONDS", right=True), _WHY)
_COPIES = (*_THREAD, Column("COPY", least=12, middle=True), _WHY)
_DELETIONS = (
    *_THREAD,
    Column("CKPTS", right=True),
    Column("WRITES", right=True, drop=2),
    Column("KEPT", right=True),
    Column("BYTES", right=True),
    _WHY,
)


def print_outcomes(request: BulkRequest, outcomes: Iterable[Outcome]) -> None:
    """Print a table of the threads that something becomes of; those that are skipped are only counted."""
    from backends.bulk.request import DELETING, Action

    columns: Sequence[Column] = _RUNS
    cells: Callable[[Outcome], Sequence[str]] = _run
    if request.action in DELETING:
        columns, cells = _DELETIONS, _deletion
    elif request.action is Action.COPY:
        columns, cells = _COPIES, _copy
    rows = [
        [one_line(one.thread_id), _WORDS.get(one.state.value, one.state.value), *cells(one), one_line(one.reason)]
        for one in outcomes
        if one.state.value != "skipped"
    ]
    if rows:
        output.print_lines(draw(columns, rows, output.width(), output.coloured()))


_WORDS = {"pending": "would"}
"""A thread that is pending at the end is one of a preview."""


def _run(one: Outcome) -> Sequence[str]:
    return one.run_id, f"{one.tries}", f"{one.seconds:.1f}"


def _copy(one: Outcome) -> Sequence[str]:
    return (one_line(one.made),)


def _deletion(one: Outcome) -> Sequence[str]:
    from tui.words import size

    gone = one.deletion
    if gone is None:
        return "", "", "", ""
    return f"{gone.checkpoints:,}", f"{gone.writes:,}", f"{gone.kept:,}", size(gone.bytes)


def told(progress: Progress) -> str:
    """``37 of 212 · 2 running · 30 done · 5 failed · 1m 3s``."""
    counts = [
        f"{count:,} {name}"
        for name in ("running", "done", "failed", "refused", "skipped", "stopped")
        if (count := getattr(progress, name))
    ]
    over = progress.total - progress.pending - progress.running
    return " · ".join([f"{over:,} of {progress.total:,}", *counts, _took(progress.elapsed)])


def _took(seconds: float) -> str:
    whole = int(seconds)
    if whole < 60:
        return f"{seconds:.1f} s"
    if whole < 3600:
        return f"{whole // 60} m {whole % 60} s"
    return f"{whole // 3600} h {whole // 60 % 60} m"


def told_deletion(outcomes: Iterable[Outcome]) -> str:
    """``1,204 checkpoints of 12 threads: 3.4 MB``."""
    from tui.words import size

    gone = [one.deletion for one in outcomes if one.deletion is not None and one.state.value in ("done", "pending")]
    checkpoints = sum(one.checkpoints for one in gone)
    what = f"{_several(checkpoints, 'checkpoint')} of {_several(len(gone), 'thread')}"
    return f"{what}: {size(sum(one.bytes for one in gone))}"


def _several(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"

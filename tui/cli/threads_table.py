"""The table of threads that ``ls`` prints for a person."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from backends.text import one_line
from tui.words import age

from .selection import Listed
from .statuses import status_colour, status_text
from .table import Column, draw

COLUMNS = (
    Column("STATUS", paint=status_colour),
    Column("THREAD", least=16, middle=True),
    Column("NEXT", least=8, drop=1),
    Column("STEP", right=True, drop=3),
    Column("ACTIVE", right=True, drop=2),
    Column("CKPTS", right=True, drop=4),
    Column("WHY", least=12),
)

_WHY = 400
"""Characters of a reason that are told at most."""


def draw_threads(threads: Iterable[Listed], width: int | None, coloured: bool) -> Iterator[str]:
    """Lay threads out; see ``table.draw``."""
    now = time.time()
    return draw(COLUMNS, [_cells(listed, now) for listed in threads], width, coloured)


def _cells(listed: Listed, now: float) -> list[str]:
    head, analysis = listed.head, listed.analysis
    return [
        status_text(analysis),
        one_line(head.thread_id),
        one_line(", ".join(analysis.next)) or "-",
        "-" if head.step is None else str(head.step),
        age(None if head.updated_at is None else now - head.updated_at),
        str(listed.checkpoints),
        one_line(analysis.reason, _WHY),
    ]

"""Going from match to match in an outline, whether they are folded away or not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from backends.outline import Node, Path, Row, search

MOST: Final = 1000
"""Matches that are kept; more are said to be more."""


@dataclass(frozen=True, slots=True)
class Matches:
    """What a search found.

    Attributes:
        trails: Paths from root to match, in the order of the rows.
        more: Whether there are others.
    """

    trails: tuple[tuple[Path, ...], ...] = ()
    more: bool = False

    def after(
        self, rows: Sequence[Row], cursor: int, forward: bool = True, here: bool = False
    ) -> tuple[Path, ...] | None:
        """Choose the match to go to, going round at the end.

        Args:
            rows: The visible rows.
            cursor: The row to start from.
            forward: Towards the end.
            here: Whether a match in the cursor's row itself will do.
        """
        if not self.trails:
            return None
        at = {row.node.path: index for index, row in enumerate(rows)}
        own = rows[cursor].node.path if rows else ()
        spots = [(max((at[path] for path in trail if path in at), default=-1), trail) for trail in self.trails]
        if forward:
            later = (trail for spot, trail in spots if spot > cursor or (spot == cursor and (here or trail[-1] != own)))
            return next(later, self.trails[0])
        earlier = (trail for spot, trail in reversed(spots) if spot < cursor)
        return next(earlier, self.trails[-1])

    def place(self, path: Path) -> str:
        """Say where a match stands among the others: ``3 of 27``."""
        total = f"{len(self.trails):,}{'+' if self.more else ''}"
        for number, trail in enumerate(self.trails, 1):
            if trail[-1] == path:
                return f"{number:,} of {total}"
        return f"{total} match{'' if len(self.trails) == 1 else 'es'}" if self.trails else "no match"


def find(roots: Iterable[Node], pattern: re.Pattern[str], cancelled: Callable[[], bool]) -> Matches:
    """Search an outline; takes about a second for 20 MB of values, so never on the event loop.

    Args:
        roots: Its roots.
        pattern: What to look for.
        cancelled: Asked once in a while.
    """
    trails = tuple(islice(search(roots, pattern, cancelled), MOST + 1))
    return Matches(trails[:MOST], len(trails) > MOST)

"""The lines between two layers: which of them are one tree, on which level each runs, and where they meet a label."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from .layers import Link, Spot

_BESIDE: Final = (1, -1, 2, -2)
"""Where else than in its middle a line may meet a label, in cells to the right."""


@dataclass(slots=True, eq=False)
class Net:
    """Links that are drawn as one tree: everything at its top is linked with everything at its bottom.

    Attributes:
        tops: Columns at the top.
        bottoms: Columns at the bottom, each with its arrow: ``↓``, ``↑``, ``↕``, or a line that goes on.
        conditional: Whether a router decides about it.
        forks: Whether lines from its top lead to more than one spot, in this tree or another.
        track: Its level, 0 at the top; ``None`` for a straight line, which needs none.
    """

    tops: tuple[int, ...]
    bottoms: dict[int, str]
    conditional: bool
    forks: bool = False
    track: int | None = None

    @property
    def reach(self) -> tuple[int, int]:
        """Its first and last column."""
        columns = (*self.tops, *self.bottoms)
        return min(columns), max(columns)

    @property
    def straight(self) -> bool:
        """Whether it is one upright line."""
        first, last = self.reach
        return first == last


def route(links: Sequence[Link], columns: Mapping[Spot, int], widths: Mapping[Spot, int]) -> tuple[list[Net], int]:
    """Find trees and levels for the lines of a gap, so that whoever follows a line downwards gets where it leads.

    Args:
        links: The links of the gap.
        columns: Column of the middle of every spot.
        widths: Cells of every spot.

    Returns:
        The trees, and the number of levels.
    """
    nets = _nets(links, columns)
    labels = _Labels(links, columns, widths, nets)
    _part(nets, labels)
    waiting = [net for net in nets if not net.straight]
    count = 0
    while waiting:
        net = _next(waiting, labels)
        for other in waiting:
            if _above(other, net):
                labels.avoid(other, net)
        placed = [other for other in nets if other.track is not None]
        least = max((_level(other) + 1 for other in placed if _above(other, net)), default=0)
        while not _free(net, least, placed):
            least += 1
        net.track = least
        count = max(count, least + 1)
        waiting.remove(net)
    return nets, count


class _Labels:
    """The labels at both sides of a gap: where else than in its middle a line may meet one."""

    def __init__(
        self, links: Iterable[Link], columns: Mapping[Spot, int], widths: Mapping[Spot, int], nets: Iterable[Net]
    ) -> None:
        self._tops: dict[int, range] = {}
        self._bottoms: dict[int, range] = {}
        for link in links:
            for spot, side in ((link.top, self._tops), (link.bottom, self._bottoms)):
                left = columns[spot] - widths[spot] // 2
                side[columns[spot]] = range(left, left + widths[spot])
        self._taken = {column for net in nets for column in (*net.tops, *net.bottoms)}

    def above(self, column: int) -> int | None:
        """A free column beside one at the top."""
        return self._beside(column, self._tops)

    def below(self, column: int) -> int | None:
        """A free column beside one at the bottom."""
        return self._beside(column, self._bottoms)

    def _beside(self, column: int, side: Mapping[int, range]) -> int | None:
        cells = (column + step for step in _BESIDE if column + step in side.get(column, ()))
        return next((cell for cell in cells if cell not in self._taken), None)

    def part(self, net: Net, column: int) -> None:
        """Let a tree meet a label at the bottom beside the column, if there is room."""
        if (beside := self.below(column)) is not None:
            net.bottoms[beside] = net.bottoms.pop(column)
            self._taken.add(beside)

    def avoid(self, net: Net, other: Net) -> None:
        """Let a tree that should be above another one be below it, as far as there is room."""
        for column in set(net.tops) & other.bottoms.keys():
            if (beside := self.above(column)) is not None:
                net.tops = tuple(beside if top == column else top for top in net.tops)
                self._taken.add(beside)
        for column in _forked(net, other):
            self.part(net, column)

    def can_avoid(self, net: Net, other: Net) -> bool:
        """Whether there is room for that."""
        tops = set(net.tops) & other.bottoms.keys()
        places = (*map(self.above, tops), *map(self.below, _forked(net, other)))
        return None not in places


def _nets(links: Iterable[Link], columns: Mapping[Spot, int]) -> list[Net]:
    """Put together what leads from one spot in one look; and spots whose lines all lead to the same ones."""
    trees: dict[int, dict[tuple[bool, bool], dict[int, str]]] = {}
    for link in links:
        look = link.conditional, link.up and not link.down
        trees.setdefault(columns[link.top], {}).setdefault(look, {})[columns[link.bottom]] = _arrow(link)
    nets: dict[object, Net] = {}
    for top, looks in trees.items():
        forks = sum(map(len, looks.values())) > 1
        for look, bottoms in looks.items():
            key = (look, *sorted(bottoms.items())) if len(looks) == 1 else (top, look)
            net = nets.setdefault(key, Net((), bottoms, look[0], forks))
            net.tops = (*net.tops, top)
    return list(nets.values())


def _arrow(link: Link) -> str:
    """What stands right above the lower end; a line back that goes on has its arrow in the layers that it passes."""
    up = link.up and not link.top[1]
    if link.bottom[1] or not (up or link.down):
        return "╎" if link.conditional else "│"
    return "↕" if up and link.down else "↑" if up else "↓"


def _part(nets: Sequence[Net], labels: _Labels) -> None:
    """Let a tree that forks meet a label beside a line that comes from above.

    Whoever comes down that line would otherwise take the tree's other branches for a way to go on.
    """
    owners = {column: net for net in nets for column in net.tops if column in net.bottoms}
    for net in nets:
        for column in list(net.bottoms) if net.forks and not net.straight else ():
            if owners.setdefault(column, net) is not net:
                labels.part(net, column)


def _above(net: Net, other: Net) -> bool:
    """Whether a tree must be above another one.

    It must turn off a column before the other one comes into it: else they would look like one. And what comes from
    another tree's line must not pass the place where this one forks.
    """
    return net is not other and not (other.bottoms.keys().isdisjoint(net.tops) and not _forked(net, other))


def _forked(net: Net, other: Net) -> set[int]:
    """Columns at which a tree that forks meets a line that does not."""
    return net.bottoms.keys() & other.bottoms.keys() if net.forks and not other.forks else set()


def _next(waiting: Sequence[Net], labels: _Labels) -> Net:
    """The tree that nothing must be above; where they wait for each other in a circle, one that others can avoid."""
    blocked = {net: [other for other in waiting if _above(other, net)] for net in waiting}
    free = (net for net, others in blocked.items() if not others)
    avoidable = (net for net, others in blocked.items() if all(labels.can_avoid(other, net) for other in others))
    return next(free, None) or next(avoidable, waiting[0])


def _level(net: Net) -> int:
    return -1 if net.track is None else net.track


def _free(net: Net, track: int, placed: Iterable[Net]) -> bool:
    """Whether nothing on a level is in the way."""
    first, last = net.reach
    return all(other.track != track or other.reach[1] + 1 < first or last + 1 < other.reach[0] for other in placed)

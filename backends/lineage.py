"""A thread's history as lines: its checkpoints as a drawn tree, subgraph calls as folders in it."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from .lanes import draw
from .model import CheckpointKey, CheckpointRow


class FolderKey(NamedTuple):
    """A subgraph call: its namespace, and the checkpoint of the enclosing namespace whose superstep made it."""

    ns: str
    host: CheckpointKey | None


ROOT = FolderKey("", None)
"""The graph itself; never listed as a folder."""


@dataclass(frozen=True, slots=True)
class CheckpointLine:
    """A checkpoint as a line of the history.

    Attributes:
        row: The checkpoint.
        graph: Its place in the tree, in box-drawing characters, two cells a column.
        nodes: Nodes whose writes made it, where known; untrusted text.
        elapsed: Seconds since its parent; ``None`` where either has no time, or the clocks disagree.
        head: Whether the thread goes on from here.
    """

    row: CheckpointRow
    graph: str
    nodes: tuple[str, ...]
    elapsed: float | None
    head: bool

    @property
    def key(self) -> CheckpointKey:
        """The checkpoint's key."""
        return self.row.key


@dataclass(frozen=True, slots=True)
class FolderLine:
    """A subgraph call as a line of the history, below the checkpoint that its step started from.

    Attributes:
        key: Which call.
        graph: The columns that pass by, in box-drawing characters.
        label: The node that called the subgraph; untrusted text.
        count: Checkpoints of this call, without those of calls nested in it.
        stray: The checkpoint that it belongs to is not in the history; it stands where its time puts it.
        opened: Whether its checkpoints follow.
    """

    key: FolderKey
    graph: str
    label: str
    count: int
    stray: bool
    opened: bool = False


Line: TypeAlias = CheckpointLine | FolderLine
_Item: TypeAlias = CheckpointLine | FolderKey


@dataclass(frozen=True, slots=True)
class Lineage:
    """A history ready to be listed.

    Attributes:
        head: The checkpoint that the thread goes on from; ``None`` for an empty history.
        count: Checkpoints over all namespaces.
        folders: Every subgraph call, closed.
    """

    head: CheckpointKey | None
    count: int
    folders: Mapping[FolderKey, FolderLine]
    _inside: Mapping[FolderKey, Sequence[_Item]]
    _by_key: Mapping[CheckpointKey, CheckpointLine]
    _home: Mapping[CheckpointKey, FolderKey]
    _outer: Mapping[FolderKey, FolderKey]

    def lines(self, opened: Collection[FolderKey] = ()) -> list[Line]:
        """List the history, newest first.

        Args:
            opened: Folders whose checkpoints are listed too.

        Returns:
            Every checkpoint of the root once, every folder in reach, and the checkpoints of opened folders.
        """
        lines: list[Line] = []
        pending = [iter(self._inside[ROOT])]
        while pending:
            item = next(pending[-1], None)
            if item is None:
                pending.pop()
            elif isinstance(item, CheckpointLine):
                lines.append(item)
            elif item in opened:
                lines.append(replace(self.folders[item], opened=True))
                pending.append(iter(self._inside[item]))
            else:
                lines.append(self.folders[item])
        return lines

    def line(self, key: CheckpointKey) -> CheckpointLine | None:
        """Return the line of a checkpoint, whether its folder is open or not."""
        return self._by_key.get(key)

    def newest_in(self, folder: FolderKey) -> CheckpointKey | None:
        """Return the newest checkpoint of a subgraph call."""
        return next((item.key for item in self._inside.get(folder, ()) if isinstance(item, CheckpointLine)), None)

    def folders_above(self, item: CheckpointKey | FolderKey) -> list[FolderKey]:
        """Name the folders to open so that a line is listed, innermost first; none for what is at the top level."""
        path: list[FolderKey] = []
        folder = self._outer.get(item, ROOT) if isinstance(item, FolderKey) else self._home.get(item, ROOT)
        while folder != ROOT:
            path.append(folder)
            folder = self._outer[folder]
        return path


def build(rows: Sequence[CheckpointRow], nodes: Mapping[CheckpointKey, tuple[str, ...]] | None = None) -> Lineage:
    """Draw a history.

    Args:
        rows: Checkpoints of one thread over all namespaces, in any order; parents may be pruned or not yet read.
        nodes: Nodes that wrote each checkpoint, as far as known.

    Returns:
        Each checkpoint exactly once: at the top level, or in one folder. A subgraph call whose host is missing stands
        at the top level, where its time puts it.
    """
    by_key = {row.key: row for row in rows}
    home = {key: _folder_of(row) for key, row in by_key.items()}
    groups: dict[FolderKey, list[CheckpointRow]] = {ROOT: []}
    for key, folder in home.items():
        groups.setdefault(folder, []).append(by_key[key])
    hanging, strays = _hang(groups, home)
    alone = {folder for _, folder in strays}
    head = _head(by_key)
    lines: dict[CheckpointKey, CheckpointLine] = {}
    folders: dict[FolderKey, FolderLine] = {}
    inside: dict[FolderKey, list[_Item]] = {}
    outer: dict[FolderKey, FolderKey] = {}
    pending = [(ROOT, "")]
    while pending:
        folder, indent = pending.pop()
        items = inside[folder] = []
        for item, graph in _listed(groups[folder], hanging, strays if folder == ROOT else ()):
            if isinstance(item, CheckpointRow):
                parent = by_key.get(item.key._replace(checkpoint_id=item.parent_id or ""))
                names = nodes.get(item.key, ()) if nodes else ()
                line = CheckpointLine(item, indent + graph, names, _elapsed(item, parent), item.key == head)
                items.append(line)
                lines[item.key] = line
            else:
                items.append(item)
                folders[item] = FolderLine(item, indent + graph, _label(item), len(groups[item]), item in alone)
                outer[item] = folder
                pending.append((item, indent + graph + "  "))
    return Lineage(head, len(by_key), folders, inside, lines, home, outer)


def _folder_of(row: CheckpointRow) -> FolderKey:
    """Tell the subgraph call that made a checkpoint, from ``metadata.parents``: ancestor namespace -> checkpoint id."""
    if not row.key.ns:
        return ROOT
    parents = row.metadata.get("parents")
    if isinstance(parents, dict):
        outer = max((ns for ns in parents if ns != row.key.ns), key=len, default=None)
        if outer is not None and isinstance(parents[outer], str):
            return FolderKey(row.key.ns, CheckpointKey(row.key.thread_id, outer, parents[outer]))
    return FolderKey(row.key.ns, None)


def _label(folder: FolderKey) -> str:
    """Name a subgraph call after its node.

    Namespaces are ``node:task_id``, levels joined by ``|``; a second call inside one task has a number behind another
    ``|`` (``langgraph/pregel/_loop.py:377-388``).
    """
    ns, outer = folder.ns, folder.host.ns if folder.host else ""
    own = ns[len(outer) + 1 :] if outer and ns.startswith(f"{outer}|") else ns
    parts = [part.partition(":")[0] for part in own.split("|")]
    return "/".join(f"#{int(part) + 1}" if part.isdecimal() and index else part for index, part in enumerate(parts))


def _head(rows: Mapping[CheckpointKey, CheckpointRow]) -> CheckpointKey | None:
    """Find the newest checkpoint of the root, or of the newest namespace where there is no root."""
    return max(rows, key=lambda key: (not key.ns, key.checkpoint_id), default=None)


def _elapsed(row: CheckpointRow, parent: CheckpointRow | None) -> float | None:
    """Seconds between two checkpoints."""
    begin = parent.created_at if parent is not None else None
    end = row.created_at
    return end - begin if begin is not None and end is not None and begin <= end else None


def _hang(
    groups: Mapping[FolderKey, Sequence[CheckpointRow]], home: Mapping[CheckpointKey, FolderKey]
) -> tuple[dict[CheckpointKey, list[FolderKey]], list[tuple[str, FolderKey]]]:
    """Tell which folders hang at which checkpoint, and which at none, with their newest checkpoint id; newest first."""
    newest = {folder: max(row.key.checkpoint_id for row in rows) for folder, rows in groups.items() if folder != ROOT}
    ordered = sorted(newest, key=lambda folder: newest[folder], reverse=True)
    hanging: dict[CheckpointKey, list[FolderKey]] = defaultdict(list)
    within: dict[FolderKey, list[FolderKey]] = defaultdict(list)
    for folder in ordered:
        if folder.host is not None and folder.host in home:
            hanging[folder.host].append(folder)
            within[home[folder.host]].append(folder)
    strays: list[tuple[str, FolderKey]] = []
    reached: set[FolderKey] = set()
    lost = [folder for folder in ordered if folder.host not in home]
    ring = ordered  # what is still not reached then: hosts that lead to each other, only in a damaged store
    for start in [ROOT, *lost, *ring]:
        if start in reached:
            continue
        if start != ROOT:
            strays.append((newest[start], start))
            if start.host in hanging:
                hanging[start.host].remove(start)
        pending = [start]
        while pending:
            folder = pending.pop()
            if folder not in reached:
                reached.add(folder)
                pending.extend(within[folder])
    return hanging, sorted(strays, key=itemgetter(0), reverse=True)


def _listed(
    rows: Sequence[CheckpointRow],
    hanging: Mapping[CheckpointKey, Sequence[FolderKey]],
    strays: Sequence[tuple[str, FolderKey]],
) -> Iterator[tuple[CheckpointRow | FolderKey, str]]:
    """List checkpoints and the folders between them, each with its columns; strays go where their time puts them."""
    below = ""
    waiting = deque(strays)
    for row, graph, under in draw(rows):
        while waiting and waiting[0][0] > row.key.checkpoint_id:
            yield waiting.popleft()[1], below
        yield row, graph
        below = under
        for folder in hanging.get(row.key, ()):
            yield folder, below
    for _, folder in waiting:
        yield folder, below

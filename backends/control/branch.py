"""Which checkpoints belong to the thread as it stood at one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..errors import NotFound
from ..model import CheckpointKey, CheckpointRow


@dataclass(frozen=True, slots=True)
class Extent:
    """What a copy up to a checkpoint takes.

    Attributes:
        keys: Checkpoints with their write rows.
        bare: Checkpoints without them: their step is not over in the copy, and runs from its beginning.
    """

    keys: tuple[CheckpointKey, ...]
    bare: tuple[CheckpointKey, ...]

    @property
    def count(self) -> int:
        """Number of checkpoints."""
        return len(self.keys) + len(self.bare)


def extent(rows: Sequence[CheckpointRow], upto: CheckpointKey) -> Extent:
    """Find the checkpoints that made a thread what it was at one checkpoint.

    These are its ancestors, and of the namespaces around it those that it stood in (``metadata.parents`` names their
    checkpoints), with the subgraph calls of all steps before. What the step that begins at the checkpoint has left so
    far (write rows, subgraph calls) is taken only where nothing follows it: LangGraph would hand it back to the tasks
    instead of running them, and its own fork runs all of them.

    Args:
        rows: The thread's checkpoints in all namespaces.
        upto: One of them.

    Raises:
        NotFound: It is not among them.
    """
    by_key = {row.key: row for row in rows}
    if upto not in by_key:
        raise NotFound(f"No checkpoint {upto.checkpoint_id} in thread {upto.thread_id!r}.")
    tips = _tips(by_key[upto])
    lines = {tip.ns: _line(tip, by_key) for tip in tips}
    followed = {CheckpointKey(row.key.thread_id, row.key.ns, row.parent_id or "") for row in rows}
    open_end = followed.isdisjoint(tips)
    inside = (row.key for row in rows if row.key.ns not in lines and _belongs(row, tips, lines, open_end))
    whole = {key for line in lines.values() for key in line} | _with_ancestors(inside, by_key)
    bare = () if open_end else tuple(tip for tip in tips if tip in by_key)
    return Extent(tuple(sorted(whole.difference(bare), key=_by_age)), bare)


def _tips(row: CheckpointRow) -> tuple[CheckpointKey, ...]:
    """The newest checkpoint of each namespace around a checkpoint, outermost first, itself last."""
    around = {ns: id_ for ns, id_ in _parents(row).items() if ns != row.key.ns}
    outer = sorted(around.items(), key=lambda item: len(item[0]))
    return (*(CheckpointKey(row.key.thread_id, ns, id_) for ns, id_ in outer), row.key)


def _parents(row: CheckpointRow) -> Mapping[str, str]:
    """Checkpoints of the enclosing namespaces when a checkpoint was made (``langgraph/pregel/_loop.py``)."""
    found = row.metadata.get("parents")
    if not isinstance(found, dict):
        return {}
    return {ns: id_ for ns, id_ in found.items() if isinstance(ns, str) and isinstance(id_, str)}


def _line(tip: CheckpointKey, by_key: Mapping[CheckpointKey, CheckpointRow]) -> dict[CheckpointKey, None]:
    """A checkpoint and its ancestors, newest first, as far as they are there."""
    found: dict[CheckpointKey, None] = {}
    row = by_key.get(tip)
    while row is not None and row.key not in found:
        found[row.key] = None
        row = by_key.get(row.key._replace(checkpoint_id=row.parent_id or ""))
    return found


def _belongs(
    row: CheckpointRow,
    tips: Sequence[CheckpointKey],
    lines: Mapping[str, Mapping[CheckpointKey, None]],
    open_end: bool,
) -> bool:
    """Whether a checkpoint of a subgraph call was made by a step that the copy takes."""
    parents = _parents(row)
    if "" not in parents:  # langgraph < 0.2.3 did not say: its age does
        return row.key.checkpoint_id <= tips[-1].checkpoint_id
    for tip in tips:
        if (id_ := parents.get(tip.ns)) is None:
            break
        if id_ != tip.checkpoint_id:
            return tip._replace(checkpoint_id=id_) in lines[tip.ns]
    return open_end


def _with_ancestors(keys: Iterable[CheckpointKey], by_key: Mapping[CheckpointKey, CheckpointRow]) -> set[CheckpointKey]:
    """Checkpoints and their ancestors: a subgraph that remembers its calls may stand on one of another branch."""
    found: set[CheckpointKey] = set()
    for key in keys:
        if key not in found:
            found.update(_line(key, by_key))
    return found


def _by_age(key: CheckpointKey) -> tuple[str, str]:
    return key.checkpoint_id, key.ns

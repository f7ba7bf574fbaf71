"""Which checkpoints of a thread have to stay so that all that stays means what it did.

LangGraph reads more than the checkpoint that it goes on from: the ancestors that hold a DeltaChannel's value, the Sends
that old layouts kept at the parent, the namespaces of the subgraph calls of its step, and, when it forks, what a
subgraph that remembers its calls had come to by then (``langgraph/_internal/_replay.py``).
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from ..model import CheckpointKey, CheckpointRow
from .policy import Policy

Support = Callable[[CheckpointRow], bool]
"""Whether a checkpoint cannot be read without its parent."""

NOBODY = CheckpointKey("", "", "")
"""Stands for the caller of what no subgraph call made."""


def needed(rows: Sequence[CheckpointRow], policy: Policy, now: float, leans: Support) -> frozenset[CheckpointKey]:
    """Find what stays of a thread.

    Args:
        rows: Its checkpoints in all namespaces.
        policy: What is wanted.
        now: Unix time.
        leans: Whether a checkpoint needs its parent; asked about those that stay only.

    Returns:
        Keys that stay: the wanted ones, and whatever those need. The tips of all branches and the places where they
        part are among them.
    """
    thread = _Thread(rows)
    kept: set[CheckpointKey] = set()
    waiting = [row.key for row in rows if policy.spares(row, now)]
    waiting.extend(key for ns in thread.lasting for key in _wanted(thread.of_namespace[ns], policy))
    while waiting:
        key = waiting.pop()
        if key in kept:
            continue
        kept.add(key)
        row = thread.by_key[key]
        parent = _parent(row)
        if parent in thread.by_key and leans(row):
            waiting.append(parent)
        if (host := thread.host(row)) in thread.by_key:
            waiting.append(host)
        waiting.extend(thread.as_of(key))
        for ns in thread.calls.pop(key, ()):
            waiting.extend(_wanted(thread.of_namespace[ns], policy))
    return frozenset(kept)


class _Thread:
    """A thread's checkpoints, and what hangs on what.

    Attributes:
        by_key: All of them.
        of_namespace: By namespace, oldest first.
        lasting: Namespaces that outlive any one checkpoint: the root, subgraphs that remember their calls, and calls
            whose caller cannot be told, or is not saved yet: a run saves in the background.
        calls: Namespaces of subgraph calls by the checkpoint whose step made them.
    """

    def __init__(self, rows: Sequence[CheckpointRow]) -> None:
        self.by_key: Mapping[CheckpointKey, CheckpointRow] = {row.key: row for row in rows}
        self.of_namespace: dict[str, list[CheckpointRow]] = defaultdict(list)
        for row in sorted(rows, key=lambda row: row.key.checkpoint_id):
            self.of_namespace[row.key.ns].append(row)
        self.calls: dict[CheckpointKey, set[str]] = defaultdict(set)
        self.lasting: list[str] = []
        for ns, inside in self.of_namespace.items():
            hosts = {self.host(row) for row in inside}
            if any(host == NOBODY or self._yet_to_come(host) for host in hosts):
                self.lasting.append(ns)
            for host in hosts:
                self.calls[host].add(ns)
        self._remembering = {
            ns: [row.key.checkpoint_id for row in inside]
            for ns, inside in self.of_namespace.items()
            if ns and ":" not in ns
        }

    @staticmethod
    def host(row: CheckpointRow) -> CheckpointKey:
        """The checkpoint whose step called the subgraph that a checkpoint belongs to.

        ``metadata.parents`` has the checkpoint of each enclosing namespace (``langgraph/pregel/_loop.py``).

        Returns:
            ``NOBODY`` for what is no call (its namespace names no task), or where it is not written: langgraph before
            0.2.3 did not.
        """
        parents = row.metadata.get("parents") if ":" in row.key.ns else None
        if not isinstance(parents, dict):
            return NOBODY
        outer = max((ns for ns in parents if ns != row.key.ns), key=len, default=None)
        found = None if outer is None else parents[outer]
        if outer is None or not isinstance(found, str):
            return NOBODY
        return CheckpointKey(row.key.thread_id, outer, found)

    def _yet_to_come(self, host: CheckpointKey) -> bool:
        around = self.of_namespace.get(host.ns)
        return host not in self.by_key and (not around or around[-1].key.checkpoint_id < host.checkpoint_id)

    def as_of(self, key: CheckpointKey) -> Iterator[CheckpointKey]:
        """What subgraphs that remember their calls had come to when a checkpoint was made: a fork begins with it."""
        for ns, ids in self._remembering.items():
            if ns != key.ns and (at := bisect_left(ids, key.checkpoint_id)):
                yield CheckpointKey(key.thread_id, ns, ids[at - 1])


def _wanted(rows: Sequence[CheckpointRow], policy: Policy) -> Iterable[CheckpointKey]:
    """What stays of one namespace by the policy and by its branches.

    Args:
        rows: Its checkpoints, oldest first.
        policy: What is wanted.
    """
    by_id = {row.key.checkpoint_id: row for row in rows}
    children: dict[str, int] = defaultdict(int)
    for row in rows:
        children[row.parent_id or ""] += 1
    found = {row.key for row in rows[-policy.keep :]}
    for tip in rows:
        if children[tip.key.checkpoint_id] or tip.parent_id is None:
            continue  # a row that nothing leads to or from is no branch
        step: CheckpointRow | None = tip
        for _ in range(policy.keep):
            if step is None:
                break
            found.add(step.key)
            step = by_id.get(step.parent_id or "")
    return found


def _parent(row: CheckpointRow) -> CheckpointKey:
    return row.key._replace(checkpoint_id=row.parent_id or "")

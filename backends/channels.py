"""Trigger channels: their names, and whether a node still has to consume them.

A StateGraph names them after the node that they trigger: ``branch:to:X``, ``join:a+b:X``, ``__start__``; before layout
v3 also ``start:X``, ``branch:a:condition:X`` and, for a plain edge, just the node that finished
(``langgraph/graph/state.py:1529-1571``; langgraph 0.2 ``graph/state.py``, ``attach_edge``).
"""

from __future__ import annotations

from collections.abc import Mapping

from .model import Snapshot
from .values import Typed, Value

BRANCH = "branch:to:"
JOIN = "join:"
START = "__start__"

NOT_NODES = frozenset(("__input__", "__interrupt__", "__snapshot_bumps__"))
"""Keys of ``versions_seen`` that are no nodes."""


def target(channel: str) -> str | None:
    """Return the node that a channel triggers by its name, ``None`` where the name does not say."""
    if channel.startswith(BRANCH):
        return channel[len(BRANCH) :]
    if channel.startswith(JOIN):
        return channel.rpartition(":")[2]
    return None


def old_target(channel: str) -> str | None:
    """Return the node that a channel of layout v1 or v2 names as its target, ``None`` where it names none."""
    if channel.startswith("start:"):
        return channel[len("start:") :]
    if channel.startswith("branch:") and channel.count(":") == 3:
        return channel.rpartition(":")[2] or None
    return None


def available(channel: str, value: Value) -> bool:
    """Whether a ``branch:to:`` or ``join:`` channel that holds ``value`` can trigger its node."""
    inner, finished = _split(value)
    if not finished:
        return False
    return not channel.startswith(JOIN) or _all_arrived(inner, channel[len(JOIN) :].rpartition(":")[0])


def _split(value: Value) -> tuple[Value, bool]:
    """Split what a deferred node's channel holds, ``[value, finished]`` (``langgraph/channels/last_value.py:112``)."""
    if isinstance(value, list) and len(value) == 2 and isinstance(value[1], bool):
        return value[0], value[1]
    return value, True


def _all_arrived(arrived: Value, names: str) -> bool:
    """Whether everyone has arrived at a join.

    Arrived names are some of the awaited ones, so that their joint length tells, also when a name contains ``+``.
    """
    listed = arrived.data if isinstance(arrived, Typed) else arrived
    if not isinstance(listed, list):
        return False
    texts = [name for name in listed if isinstance(name, str)]
    return bool(texts) and sum(map(len, texts)) + len(texts) - 1 == len(names)


def unseen(snapshot: Snapshot, channel: str, node: str) -> bool:
    """Whether a channel has changed since a node last consumed it (``langgraph/pregel/_algo.py:1260-1277``)."""
    seen: Mapping[str, Value] | None = snapshot.versions_seen.get(node)
    if seen is None or channel not in seen:
        return True
    version = snapshot.channel_versions.get(channel)
    try:
        return bool(version > seen[channel])
    except TypeError:
        return bool(version != seen[channel])


def is_old(snapshot: Snapshot) -> bool:
    """Whether the layout is older than v3."""
    return snapshot.version is None or snapshot.version < 3


def is_raw_pregel(snapshot: Snapshot) -> bool:
    """Whether the checkpoint comes from a graph that is no StateGraph: its nodes consume channels of any name."""
    names = snapshot.channel_versions
    return bool(names) and START not in names and not any(target(name) or old_target(name) for name in names)

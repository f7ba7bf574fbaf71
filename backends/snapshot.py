"""Rows -> ``Snapshot``: one shape for both stores and for every layout since langgraph 0.2."""

from __future__ import annotations

from collections.abc import Mapping

from .decode import Decoder, from_json
from .model import Blob, RawCheckpoint, Snapshot
from .values import Encrypted, Undecodable, Value

PENDING_SENDS = "__pregel_tasks"

_RESERVED = frozenset(
    (
        "__start__",
        PENDING_SENDS,
        "__input__",
        "__error__",
        "__error_source_node__",
        "__interrupt__",
        "__resume__",
        "__return__",
        "__no_writes__",
        "__scheduled__",
    )
)
"""Channels of the runtime itself (``langgraph/_internal/_constants.py``); ``__root__``, ``__end__`` and
``__previous__`` hold the user's data."""


def read_snapshot(raw: RawCheckpoint, decoder: Decoder) -> Snapshot:
    """Decode a checkpoint.

    Args:
        raw: The rows of one checkpoint, from either store.
        decoder: Decodes the values; what it cannot decode is ``Undecodable`` or ``Encrypted`` in ``values``.

    Returns:
        The snapshot. What a row does not have (hand-written rows, old layouts) is empty; ``problem`` says why the
        checkpoint as a whole could not be read.
    """
    decoded = decoder.decode(raw.checkpoint)
    problem = _problem(decoded)
    body = decoded if isinstance(decoded, dict) else {}
    version = body.get("v")
    values = _named(body.get("channel_values"))
    for channel, blob in raw.channel_blobs.items():
        if blob.type != "empty":
            values[channel] = decoder.decode(blob)
    metadata = from_json(raw.metadata_json) if raw.metadata_json else None
    updated = body.get("updated_channels")
    ts = body.get("ts")
    return Snapshot(
        key=raw.key,
        parent_id=raw.parent_id,
        version=version if type(version) is int else None,
        ts=ts if isinstance(ts, str) else None,
        values=values,
        channel_versions=_named(body.get("channel_versions")),
        versions_seen={node: _named(seen) for node, seen in _named(body.get("versions_seen")).items()},
        pending_sends=_pending_sends(body, raw.parent_sends, decoder),
        updated_channels=tuple(name for name in updated if isinstance(name, str))
        if isinstance(updated, list)
        else None,
        metadata=_named(metadata),
        writes=raw.writes,
        problem=problem,
        complete=raw.complete,
    )


def _problem(decoded: Value) -> str | None:
    match decoded:
        case dict():
            return None
        case Encrypted(tag=tag, reason=reason):
            return f"encrypted ({tag}): {reason}"
        case Undecodable(reason=reason):
            return f"not readable: {reason}"
    return f"not a checkpoint: holds a {type(decoded).__name__}"


def _named(found: Value) -> dict[str, Value]:
    """Return a mapping with text keys: empty where there is none, odd keys by what they look like."""
    if not isinstance(found, dict):
        return {}
    return {key if isinstance(key, str) else repr(key): value for key, value in found.items()}


def _pending_sends(body: Mapping[str, Value], parent_sends: tuple[Blob, ...], decoder: Decoder) -> tuple[Value, ...]:
    """Sends of layouts < 4: in the checkpoint, or on Postgres in its parent's writes (``postgres/base.py:558-576``)."""
    own = body.get("pending_sends")
    return (*(own if isinstance(own, list) else ()), *(decoder.decode(blob) for blob in parent_sends))


def user_values(snapshot: Snapshot) -> dict[str, Value]:
    """Return the state as the application knows it.

    Args:
        snapshot: A decoded checkpoint.

    Returns:
        Channel values without the channels that LangGraph keeps for itself: inputs, triggers, joins, Sends.
        A DeltaChannel is there only when this checkpoint holds a snapshot of it (as ``Snapshotted``);
        ``delta.resolve`` finds the others.
    """
    return {name: value for name, value in snapshot.values.items() if not is_internal(name, snapshot)}


def is_internal(channel: str, snapshot: Snapshot) -> bool:
    """Whether LangGraph keeps a channel for itself.

    Layouts before v3 also have a channel for every node, named like it, of which the value is that name
    (langgraph 0.2 ``graph/state.py``, ``attach_node``); a node cannot be named like a key of the state.
    """
    if channel in _RESERVED or channel.startswith(("branch:", "join:")):
        return True
    if snapshot.version is None or snapshot.version >= 3:
        return False
    if channel.startswith("start:"):
        return True
    return channel in snapshot.versions_seen or snapshot.values.get(channel) == channel


def absent_deltas(snapshot: Snapshot) -> list[str]:
    """Return the DeltaChannels of a checkpoint that it holds no value of; their value is in the ancestors.

    LangGraph counts for each how long ago its last snapshot was (``langgraph/pregel/_loop.py:1306-1360``).
    """
    counters = snapshot.metadata.get("counters_since_delta_snapshot")
    return [name for name in counters if name not in snapshot.values] if isinstance(counters, dict) else []

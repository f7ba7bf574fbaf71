"""What the rows of a store tell: the clocks of those who wrote them, and whether their values can be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..decode import Decoder
from ..ids import unix_time
from ..model import Blob, CheckpointRow, RawCheckpoint, ThreadHead
from ..store import Store
from ..text import one_line
from ..values import Encrypted, Undecodable
from .finding import Finding, State

_HEADS = 100
"""Newest threads whose ids are looked at."""

_THREADS = 20
"""Newest threads whose history is looked at."""

_CHECKPOINTS = 100
"""Newest checkpoints of each."""

_VALUES = 5
"""Newest threads whose values are decoded."""

_TOLERANCE = 2.0
"""Seconds that clocks are apart without harm."""

_WRONG = 60.0
"""Seconds from which on it is a fault."""


def examine_ids(store: Store, now: float) -> Iterator[Finding]:
    """Whether the times in checkpoint ids make sense: the head of a thread is the greatest id, whenever it was written.

    Args:
        store: The open store.
        now: Unix time.

    Raises:
        StoreError: It cannot be read.
    """
    heads = store.newest_heads(_HEADS)
    ahead = max(((time - now, head) for head in heads if (time := head.updated_at) is not None), default=None, key=_gap)
    back = _set_back(store, heads[:_THREADS])
    if ahead is not None and ahead[0] > _TOLERANCE:
        yield _in_the_future(*ahead)
    if back:
        told = f"Thread {_name(back[0])} has a checkpoint whose id is older than its parent's ({len(back)} in all)."
        advice = "A clock was set back: what was written since may not be the head. Look at lgtop history, then fork."
        yield Finding("clock", State.FAULT, told, advice)
    if untimed := [head for head in heads if head.updated_at is None]:
        told = (
            f"{len(untimed)} of the {len(heads)} newest threads have ids without a time, such as {_name(untimed[0])}."
        )
        yield Finding("clock", State.NOTE, told)
    elif not back and not (ahead and ahead[0] > _TOLERANCE):
        yield Finding(
            "clock", State.OK, f"The ids of the {len(heads)} newest threads are in order, none in the future."
        )


def _gap(one: tuple[float, ThreadHead]) -> float:
    return one[0]


def _in_the_future(seconds: float, head: ThreadHead) -> Finding:
    told = f"The newest checkpoint of thread {_name(head)} is {seconds:,.0f} s in the future."
    advice = (
        "Set the clocks by NTP, here and where the application runs. Until that time has come, what others write to "
        "the thread is not taken for its head."
    )
    return Finding("clock", State.FAULT if seconds > _WRONG else State.WARNING, told, advice)


def _set_back(store: Store, heads: Sequence[ThreadHead]) -> list[ThreadHead]:
    """Threads in which time ran backwards."""
    histories = ((head, store.history(head.thread_id, head.ns, limit=_CHECKPOINTS)) for head in heads)
    return [head for head, rows in histories if any(map(_older_than_parent, rows))]


def _older_than_parent(row: CheckpointRow) -> bool:
    own, parent = row.created_at, unix_time(row.parent_id or "")
    return own is not None and parent is not None and own < parent


def examine_values(store: Store, decoder: Decoder) -> Finding:
    """Whether the values of the newest threads can be read.

    Raises:
        StoreError: The store cannot be read.
    """
    raws = store.raw([head.key for head in store.newest_heads(_VALUES)])
    if not raws:
        return Finding("values", State.NOTE, "The store holds no threads yet.")
    blobs = [blob for raw in raws for blob in _blobs(raw)]
    secret = any("+" in (blob.type or "") for blob in blobs)
    for value in map(decoder.decode, blobs):
        if isinstance(value, Encrypted):
            advice = "Set LANGGRAPH_AES_KEY to the application's key; without it nothing of the state can be shown."
            return Finding("values", State.FAULT, f"Values are encrypted: {one_line(value.reason, 200)}.", advice)
        if isinstance(value, Undecodable):
            advice = "lgtop show tells which; the application's own serializer may be needed."
            told = f"Some values cannot be decoded: {one_line(value.reason, 200)}."
            return Finding("values", State.WARNING, told, advice)
    return Finding("values", State.OK, f"The {len(blobs)} newest values are readable{', with the key' * secret}.")


def _blobs(raw: RawCheckpoint) -> Iterator[Blob]:
    yield raw.checkpoint
    yield from raw.channel_blobs.values()
    yield from (write.blob for write in raw.writes)


def _name(head: ThreadHead) -> str:
    return one_line(repr(head.thread_id), 80)

"""Figures of decoding, previewing and comparing values, as ratios in one run: ``python -m tests.bench.bench_values``.

Decoding is compared with bare ``ormsgpack`` on the same bytes (extensions become lists: no class, no check). Every
figure is the best of several turns.
"""

from __future__ import annotations

import copy
import random
import time
from collections.abc import Callable
from typing import Any

import ormsgpack

from backends.decode import Decoder
from backends.diff import diff
from backends.model import Blob, CheckpointKey, RawCheckpoint
from backends.present import approx_size, children, preview, to_json, type_label
from backends.snapshot import read_snapshot
from backends.values import Typed, Value

TURNS = 5
MESSAGES = 12_900
"""As many as make a state of 10 MB."""


def message(number: int) -> ormsgpack.Ext:
    """A stored chat message of about 700 bytes."""
    fields = {
        "content": f"{number} " + "x" * 600,
        "additional_kwargs": {},
        "response_metadata": {"model": "m", "tokens": number},
        "type": "human",
        "name": None,
        "id": f"message-{number}",
    }
    whole = ("langchain_core.messages.human", "HumanMessage", fields, "model_validate_json")
    return ormsgpack.Ext(5, ormsgpack.packb(whole))


def checkpoint() -> bytes:
    """A stored checkpoint of about 2 kB."""
    version = "00000000000000000000000000000003.0.2967251950938065"
    names = [f"channel-{number}" for number in range(6)]
    return ormsgpack.packb(
        {
            "v": 4,
            "ts": "2026-01-01T00:00:00+00:00",
            "channel_values": {"messages": [message(1)], "text": "y" * 500, "branch:to:a": None},
            "channel_versions": dict.fromkeys(names, version),
            "versions_seen": {name: {"branch:to:a": version} for name in names[:4]},
            "updated_channels": names[:1],
        }
    )


def best(task: Callable[[], Any], times: int = 1) -> float:
    """Seconds of one call, the best of several turns."""
    found = []
    for _ in range(TURNS):
        started = time.perf_counter()
        for _ in range(times):
            task()
        found.append((time.perf_counter() - started) / times)
    return min(found)


def bare(data: bytes) -> Value:
    """Unpack without a class."""
    return ormsgpack.unpackb(data, ext_hook=lambda _, payload: bare(payload), option=ormsgpack.OPT_NON_STR_KEYS)


def decoding() -> None:
    """Print the figures of decoding."""
    small = checkpoint()
    large = ormsgpack.packb({"messages": [message(number) for number in range(MESSAGES)]})
    decoder = Decoder()
    for name, data, times in (("2 kB checkpoint", small, 5000), (f"{len(large) / 1e6:.0f} MB state", large, 1)):
        ours, floor = best(lambda: decoder.decode(Blob("msgpack", data)), times), best(lambda: bare(data), times)  # noqa: B023
        print(f"  decode {name:<26} {ours * 1e6:>12,.1f} µs  {ours / floor:.2f} × bare ormsgpack")
    key, metadata = CheckpointKey("t", "", "x"), b'{"source": "loop", "step": 1, "parents": {}}'
    raw = RawCheckpoint(key, None, Blob("msgpack", small), {}, metadata, (), (), True)
    print(f"  snapshot of 100,000 checkpoints   {best(lambda: read_snapshot(raw, decoder), 5000) * 1e5:>12,.2f} s")


def comparing() -> None:
    """Print the figures of comparing two states of 10 MB."""
    data = ormsgpack.packb(
        {"messages": [message(number) for number in range(MESSAGES)], "n": 1, "pages": [*range(1000)]}
    )
    state = Decoder().decode(Blob("msgpack", data))
    chance = random.Random(1)

    def changed(change: Callable[[list[Value]], Any]) -> Value:
        other = copy.deepcopy(state)
        change(other["messages"])
        return other

    extra = Typed("app", "Message", {"id": "new"}, "call**")
    cases = {
        "equal": changed(len),
        "one appended": changed(lambda messages: messages.append(extra)),
        "one inserted in front": changed(lambda messages: messages.insert(0, extra)),
        "one deleted in the middle": changed(lambda messages: messages.pop(MESSAGES // 2)),
        "shuffled": changed(chance.shuffle),
    }
    for name, other in cases.items():
        seconds = best(lambda: diff(state, other))  # noqa: B023
        print(f"  diff 10 MB, {name:<26} {seconds * 1e3:>8,.1f} ms  {len(diff(state, other)):,} changes (bar 500 ms)")


def showing() -> None:
    """Print the figures of showing a state of 20 MB."""
    state = {"text": "x" * 10_000_000, "messages": [{"id": i, "text": "y" * 90} for i in range(100_000)]}

    def first_rows() -> None:
        for _, child in children(state) or ():
            preview(child), type_label(child), approx_size(child)

    print(f"  first rows of a 20 MB state       {best(first_rows) * 1e3:>12,.2f} ms")
    print(f"  all of it as JSON values          {best(lambda: to_json(state)) * 1e3:>12,.0f} ms")


if __name__ == "__main__":
    decoding()
    comparing()
    showing()

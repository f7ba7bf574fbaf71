"""What the nodes of these graphs really did, in a file that only grows: a checkpoint may be lost, a line here is not.

Each line is a JSON object and is on disk (fsync) before the node goes on:

    {"t": 1763714000.1, "pid": 4312, "thread": "doc-7", "node": "extract", "kind": "begin"}
    {"t": 1763714000.6, "pid": 4312, "thread": "doc-7", "node": "extract", "kind": "effect", "what": "read 12 words"}

``begin`` says how often a node ran, ``effect`` what the world outside has seen of it. The environment names the file;
without one nothing is kept.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from langgraph.config import get_config

PLACE: Final = "LGTOP_LEDGER"
"""Environment variable with the path of the ledger."""


def begin(pace: float) -> None:
    """Note that the node began, and work for ``pace`` seconds."""
    _append("begin")
    time.sleep(pace)


async def begin_async(pace: float) -> None:
    """The same in a coroutine."""
    _append("begin")
    await asyncio.sleep(pace)


def effect(what: str, key: str | None = None) -> None:
    """Do something to the world outside, which cannot be taken back.

    Args:
        what: What is done.
        key: Names the effect, where it has a name (``effects`` finds it again).
    """
    _append("effect", what=what, key=key)


def effect_once(what: str, key: str) -> bool:
    """Do something unless it has been done under this key already; whether it was done now.

    The world outside compares keys, as a payment service does with an idempotency key: looking and doing are one step.
    """
    with _opened() as file:
        if file is None:
            return True
        fcntl.flock(file, fcntl.LOCK_EX)
        if any(entry.get("key") == key for entry in entries(os.environ[PLACE])):
            return False
        _write(file, "effect", {"what": what, "key": key})
    return True


def entries(path: str) -> list[dict[str, Any]]:
    """Read a ledger; a line that is being written is left out."""
    try:
        with open(path, encoding="utf-8") as file:
            return [json.loads(line) for line in file if line.endswith("\n")]
    except FileNotFoundError:
        return []


def _append(kind: str, **more: str | None) -> None:
    with _opened() as file:
        if file is not None:
            _write(file, kind, more)


@contextmanager
def _opened() -> Iterator[int | None]:
    """The ledger, opened for appending; ``None`` where there is none."""
    path = os.environ.get(PLACE)
    if not path:
        yield None
        return
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        yield file
    finally:
        os.close(file)


def _write(file: int, kind: str, more: dict[str, str | None]) -> None:
    """Append one line in one call, and wait for the disk."""
    config = get_config()
    entry = {
        "t": round(time.time(), 4),
        "pid": os.getpid(),
        "thread": config["configurable"].get("thread_id"),
        "node": config["metadata"].get("langgraph_node"),
        "kind": kind,
        **{name: text for name, text in more.items() if text is not None},
    }
    os.write(file, json.dumps(entry).encode() + b"\n")
    os.fsync(file)

"""What a run tells: one JSON object a line in ``events.jsonl`` of its record.

Every line has ``t`` (Unix time) and ``kind``; the other keys by kind are listed at ``Kind``. Texts come from a user's
code and are untrusted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

_fast: Callable[[Any], bytes] | None
try:
    from orjson import dumps as _fast  # comes with LangGraph's SDK, as a rule
except ImportError:
    _fast = None

_encode = json.JSONEncoder(default=str).encode
"""Made once: ``json.dumps`` makes an encoder at each call that is given a ``default``."""


class Kind(StrEnum):
    """Kinds of events, with their keys."""

    STARTED = "started"
    """pid, host, python (version), langgraph (version), executable (the interpreter's path)."""
    LOCKED = "locked"
    """The thread's lock is ours."""
    GRAPH = "graph"
    """drawing: see ``graphs.drawing.Drawing``."""
    RUNNING = "running"
    """call: the LangGraph call in Python; head: checkpoint id before, or null."""
    TASK = "task"
    """phase: start or end; id, name, ns, step. end: error (or null), interrupts (number), result (preview text)."""
    CHECKPOINT = "checkpoint"
    """It is in the store now. id, ns, step, source, next (list of nodes)."""
    INTERRUPT = "interrupt"
    """id, node, ns, value (JSON)."""
    CUSTOM = "custom"
    """ns, value (JSON): what a node gave to its stream writer."""
    LOG = "log"
    """stream: stdout, stderr or a logger's name; level (or null); text."""
    ERROR = "error"
    """type, message, traceback (text, no local values), node (or null)."""
    FAULT = "fault"
    """An injected fault fires now: point, node, how."""
    STOPPING = "stopping"
    """how: drain or cancel."""
    HEARTBEAT = "heartbeat"
    """running: names of the nodes that run now."""
    END = "end"
    """outcome: see ``Outcome``; reason (text); head: checkpoint id of the root head, or null; next: list of nodes;
    exit: the exit code that the process is about to leave with."""


class Outcome(StrEnum):
    """How a run ended, as it says itself; a run without an ``end`` event whose process is gone has crashed."""

    DONE = "done"
    WAITING = "waiting"
    PAUSED = "paused"
    """Before or after a breakpoint, or after a single step."""
    DRAINED = "drained"
    CANCELLED = "cancelled"
    FAILED = "failed"
    """The graph raised, or the run could not go on (store lost, lock lost)."""
    REFUSED = "refused"
    """Nothing was run or written: the graph cannot be loaded, the head has moved, a value is not valid, ..."""
    BUSY = "busy"
    """Nothing was run: someone else holds the thread; ``reason`` says who."""


_FREQUENT = frozenset((Kind.TASK, Kind.CHECKPOINT))
"""Kinds told for each step, of texts and numbers only: of a value such as NaN the two ways make different things."""


def line(t: float, kind: Kind, data: Mapping[str, Any]) -> bytes:
    """One event as a line without its end, in ASCII."""
    return quick_line(t, kind, data) or _encode({"t": round(t, 4), "kind": kind, **data}).encode()


def quick_line(t: float, kind: Kind, data: Mapping[str, Any]) -> bytes:
    """The same where it is quickly made, without calling any code of a value's own class; else nothing."""
    if _fast is None or kind not in _FREQUENT:
        return b""
    try:
        written = _fast({"t": int(t * 10_000) / 10_000, "kind": kind, **data})
    except TypeError:  # a lone surrogate, a number of more than 64 bits: the other one can write it
        return b""
    return written if written.isascii() else b""  # in ASCII nothing looks like the end of a line to any reader


@dataclass(frozen=True, slots=True)
class Event:
    """One event.

    Attributes:
        t: Unix time.
        kind: See ``Kind``.
        data: The other keys.
    """

    t: float
    kind: Kind
    data: Mapping[str, Any]

    def to_json(self) -> str:
        """One line without its end."""
        return line(self.t, self.kind, self.data).decode()

    @classmethod
    def from_json(cls, line: str) -> Event:
        """Read a line.

        Raises:
            ValueError: It is not an event.
        """
        found = json.loads(line)
        if not isinstance(found, dict):
            raise ValueError("not an event")
        return cls(float(found.pop("t", 0.0)), Kind(found.pop("kind", "")), found)

"""A run as its record shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ..text import one_line


class RunState(StrEnum):
    """What a run is doing: the outcomes of ``events.Outcome``, and what only its process can tell."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    DONE = "done"
    WAITING = "waiting"
    PAUSED = "paused"
    DRAINED = "drained"
    CANCELLED = "cancelled"
    FAILED = "failed"
    REFUSED = "refused"
    BUSY = "busy"
    CRASHED = "crashed"
    """The process is gone without a word."""


LIVE = (RunState.STARTING, RunState.RUNNING, RunState.STOPPING)
"""States of a run whose process is there."""


@dataclass(frozen=True, slots=True)
class Run:
    """What is known about a run; made by reading its record.

    Attributes:
        run_id: Its name, unique and sortable by time.
        folder: Its record.
        thread_id: The thread.
        store: Address of the store without a password.
        store_key: Identity of the store (``locks.store_key``): two spellings of one store have the same.
        graph: Name of the graph.
        target: Its target.
        verb: See ``spec.Verb``.
        operator: Who asked.
        pid: Process id; ``None`` before it started.
        host: Where it runs.
        state: See ``RunState``.
        reason: Why, in one line: the error, who holds the thread, by what signal it died. Untrusted.
        started_at: Unix time.
        ended_at: Unix time of the end; of the last sign of life for a crash; ``None`` while it runs.
        exit_code: Exit code where known; minus the signal's number for a killed process.
        head_before: Root head when it began; ``None`` for a new thread.
        head: Root head at the last checkpoint event or the end.
        finished: Tasks finished.
        begun: Tasks started.
        nodes: Nodes that run now, with their number.
        next: Nodes that come next.
        call: The LangGraph call in Python.
        durability: As asked.
    """

    run_id: str
    folder: str
    thread_id: str
    store: str
    store_key: str
    graph: str
    target: str
    verb: str
    operator: str
    pid: int | None = None
    host: str = ""
    state: RunState = RunState.STARTING
    reason: str = ""
    started_at: float = 0.0
    ended_at: float | None = None
    exit_code: int | None = None
    head_before: str | None = None
    head: str | None = None
    finished: int = 0
    begun: int = 0
    nodes: Mapping[str, int] = field(default_factory=dict)
    next: tuple[str, ...] = ()
    call: str = ""
    durability: str = "sync"

    @property
    def live(self) -> bool:
        """Whether its process is there."""
        return self.state in LIVE

    @property
    def label(self) -> str:
        """One safe line: ``run k3f2 · you@laptop · pid 4312``."""
        return one_line(" · ".join(filter(None, (f"run {self.run_id}", self.operator, f"pid {self.pid or '?'}"))), 200)

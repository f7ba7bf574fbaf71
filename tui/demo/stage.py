"""What a tour does to threads, and what it looks at to prove what it says: rows, records of runs, and the ledger.

Every call waits for what it asks for; the screen makes them on a thread.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from backends.control.execute import execute
from backends.control.gate import Gate
from backends.control.plan import Intent, Plan
from backends.control.planning import make_plan
from backends.decode import Decoder
from backends.graphs.config import NAME, read_config
from backends.model import StatusName
from backends.present import to_json
from backends.reader import Reader
from backends.runs.events import Kind
from backends.runs.follow import follow
from backends.runs.read import read_run
from backends.runs.run import Run
from backends.runs.spec import GraphRef, Verb
from backends.runs.stop import stop
from backends.store import open_store
from backends.witness import Witness

from .place import GRAPHS, OPERATOR

if TYPE_CHECKING:
    from backends.model import Analysis
    from backends.runs.stop import How

    from .place import Place

_PATIENCE: Final = 60.0
"""Seconds after which a run that was to come somewhere has not."""

_GLANCE: Final = 0.02
"""Seconds between two looks."""


class StageError(Exception):
    """A run did not do what it was started for; says what it did."""


@dataclass(frozen=True, slots=True)
class Book:
    """What the ledger says about a thread.

    Attributes:
        begun: How often each node began.
        done: How often each node has done what can be seen from outside.
    """

    begun: Mapping[str, int]
    done: Mapping[str, int]


class Stage:
    """Starts, stops and resumes runs of the demo's graphs. Safe to use from several threads.

    Args:
        place: Where the demo happens.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._gate = Gate(place.address)
        self._graphs: Mapping[str, GraphRef] = {ref.name: ref for ref in read_config(GRAPHS / NAME)}
        self._over = threading.Event()

    def leave(self) -> None:
        """Wait for nothing any more: whoever waits gets a ``StageError``."""
        self._over.set()

    @property
    def statuses(self) -> frozenset[StatusName]:
        """Statuses that a filled store has.

        Where values are encrypted, PostgreSQL still shows the columns that decide: nothing is unknown there.
        """
        on_server = self._place.address.kind == "postgres"
        return frozenset(StatusName) - ({StatusName.UNKNOWN} if on_server else set())

    # Runs

    def start(
        self, thread: str, graph: str, given: Mapping[str, Any], *, durability: str = "sync", step: bool = False
    ) -> Run:
        """Start a run in a process of its own."""
        return self._begin(Intent(Verb.START, thread, input=dict(given), durability=durability, step=step), graph)

    def resume(self, thread: str, graph: str) -> Run:
        """Let a thread go on."""
        return self._begin(Intent(Verb.RESUME, thread), graph)

    def refusal(self, thread: str, graph: str) -> str:
        """Why a thread cannot be resumed; empty where it can."""
        return self._plan(Intent(Verb.RESUME, thread), graph).refusal

    def await_node(self, run: Run, node: str) -> None:
        """Wait until a node of a run is at work.

        Raises:
            StageError: The run ended without it.
        """
        deadline = time.monotonic() + _PATIENCE
        for event in follow(run.folder, stop=lambda: self._over.is_set() or time.monotonic() > deadline):
            if event.kind is Kind.TASK and (event.data.get("phase"), event.data.get("name")) == ("start", node):
                return
        found = read_run(run.folder)
        raise StageError(f"{node} of {run.thread_id} was not reached: {found.state} {found.reason}".strip())

    def halt(self, run: Run, node: str) -> bool:
        """Have the process of a run stand still, and say whether it does so in the middle of a node.

        Where it had gone on already, it is brought to its end.
        """
        pid = read_run(run.folder).pid
        assert pid is not None  # it has begun a node
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            found = read_run(run.folder)
            if found.live and node in found.nodes:
                return True
            os.kill(pid, signal.SIGCONT)
        self.await_end(run)
        return False

    def stop(self, run: Run, how: How) -> Run:
        """Stop a run and wait for its end."""
        stop(run, how)
        return self.await_end(run)

    def await_end(self, run: Run) -> Run:
        """Wait for the end of a run, and for the exit code of its process.

        Raises:
            StageError: It goes on.
        """
        deadline = time.monotonic() + _PATIENCE
        while (found := read_run(run.folder)).live or found.exit_code is None:
            if self._over.wait(_GLANCE) or time.monotonic() > deadline:
                raise StageError(f"The run of {run.thread_id} does not end: it is {found.state}.")
        return found

    # Proofs

    def threads(self) -> dict[str, Analysis]:
        """What every thread of the store is doing, and why."""
        with self._reading() as reader:
            return reader.analyse_heads([head for batch in reader.store.heads() for head in batch])

    def thread(self, thread: str) -> Analysis | None:
        """The same of one thread; ``None`` where the store knows nothing of it."""
        with self._reading() as reader:
            heads = reader.store.heads_of([thread])
            return reader.analyse_heads(list(heads.values())).get(thread)

    def state(self, thread: str) -> dict[str, Any]:
        """The state at the head of a thread; empty where the store knows nothing of it."""
        with self._reading() as reader:
            head = reader.store.heads_of([thread]).get(thread)
            return {} if head is None else {name: to_json(value) for name, value in reader.state(head.key).items()}

    def book(self, thread: str, since: float) -> Book:
        """What the nodes of a thread really did from a time on, as they wrote it down themselves."""
        lines = self._place.ledger.read_text(encoding="utf-8").splitlines() if self._place.ledger.exists() else []
        entries = [entry for entry in map(json.loads, lines) if entry["thread"] == thread and entry["t"] >= since]
        counts = {kind: Counter(e["node"] for e in entries if e["kind"] == kind) for kind in ("begin", "effect")}
        return Book(counts["begin"], counts["effect"])

    def _reading(self) -> closing[Reader]:
        address = self._place.address
        return closing(Reader(open_store(address.target), Decoder.from_environment(), Witness.of(address)))

    def _plan(self, intent: Intent, graph: str) -> Plan:
        with self._reading() as reader:
            return make_plan(reader, intent, self._graphs[graph], None, self._gate)

    def _begin(self, intent: Intent, graph: str) -> Run:
        begun = execute(self._plan(intent, graph), self._gate, operator=OPERATOR)
        assert isinstance(begun, Run)  # only copies are something else
        return begun

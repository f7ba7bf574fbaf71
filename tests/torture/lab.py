"""What the scripts share: a store, operators on it, what tasks really did, and what the thread list showed when."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from langgraph.checkpoint.base import BaseCheckpointSaver

from backends.address import Address, parse_address
from backends.control.execute import execute
from backends.control.gate import Gate
from backends.control.plan import Intent
from backends.control.planning import make_plan
from backends.feed import Analysed, Feed
from backends.feed_events import Event
from backends.reader import Reader
from backends.runs.follow import follow
from backends.runs.read import read_run
from backends.runs.run import Run
from backends.runs.spec import GraphRef
from backends.store import open_store

PROJECT = Path(__file__).parent
KINDS = ("sqlite", "postgres")
PATIENCE = 60.0
"""Seconds to wait for what must come."""


def graph_ref(name: str) -> GraphRef:
    """A graph of ``project.py``."""
    return GraphRef(f"./project.py:{name}", str(PROJECT), name)


@dataclass(frozen=True)
class Note:
    """What a task did; see ``project.note``."""

    what: str
    thread_id: str
    task_id: str
    node: str


class Notes:
    """The file in which tasks note what they really do."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()

    def of(self, thread_id: str) -> list[Note]:
        """What the tasks of a thread did so far, in order."""
        notes = (Note(*line.split()) for line in self.path.read_text().splitlines())
        return [note for note in notes if note.thread_id == thread_id]

    def wait_for(self, thread_id: str, count: int = 1) -> list[Note]:
        """Wait until a thread has so many notes."""
        deadline = time.monotonic() + PATIENCE
        while len(found := self.of(thread_id)) < count:
            assert time.monotonic() < deadline, f"{thread_id} did nothing in {PATIENCE} s"
            time.sleep(0.001)
        return found


class Shown(NamedTuple):
    """What the list showed of a thread from some moment on."""

    status: str
    at: float
    reason: str


@dataclass
class Seen:
    """What the thread list showed, as a person sees it: by thread, every status and reason in order."""

    rows: dict[str, list[Shown]] = field(default_factory=dict)
    news: threading.Condition = field(default_factory=threading.Condition)

    def __call__(self, event: Event) -> None:
        if not isinstance(event, Analysed):
            return
        now = time.time()
        with self.news:
            for thread_id, summary in event.summaries.items():
                told = self.rows.setdefault(thread_id, [])
                if not told or (told[-1].status, told[-1].reason) != (summary.status.value, summary.reason):
                    told.append(Shown(summary.status.value, now, summary.reason))
            self.news.notify_all()

    def of(self, thread_id: str) -> list[str]:
        """The statuses of a thread, in order."""
        with self.news:
            return [status for status, _ in groupby(shown.status for shown in self.rows.get(thread_id, []))]

    def reason(self, thread_id: str, words: str) -> None:
        """Wait until the list gives a reason that begins with these words."""
        self._wait(thread_id, lambda rows: rows[-1].reason.startswith(words), words)

    def when(self, thread_id: str, status: str, after: float) -> float:
        """Wait until the list shows a status; seconds from ``after`` to then, 0 where it showed it already."""

        def shown(rows: list[Shown]) -> float | None:
            before = [row for row in rows if row.at <= after]
            if before and before[-1].status == status:
                return after
            return next((row.at for row in rows if row.at > after and row.status == status), None)

        return self._wait(thread_id, shown, status) - after

    def _wait(self, thread_id: str, found: Callable[[list[Shown]], Any], what: str) -> Any:
        with self.news:
            came = self.news.wait_for(lambda: found(self.rows.get(thread_id) or [Shown("", 0.0, "")]), PATIENCE)
            assert came, f"{thread_id} was never shown as {what!r}: {self.rows.get(thread_id)}"
            return found(self.rows[thread_id])


@dataclass
class Lab:
    """A store, its operators and its onlooker.

    Attributes:
        address: The store.
        saver: The application's saver, to look with independent eyes.
        notes: What tasks really did.
        seen: What the thread list showed.
    """

    address: Address
    saver: BaseCheckpointSaver[Any]
    notes: Notes
    seen: Seen

    def do(self, intent: Intent, graph: str) -> Run:
        """Plan and begin, as every operator does."""
        gate = Gate(self.address)
        with closing(Reader(open_store(gate.target))) as reader:
            plan = make_plan(reader, intent, graph_ref(graph), None, gate)
        begun = execute(plan, gate, operator="torturer@lab")
        assert isinstance(begun, Run)
        return begun

    def finish(self, run: Run) -> Run:
        """Wait for the end of a run."""
        deadline = time.monotonic() + PATIENCE
        for _ in follow(run.folder, stop=lambda: time.monotonic() > deadline):
            pass
        ended = read_run(run.folder)
        assert not ended.live, f"{ended.label} has not ended in {PATIENCE} s"
        return ended

    def buried(self, run: Run) -> Run:
        """Wait until it is known what a run that was killed died of."""
        deadline = time.monotonic() + PATIENCE
        while (died := read_run(run.folder)).exit_code is None:
            assert time.monotonic() < deadline, f"nobody saw {run.label} die in {PATIENCE} s"
            time.sleep(0.005)
        return died

    def saved_tasks(self, thread_id: str) -> set[str]:
        """Ids of the tasks whose output is in the store, in any namespace."""
        config: Any = {"configurable": {"thread_id": thread_id}}
        rows = (write for found in self.saver.list(config) for write in found.pending_writes or ())
        return {task for task, channel, _ in rows if channel not in ("__error__", "__interrupt__", "__scheduled__")}

    def state(self, thread_id: str) -> dict[str, Any]:
        """The state of a thread, without what differs between threads by design."""
        found = self.saver.get_tuple({"configurable": {"thread_id": thread_id}})
        assert found is not None
        values = found.checkpoint["channel_values"]
        return {name: value for name, value in values.items() if name not in ("notes", "gate", "pace")}

    def branches(self, thread_id: str) -> int:
        """How many checkpoints of the root namespace no other one follows: one is one branch."""
        config: Any = {"configurable": {"thread_id": thread_id, "checkpoint_ns": ""}}
        found = list(self.saver.list(config))
        parents = {one.parent_config["configurable"]["checkpoint_id"] for one in found if one.parent_config}
        return sum(one.checkpoint["id"] not in parents for one in found)


@contextmanager
def lab(kind: str, folder: Path | None = None, url: str | None = None) -> Iterator[Lab]:
    """A new store of a kind, looked at by a feed; with the runs' records in a place of their own.

    Args:
        kind: One of ``KINDS``.
        folder: Where to put everything; by default a directory that is removed at the end.
        url: A database with the saver's tables; by default one is made on a server of the tests'.
    """
    with ExitStack() as stack:
        folder = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lgtop-torture-")))
        stack.enter_context(patch.dict(os.environ, {"XDG_STATE_HOME": str(folder / "state")}))
        target, saver = stack.enter_context(_sqlite(folder) if kind == "sqlite" else _postgres(url))
        address = parse_address(target, {})
        seen = Seen()
        feed = Feed(address, seen)
        feed.start()
        stack.callback(feed.stop)
        yield Lab(address, saver, Notes(folder / "notes"), seen)


@contextmanager
def _sqlite(folder: Path) -> Iterator[tuple[str, BaseCheckpointSaver[Any]]]:
    from langgraph.checkpoint.sqlite import SqliteSaver

    path = folder / "checkpoints.sqlite"
    with SqliteSaver.from_conn_string(str(path)) as saver:
        saver.setup()
        yield str(path), saver


@contextmanager
def _postgres(url: str | None) -> Iterator[tuple[str, BaseCheckpointSaver[Any]]]:
    from langgraph.checkpoint.postgres import PostgresSaver

    from tests import postgres

    with ExitStack() as stack:
        if url is None:
            stack.enter_context(closing(postgres.Run()))
            url = stack.enter_context(postgres.database(postgres.server()))
        yield url, stack.enter_context(PostgresSaver.from_conn_string(url))

"""The read side of an open store: what screens and commands ask, in terms of threads and checkpoints."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from .channels import START, is_old, is_raw_pregel
from .decode import Decoder
from .errors import NotFound
from .model import NULL_TASK, Analysis, CheckpointKey, CheckpointRow, Snapshot, StatusName, ThreadHead
from .snapshot import read_snapshot
from .status import analyse
from .store import Scope, Store
from .subgraphs import answered_inside, started_inside
from .task_rows import ERROR, INTERRUPT
from .topology import Topology, learn
from .values import Value

if TYPE_CHECKING:
    from .diff import Change
    from .witness import Witness

_MARKS = {StatusName.WAITING: INTERRUPT, StatusName.FAILED: ERROR, StatusName.CANCELLED: ERROR}
"""Channels without a row of which a head cannot have a status, as far as its rows decide."""

_BATCH = 200
_SAMPLE = 500


class Reader:
    """Reads one store; belongs to one thread at a time, like the store's connection.

    Args:
        store: An open store.
        decoder: Decodes values; by default with the key in ``LANGGRAPH_AES_KEY``, if there is one.
        witness: Knows who runs threads, and how their last runs ended; without it such threads are ``stalled``.
    """

    def __init__(self, store: Store, decoder: Decoder | None = None, witness: Witness | None = None) -> None:
        self.store = store
        self.decoder = decoder or Decoder.from_environment()
        self.witness = witness
        self._topology: Topology | None = None

    def analyse_heads(self, heads: Sequence[ThreadHead]) -> dict[str, Analysis]:
        """Work out the status of threads from their heads, in batches.

        Args:
            heads: Heads of any number of threads.

        Returns:
            An analysis by thread id; a thread whose head is gone meanwhile is absent.
        """
        ids = {head.thread_id: head.checkpoint_id for head in heads}
        held = {} if self.witness is None else self.witness.holding(ids)
        found: dict[str, Analysis] = {}
        for start in range(0, len(heads), _BATCH):
            keys = [head.key for head in heads[start : start + _BATCH]]
            for raw in self.store.raw(keys, Scope.CONTROL):
                found[raw.key.thread_id] = self._analyse(read_snapshot(raw, self.decoder))
        return found if self.witness is None else self.witness.testify(ids, found, held)

    def narrowed(self, heads: Sequence[ThreadHead], statuses: Collection[StatusName]) -> list[ThreadHead]:
        """Those heads that may have one of these statuses; no other has. Nothing is decoded for it.

        A question is an ``__interrupt__`` row of the head itself, also one of a subgraph: each level above keeps a
        copy. So is an error an ``__error__`` row, but for runs whose own record tells of one.
        """
        if not statuses or not _MARKS.keys() >= set(statuses):
            return list(heads)
        marked = self.store.marked([head.key for head in heads], sorted({_MARKS[status] for status in statuses}))
        recorded = self.witness.recorded() if self.witness and StatusName.FAILED in statuses else ()
        return [head for head in heads if head.key in marked or head.thread_id in recorded]

    def head(self, thread_id: str) -> ThreadHead:
        """Return the head of a thread.

        Raises:
            NotFound: There is no such thread.
        """
        head = self.store.heads_of([thread_id]).get(thread_id)
        if head is None:
            raise NotFound(f"No thread {thread_id!r} in {self.store.info.name}.")
        return head

    def resolve_checkpoint(self, thread_id: str, ref: str | None, ns: str = "") -> CheckpointKey:
        """Find the checkpoint that a person means.

        Args:
            thread_id: The thread.
            ref: A checkpoint id, the beginning of one, ``~2`` for two steps back from the head, ``@3`` for step 3 (on
                the head's own branch, if it is there), ``head`` or ``None`` for the head.
            ns: Namespace; the root means the thread's own head namespace where the thread has no root. Ids are also
                found in other namespaces.

        Raises:
            NotFound: No checkpoint fits, or several do.
        """
        head = self.head(thread_id)
        space = ns or head.ns
        if ref in (None, "", "head") and space == head.ns:
            return head.key
        rows = self.store.history(thread_id, space)
        if not rows:
            raise NotFound(f"Thread {thread_id!r} has no namespace {ns!r}.")
        if ref is None or ref in ("", "head"):
            return rows[0].key
        if ref.startswith("~"):
            return _back(rows, ref)
        if ref.startswith("@"):
            return _at_step(rows, ref)
        return _by_id(rows if _fitting(rows, ref) else self.store.history(thread_id), ref)

    def snapshot(self, key: CheckpointKey, scope: Scope = Scope.FULL) -> Snapshot:
        """Read and decode a checkpoint.

        Raises:
            NotFound: It is not there.
        """
        raws = self.store.raw([key], scope)
        if not raws:
            raise NotFound(f"No checkpoint {key.checkpoint_id} in thread {key.thread_id!r}.")
        return read_snapshot(raws[0], self.decoder)

    def analysis(self, key: CheckpointKey) -> Analysis:
        """Work out what a checkpoint means: as a head, or as a step of the past where others follow it.

        Raises:
            NotFound: It is not there.
        """
        ids = (key.thread_id,)
        held = {} if self.witness is None else self.witness.holding(ids)
        snapshot = self.snapshot(key, Scope.CONTROL)
        rows = self.store.history(key.thread_id, key.ns)
        sources = frozenset(row.source or "loop" for row in rows if row.parent_id == key.checkpoint_id)
        found = self._analyse(snapshot, sources)
        if self.witness is None or sources or rows[0].key != key:
            return found
        thread_id, head = key.thread_id, self.head(key.thread_id)
        if not _is_at_work(key, head, found):
            return found
        return self.witness.testify({thread_id: head.checkpoint_id}, {thread_id: found}, held)[thread_id]

    def close(self) -> None:
        """Close the connections."""
        self.store.close()
        if self.witness is not None:
            self.witness.close()

    def state(self, key: CheckpointKey) -> dict[str, Value]:
        """Return the state at a checkpoint, as the application knows it.

        Raises:
            NotFound: It is not there.
        """
        from .delta import resolve

        return resolve(self.store, self.decoder, self.snapshot(key))

    def changes(self, old: CheckpointKey | None, new: CheckpointKey) -> list[Change]:
        """Return what changed from one checkpoint's state to another's; from nothing for ``None``.

        Raises:
            NotFound: One of them is not there.
        """
        from .diff import diff

        return diff({} if old is None else self.state(old), self.state(new))

    def task_nodes(self, thread_id: str) -> dict[CheckpointKey, tuple[str, ...]]:
        """Return the nodes that wrote each checkpoint of a thread, in all namespaces, without reading any state."""
        from .writers import writers_of

        return writers_of(self.store, self.decoder, thread_id)

    def _analyse(self, snapshot: Snapshot, successors: frozenset[str] = frozenset()) -> Analysis:
        topology = self.topology if _wants_topology(snapshot) else None
        started = started_inside(self.store, snapshot) if is_old(snapshot) else {}
        analysis = analyse(snapshot, self.decoder, topology, successors=successors, started=started)
        if not started and any(task.name == "?" for task in analysis.tasks):
            started = started_inside(self.store, snapshot)
            analysis = analyse(snapshot, self.decoder, topology, successors=successors, started=started)
        if analysis.status is StatusName.WAITING:
            answered = answered_inside(self.store, self.decoder, snapshot, analysis)
            if answered:
                return analyse(snapshot, self.decoder, topology, answered=answered, started=started)
        return analysis

    @property
    def topology(self) -> Topology:
        """What the store as a whole shows of its graphs; read once, from its newest checkpoints."""
        if self._topology is None:
            self._topology = learn(read_snapshot(raw, self.decoder) for raw in self.store.sample(_SAMPLE))
        return self._topology


def _wants_topology(snapshot: Snapshot) -> bool:
    """Whether other threads can complete what a checkpoint shows: old layouts, unnamed rows, an unnamed entrypoint."""
    if is_old(snapshot) or is_raw_pregel(snapshot):
        return True
    if any(not write.task_path and write.task_id != NULL_TASK for write in snapshot.writes):
        return True
    return START in snapshot.values and not any(START in seen for seen in snapshot.versions_seen.values())


def _is_at_work(key: CheckpointKey, head: ThreadHead, found: Analysis) -> bool:
    """Whether the newest checkpoint of a namespace is what a run of its thread goes on with, or has ended at.

    Inside a subgraph it is where it is newer than the thread's head, and has work to do.
    """
    return key == head.key or (found.status is StatusName.STALLED and key.checkpoint_id > head.checkpoint_id)


def _branch(rows: Sequence[CheckpointRow]) -> list[CheckpointRow]:
    """The newest row and its ancestors, newest first."""
    by_id = {row.key.checkpoint_id: row for row in rows}
    found: dict[str, CheckpointRow] = {}
    row: CheckpointRow | None = rows[0]
    while row is not None and row.key.checkpoint_id not in found:
        found[row.key.checkpoint_id] = row
        row = by_id.get(row.parent_id or "")
    return list(found.values())


def _back(rows: Sequence[CheckpointRow], ref: str) -> CheckpointKey:
    branch, count = _branch(rows), _number(ref)
    if not 0 <= count < len(branch):
        raise NotFound(f"{ref} goes back too far: there are {len(branch)} checkpoints up to the head.")
    return branch[count].key


def _at_step(rows: Sequence[CheckpointRow], ref: str) -> CheckpointKey:
    step = _number(ref)
    for row in (*_branch(rows), *rows):
        if row.step == step:
            return row.key
    raise NotFound(f"There is no checkpoint of step {step}.")


def _number(ref: str) -> int:
    try:
        return int(ref[1:])
    except ValueError:
        raise NotFound(f"{ref!r} is not understood: write ~2 for two steps back, @3 for step 3.") from None


def _fitting(rows: Sequence[CheckpointRow], ref: str) -> list[CheckpointKey]:
    exact = [row.key for row in rows if row.key.checkpoint_id == ref]
    return exact or [row.key for row in rows if row.key.checkpoint_id.startswith(ref)]


def _by_id(rows: Sequence[CheckpointRow], ref: str) -> CheckpointKey:
    found = _fitting(rows, ref)
    if not found:
        raise NotFound(f"No checkpoint of this thread begins with {ref!r}.")
    if len(found) > 1:
        raise NotFound(f"{len(found)} checkpoints begin with {ref!r}: give more of the id.")
    return found[0]

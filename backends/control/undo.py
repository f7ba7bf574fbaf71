"""Taking back what an action wrote, where nothing has been built on it."""

from __future__ import annotations

from ..errors import Refused
from ..locks.take import take
from ..model import NULL_TASK, CheckpointKey, CheckpointRow
from ..reader import Reader
from ..runs.spec import Verb
from ..task_ids import applied_ids
from ..task_rows import CONTROL
from .call import BRANCH, COPY
from .gate import Gate
from .journal import IMPORT, PRUNE, REMOVE, Entry
from .rows import Count, Rows
from .scene import name_of

_SENDS = "__pregel_tasks"
_STAMP = "lgtop_run"


def take_back(entry: Entry, gate: Gate, reader: Reader, operator: str) -> str:
    """Take an action back, exactly and alone; see ``journal.undo``."""
    gate.check(reader.store.info)
    if entry.undone:
        raise Refused("It has been undone already.")
    if entry.verb in (COPY, BRANCH, IMPORT):
        return _remove_thread(entry, gate, operator)
    if entry.verb == Verb.EDIT or (entry.verb == Verb.FORK and not entry.ran):
        return _remove_update(entry, gate, reader, operator)
    if entry.verb in (REMOVE, PRUNE):
        raise Refused("What was deleted is gone.", "Restore it from an export, or from a backup of the store.")
    raise Refused("What a run did cannot be undone.", "Fork from the checkpoint before it.")


def _remove_thread(entry: Entry, gate: Gate, operator: str) -> str:
    thread, made = name_of(entry.target), Count(entry.checkpoints, entry.writes)
    with take(gate.target, entry.target, who=operator), gate.writing() as rows:
        found = rows.count(entry.target)
        if not any(found):
            raise Refused(f"{thread} is not there any more.")
        if found != made:
            raise Refused(f"{thread} has been used since it was made.", "Delete it, if it is not needed.")
        rows.remove_thread(entry.target)
    return f"{thread} was removed: {made.checkpoints} checkpoints."


def _remove_update(entry: Entry, gate: Gate, reader: Reader, operator: str) -> str:
    with take(gate.target, entry.thread_id, who=operator):
        added = _added(entry, reader)
        base = None if added.parent_id is None else added.key._replace(checkpoint_id=added.parent_id)
        with gate.writing() as rows:
            if rows.newest(entry.thread_id) != added.key.checkpoint_id or rows.children(added.key):
                raise Refused("The thread has gone on since.", "Fork from the checkpoint before it.")
            _require_unused(added.key, reader)
            rows.remove_checkpoint(added.key)
            if base is not None and not rows.children(base):
                _restore(base, rows, reader)
    step = "" if added.step is None else f" of step {added.step}"
    return f"The checkpoint{step} that it added to {name_of(entry.thread_id)} was removed."


def _added(entry: Entry, reader: Reader) -> CheckpointRow:
    """The checkpoint that the action added: its metadata names the run."""
    history = reader.store.history(entry.thread_id)
    found = [row for row in history if entry.run_id and row.metadata.get(_STAMP) == entry.run_id]
    if not found and entry.head_after != entry.head_before:  # a ``__copy__`` takes no metadata of ours
        found = [row for row in history if row.key.checkpoint_id == entry.head_after and row.source == "fork"]
    if not found:
        raise Refused("Nothing of it is in the thread.", "It wrote nothing, or that was deleted.")
    if len(found) > 1:
        raise Refused("The thread has gone on since.", "Fork from the checkpoint before it.")
    return found[0]


def _require_unused(key: CheckpointKey, reader: Reader) -> None:
    """No run may have begun from it; what an update itself leaves on its own checkpoint are Sends."""
    written = reader.store.writes(key.thread_id, key.ns, [key.checkpoint_id])
    if any(write.channel != _SENDS for _, write in written):
        raise Refused("A run has begun from the checkpoint that it added.", "Fork from the checkpoint before it.")


def _restore(base: CheckpointKey, rows: Rows, reader: Reader) -> None:
    """Remove from the checkpoint before what the update left there; as rows of its task they would count as finished.

    An update leaves rows only on a checkpoint that nothing follows yet (``langgraph/pregel/main.py``,
    ``_store_or_fork_delta_writes``), so that they are those of its first child.
    """
    own = applied_ids(base.checkpoint_id)
    for _, write in reader.store.writes(base.thread_id, base.ns, [base.checkpoint_id]):
        named = write.task_path or write.task_id in own or write.task_id == NULL_TASK
        if not named and write.channel not in CONTROL:
            raise Refused(
                "The store does not say which rows the update wrote: its tables have no task_path.",
                "Fork from the checkpoint before it.",
            )
    rows.remove_update(base, own)

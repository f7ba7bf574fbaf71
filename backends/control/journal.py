"""The action log: every write that lgtop was asked for, one JSON line each, with who, when, what and the call.

A line is written before anything is done; what became of it follows as a second line, or, for runs, stands in the run's
record. The file is readable by its owner only, and holds no password.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ..address import mask_dsn
from ..errors import Refused
from ..folders import private_folder, state_folder
from ..locks.holder import this_user
from ..reader import Reader
from ..runs.read import read_run
from ..runs.record import runs_folder
from ..runs.run import Run
from .call import command_line, python_call, without_secrets
from .gate import Gate
from .plan import Plan

ACTIONS = "actions.jsonl"
"""Name of the file in the state folder; ``actions.1.jsonl`` is the one before."""

_LARGEST = 8_000_000
"""Bytes after which a new file is begun."""

IMPORT = "import"
"""Verb of an entry that made a thread from a file."""

UNDO = "undo"
"""Verb of an entry that takes another one back."""

REMOVE, PRUNE, VACUUM = "rm", "prune", "vacuum"
"""Verbs of entries that delete rows, or free pages: see the ``maintenance`` room."""

_ended: dict[str, Run] = {}
"""Runs that will not change any more: a record is folded from its beginning each time it is read."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One action.

    Attributes:
        action_id: Its name.
        when: Unix time.
        operator: Who asked.
        store: Address without a password.
        store_key: Identity of the store (``locks.key.store_key``).
        verb: A ``runs.spec.Verb``'s value, ``copy``, ``branch``, ``import``, ``undo``, ``rm``, ``prune`` or ``vacuum``.
        thread_id: The thread; untrusted.
        target: The thread that was made, for ``copy``, ``branch`` and ``import``.
        summary: The plan's one line.
        python: The LangGraph call; configuration and context hidden.
        command: The same as an ``lgtop`` command.
        run_id: The run, for verbs that run a graph.
        outcome: ``done``, ``failed``, ``refused``, ... (``runs.run.RunState`` for runs); empty where not known.
        reason: Why, in one line.
        head_before: Root head before; ``None`` for a new thread.
        head_after: Root head after it; ``None`` where not known.
        as_node: FORK, EDIT: as which node the values were written.
        ran: FORK: whether the graph ran after it.
        checkpoints: COPY, BRANCH, IMPORT: checkpoints made; REMOVE, PRUNE: deleted.
        writes: COPY, BRANCH, IMPORT: write rows made; REMOVE, PRUNE: deleted.
        undone: Whether it was taken back.
    """

    action_id: str
    when: float
    operator: str
    store: str
    store_key: str
    verb: str
    thread_id: str
    target: str = ""
    summary: str = ""
    python: str = ""
    command: str = ""
    run_id: str | None = None
    outcome: str = ""
    reason: str = ""
    head_before: str | None = None
    head_after: str | None = None
    as_node: str | None = None
    ran: bool = True
    checkpoints: int = 0
    writes: int = 0
    undone: bool = False


def new_entry(plan: Plan, gate: Gate, store_key: str, operator: str, run_id: str | None = None) -> Entry:
    """Make the entry of a plan that is about to be carried out."""
    intent = without_secrets(plan.intent)
    return Entry(
        action_id=new_id(),
        when=round(time.time(), 3),
        operator=operator,
        store=mask_dsn(gate.address.raw),
        store_key=store_key,
        verb=plan.verb,
        thread_id=intent.thread_id,
        target=intent.target,
        summary=plan.summary,
        python=python_call(intent, plan.awaited),
        command=command_line(intent, plan.graph, gate.address),
        run_id=run_id,
        head_before=plan.head or None,
        as_node=intent.as_node,
        ran=intent.run_after,
    )


def begin(
    verb: str,
    gate: Gate,
    store_key: str,
    operator: str,
    *,
    thread_id: str,
    target: str = "",
    summary: str = "",
    command: str = "",
) -> Entry:
    """Write down an action that has no plan, before anything is done.

    Raises:
        Refused: The log cannot be written; then nothing may be done either.
    """
    entry = Entry(
        action_id=new_id(),
        when=round(time.time(), 3),
        operator=operator,
        store=mask_dsn(gate.address.raw),
        store_key=store_key,
        verb=verb,
        thread_id=thread_id,
        target=target,
        summary=summary,
        command=command,
    )
    append(entry)
    return entry


def append(entry: Entry) -> None:
    """Write an action down.

    Raises:
        Refused: The log cannot be written; then nothing may be done either.
    """
    _append(asdict(entry))


def conclude(action_id: str, **known: Any) -> None:
    """Write down what became of an action: any attributes of its entry.

    Raises:
        Refused: The log cannot be written.
    """
    _append({"action_id": action_id, "about": known})


def entries(store_key: str | None = None, limit: int | None = 200) -> list[Entry]:
    """Read the log.

    Args:
        store_key: Only actions on this store; ``None`` is all.
        limit: At most so many; ``None`` is all.

    Returns:
        Actions, newest first; outcomes of runs are those of their records now.
    """
    found: list[Entry] = []
    about: dict[str, dict[str, Any]] = {}
    for line in _newest_lines():
        name = str(line.get("action_id"))
        if isinstance(line.get("about"), dict):
            about[name] = {**line["about"], **about.get(name, {})}
            continue
        entry = _entry(line | about.pop(name, {}))
        if entry is None or store_key not in (None, entry.store_key):
            continue
        found.append(_with_run(entry))
        if limit is not None and len(found) >= limit:
            break
    return found


def undo(entry: Entry, gate: Gate, reader: Reader, operator: str | None = None) -> str:
    """Take an action back, and write that down.

    A copy or a branch is removed if nothing has happened to it; of an edit, or of a fork that did not run, exactly the
    checkpoint that it added is removed, if the thread still stands there.

    Args:
        entry: From ``entries``.
        gate: The store.
        reader: The same store, open.
        operator: Who asks; ``None`` is the user of this process.

    Returns:
        What was done, in one safe sentence.

    Raises:
        Refused: It cannot be taken back; the reason says why.
        AlreadyRunning: Someone holds the thread.
        StoreError: The store failed; nothing was written.
    """
    from .undo import take_back

    who = operator or this_user()
    noted = _undo_entry(entry, who)
    append(noted)
    try:
        told = take_back(entry, gate, reader, who)
    except Exception as error:
        conclude(noted.action_id, outcome="refused", reason=str(error))
        raise
    conclude(noted.action_id, outcome="done", reason=told)
    conclude(entry.action_id, undone=True)
    return told


def _undo_entry(entry: Entry, operator: str) -> Entry:
    return Entry(
        action_id=new_id(),
        when=round(time.time(), 3),
        operator=operator,
        store=entry.store,
        store_key=entry.store_key,
        verb=UNDO,
        thread_id=entry.thread_id,
        target=entry.target,
        summary=f"{UNDO} {entry.summary}",
    )


def new_id() -> str:
    """A name for an action; later ones sort behind."""
    return f"{time.time_ns():x}{secrets.token_hex(2)}"


def _with_run(entry: Entry) -> Entry:
    """An entry with what the record of its run says, as long as there is one."""
    if entry.run_id is None:
        return entry
    run = _ended.get(entry.run_id)
    if run is None:
        folder = runs_folder() / entry.run_id
        if not folder.is_dir():
            return entry
        run = read_run(folder)
        if not run.live:
            _ended[entry.run_id] = run
    return replace(entry, outcome=str(run.state), reason=run.reason, head_after=run.head or entry.head_after)


def _entry(fields: dict[str, Any]) -> Entry | None:
    """An entry as a line holds it; ``None`` for a line of a later release that cannot be understood."""
    known = {name: fields[name] for name in Entry.__slots__ if name in fields}
    try:
        return Entry(**known)
    except TypeError:
        return None


def _newest_lines() -> Iterator[dict[str, Any]]:
    for path in (_file(), _file().with_suffix(".1.jsonl")):
        try:
            lines = path.read_bytes().splitlines()
        except FileNotFoundError:
            continue
        for line in reversed(lines):
            try:
                found = json.loads(line)
            except ValueError:  # a line that was cut off when the disk was full
                continue
            if isinstance(found, dict):
                yield found


def _append(fields: dict[str, Any]) -> None:
    """One line with one write: several processes append to the file."""
    path = _file()
    line = f"{json.dumps(fields)}\n".encode()
    try:
        private_folder(path.parent)
        if path.exists() and path.stat().st_size > _LARGEST:
            os.replace(path, path.with_suffix(".1.jsonl"))
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, line)
        finally:
            os.close(handle)
    except OSError as error:
        raise Refused(
            f"The action log {path} cannot be written: {error.strerror}.", "Set XDG_STATE_HOME to a place that can."
        ) from error


def _file() -> Path:
    return state_folder() / ACTIONS

"""A run's record: one folder under the state directory, made before the child starts and kept after it has ended.

``run.json`` says what was asked, without secrets; ``events.jsonl`` what happened (``events``); ``alive`` is locked
while the process lives (``alive``); ``exit`` holds its exit code where the process that started it saw the end;
``boot.log`` has what it said before its own capture began.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

from ..address import mask_dsn
from ..folders import private_folder, state_folder, write_whole
from .alive import holder_pid
from .spec import RunSpec

RUN = "run.json"
"""Name of the file that says what was asked."""

EXIT = "exit"
"""Name of the file with the exit code, minus the signal's number for a killed process."""

BOOT = "boot.log"
"""Name of the file with what the child said before its own capture began."""

KEPT = 2_000
"""Records that are kept; older ones are deleted when a new one is made, unless their process lives."""

_DIGITS = "23456789abcdefghjkmnpqrstuvwxyz"
"""Digits of an id's tail in their order: nothing that can be mistaken for something else."""

_SLOTS = len(_DIGITS) ** 4 // 60
"""Ids in one second."""


def runs_folder() -> Path:
    """``$XDG_STATE_HOME/lgtop/runs``; it may not exist."""
    return state_folder() / "runs"


def new_record() -> tuple[str, Path]:
    """Make a record.

    Returns:
        The run's id and the record's folder, readable by its owner only. The id is unique among the records and sorts
        by the time it was made: day and minute in UTC, and a tail that counts on: ``261121-0910-k3f2``.

    Raises:
        OSError: The state directory cannot be written.
    """
    parent = private_folder(runs_folder())
    _prune(parent)
    while True:
        run_id = _name(time.time())
        folder = parent / run_id
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            continue  # taken by another process; the next number comes in less than a tenth of a millisecond
        return run_id, folder


def write_request(spec: RunSpec, store_key: str) -> None:
    """Write ``run.json``: everything that identifies the run, nothing that may be secret.

    Inputs, answers, written values, ``configurable`` and context stay out, as do passwords and environment variables:
    they are the user's data, and what matters of them stands in the store.

    Raises:
        OSError: The record cannot be written.
    """
    graph = spec.graph
    asked = {
        "run_id": spec.run_id,
        "verb": spec.verb,
        "thread_id": spec.thread_id,
        "store": mask_dsn(spec.store),
        "store_key": store_key,
        "graph": graph.name,
        "target": graph.target,
        "root": graph.root,
        "python": graph.python,
        "operator": spec.operator,
        "host": os.uname().nodename,
        "asked_at": round(time.time(), 4),
        "head_before": spec.expected_head,
        "durability": spec.durability,
        "step": spec.step,
        "faults": list(spec.faults),
    }
    write_whole(Path(spec.record, RUN), json.dumps(asked))


def records() -> Iterator[str]:
    """Names of all records, in no order; nothing where there are none.

    Raises:
        OSError: The folder cannot be read.
    """
    try:
        entries = os.scandir(runs_folder())
    except FileNotFoundError:
        return
    with entries:
        yield from (entry.name for entry in entries if not entry.name.startswith("."))


def _name(now: float) -> str:
    number = int(now % 60 * _SLOTS)
    tail = ""
    for _ in range(4):
        number, digit = divmod(number, len(_DIGITS))
        tail = _DIGITS[digit] + tail
    return f"{time.strftime('%y%m%d-%H%M', time.gmtime(now))}-{tail}"


def _prune(parent: Path) -> None:
    """Delete the oldest records beyond ``KEPT``; one whose process lives stays, however old."""
    from shutil import rmtree

    for name in sorted(os.listdir(parent))[: -KEPT + 1]:
        if holder_pid(parent / name) is None:
            rmtree(parent / name, ignore_errors=True)  # another process may be pruning the same one

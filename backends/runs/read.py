"""Reading a run's record: folded forward from where the last look ended, so that each line is read once."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..text import one_line
from .alive import holder_pid
from .children import settle
from .events import Event, Kind, Outcome
from .record import BOOT, EXIT, RUN
from .recorder import EVENTS
from .run import Run, RunState

_CHUNK = 4 << 20
"""Bytes of events that are read at a time."""

_YOUTH = 15.0
"""Seconds after being asked for, or since its last sign of life on another host, in which a run without a lock counts
as one that is there."""

_REASON = 500
"""Characters of a reason."""


class EventTail:
    """The events of a record, each once, in the order they were written; lines that are no events are passed over.

    Args:
        folder: The record's folder.
    """

    def __init__(self, folder: str | Path) -> None:
        self._path = Path(folder, EVENTS)
        self._offset = 0

    def news(self) -> Iterator[Event]:
        """Yield what was appended since the last look; a line that is still being written waits for the next one.

        Raises:
            OSError: The file cannot be read.
        """
        while chunk := self._chunk():
            whole, newline, _ = chunk.rpartition(b"\n")
            if not newline:
                return
            self._offset += len(whole) + 1
            for line in whole.split(b"\n"):
                try:
                    yield Event.from_json(line.decode())
                except (ValueError, TypeError, RecursionError):
                    continue  # torn by a full disk, or of a newer version of lgtop

    def _chunk(self) -> bytes:
        size = _CHUNK
        try:
            with open(self._path, "rb") as file:
                while True:
                    file.seek(self._offset)
                    data = file.read(size)
                    if len(data) < size or b"\n" in data:
                        return data
                    size *= 2  # one line larger than a chunk: a large graph
        except FileNotFoundError:
            return b""


@dataclass(slots=True)
class _Fold:
    """What the events so far amount to."""

    pid: int | None = None
    started: float | None = None
    last: float = 0.0
    head_before: str | None = None
    head: str | None = None
    call: str = ""
    running: dict[str, str] = field(default_factory=dict)
    begun: int = 0
    finished: int = 0
    next: tuple[str, ...] = ()
    works: bool = False
    stopping: bool = False
    outcome: RunState | None = None
    reason: str = ""
    exit_code: int | None = None

    def add(self, event: Event) -> None:
        """Take one event in; keys that are missing or of another type leave things as they are."""
        data = event.data
        self.last = max(self.last, event.t)
        match event.kind:
            case Kind.STARTED:
                self.pid, self.started = _number(data, "pid"), event.t
            case Kind.RUNNING:
                self.works = True
                self.call, self.head_before = _text(data, "call"), _text(data, "head") or None
            case Kind.TASK:
                self._task(data)
            case Kind.CHECKPOINT if not data.get("ns"):
                self.head, self.next = _text(data, "id") or self.head, _names(data, "next")
            case Kind.STOPPING:
                self.stopping = True
            case Kind.END:
                self.outcome = _OUTCOMES.get(_text(data, "outcome"), RunState.FAILED)
                self.reason, self.exit_code = _text(data, "reason"), _number(data, "exit")
                self.exit_code = _number(data, "exit")
                self.head = _text(data, "head") or self.head
                self.next = _names(data, "next")
                self.running.clear()

    def _task(self, data: Mapping[str, Any]) -> None:
        task_id = _text(data, "id")
        if data.get("phase") == "start":
            self.begun += task_id not in self.running
            self.running[task_id] = _text(data, "name")
        elif self.running.pop(task_id, None) is not None:
            self.finished += 1  # others had finished in an earlier run


_OUTCOMES: Mapping[str, RunState] = {outcome.value: RunState(outcome.value) for outcome in Outcome}


class RunReader:
    """One run, read again and again.

    Args:
        folder: The record's folder.

    Raises:
        FileNotFoundError: It holds no request yet, or is gone.
        ValueError: The request is no request.
        OSError: It cannot be read.
    """

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder)
        asked = json.loads(Path(folder, RUN).read_text(encoding="utf-8"))
        if not isinstance(asked, dict):
            raise ValueError(f"{folder}: {RUN} is not a request")
        self._tail = EventTail(folder)
        self._fold = _Fold()
        self._base = _base(asked, str(folder))

    @property
    def store_key(self) -> str:
        """Identity of the run's store."""
        return self._base.store_key

    def read(self) -> Run:
        """Read what is new and return the run as it is now.

        Raises:
            OSError: The record cannot be read.
        """
        pid = holder_pid(self._folder)  # before the events: a run that ends in between has written its end
        for event in self._tail.news():
            self._fold.add(event)
        fold, asked_at = self._fold, self._base.started_at
        run = replace(
            self._base,
            pid=pid or fold.pid,
            started_at=fold.started or asked_at,
            head_before=fold.head_before or self._base.head_before,
            head=fold.head,
            finished=fold.finished,
            begun=fold.begun,
            nodes=dict(Counter(fold.running.values())),
            next=fold.next,
            call=fold.call,
        )
        if fold.outcome:
            return replace(
                run,
                state=fold.outcome,
                reason=one_line(fold.reason, _REASON),
                ended_at=fold.last,
                exit_code=_exit_code(self._folder) if fold.exit_code is None else fold.exit_code,
            )
        if pid is not None or self._elsewhere_or_young():
            if fold.stopping:
                return replace(run, state=RunState.STOPPING)
            return replace(run, state=RunState.RUNNING if fold.works else RunState.STARTING)
        settle(self._folder)
        code = _exit_code(self._folder)
        return replace(
            run,
            state=RunState.CRASHED,
            reason=one_line(_why_gone(code, self._folder, run), _REASON),
            ended_at=fold.last or asked_at,
            exit_code=code,
            nodes={},
        )

    def _elsewhere_or_young(self) -> bool:
        """Whether the lock's absence proves nothing: on another host, or before the child has come to taking it."""
        now, fold = time.time(), self._fold
        if self._base.host != os.uname().nodename:
            return now - max(fold.last, self._base.started_at) < _YOUTH
        return fold.started is None and not (self._folder / EXIT).exists() and now - self._base.started_at < _YOUTH


def read_run(folder: str | Path) -> Run:
    """Read a record.

    Raises:
        FileNotFoundError: There is no such record.
        ValueError: It is not a record.
        OSError: It cannot be read.
    """
    return RunReader(folder).read()


def alive(folder: str | Path) -> bool:
    """Whether the record's process is there, as the kernel knows it on this computer.

    Raises:
        OSError: The record cannot be read.
    """
    return holder_pid(folder) is not None


def _base(asked: Mapping[str, Any], folder: str) -> Run:
    graph, target = _text(asked, "graph"), _text(asked, "target")
    return Run(
        run_id=_text(asked, "run_id") or os.path.basename(folder),
        folder=folder,
        thread_id=_text(asked, "thread_id"),
        store=_text(asked, "store"),
        store_key=_text(asked, "store_key"),
        graph=graph or target,
        target=target,
        verb=_text(asked, "verb"),
        operator=one_line(_text(asked, "operator"), 200),
        host=_text(asked, "host"),
        started_at=float(asked.get("asked_at") or 0.0),
        head_before=_text(asked, "head_before") or None,
        durability=_text(asked, "durability"),
    )


def _why_gone(code: int | None, folder: Path, run: Run) -> str:
    """Why a process that said nothing is gone, as far as that can be known."""
    if code is None:
        said = "The process is gone without a word"
    elif code < 0:
        said = f"The process was killed by {_signal(-code)}"
    else:
        said = f"The process left with exit code {code} in the middle of its work"
    if run.nodes:
        return f"{said} while {', '.join(sorted(run.nodes))} ran."
    words = _last_words(folder) if run.pid is None else ""
    return f"{said}: {words}" if words else f"{said}."


def _signal(number: int) -> str:
    from signal import Signals

    try:
        name = Signals(number).name
    except ValueError:
        return f"signal {number}"
    return f"{name} (by a person, or because memory ran out)" if name == "SIGKILL" else name


def _last_words(folder: Path) -> str:
    """The last line that the child said before its own capture began."""
    try:
        with open(folder / BOOT, "rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 4096))
            lines = file.read().decode(errors="replace").strip().splitlines()
    except FileNotFoundError:
        return ""
    return lines[-1] if lines else ""


def _exit_code(folder: Path) -> int | None:
    try:
        return int((folder / EXIT).read_text())
    except (FileNotFoundError, ValueError):
        return None


def _text(data: Mapping[str, Any], key: str) -> str:
    found = data.get(key)
    return found if isinstance(found, str) else ""


def _number(data: Mapping[str, Any], key: str) -> int | None:
    found = data.get(key)
    return found if isinstance(found, int) else None


def _names(data: Mapping[str, Any], key: str) -> tuple[str, ...]:
    found = data.get(key)
    return tuple(name for name in found if isinstance(name, str)) if isinstance(found, list) else ()

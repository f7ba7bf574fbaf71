"""All runs of a store, kept fresh cheaply: the events of a run that has ended are read once, whoever reads them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..folders import state_folder, write_whole
from .read import RunReader
from .record import records, runs_folder
from .run import Run, RunState

_ENDED = "ended-runs.json"
"""Runs that have ended, in the state directory: drawn from their records, and made anew when it is lost."""

_SETTLING = 3.0
"""Seconds after an end in which the process that saw it may still write the exit code; also how old the last change of
the folder must be before its time is believed to change with the next."""

_IDLE = (RunState.STARTING, RunState.REFUSED, RunState.BUSY)
"""States of runs that have touched nothing, or nothing yet."""


class Ledger:
    """The records on this computer; not for several threads at once.

    Args:
        store_key: Whose runs (``locks.key.store_key``); ``None`` for all.
    """

    def __init__(self, store_key: str | None) -> None:
        self._store_key = store_key
        self._folder = runs_folder()
        self._ended = state_folder() / _ENDED
        self._listed_at = -1
        self._names: set[str] = set()
        self._open: dict[str, RunReader] = {}
        self._runs: dict[str, Run] = {}
        self._newest_first: list[Run] = []

    def refresh(self) -> list[Run]:
        """Look again and return the runs, newest first; the same list where nothing has changed.

        It costs one ``stat``, and for each run whose process lives what it has written since.

        Raises:
            OSError: The records cannot be read.
        """
        changed, over = self._list(), []
        for name, reader in list(self._open.items()):
            try:
                run = reader.read()
            except FileNotFoundError:
                continue  # deleted this moment; the next listing says so
            changed |= run != self._runs.get(name)
            self._runs[name] = run
            if _settled(run):
                del self._open[name]
                over.append(run)
        if over:
            self._remember(over)
        if changed:
            self._newest_first = sorted(self._runs.values(), key=lambda run: (run.started_at, run.run_id), reverse=True)
        return self._newest_first

    def latest(self) -> dict[str, Run]:
        """Return, by thread, the newest run that may have written to it, as of the last ``refresh``.

        One that ended before it called LangGraph has not: what an earlier run says about the thread still stands.
        """
        found: dict[str, Run] = {}
        for run in self._newest_first:
            if run.live or (run.call and run.state not in _IDLE):
                found.setdefault(run.thread_id, run)
        return found

    def _list(self) -> bool:
        """Find the records that have come and gone; whether the runs are others now."""
        try:
            changed_at = self._folder.stat().st_mtime_ns
        except FileNotFoundError:
            changed_at = 0
        if changed_at == self._listed_at:
            return False
        names = set(records())
        new, gone = names - self._names, self._runs.keys() - names
        ended = _load(self._ended) if new else {}
        unread = [name for name in new if not self._take(name, ended.get(name))]
        for name in gone:
            del self._runs[name]
            self._open.pop(name, None)
        self._names = names.difference(unread)
        # Changes within one tick of the file system's clock have one time, and a request comes after its folder.
        trusted = time.time() - changed_at / 1e9 > _SETTLING and not unread
        self._listed_at = changed_at if trusted else -1
        return bool(new or gone)

    def _take(self, name: str, ended: Run | None) -> bool:
        """Take a record in if it is of our store; false as long as its request is not written."""
        if ended is not None and ended.folder == str(self._folder / name):
            if self._store_key in (None, ended.store_key):
                self._runs[name] = ended
            return True
        try:
            reader = RunReader(self._folder / name)
        except FileNotFoundError:
            return False
        except (ValueError, NotADirectoryError):
            return True  # nothing of ours
        if self._store_key in (None, reader.store_key):
            self._open[name] = reader
        return True

    def _remember(self, over: Iterable[Run]) -> None:
        """Add to what is known about runs that have ended; last writer wins, as what is lost is only read again."""
        known = {name: run for name, run in _load(self._ended).items() if name in self._names}
        known |= {run.run_id: run for run in over}
        try:
            write_whole(self._ended, json.dumps([asdict(run) for run in known.values()]))
        except OSError:
            return  # no space or no permission: the next process reads the events again


def _settled(run: Run) -> bool:
    """Whether nothing more will be learnt about a run."""
    return not run.live and (run.exit_code is not None or time.time() - (run.ended_at or 0.0) > _SETTLING)


def _load(path: Path) -> dict[str, Run]:
    """Runs by id; none where the file is missing or not ours."""
    try:
        runs = [_run(found) for found in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError, KeyError):
        return {}
    return {run.run_id: run for run in runs}


def _run(found: Mapping[str, Any]) -> Run:
    return Run(**{**found, "state": RunState(found["state"]), "next": tuple(found["next"])})

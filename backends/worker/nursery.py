"""A process that imports LangGraph once and then forks a run for each request; see ``runs/nursery.py``.

It never imports the user's code. It has one thread, since a fork has no more; a library that starts others at import
makes it unfit. A fork leads a session of its own, has nothing of ours open, and does from there on what a run that was
started by itself does.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..folders import write_whole
from ..runs.record import BOOT, EXIT
from ..runs.spec import GraphRef
from .loading import load_target, prepare_path
from .signals import hold_back, let_through

_MODULES = (
    "langgraph.graph",
    "langgraph.func",
    "langgraph.pregel",
    "langgraph.prebuilt",
    "langgraph.runtime",
    "langgraph.types",
    "langchain_core.messages",
    "langchain_core.tracers",
    "langchain_core.tracers.context",
    "langchain_core.tracers.stdout",
    "psycopg",
)
"""What graphs and runs import; one that is not there is none of theirs."""

_SAVERS = {False: "langgraph.checkpoint.sqlite.aio", True: "langgraph.checkpoint.postgres.aio"}

_OURS = {
    False: ("worker.session", "sqlite", "sqlite_open", "sqlite_feed", "locks.sqlite"),
    True: ("worker.session", "postgres", "postgres_open", "locks.postgres"),
}
"""Modules of ours that a run imports at the latest."""

_AT_IMPORT = ("LANGGRAPH_", "LANGCHAIN_", "LANGSMITH_")
"""Variables that those packages read when they are imported (``langgraph/checkpoint/serde/_msgpack.py``)."""

_TRIAL = 30
"""Seconds that the graph may take to be imported on trial."""


def serve() -> str | None:
    """Fork a run for each request on standard input, until that ends and all runs have.

    Returns:
        In a fork: what it is asked. In the nursery itself: ``None``, at its end.
    """
    answers = os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 1)
    os.close(nothing)
    requests = _Lines(0)
    first = requests.wait()
    if first is None:
        return None
    fit = _preload(first["postgres"]) and _imports_as_elsewhere(first["graph"])
    gc.collect()
    gc.freeze()  # the collector would touch, and so copy, every page that forks share
    _tell(answers, {"fit": fit})
    return _Births(requests, answers).serve() if fit else None


class _Lines:
    """JSON objects, one a line, read from a descriptor without a buffer that a fork would inherit."""

    def __init__(self, source: int) -> None:
        self._source = source
        self._rest = b""
        self.over = False

    def read(self) -> Iterator[dict[str, Any]]:
        """Read once, and yield what is complete."""
        data = os.read(self._source, 1 << 20)
        self.over = not data
        *lines, self._rest = (self._rest + data).split(b"\n")
        yield from map(json.loads, lines)

    def wait(self) -> dict[str, Any] | None:
        """Wait for the next one."""
        while not self.over:
            for found in self.read():
                return found
        return None


class _Births:
    """Forks, and waits for what was forked.

    Args:
        requests: Where they come from.
        answers: Where to tell what became of them.
    """

    def __init__(self, requests: _Lines, answers: int) -> None:
        self._requests = requests
        self._answers = answers
        self._records: dict[int, str] = {}
        self._ear, self._bell = os.pipe()
        for end in (self._ear, self._bell):
            os.set_blocking(end, False)

    def serve(self) -> str | None:
        """See ``serve``."""
        signal.signal(signal.SIGCHLD, lambda number, frame: None)  # only so that the bell is rung
        signal.set_wakeup_fd(self._bell, warn_on_full_buffer=False)
        while self._records or not self._requests.over:
            sources = [self._ear] if self._requests.over else [self._ear, 0]
            ready, _, _ = select.select(sources, [], [])
            if self._ear in ready:
                os.read(self._ear, 4096)
                self._bury()
            for request in self._requests.read() if 0 in ready else ():
                if (asked := self._bear(request)) is not None:
                    return asked
        return None

    def _bear(self, request: dict[str, Any]) -> str | None:
        """Fork; what is asked, in the fork."""
        record = request["record"]
        hold_back()
        pid = os.fork()
        if not pid:
            self._leave(Path(record), request["root"], request["env"])
            return str(request["spec"])
        let_through()
        self._records[pid] = record
        _tell(self._answers, {"record": record, "pid": pid})
        return None

    def _leave(self, record: Path, root: str, environment: dict[str, str]) -> None:
        """In a fork: become a process like any other."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        log = os.open(record / BOOT, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        for number in (1, 2):
            os.dup2(log, number)
        for ours in (log, self._ear, self._bell, self._answers):
            os.close(ours)
        os.chdir(root)
        os.environ.update(environment)
        if (numpy := sys.modules.get("numpy.random")) is not None:
            numpy.seed()  # ``random`` does so by itself

    def _bury(self) -> None:
        """Write down the ends of those that have ended."""
        while self._records:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            record, code = self._records.pop(pid), os.waitstatus_to_exitcode(status)
            with suppress(OSError):  # the record was pruned, or the disk is full: then only the cause is not known
                write_whole(Path(record, EXIT), str(code))
            _tell(self._answers, {"record": record, "exit": code})


def _preload(postgres: bool) -> bool:
    """Import what every run imports; whether this process can still be forked after that."""
    package = (__package__ or "").rpartition(".")[0]
    for name in (*_MODULES, _SAVERS[postgres], *(f"{package}.{ours}" for ours in _OURS[postgres])):
        with suppress(ImportError):
            importlib.import_module(name)
    sys.stdout.flush()
    return threading.active_count() == 1 and len(os.listdir("/proc/self/task")) == 1


def _imports_as_elsewhere(fields: dict[str, Any]) -> bool:
    """Whether the graph's module leaves alone what LangGraph reads at import, which has happened by now.

    A module that sets such variables before it imports LangGraph, as by loading a ``.env`` file, finds in a run of its
    own that they count. It is tried out in a fork.
    """
    pid = os.fork()
    if not pid:
        os._exit(_try(GraphRef(**{**fields, "dependencies": tuple(fields["dependencies"])})))
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def _try(graph: GraphRef) -> int:
    """The whole life of the fork that imports the graph on trial; its exit code."""
    os.setsid()
    os.close(0)
    signal.alarm(_TRIAL)
    before = _read_at_import()
    try:
        prepare_path(graph)
        load_target(graph)
    except BaseException:  # a run will say what is wrong with it
        return 0
    return int(_read_at_import() != before)


def _read_at_import() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith(_AT_IMPORT)}


def _tell(answers: int, told: dict[str, Any]) -> None:
    try:
        os.write(answers, f"{json.dumps(told)}\n".encode())
    except OSError:
        return  # nobody listens any more; the runs go on, and their ends are still written down

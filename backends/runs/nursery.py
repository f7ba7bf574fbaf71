"""Starting many runs of one graph quickly: they are forked from a process that has imported LangGraph already.

Importing it costs more than a second of processor time, which a single run can bear and a thousand cannot. What is
forked is an ordinary run: a session of its own, its own record, and the user's code imported anew in each
(``worker/nursery.py``). Where it cannot be done, runs are started one by one as ever.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

from ..errors import Refused
from . import children, interpreter
from .run import Run
from .spawn import WORKER, begin, fit_python, launch, on_postgres
from .spec import GraphRef, RunSpec

_PATIENCE = 60.0
"""Seconds that a nursery may take to import everything, and the graph once on trial."""

_BIRTH = 10.0
"""Seconds that a fork may take."""


class Nurseries:
    """One nursery for each graph, made when it is first needed. Safe to use from any thread."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._making = threading.Lock()
        self._nurseries: dict[str, Nursery | None] = {}
        self._warmed: set[tuple[str, str]] = set()
        self._closed = False

    def start(self, spec: RunSpec, *, store_key: str) -> Run:
        """Start a run, as ``spawn.spawn`` does.

        Raises:
            Refused: As there.
        """
        return begin(spec, store_key, self._start)

    def warm(self, graph: GraphRef, *, postgres: bool) -> None:
        """Begin to make the nursery of a graph that will be run, and do not wait for it."""
        with self._mutex:
            if (known := (graph.root, graph.target)) in self._warmed:
                return
            self._warmed.add(known)
        threading.Thread(target=self._make, args=(graph, postgres), name="lgtop-nurseries", daemon=True).start()

    def _make(self, graph: GraphRef, postgres: bool) -> None:
        with suppress(Refused):  # a run will say why
            self._nursery(graph, postgres)

    def close(self) -> None:
        """Let the nurseries end; what they have started goes on, and they wait for it."""
        with self._making:
            self._closed = True
            for nursery in filter(None, self._nurseries.values()):
                nursery.close()
            self._nurseries.clear()

    def _start(self, spec: RunSpec) -> children.Tending:
        nursery = self._nursery(spec.graph, bool(on_postgres(spec)))
        born = None if nursery is None else nursery.bear(spec)
        return launch(spec)[1] if born is None else born

    def _nursery(self, graph: GraphRef, postgres: bool) -> Nursery | None:
        """The nursery of a graph; ``None`` where there can be none."""
        if not sys.platform.startswith("linux"):
            return None  # macOS forbids much of what a fork without exec would do
        python = fit_python(graph, postgres)
        key = json.dumps([python, postgres, asdict(graph)], sort_keys=True)
        with self._making:
            known = self._nurseries.get(key)
            if not self._closed and (key not in self._nurseries or (known is not None and known.gone)):
                known = self._nurseries[key] = _opened(python, graph, postgres)
            return known


def _opened(python: str, graph: GraphRef, postgres: bool) -> Nursery | None:
    try:
        nursery = Nursery(python, graph, postgres)
    except OSError:
        return None  # what keeps the system from making one keeps it from making a run: that says so
    if nursery.is_fit():
        return nursery
    nursery.close()
    return None


@dataclass(eq=False)
class Newborn:
    """A run that a nursery has started; see ``children.Tending``.

    Attributes:
        over: Set at its end.
        begun: Set at its beginning.
        pid: Its process; 0 before its beginning.
    """

    over: threading.Event = field(default_factory=threading.Event)
    begun: threading.Event = field(default_factory=threading.Event)
    pid: int = 0

    def is_alive(self) -> bool:
        """Whether its process is there, for all that is known."""
        return not self.over.is_set()

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end."""
        self.over.wait(timeout)


class Nursery:
    """A process that forks runs.

    Args:
        python: The interpreter.
        graph: The graph that they run.
        postgres: Which saver they use.

    Raises:
        OSError: It cannot be started.
    """

    def __init__(self, python: str, graph: GraphRef, postgres: bool) -> None:
        self._process = subprocess.Popen(
            [python, "-P", str(WORKER), "--nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=graph.root,
            env=interpreter.environment(graph.env),
            start_new_session=True,
        )
        self._mutex = threading.Lock()
        self._born: dict[str, Newborn] = {}
        self._told = threading.Event()
        self._fit = False
        self.gone = False
        threading.Thread(target=self._listen, name=f"lgtop-nursery-{self._process.pid}", daemon=True).start()
        self._say({"graph": asdict(graph), "postgres": postgres})

    def is_fit(self) -> bool:
        """Whether it is ready, which is waited for; false where its runs would not be what they are elsewhere."""
        self._told.wait(_PATIENCE)
        return self._fit

    def bear(self, spec: RunSpec) -> Newborn | None:
        """Start a run; ``None`` where it is gone."""
        newborn = Newborn()
        with self._mutex:
            self._born[spec.record] = newborn
        children.tend(spec.record, newborn)
        graph = spec.graph
        if self._say({"record": spec.record, "root": graph.root, "env": dict(graph.env), "spec": spec.to_json()}):
            newborn.begun.wait(_BIRTH)
        if newborn.begun.is_set():
            return newborn
        children.tended(spec.record)
        return None

    def close(self) -> None:
        """Ask for no more runs; the process ends when the last one has."""
        stdin = self._process.stdin
        with self._mutex:
            if stdin is not None and not stdin.closed:
                try:
                    stdin.close()
                except OSError:
                    return  # it is gone

    def _say(self, request: dict[str, Any]) -> bool:
        """Write a request; whether there was somebody to take it."""
        stdin = self._process.stdin
        if stdin is None:
            return False
        try:
            with self._mutex:
                stdin.write(f"{json.dumps(request)}\n".encode())
                stdin.flush()
        except (OSError, ValueError):  # gone, or closed
            return False
        return True

    def _listen(self) -> None:
        """Take in what it tells, to its end."""
        stdout = self._process.stdout
        for line in stdout or ():
            self._take(json.loads(line))
        self.gone = True
        self._told.set()
        with self._mutex:
            left, self._born = self._born, {}
        for record, newborn in left.items():  # their ends will not be told; the locks on their records tell enough
            newborn.over.set()
            children.tended(record)
        self._process.wait()

    def _take(self, told: dict[str, Any]) -> None:
        if "fit" in told:
            self._fit = bool(told["fit"])
            self._told.set()
            return
        with self._mutex:
            newborn = self._born.get(told["record"])
        if newborn is None:
            return
        newborn.pid = told.get("pid", newborn.pid)
        newborn.begun.set()
        if "exit" in told:  # the record has it already
            newborn.over.set()
            children.tended(told["record"])
            with self._mutex:
                self._born.pop(told["record"], None)

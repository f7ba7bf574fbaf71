"""Starting a run: a child in a session of its own, so that neither a hang-up nor our own end stops it."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from ..address import parse_address
from ..errors import Refused
from ..folders import write_whole
from ..text import one_line
from . import children, interpreter
from .alive import holder_pid
from .read import read_run
from .record import BOOT, EXIT, write_request
from .run import Run
from .spec import GraphRef, RunSpec, Verb

WORKER = Path(__file__).resolve().parents[1] / "worker" / "__main__.py"
"""The child's program; started by path, so that no package of the project stands in its way."""

_BOOT_PATIENCE = 20.0
"""Seconds in which a child shows that it lives; on a loaded machine an interpreter may take long to start."""


class Start(Protocol):
    """Starts a run, as ``spawn`` does."""

    def __call__(self, spec: RunSpec, *, store_key: str) -> Run:
        """See ``spawn``."""
        ...


def spawn(spec: RunSpec, *, store_key: str) -> Run:
    """Start a run in a new process and return as soon as that has shown that it lives, or has ended.

    The child outlives us. Its exit code is written into the record as long as this process is there to see it.

    Args:
        spec: What it is asked; its record is a new one. It goes down a pipe: passwords are in no file and no argument.
        store_key: Identity of the store.

    Returns:
        The run, live or ended already.

    Raises:
        Refused: The interpreter cannot run it, or the record cannot be written; nothing was run.
    """
    return begin(spec, store_key, lambda spec: launch(spec)[1])


def begin(spec: RunSpec, store_key: str, start: Callable[[RunSpec], children.Tending]) -> Run:
    """Write down what a run is asked, have its process started, and wait until that lives or has ended.

    Args:
        spec: See ``spawn``; so is the rest.
        store_key: Identity of the store.
        start: Starts the process.
    """
    try:
        _write_down(spec, store_key)
        tending = start(spec)
    except Refused:
        shutil.rmtree(spec.record, ignore_errors=True)
        raise
    deadline = time.monotonic() + _BOOT_PATIENCE
    while tending.is_alive() and holder_pid(spec.record) is None and time.monotonic() < deadline:
        tending.join(0.005)
    return read_run(spec.record)


def launch(spec: RunSpec) -> tuple[subprocess.Popen[bytes], threading.Thread]:
    """Start the child.

    Returns:
        The process, and the thread that hands it what it is asked, waits for it and leaves its exit code in the record.

    Raises:
        Refused: The interpreter cannot run it, the project is gone, or the system makes no process.
    """
    python = fit_python(spec.graph, on_postgres(spec))
    try:
        with open(Path(spec.record, BOOT), "wb") as log:
            child = subprocess.Popen(
                [python, "-P", str(WORKER)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=spec.graph.root,
                env=interpreter.environment(spec.graph.env),
                start_new_session=True,
            )
    except (OSError, ValueError) as error:  # the latter for variables that no process can have
        raise Refused(f"The run cannot be started: {error}.") from error
    tended = threading.Thread(target=_tend, args=(child, spec), name=f"lgtop-run-{child.pid}", daemon=True)
    children.tend(spec.record, tended)
    tended.start()
    return child, tended


def fit_python(ref: GraphRef, postgres: bool | None) -> str:
    """Return the interpreter of a graph, which has been looked at.

    Args:
        ref: The graph.
        postgres: Which saver its store needs; ``None`` for none.

    Raises:
        Refused: It cannot run it, or the project is gone.
    """
    python = interpreter.locate(ref.python, Path(ref.root))
    interpreter.check(python, postgres=postgres)
    if not os.path.isdir(ref.root):
        raise Refused(f"The project's directory {one_line(ref.root, 300)} is not there.")
    return python


def on_postgres(spec: RunSpec) -> bool | None:
    """Whether a run works on PostgreSQL; ``None`` where it works on no store."""
    if spec.verb is Verb.DRAW:
        return None
    return parse_address(spec.store, {}).kind == "postgres"


def _write_down(spec: RunSpec, store_key: str) -> None:
    try:
        write_request(spec, store_key)
    except OSError as error:
        raise Refused(f"The record of the run cannot be written: {error}.") from error


def _tend(child: subprocess.Popen[bytes], spec: RunSpec) -> None:
    try:
        child.communicate(spec.to_json().encode())  # it passes over a child that has ended without reading
        write_whole(Path(spec.record, EXIT), str(child.returncode))
    except OSError:
        return  # the record was pruned, or the disk is full: the end is known all the same, only not its cause
    finally:
        children.tended(spec.record)

"""Filling the store of a demo: applications play their scenes, and lgtop's own runs are stopped in every way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Final

from .place import GRAPHS

if TYPE_CHECKING:
    from backends.runs.stop import How

    from .place import Place
    from .stage import Stage

_PLAY: Final = GRAPHS / "play.py"
_STORE: Final = "LGTOP_STORE"
_GRACE: Final = 5.0
"""Seconds that a child has to end by itself."""


class DemoError(Exception):
    """The demo graphs could not be run."""


@dataclass(frozen=True, slots=True)
class OwnRun:
    """A run of lgtop's own, and how it ends.

    Attributes:
        thread: The thread.
        graph: The graph.
        given: Its input.
        node: Where it is when it is stopped, or left alone; empty for one that makes a single step.
        how: How it is stopped; empty for one that goes on.
    """

    thread: str
    graph: str
    given: Mapping[str, Any]
    node: str = ""
    how: How | None = None


LETTER: Final = "Thanks for the good advice. The lamp works well. We are happy."

OWN: Final = (
    OwnRun("batch-night", "long_running", {"left": [f"item {n}" for n in range(1, 601)], "pace": 1.0}, "take"),
    OwnRun(
        "doc-contract",
        "documents",
        {"document_id": "doc-contract", "content": LETTER, "pace": 0.3},
        "sentiment",
        "kill",
    ),
    OwnRun("orders-thursday", "pipeline", {"rows": 700, "pace": 0.3, "down": []}, "transform", "drain"),
    OwnRun("trip-lima", "saga", {"journey_id": "lima", "fails_at": "", "pace": 0}),
)
"""One that goes on, one that is killed, one that is asked to stop, one that makes a single step."""


def seed_settled(place: Place) -> None:
    """Make the store, and have applications leave threads behind that ended by themselves.

    Raises:
        DemoError: The graphs could not be run.
    """
    _play_part(place, "settled", 0)


def seed_stopped(place: Place, stage: Stage) -> None:
    """Add an application that is killed, and the runs of our own.

    Raises:
        DemoError: The graphs could not be run.
        StageError: A run of our own ended otherwise than it should.
    """
    with ThreadPoolExecutor(len(OWN) + 1) as runs:
        played = [runs.submit(_play, stage, own) for own in OWN]
        played.append(runs.submit(_play_part, place, "killed", -signal.SIGKILL))
    for one in played:
        one.result()


def _play_part(place: Place, part: str, expected: int) -> None:
    """Play a part that ends in one way."""
    with tempfile.TemporaryFile() as errors, _child(place, part, errors) as child:
        if child.wait() != expected:
            errors.seek(0)
            said = errors.read().decode(errors="replace").strip().split("\n")
            raise DemoError(f"The graphs could not be run. {said[-1]}")


def _play(stage: Stage, own: OwnRun) -> None:
    run = stage.start(own.thread, own.graph, own.given, step=not own.node)
    if own.node:
        stage.await_node(run, own.node)
    if own.how is not None:
        stage.stop(run, own.how)
    elif not own.node:
        stage.await_end(run)


@contextmanager
def playing_live(place: Place) -> Iterator[None]:
    """An application that takes no lock, at work for as long as this is entered."""
    with _child(place, "live", subprocess.DEVNULL):
        yield


@contextmanager
def _child(place: Place, part: str, errors: IO[bytes] | int) -> Iterator[subprocess.Popen[bytes]]:
    """A child that plays a part; it is gone at the end.

    Its input is a pipe that nobody writes to: should this process die, the pipe closes and the child ends.
    """
    quiet = {"LANGSMITH_TRACING": "false", "LANGCHAIN_TRACING_V2": "false"}
    child = subprocess.Popen(
        [sys.executable, "-P", str(_PLAY), part],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=errors,
        env={**os.environ, **quiet, _STORE: place.address.target},
    )
    try:
        yield child
    finally:
        try:
            child.communicate(timeout=_GRACE)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()

"""Two operators, two processes, resume the same thread at the same moment."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from backends.runs.events import Kind
from backends.runs.follow import follow
from backends.runs.read import read_run
from backends.runs.run import Run, RunState

from .lab import PATIENCE, PROJECT, Lab
from .project import gated

OPERATORS = ("anna@left", "ben@right")

_OPERATOR = """
import sys
from contextlib import closing
from backends.address import parse_address
from backends.control.execute import execute
from backends.control.gate import Gate
from backends.control.plan import Intent
from backends.control.planning import make_plan
from backends.reader import Reader
from backends.store import open_store
from tests.torture.lab import graph_ref

thread_id, who, address = sys.argv[1], sys.argv[2], sys.stdin.readline().rstrip("\\n")
gate = Gate(parse_address(address, {}))
with closing(Reader(open_store(gate.target))) as reader:
    plan = make_plan(reader, Intent("resume", thread_id), graph_ref("gate"), None, gate)
print("ready", flush=True)
sys.stdin.readline()
print(execute(plan, gate, operator=who).folder, flush=True)
sys.stdin.readline()
"""


@dataclass(frozen=True)
class Raced:
    """One trial.

    Attributes:
        thread_id: The thread.
        winner: Who ran it.
        told: What the other one was told.
        apart: Seconds from the moment in which one took the thread to that in which the other one was refused.
    """

    thread_id: str
    winner: str
    told: str
    apart: float


class Operator:
    """A person at a terminal, who has looked at the plan and has a finger on the key.

    Args:
        lab: The store.
        thread_id: The thread.
        who: Their name.
    """

    def __init__(self, lab: Lab, thread_id: str, who: str) -> None:
        self.who = who
        self._process = subprocess.Popen(
            [sys.executable, "-c", _OPERATOR, thread_id, who],
            cwd=PROJECT.parents[1],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._say(lab.address.dsn or lab.address.path or "")

    def is_ready(self) -> None:
        """Wait until the plan is made."""
        assert self._hear() == "ready"

    def go(self) -> None:
        """Press the key."""
        self._say("")

    def record(self) -> str:
        """The record of the run that the key began."""
        return self._hear()

    def leave(self) -> None:
        """Close the terminal."""
        self._process.communicate("\n")

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def _hear(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().rstrip("\n")


def trial(lab: Lab, thread_id: str) -> Raced:
    """Stop a thread before its gate, let two go on with it at once, open the gate when one has been turned away.

    Raises:
        AssertionError: Both ran, or none did, or the other one was not told who; or the store shows it.
    """
    gate = lab.notes.path.with_name(f"{thread_id}.gate")
    stop_before_gate(lab, thread_id, str(gate))
    with _operators(lab, thread_id) as operators:
        for operator in operators:
            operator.go()
        records = {operator.who: operator.record() for operator in operators}
        loser = _turned_away(records)
        winner = next(who for who in OPERATORS if who != loser.operator)
        gate.touch()
        won = lab.finish(read_run(records[winner]))
    assert won.state is RunState.DONE, won
    assert winner in loser.reason, f"{loser.reason!r} does not name {winner}"
    assert f"run {won.run_id}" in loser.reason, f"{loser.reason!r} does not name {won.run_id}"
    _one_branch(lab, thread_id, won)
    lab.seen.when(thread_id, "done", 0.0)
    assert lab.seen.of(thread_id)[-2:] == ["running", "done"], lab.seen.of(thread_id)
    return Raced(thread_id, winner, loser.reason, _time_of(loser, Kind.END) - _time_of(won, Kind.LOCKED))


def stop_before_gate(lab: Lab, thread_id: str, gate: str) -> None:
    """Run the graph of the gate as an application does, without a lock, to a breakpoint before it."""
    config: Any = {"configurable": {"thread_id": thread_id}}
    given: Any = {"notes": str(lab.notes.path), "gate": gate, "pace": 0.0, "log": []}
    gated().compile(checkpointer=lab.saver).invoke(given, config, interrupt_before=["wait"])
    lab.seen.when(thread_id, "stalled", 0.0)


@contextmanager
def _operators(lab: Lab, thread_id: str) -> Iterator[list[Operator]]:
    with ExitStack() as stack:
        operators = [Operator(lab, thread_id, who) for who in OPERATORS]
        for operator in operators:
            stack.callback(operator.leave)
        for operator in operators:
            operator.is_ready()
        yield operators


def _turned_away(records: dict[str, str]) -> Run:
    """Wait until one of two runs has ended; the gate holds the other one."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        runs = [read_run(folder) for folder in records.values()]
        ended = [run for run in runs if not run.live]
        if ended:
            assert [run.state for run in ended] == [RunState.BUSY], ended
            return ended[0]
        time.sleep(0.01)
    raise AssertionError(f"both run: {runs}")


def _one_branch(lab: Lab, thread_id: str, won: Run) -> None:
    done = [(note.what, note.node) for note in lab.notes.of(thread_id)]
    assert done == [(what, node) for node in ("first", "wait", "second") for what in ("begin", "end")], done
    assert lab.branches(thread_id) == 1
    assert lab.state(thread_id)["log"] == ["first", "through the gate", "second after 2"]
    config: Any = {"configurable": {"thread_id": thread_id}}
    stamps = {found.metadata.get("lgtop_run") for found in lab.saver.list(config)} - {None}
    assert stamps == {won.run_id}


def _time_of(run: Run, kind: Kind) -> float:
    return next(event.t for event in follow(run.folder) if event.kind is kind)

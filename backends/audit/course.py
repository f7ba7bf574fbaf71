"""One thread of an audit, from its input to where it stays: crashed once, and resumed as a person would."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from ..errors import Refused
from ..faults import Fault, How, Point
from ..model import StatusName
from ..runs.events import Event, Kind
from ..runs.follow import follow
from ..runs.read import alive, read_run
from ..runs.spawn import spawn
from ..runs.spec import RunSpec, Verb
from ..runs.stop import stop
from .effects import FOLDER, LEDGER, Deeds, Doing, Effect, deeds, observe
from .final import Final, Question, look
from .order import Order
from .scratch import Scratch
from .trace import TOLD, Trace, trace

_MOST = 200
"""Processes that one thread may take: a graph that asks, or stops at a breakpoint, for ever."""

_PATIENT = 20
"""Times in a row that a thread is resumed without another result: a graph may wait for something outside its state."""

_GRACE = 0.3
"""Seconds that a process that hangs is given: its siblings may end."""

_FAREWELL = 6.0
"""Seconds that a process may take to go after its last word; the worker gives exit handlers and threads five."""


class Stopped(Exception):
    """The audit is to end."""


class Answers(Protocol):
    """Who answers the thread's questions."""

    def answers(self, questions: tuple[Question, ...]) -> dict[str, Any]:
        """Answers by interrupt id; none for questions that are left open."""

    def will(self, node: str) -> bool:
        """Whether there is an answer to what a node asks."""

    def restart(self) -> None:
        """The thread begins from nothing."""


@dataclass(frozen=True, slots=True)
class Course:
    """What became of a thread.

    Attributes:
        final: Where it stands; ``None`` if the store has nothing of it.
        deeds: What it did.
        seconds: The longest time that each node took.
        nodes: Nodes in the order in which they began.
        containers: Those of them whose work others do.
        struck: Whether the fault struck.
        vanished: Whether the store had nothing of it afterwards, so that it was started again.
        problem: Why it could not be brought to its end; empty if it could.
        processes: How many it took.
        doings: What each of them did.
    """

    final: Final | None
    deeds: Deeds
    seconds: Mapping[str, float]
    nodes: tuple[str, ...]
    containers: frozenset[str]
    struck: bool
    vanished: bool
    problem: str
    processes: int
    doings: tuple[Doing, ...] = ()


class Thread:
    """Drives one thread.

    Args:
        order: The audit.
        scratch: Where its store and its folder are.
        durability: The mode.
        answers: Who answers.
        stopping: Whether the audit is to end; asked many times a second.
        fault: What is to strike.
    """

    def __init__(
        self,
        order: Order,
        scratch: Scratch,
        durability: str,
        answers: Answers,
        stopping: Callable[[], bool],
        fault: Fault | None = None,
    ) -> None:
        self._order = order
        self._name, self._folder = scratch.new_thread()
        self._store = scratch.store(self._folder)
        self._durability = durability
        self._answers = answers
        self._stopping = stopping
        self._fault = fault
        self._doings: list[Doing] = []
        self._outside: Counter[Effect] = Counter()
        self._answered: set[str] = set()
        self._vanished = False

    def run(self) -> Course:
        """Bring it to where it stays.

        Raises:
            Refused: No process can be started.
            StoreError: The store cannot be read.
            Stopped: The audit is to end.
        """
        problem = self._to_its_end()
        traces = [doing.trace for doing in self._doings]
        seconds: dict[str, float] = {}
        for one in traces:
            seconds |= {node: max(took, seconds.get(node, 0.0)) for node, took in one.seconds.items()}
        return Course(
            look(self._store, self._name),
            deeds(self._doings, self._outside, self._fault),
            seconds,
            tuple(dict.fromkeys(node for one in traces for node in one.nodes)),
            frozenset().union(*(one.containers for one in traces)),
            self._struck,
            self._vanished,
            problem,
            len(traces),
            tuple(self._doings),
        )

    @property
    def _ledger(self) -> Path:
        return self._folder / "ledger.jsonl"

    @property
    def _world(self) -> Path:
        return self._folder / "world"

    @property
    def _struck(self) -> bool:
        return any(doing.trace.struck for doing in self._doings)

    @property
    def _armed(self) -> bool:
        """Whether the fault goes along: what a node that asks writes first is its question, and not what is meant."""
        fault = self._fault
        if fault is None or self._struck:
            return False
        return fault.point is not Point.WRITTEN or not self._answers.will(fault.node) or fault.node in self._answered

    def _to_its_end(self) -> str:
        """Start, answer and resume until nothing is left to do; why not, if that cannot be."""
        verb, answers, before, idle = Verb.START, dict[str, Any](), None, 0
        for _ in range(_MOST):
            done = self._once(verb, answers)
            seen = observe(self._ledger, self._world, self._name)
            self._doings.append(Doing(done, seen - self._outside))
            self._outside = seen
            if done.outcome in ("refused", "busy"):
                return done.reason
            if not done.struck and done.outcome not in ("done", "waiting", "paused"):
                return done.reason or "It ended without a word."
            where = look(self._store, self._name)
            if where is not None:  # a process that was killed may not have told what it asked
                done.asked.update(question.node for question in where.questions)
            if where is None:
                if not done.struck:
                    return ""
                self._vanished = True  # whoever notices has only the input
                self._answers.restart()
                verb, answers = Verb.START, {}
            elif where.inside:
                node = "/".join(part.partition(":")[0] for part in where.inside.split("|"))
                return f"Only what is inside of {node} was saved, and LangGraph goes on from the graph around it."
            elif where.status is StatusName.DONE:
                return ""
            elif where.status is StatusName.WAITING:
                verb, answers = Verb.ANSWER, self._answers.answers(where.questions)
                if not answers:
                    return ""
                self._answered |= {question.node for question in where.questions if question.id in answers}
            elif idle == _PATIENT or (verb is Verb.RESUME and where == before and not done.struck):
                return f"Resuming it changes nothing: {where.reason}"
            else:
                verb, answers = Verb.RESUME, {}
            idle = idle + 1 if before is not None and where is not None and where.content == before.content else 0
            before = where
        return f"It was not at its end after {_MOST} runs."

    def _once(self, verb: Verb, answers: Mapping[str, Any]) -> Trace:
        """Run one process to its end."""
        order, number = self._order, len(self._doings)
        record = self._folder / f"run-{number}"
        record.mkdir()
        self._world.mkdir(exist_ok=True)
        spec = RunSpec(
            f"{self._name}-{number}",
            str(record),
            verb,
            replace(order.graph, env={**order.graph.env, LEDGER: str(self._ledger), FOLDER: str(self._world)}),
            self._store,
            self._name,
            operator="lgtop audit",
            input=self._placed(order.input) if verb is Verb.START else None,
            answers=answers,
            durability=self._durability,
            recursion_limit=order.recursion_limit,
            config=self._placed(order.config),
            context=self._placed(order.context),
            create_store=verb is Verb.START,
            faults=(str(self._fault),) if self._armed else (),
        )
        if self._stopping():
            raise Stopped
        spawn(spec, store_key="")
        return self._followed(record)

    def _placed(self, value: Any) -> Any:
        """What the person gave, with the path of the thread's folder where its variable stands in a text."""
        match value:
            case str():
                return value.replace(f"${FOLDER}", str(self._world))
            case list():
                return [self._placed(item) for item in value]
            case dict():
                return {key: self._placed(item) for key, item in value.items()}
        return value

    def _followed(self, record: Path) -> Trace:
        """Wait for a process; one that hangs, takes too long or is no longer wanted is killed."""
        begun = time.monotonic()
        due = begun + self._order.patience
        events: list[Event] = []

        def over() -> bool:
            return self._stopping() or time.monotonic() > due

        try:
            for event in follow(record, stop=over):
                if event.kind in TOLD:
                    events.append(event)
                if event.kind is Kind.FAULT and event.data.get("how") == How.HANG:
                    due = time.monotonic() + _GRACE
        finally:
            _end(record, time.monotonic() + (0 if over() else _FAREWELL))
        if self._stopping():
            raise Stopped
        found = trace(events)
        if not found.outcome:
            late = time.monotonic() > due and not found.struck
            found.reason = f"It was not done after {self._order.patience:g} s." if late else read_run(record).reason
        return found


def _end(record: Path, deadline: float) -> None:
    """Wait for the process to be gone, and then see to it."""
    while alive(record) and time.monotonic() < deadline:
        time.sleep(0.01)
    while alive(record):
        with suppress(Refused):  # it has just ended by itself
            stop(read_run(record), "kill")
        time.sleep(0.01)

"""RESUME and ANSWER: each thread runs on in a process of its own, by the plan that the single verb makes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from dataclasses import replace

from ..control.execute import execute
from ..control.gate import Gate
from ..control.plan import Intent
from ..control.planning import make_plan
from ..decode import Decoder
from ..errors import NotFound, Refused
from ..locks.board import LockBoard
from ..model import Analysis
from ..reader import Reader
from ..runs.nursery import Nurseries
from ..runs.run import Run, RunState
from ..runs.stop import stop
from ..store import open_store
from .await_end import ended
from .graphs import Chooser
from .outcome import Outcome, State
from .preview import busy, unfit
from .request import Action, BulkRequest

_SUCCESS = (RunState.DONE, RunState.WAITING, RunState.PAUSED)
_SIGTERM = -15
"""Exit code of a run that was told to drain before it could listen: it had not begun."""


class Running:
    """Makes hands that run threads on.

    Args:
        request: What is asked for.
        gate: The store.
        graphs: Chooses the graph of a thread.
        operator: Who asks; ``None`` is the user of this process.
        nurseries: Where runs are forked; they stay open. By default some of its own.
    """

    def __init__(
        self,
        request: BulkRequest,
        gate: Gate,
        graphs: Chooser,
        operator: str | None = None,
        nurseries: Nurseries | None = None,
    ) -> None:
        self._request = request
        self._gate = gate
        self._graphs = graphs
        self._operator = operator
        self._nurseries = nurseries or Nurseries()
        self._own = nurseries is None

    def hand(self, stopping: Callable[[], bool]) -> RunningHand:
        """See ``deed.Deed``."""
        return RunningHand(self._request, self._gate, self._graphs, self._nurseries, self._operator, stopping)

    def finish(self, complete: bool) -> str:
        """See ``deed.Deed``."""
        if self._own:
            self._nurseries.close()
        return ""


class RunningHand:
    """Runs one thread after the other; see ``deed.Hand``."""

    def __init__(
        self,
        request: BulkRequest,
        gate: Gate,
        graphs: Chooser,
        nurseries: Nurseries,
        operator: str | None,
        stopping: Callable[[], bool],
    ) -> None:
        self._request = request
        self._gate = gate
        self._graphs = graphs
        self._nurseries = nurseries
        self._operator = operator
        self._stopping = stopping
        with ExitStack() as stack:
            self._board = stack.enter_context(closing(LockBoard(gate.target)))
            self._reader = stack.enter_context(closing(Reader(open_store(gate.target), Decoder.from_environment())))
            self._open = stack.pop_all()

    def do(self, thread_id: str, attempt: int) -> Outcome:
        """See ``deed.Hand``."""
        holder = self._board.holders(lambda: [thread_id]).get(thread_id)
        if holder is not None:
            return busy(thread_id, holder)
        found = self._analysis(thread_id)
        request = replace(self._request, again=self._request.again or attempt > 1)
        if (outcome := unfit(request, thread_id, found)) is not None:
            return outcome
        intent = self._intent(thread_id, found)
        with suppress(Refused):  # of() says so
            postgres = self._gate.address.path is None
            self._nurseries.warm(self._graphs.one(self._reader, thread_id), postgres=postgres)  # while it is drawn
        graph, drawing, problem = self._graphs.of(self._reader, thread_id)
        plan = make_plan(self._reader, intent, graph, drawing, self._gate, None, problem)
        if plan.refusal:
            return Outcome(thread_id, State.REFUSED, plan.refusal)
        if self._stopping():
            return Outcome(thread_id, State.STOPPED, "Not begun.")
        begun = execute(plan, self._gate, operator=self._operator, start=self._nurseries.start)
        assert isinstance(begun, Run)
        return self._await(begun)

    def close(self) -> None:
        """See ``deed.Hand``."""
        self._open.close()

    def _analysis(self, thread_id: str) -> Analysis:
        head = self._reader.store.heads_of([thread_id]).get(thread_id)
        found = None if head is None else self._reader.analyse_heads([head]).get(thread_id)
        if found is None:
            raise NotFound(f"No thread {thread_id!r}.")
        return found

    def _intent(self, thread_id: str, found: Analysis) -> Intent:
        if self._request.action is Action.ANSWER and found.interrupts:
            answers = {question.id: self._request.answer for question in found.interrupts}
            return Intent("answer", thread_id, answers=answers, durability=self._request.durability)
        return Intent("resume", thread_id, durability=self._request.durability)

    def _await(self, begun: Run) -> Outcome:
        asked = False

        def drain(run: Run) -> bool:
            nonlocal asked
            if self._stopping() and not asked:
                with suppress(Refused):  # it has just ended by itself
                    stop(run, "drain")
                asked = True
            return False

        return outcome_of(ended(begun.folder, drain), asked)


def outcome_of(run: Run, asked: bool = False) -> Outcome:
    """What the end of a run is to its thread.

    Args:
        run: A run that has ended.
        asked: Whether it was told to drain.
    """
    if run.state in _SUCCESS:
        how = "" if run.state is RunState.DONE else f"It is {run.state.value}"
        reason = ": ".join(filter(None, (how, run.reason)))
        return Outcome(run.thread_id, State.DONE, reason, run.run_id)
    if run.state in (RunState.DRAINED, RunState.CANCELLED):
        reason = run.reason or "It ended at a whole checkpoint."
        return Outcome(run.thread_id, State.STOPPED, reason, run.run_id)
    if run.state is RunState.CRASHED and asked and run.exit_code == _SIGTERM:
        return Outcome(run.thread_id, State.STOPPED, "Not begun.", run.run_id)
    if run.state is RunState.BUSY:
        return Outcome(run.thread_id, State.REFUSED, run.reason, run.run_id, busy=True)
    state = State.REFUSED if run.state is RunState.REFUSED else State.FAILED
    return Outcome(run.thread_id, state, run.reason, run.run_id)

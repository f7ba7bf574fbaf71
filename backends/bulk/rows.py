"""COPY, DELETE and PRUNE: what is done to rows alone, each thread under its lock."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from shlex import join

from ..address import mask_dsn
from ..control.copy import Copied
from ..control.execute import execute
from ..control.gate import Gate
from ..control.plan import Intent
from ..control.planning import make_plan
from ..decode import Decoder
from ..errors import NotFound
from ..maintenance.deletion import Deletion
from ..maintenance.prune import prune_thread
from ..maintenance.remove import remove_thread
from ..maintenance.size import open_sizes
from ..reader import Reader
from ..store import open_store
from .outcome import Outcome, State
from .preview import NOTHING
from .request import Action, BulkRequest


class Rows:
    """Makes hands for an action on rows.

    Args:
        request: What is asked for.
        gate: The store.
        operator: Who asks; ``None`` is the user of this process.
    """

    def __init__(self, request: BulkRequest, gate: Gate, operator: str | None = None) -> None:
        self._request = request
        self._gate = gate
        self._operator = operator

    def hand(self, stopping: Callable[[], bool]) -> RowsHand:
        """See ``deed.Deed``; a thread at hand is always finished, whatever ``stopping`` says."""
        return RowsHand(self._request, self._gate, self._operator)

    def finish(self, complete: bool) -> str:
        """See ``deed.Deed``."""
        return ""


class RowsHand:
    """Works on one thread after the other; see ``deed.Hand``."""

    def __init__(self, request: BulkRequest, gate: Gate, operator: str | None) -> None:
        self._request = request
        self._gate = gate
        self._operator = operator
        with ExitStack() as stack:
            self._reader = stack.enter_context(closing(Reader(open_store(gate.target), Decoder.from_environment())))
            gate.check(self._reader.store.info)
            self._sizes = stack.enter_context(closing(open_sizes(gate.address)))
            self._open = stack.pop_all()

    def do(self, thread_id: str, attempt: int) -> Outcome:
        """See ``deed.Hand``."""
        match self._request.action:
            case Action.COPY:
                return self._copy(thread_id)
            case Action.DELETE:
                return self._outcome(self._delete(thread_id))
        return self._outcome(self._prune(thread_id))

    def close(self) -> None:
        """See ``deed.Hand``."""
        self._open.close()

    def _copy(self, thread_id: str) -> Outcome:
        if thread_id not in self._reader.store.heads_of([thread_id]):
            raise NotFound(f"No thread {thread_id!r}.")
        intent = Intent("copy", thread_id, target=f"{thread_id}{self._request.suffix}")
        plan = make_plan(self._reader, intent, None, None, self._gate)
        if plan.refusal:
            return Outcome(thread_id, State.REFUSED, plan.refusal)
        made = execute(plan, self._gate, operator=self._operator)
        assert isinstance(made, Copied)
        return Outcome(thread_id, State.DONE, made=made.thread_id)

    def _delete(self, thread_id: str) -> Deletion:
        return remove_thread(
            self._gate,
            self._reader,
            self._sizes,
            thread_id,
            expected=self._request.expected.get(thread_id, ""),
            command=self._command("rm", thread_id),
            operator=self._operator,
        )

    def _prune(self, thread_id: str) -> Deletion:
        policy = self._request.policy
        assert policy is not None
        said = ["--keep", str(policy.keep)]
        if policy.older_than is not None:
            said += ["--older-than", f"{policy.older_than:g}s"]
        if policy.finished:
            said.append("--finished")
        command = self._command("prune", thread_id, *said)
        return prune_thread(
            self._gate, self._reader, self._sizes, thread_id, policy, command=command, operator=self._operator
        )

    def _command(self, verb: str, thread_id: str, *more: str) -> str:
        """The command that does it to this thread alone, for the action log; without a password."""
        return join(["lgtop", verb, "-s", mask_dsn(self._gate.address.raw), thread_id, *more, "--yes"])

    @staticmethod
    def _outcome(gone: Deletion) -> Outcome:
        if gone:
            return Outcome(gone.thread_id, State.DONE, deletion=gone)
        return Outcome(gone.thread_id, State.SKIPPED, NOTHING, deletion=gone)

"""What a request would do to each thread, said before anything is done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from ..control.gate import Gate
from ..control.scene import name_of
from ..control.schema import problems
from ..errors import NotFound, Refused
from ..locks.holder import Holder
from ..maintenance.deletion import Deletion
from ..maintenance.size import Sizes, ThreadSize, open_sizes
from ..model import Analysis, Interrupt, StatusName, ThreadHead
from ..reader import Reader
from ..runs.spec import GraphRef
from ..text import one_line
from .outcome import Outcome, State
from .request import DELETING, RUNNING, Action, BulkRequest

_NAMED = 3
"""Threads that the sentence names."""

_WEIGHED = 500
"""Threads whose pruning is worked out before it is asked for; each takes some milliseconds."""

_WORDS: Mapping[Action, tuple[str, str]] = {
    Action.RESUME: ("resumes", "resume"),
    Action.ANSWER: ("answers", "answer"),
    Action.STOP: ("stops", "stop"),
    Action.COPY: ("copies", "copy"),
    Action.DELETE: ("deletes", "delete"),
    Action.PRUNE: ("prunes", "prune"),
    Action.EXPORT: ("exports", "export"),
}

GONE = "There is no such thread."
NOTHING = "There is nothing to prune."

GraphOf = Callable[[str], GraphRef | None]
"""The graph of a thread; ``None`` where it is not known, ``Refused`` where it is not clear which."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What would be done.

    Attributes:
        action: The verb.
        total: Threads that were chosen.
        able: Those to which something would be done.
        settled: What is to be said of the others.
        sentence: ``resumes 212 threads: a, b, c and 209 more``; safe.
        deletes: Whether it cannot be taken back.
        bytes: What deleting or pruning frees; ``None`` where it was not worked out, or nothing is deleted.
        deletions: DELETE, PRUNE: by thread, what would go, as far as it was worked out.
    """

    action: Action
    total: int
    able: tuple[str, ...]
    settled: tuple[Outcome, ...]
    sentence: str
    deletes: bool = False
    bytes: int | None = None
    deletions: Mapping[str, Deletion] = field(default_factory=dict)

    @property
    def refused(self) -> tuple[tuple[str, str], ...]:
        """Threads to which nothing would be done, each with why not."""
        return tuple((one.thread_id, one.reason) for one in self.settled)

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """Every thread as it would begin: what would be done is pending."""
        able = [Outcome(key, State.PENDING, deletion=self.deletions.get(key)) for key in self.able]
        return (*able, *self.settled)


def preview(
    reader: Reader,
    request: BulkRequest,
    gate: Gate,
    graph_of: GraphOf,
    holders: Mapping[str, Holder],
    *,
    weigh: int = _WEIGHED,
) -> Preview:
    """Work out what a request would do, from what the store tells of all threads at once. Only reads.

    What only a thread's own plan can tell (a graph that lacks its nodes, an answer that an application left behind) is
    found out when its turn comes: its outcome is then ``refused``.

    Args:
        reader: The open store.
        request: What is asked for.
        gate: Whether the store may be written to.
        graph_of: Says which graph runs a thread; asked for actions that run one.
        holders: Who holds which thread now.
        weigh: PRUNE: up to so many threads it is worked out what would go.

    Raises:
        StoreError: The store cannot be read.
    """
    heads = reader.store.heads_of(request.thread_ids)
    why = request.problem() or ("" if request.action is Action.EXPORT else gate.refusal(reader.store.info))
    if why:
        settled = {key: Outcome(key, State.REFUSED, why) for key in request.thread_ids}
    else:
        settled = {one.thread_id: one for one in _settled(reader, request, heads, graph_of, holders)}
    able = [key for key in request.thread_ids if key not in settled]
    deletions, freed = _deletions(reader, request, gate, able, weigh)
    if request.action is Action.PRUNE and freed is not None:
        settled |= {key: Outcome(key, State.SKIPPED, NOTHING) for key in able if not deletions.get(key)}
        able = [key for key in able if key not in settled]
    return Preview(
        request.action,
        len(request.thread_ids),
        tuple(able),
        tuple(settled[key] for key in request.thread_ids if key in settled),
        sentence(request.action, able),
        request.action in DELETING,
        freed,
        deletions,
    )


def _deletions(
    reader: Reader, request: BulkRequest, gate: Gate, able: Sequence[str], weigh: int
) -> tuple[Mapping[str, Deletion], int | None]:
    """What would go of each thread, and its bytes; ``None`` where that is not worked out."""
    if request.action not in DELETING or (request.action is Action.PRUNE and len(able) > weigh):
        return {}, None
    with closing(open_sizes(gate.address)) as sizes:
        if request.action is Action.DELETE:
            found = {one.thread_id: _whole(one) for one in sizes.threads(able, "")} if able else {}
        else:
            found = _pruned(reader, sizes, request, able)
    return found, sum(one.bytes for one in found.values())


def sentence(action: Action, able: Sequence[str]) -> str:
    """``resumes 212 threads: a, b, c and 209 more``."""
    if not able:
        return f"nothing to {_WORDS[action][1]}"
    named = ", ".join(name_of(thread_id) for thread_id in able[:_NAMED])
    more = f" and {len(able) - _NAMED:,} more" if len(able) > _NAMED else ""
    return f"{_WORDS[action][0]} {len(able):,} thread{'' if len(able) == 1 else 's'}: {named}{more}"


def _whole(size: ThreadSize) -> Deletion:
    return Deletion(
        size.thread_id,
        checkpoints=size.checkpoints.rows,
        writes=size.writes.rows,
        blobs=size.blobs.rows,
        bytes=size.bytes,
    )


def _pruned(reader: Reader, sizes: Sizes, request: BulkRequest, able: Iterable[str]) -> dict[str, Deletion]:
    from ..maintenance.prune import plan_prune

    assert request.policy is not None
    found = {}
    for thread_id in able:
        try:
            found[thread_id] = plan_prune(reader, sizes, thread_id, request.policy)
        except NotFound:
            continue  # deleted this moment
    return found


def _settled(
    reader: Reader,
    request: BulkRequest,
    heads: Mapping[str, ThreadHead],
    graph_of: GraphOf,
    holders: Mapping[str, Holder],
) -> Iterator[Outcome]:
    """Threads to which nothing would be done."""
    analyses: Mapping[str, Analysis] = {}
    if request.action in RUNNING:
        analyses = Reader(reader.store, reader.decoder).analyse_heads(list(heads.values()))
    taken = _taken(reader, request)
    for key in request.thread_ids:
        holder = holders.get(key)
        if key not in heads:
            yield Outcome(key, State.SKIPPED, GONE)
        elif request.action is Action.STOP:
            if (found := unstoppable(key, holder)) is not None:
                yield found
        elif request.action is Action.COPY:
            if f"{key}{request.suffix}" in taken:
                yield Outcome(key, State.REFUSED, f"There is a thread {name_of(f'{key}{request.suffix}')} already.")
        elif request.action is not Action.EXPORT and holder is not None:
            yield busy(key, holder)
        elif request.action in RUNNING:
            found = unfit(request, key, analyses.get(key)) or _without_graph(graph_of, key)
            if found is not None:
                yield found


def _taken(reader: Reader, request: BulkRequest) -> frozenset[str]:
    if request.action is not Action.COPY:
        return frozenset()
    return frozenset(reader.store.heads_of([f"{thread_id}{request.suffix}" for thread_id in request.thread_ids]))


def busy(thread_id: str, holder: Holder) -> Outcome:
    """The outcome of a thread that somebody holds."""
    return Outcome(thread_id, State.REFUSED, f"Already running: {holder}.", busy=True)


def unfit(request: BulkRequest, thread_id: str, found: Analysis | None) -> Outcome | None:
    """The outcome of a thread that RESUME or ANSWER leaves alone as it stands; ``None`` where they do not.

    Args:
        request: The request.
        thread_id: The thread.
        found: What its head means; ``None`` where it is gone.
    """
    if found is None:
        return Outcome(thread_id, State.SKIPPED, GONE)
    if found.status is StatusName.DONE and not found.tasks and not found.inferred:
        return Outcome(thread_id, State.SKIPPED, "It is done.")
    if request.action is Action.RESUME:
        asks = "It waits for an answer, and would only ask again."
        return Outcome(thread_id, State.SKIPPED, asks) if found.interrupts else None
    if found.interrupts:
        wrong = next(filter(None, (_misfit(question, request.answer) for question in found.interrupts)), "")
        return Outcome(thread_id, State.REFUSED, wrong) if wrong else None
    if request.again:
        return None
    if any(task.error is not None for task in found.tasks):
        failed = "It asks nothing: it failed. Resume it; an answer that was given is saved, and used again."
        return Outcome(thread_id, State.REFUSED, failed)
    return Outcome(thread_id, State.SKIPPED, "It asks nothing.")


def _misfit(question: Interrupt, answer: object) -> str:
    if not isinstance(question.response_schema, dict):
        return ""
    wrong = problems(answer, question.response_schema)
    return f"The answer for {name_of(question.node)} does not fit: {'; '.join(wrong[:3])}." if wrong else ""


def unstoppable(thread_id: str, holder: Holder | None) -> Outcome | None:
    """The outcome of a thread on which nothing can be stopped; ``None`` where something can."""
    if holder is None:
        return Outcome(thread_id, State.SKIPPED, "Nothing runs on it.")
    if holder.run_id is None:
        reason = f"It is held by {holder}, which was not started from here."
        return Outcome(thread_id, State.REFUSED, reason, busy=True)
    return None


def _without_graph(graph_of: GraphOf, thread_id: str) -> Outcome | None:
    try:
        if graph_of(thread_id) is not None:
            return None
    except NotFound:
        return Outcome(thread_id, State.SKIPPED, GONE)
    except Refused as error:
        return Outcome(thread_id, State.REFUSED, one_line(str(error), 200))
    return Outcome(thread_id, State.REFUSED, "It is not known which graph this thread belongs to.")

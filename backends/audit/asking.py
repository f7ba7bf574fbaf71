"""What a node does before it asks: when it has its answer it begins again, and does it once more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeAlias

from .effects import Doing, Effect
from .trace import Trace

Doubled: TypeAlias = Mapping[Effect, tuple[str, ...]]
"""Effects that are done before a question and again with its answer, with the nodes that ask."""


class Again(NamedTuple):
    """An effect of a process that ended with a question, which is there again after the process with the answer.

    Attributes:
        effect: Which.
        node: Who asked, and began again.
        certain: Whether nobody else had begun in the first process who could have done it.
    """

    effect: Effect
    node: str
    certain: bool


def again(doings: Sequence[Doing]) -> Iterator[Again]:
    """Find effects that may be done twice because of a question.

    Args:
        doings: Processes of a thread, in order.
    """
    for (before, effects), (after, later) in pairwise(doings):
        askers = _askers(before, after)
        inner, names = _inner(askers, before), {_name(node) for node in before.nodes}
        for effect in effects & later:
            told = effect.where in names  # a ledger tells who did it, a file does not
            nodes = {node for node in askers.values() if _name(node) == effect.where} if told else inner
            certain = not _rivals(before, askers, effect.where if told else "")
            yield from (Again(effect, node, certain) for node in sorted(nodes))


def doubled(doings: Sequence[Doing], struck: Callable[[str], Sequence[Doing]]) -> Doubled:
    """Find effects that are done twice because of a question.

    Where others ran before in the same process, a thread that was killed when the node was to begin tells: what the
    next process did until it asked, only this node, or one beside it, can have done.

    Args:
        doings: Processes of an undisturbed thread, in order.
        struck: Processes of a thread that was killed before a node, from the one after the blow.
    """
    found = set(again(doings))
    sure = {(one.effect, one.node) for one in found if one.certain}
    for node in sorted({one.node for one in found if (one.effect, one.node) not in sure}):
        sure |= {(one.effect, one.node) for one in again(struck(node)[:2]) if one.node == node}
    asked: dict[Effect, tuple[str, ...]] = {}
    for effect, node in sorted(sure):
        asked[effect] = (*asked.get(effect, ()), node)
    return asked


def beginnings(doings: Sequence[Doing]) -> dict[str, int]:
    """Nodes that asked and began again, with how often one and the same task of theirs began."""
    traces = [doing.trace for doing in doings]
    begun = Counter(task for trace in traces for task in trace.begun)
    found: dict[str, int] = {}
    for before, after in pairwise(traces):
        for task, node in _askers(before, after).items():
            found[node] = max(begun[task], found.get(node, 0))
    return found


def _askers(before: Trace, after: Trace) -> dict[str, str]:
    """Tasks that stopped with a question and began again. Of an entrypoint's tasks none is told to have asked."""
    return {
        task: node
        for task, node in before.begun.items()
        if task not in before.ended
        and task in after.begun
        and (node in before.asked or (before.functional and before.asked))
    }


def _inner(askers: Mapping[str, str], trace: Trace) -> set[str]:
    """Those that ask themselves: where a subgraph or a task asks, what it is in has asked too."""
    nodes = set(askers.values())
    outer = {node for node in nodes if any(other.startswith(f"{node}/") for other in nodes)}
    if trace.functional and len(nodes) > 1:
        outer.add(trace.nodes[0])
    return nodes - outer


def _rivals(trace: Trace, askers: Mapping[str, str], name: str) -> bool:
    """Whether somebody else, or else of this name, could have done it before the question."""
    return any(
        task not in askers and node not in trace.containers and (not name or _name(node) == name)
        for task, node in trace.begun.items()
    )


def _name(node: str) -> str:
    return node.rpartition("/")[2]

"""The verbs: each is one LangGraph call, after what must be true before it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import Refused
from ..model import Analysis, CheckpointKey, ThreadHead
from ..reader import Reader
from ..runs.spec import RunSpec, Verb
from ..values import Value
from . import checks
from .drawing import REDUCERS, channel_kinds
from .driving import Drive
from .narrator import Narrator
from .restore import Restorer, allowed_classes

_STRICT_RESUME = "__pregel_strict_resume"
"""Makes LangGraph refuse ids that are not pending (``langgraph/_internal/_constants.py:77``)."""

_WHY_PLAIN = "nested in another class, made inside a function, or with fields that its constructor does not take."
"""Why no process can rebuild a class."""

_log = logging.getLogger("lgtop")

_SPECIAL = ("__start__", "__end__", "__input__", "__copy__")
"""What ``as_node`` may be besides a node (``langgraph/pregel/main.py``, ``bulk_update_state``)."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a verb works with.

    Attributes:
        spec: What is asked.
        graph: The graph, with our saver.
        drive: Calls LangGraph.
        reader: The store, read-only.
        serde: The saver's serializer; ``None`` is LangGraph's default.
        head: The thread's head; ``None`` for a new thread.
        control: The ``RunControl``; ``None`` where the project's LangGraph has none.
        narrator: Takes what comes up.
        begin: Called before each call of LangGraph that writes, when nothing stands in its way any more.
    """

    spec: RunSpec
    graph: Any
    drive: Drive
    reader: Reader
    serde: Any
    head: ThreadHead | None
    control: Any
    narrator: Narrator
    begin: Callable[[], None]

    def config(self, **place: Any) -> dict[str, Any]:
        """The configuration of a call, stamped with who asks."""
        spec = self.spec
        space = {"checkpoint_ns": self.head.ns} if self.head is not None and self.head.ns else {}
        found: dict[str, Any] = {
            "configurable": {**spec.config, "thread_id": spec.thread_id, **space, **place},
            "metadata": {"lgtop_run": spec.run_id, "lgtop_operator": spec.operator},
        }
        return found if spec.recursion_limit is None else {**found, "recursion_limit": spec.recursion_limit}

    def stream(self, given: Any, **place: Any) -> None:
        """Run the graph to its end, a question or a breakpoint."""
        spec = self.spec
        self.narrator.replaying = "checkpoint_id" in place
        options = {
            "durability": spec.durability,
            "control": self.control,
            "context": spec.context,
            "interrupt_before": "*" if spec.step else None,
        }
        self.begin()
        self.drive.stream(self.graph, given, self.config(**place), self.narrator, options)

    def base(self) -> CheckpointKey:
        """The checkpoint that the verb starts from: the named one, else the head.

        Raises:
            Refused: There is no such thread or checkpoint.
        """
        head = checks.existing(self.head, self.spec)
        if self.spec.checkpoint_id is None:
            return head.key
        key = CheckpointKey(self.spec.thread_id, self.spec.ns or head.ns, self.spec.checkpoint_id)
        if not self.reader.store.history(key.thread_id, key.ns, limit=1) or not self.reader.store.raw([key]):
            raise Refused(f"There is no checkpoint {key.checkpoint_id} in namespace {key.ns!r}.")
        return key

    def examine(self, key: CheckpointKey) -> Analysis:
        """Return what a checkpoint means, having made sure that its classes survive the run.

        Raises:
            Refused: One does not.
        """
        analysis = self.reader.analysis(key)
        plain = checks.classes(self.reader, self.serde, key, analysis)
        if plain:
            names = ", ".join(sorted(map(".".join, plain)))
            _log.warning("LangGraph reads %s as plain data, here and in the application: %s", names, _WHY_PLAIN)
        return analysis

    def restorer(self, key: CheckpointKey | None) -> Restorer:
        """What turns JSON into objects of the classes that the state at ``key`` and the schema hold."""
        from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

        def examples() -> Value:
            return {} if key is None else dict(self.reader.snapshot(key).values)

        serde = self.serde or JsonPlusSerializer()
        return Restorer(serde, self.reader.decoder, examples, lambda: allowed_classes(self.graph))


def start(work: Work) -> None:
    """New input; pending tasks of an existing thread are dropped, as LangGraph does it."""
    if work.spec.input is None:
        raise Refused("No input is given.", "To go on where the thread stands, resume it.")
    key = None if work.head is None else work.head.key
    if key is not None:
        work.examine(key)
        if getattr(work.graph, "builder", None) is None:  # a StateGraph's own first step drops what was left behind
            checks.no_stray_answer(work.reader, key, "Edit the thread as __end__, without values: that drops it.")
    work.stream(work.restorer(key).restore(work.spec.input))


def resume(work: Work) -> None:
    """Go on: unfinished tasks of the head run, finished ones are reused."""
    key = checks.existing(work.head, work.spec).key
    analysis = work.examine(key)
    checks.something_due(analysis)
    _no_stray_answer(work, key, analysis)
    work.stream(None)


def retry(work: Work) -> None:
    """Every task of the step again, below a checkpoint of its own."""
    key = work.base()
    checks.something_due(work.examine(key))
    work.stream(None, checkpoint_id=key.checkpoint_id)


def answer(work: Work) -> None:
    """Answer questions by their ids; the others are asked again."""
    from langgraph.types import Command

    key = checks.existing(work.head, work.spec).key
    analysis = work.examine(key)
    checks.answers(analysis, work.spec.answers)
    _no_stray_answer(work, key, analysis)
    restorer = work.restorer(key)
    given = {name: restorer.restore(value) for name, value in work.spec.answers.items()}
    work.stream(Command(resume=given), **{_STRICT_RESUME: True})


def fork(work: Work) -> None:
    """A branch below any checkpoint, with or without edited values, run or left standing."""
    key = work.base()
    work.examine(key)
    if work.spec.values is not None or work.spec.as_node is not None:
        _update(work, key, work.spec.as_node)
        if work.spec.run_after:
            work.stream(None)
    elif key.ns != checks.existing(work.head, work.spec).ns:
        raise Refused("A subgraph's checkpoint cannot be run by itself.", "Fork the parent's, or fork with values.")
    elif work.spec.run_after:
        work.stream(None, checkpoint_id=key.checkpoint_id)
    else:
        _update(work, key, "__copy__")


def edit(work: Work) -> None:
    """Write values as if a node had; nothing runs."""
    key = work.base()
    work.examine(key)
    _update(work, key, work.spec.as_node)


def _no_stray_answer(work: Work, key: CheckpointKey, analysis: Analysis) -> None:
    """As ``checks.no_stray_answer``; an answer that no question follows belongs to the task that is to run on."""
    if analysis.interrupts:
        checks.no_stray_answer(work.reader, key, "Retry the step: its questions are then asked again, from the first.")


def _update(work: Work, key: CheckpointKey, as_node: str | None) -> None:
    """``update_state`` below a checkpoint.

    Raises:
        Refused: No node is named, or none that the graph has.
    """
    from langgraph.errors import InvalidUpdateError

    if as_node is None:
        raise Refused("No node is named whose edges fire next.", "Name it: LangGraph would guess.")
    head = checks.existing(work.head, work.spec)
    graph = work.graph if key.ns == head.ns else _inner(work.graph, key.ns)
    if as_node not in (*graph.nodes, *_SPECIAL):
        nodes = ", ".join(name for name in graph.nodes if name not in _SPECIAL)
        raise Refused(f"The graph has no node {as_node!r}.", f"Its nodes: {nodes}.")
    values = _written(work, key, graph)
    place = {} if key == head.key else {"checkpoint_id": key.checkpoint_id, "checkpoint_ns": key.ns}
    work.begin()
    try:
        work.drive.update(work.graph, work.config(**place), values, as_node)
    except (InvalidUpdateError, ValueError) as error:
        raise Refused(f"LangGraph does not take the values: {error}.") from error


def _inner(graph: Any, ns: str) -> Any:
    """The subgraph that a namespace belongs to.

    Raises:
        Refused: The graph does not declare it.
    """
    names = [part.partition(":")[0] for part in ns.split("|") if not part.isdigit()]
    for _, found in graph.get_subgraphs(namespace="|".join(names), recurse=True):
        return found
    raise Refused(
        f"The graph declares no subgraph {' in '.join(reversed(names))}.", "It can be changed from its parent."
    )


def _written(work: Work, key: CheckpointKey, graph: Any) -> Any:
    """The values to write: restored, and past their reducers where they are to replace.

    Raises:
        Refused: One is for a channel that the graph does not have: LangGraph would drop it without a word.
    """
    from langgraph.types import Overwrite

    if work.spec.values is None:
        return None
    restorer, kinds = work.restorer(key), channel_kinds(graph)
    for name in work.spec.values:
        if name not in kinds and getattr(graph, "builder", None) is not None:
            raise Refused(f"The graph has no channel {name!r}.", f"Its channels: {', '.join(kinds)}.")
    past = {name for name in work.spec.replace if kinds.get(name) in REDUCERS}
    values = {name: restorer.restore(value) for name, value in work.spec.values.items()}
    return {name: Overwrite(value) if name in past else value for name, value in values.items()}


CALLS: Mapping[Verb, Callable[[Work], None]] = {
    Verb.START: start,
    Verb.RESUME: resume,
    Verb.RETRY: retry,
    Verb.ANSWER: answer,
    Verb.FORK: fork,
    Verb.EDIT: edit,
}
"""What runs a verb; ``draw`` is none of them, since it touches no thread."""

"""Compare what our reader says of a thread with what LangGraph says of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from backends.decode import Decoder
from backends.model import NULL_TASK, Analysis, Blob, CheckpointKey, StatusName, Task, TaskState
from backends.reader import Reader
from backends.store import Scope
from backends.values import DeltaValue, Value

from ..generated_graphs import extend
from .play import Story

_SERIALIZER = JsonPlusSerializer()
_OUR_OWN = ("handler", "call")
"""Kinds of tasks that LangGraph runs inside a step, and that its ``get_state`` does not list."""


@dataclass
class Findings:
    """What comparisons found.

    Attributes:
        checked: How often each thing was compared.
        limits: How often a documented limit applied.
        mismatches: Everything else that differs.
        statuses: Our statuses of heads.
    """

    checked: Counter[str] = field(default_factory=Counter)
    limits: Counter[str] = field(default_factory=Counter)
    mismatches: list[str] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)

    def expect(self, what: str, where: str, theirs: Any, ours: Any) -> None:
        """Count a comparison, and keep it if it fails."""
        self.checked[what] += 1
        if theirs != ours:
            self.mismatches.append(f"{where}: {what}: LangGraph {theirs!r}, ours {ours!r}")


def encoded(value: Any) -> Value:
    """A LangGraph object as our decoder shows it."""
    return Decoder().decode(Blob(*_SERIALIZER.dumps_typed(value)))


def compare_head(story: Story, reader: Reader, found: Findings, ns: str = "") -> None:
    """Compare the status inputs of the newest checkpoint of a namespace."""
    where = f"seed {story.plan.seed} {story.thread} {ns or 'root'} after {story.events}"
    theirs = story.graph.get_state({"configurable": {"thread_id": story.thread, "checkpoint_ns": ns}})
    keys = [row.key for row in reader.store.history(story.thread, ns, limit=1)]
    if not keys:
        found.expect("no checkpoint", where, None, theirs.metadata)
        return
    found.expect("head id", where, theirs.config["configurable"]["checkpoint_id"], keys[0].checkpoint_id)
    ours = reader.analyse_heads([reader.head(story.thread)])[story.thread] if not ns else reader.analysis(keys[0])
    found.statuses[ours.status] += 1
    view = _View(story, reader, keys[0], ours, found, where)
    view.tasks(theirs.tasks, live=True)
    view.next(theirs.next, ours.next)
    view.interrupts(theirs)
    view.status(theirs)


def compare_history(story: Story, reader: Reader, found: Findings) -> None:
    """Compare every checkpoint of the root namespace: lineage, tasks, values."""
    theirs = list(story.graph.get_state_history({"configurable": {"thread_id": story.thread}}))
    rows = reader.store.history(story.thread, "")
    where = f"seed {story.plan.seed} {story.thread} after {story.events}"
    found.expect("history ids", where, [_id(one.config) for one in theirs], [row.key.checkpoint_id for row in rows])
    nodes = reader.task_nodes(story.thread)
    parents = {row.key.checkpoint_id: one for row, one in zip(rows, theirs, strict=True)}
    for one, row in zip(theirs, rows, strict=True):
        place = f"{where} step {row.step} {row.key.checkpoint_id}"
        found.expect("parent", place, _id(one.parent_config), row.parent_id)
        found.expect("step", place, one.metadata.get("step"), row.step)
        found.expect("source", place, one.metadata.get("source"), row.source)
        ours = reader.analysis(row.key)
        view = _View(story, reader, row.key, ours, found, place)
        view.tasks(one.tasks, live=False)
        view.next(one.next, tuple(task.name for task in _listed(ours)))
        view.values(one.values)
        parent = parents.get(row.parent_id or "")
        if row.source == "loop" and parent is not None and row.key in nodes and not story.plan.delta:
            ran = {task.name for task in parent.tasks if task.result is not None}
            failed = {task.name for task in parent.tasks if task.error is not None}  # its handler may have written
            goto = set(_goto(reader, row.key._replace(checkpoint_id=row.parent_id or "")))
            found.expect("nodes that wrote", place, ran, set(nodes[row.key]) - ((failed | goto) - ran))


def _id(config: Any) -> str | None:
    return None if config is None else config["configurable"]["checkpoint_id"]


def _goto(reader: Reader, key: CheckpointKey) -> Counter[str]:
    """Nodes that a ``Command(goto=...)`` given with a resume names; LangGraph runs them and does not list them."""
    writes = reader.store.raw([key], Scope.CONTROL)[0].writes
    names = [write.channel for write in writes if write.task_id == NULL_TASK]
    return Counter(name.removeprefix("branch:to:") for name in names if name.startswith("branch:to:"))


def _listed(analysis: Analysis) -> list[Task]:
    return [task for task in analysis.tasks if task.kind not in _OUR_OWN]


def _asked_at_the_bottom(state: Any) -> Iterator[str]:
    """Ids of the questions that the innermost subgraphs ask; each level above repeats them, also when answered."""
    for task in getattr(state, "tasks", ()):
        if task.state is not None:
            yield from _asked_at_the_bottom(task.state)
        elif task.error is None:
            yield from (one.id for one in task.interrupts)


@dataclass
class _View:
    """One checkpoint, theirs against ours."""

    story: Story
    reader: Reader
    key: CheckpointKey
    ours: Analysis
    found: Findings
    where: str

    def __post_init__(self) -> None:
        raw = self.reader.store.raw([self.key], Scope.FULL)[0]
        self.null = [write for write in raw.writes if write.task_id == NULL_TASK]
        self.resumed = {write.task_id for write in raw.writes if write.channel == "__resume__"}
        self.goto = _goto(self.reader, self.key)

    def next(self, theirs: tuple[str, ...], ours: tuple[str, ...]) -> None:
        extra = Counter(ours) - Counter(theirs)
        if extra and extra <= self.goto and not Counter(theirs) - Counter(ours):
            self.found.limits["goto given with a resume"] += 1
            return
        if self.story.plan.functional and theirs == ("workflow",) and ours == ("__start__",):
            self.found.limits["entrypoint not named yet"] += 1
            return
        self.found.expect("next", self.where, sorted(theirs), sorted(ours))
        self.found.expect("order of Sends", self.where, *(self._pushed(names) for names in (theirs, ours)))

    def _pushed(self, names: tuple[str, ...]) -> tuple[str, ...]:
        count = sum(task.kind == "push" and task.state is not TaskState.FINISHED for task in self.ours.tasks)
        return names[:count]

    def tasks(self, theirs: Any, live: bool) -> None:
        ours = {task.id: task for task in _listed(self.ours)}
        for task in theirs:
            mine = ours.pop(task.id, None)
            if mine is None:
                mine = self._by_name(task, ours)
                if mine is None:
                    continue
            self.found.expect("task name", self.where, task.name, mine.name)
            self.found.expect("task error", self.where, task.error, mine.error)
            if live:
                self._state(task, mine)
        rest = Counter(task.name for task in ours.values())
        if rest and rest <= self.goto:
            self.found.limits["goto given with a resume"] += 1
        else:
            self.found.expect("further tasks", self.where, Counter(), rest)

    def _by_name(self, task: Any, ours: dict[str | None, Task]) -> Task | None:
        """A task whose id we cannot derive, since a join to its node was never recorded, or whose name is unknown."""
        for key, mine in ours.items():
            if mine.name == task.name and mine.kind == "pull":
                recorded = self.reader.snapshot(self.key).channel_versions
                triggers = self.story.graph.nodes[task.name].triggers if not self.key.ns else ()
                if any(name.startswith("join:") and name not in recorded for name in triggers):
                    self.found.limits["join never recorded: id not derivable"] += 1
                    return ours.pop(key)
            if self.story.plan.functional and mine.name == "__start__":
                self.found.limits["entrypoint not named yet"] += 1
                del ours[key]
                return None
        self.found.expect("task id", self.where, (task.name, task.id), [(m.name, m.id) for m in ours.values()])
        return None

    def _state(self, task: Any, mine: Task) -> None:
        gone = {one.id for one in task.interrupts} - {one.id for one in mine.interrupts}
        if gone:
            self._answered(task, gone)
        if task.interrupts and not mine.interrupts:
            return
        if task.interrupts:
            expected = {TaskState.WAITING}
        elif task.error is not None:
            expected = {TaskState.FAILED, TaskState.HANDLED}
        else:
            expected = {TaskState.DUE if task.result is None else TaskState.FINISHED}
        self.found.expect("task state", self.where, True, mine.state in expected or (task.name, mine.state, expected))

    def _answered(self, task: Any, gone: set[str]) -> None:
        """LangGraph still lists a question that was answered before the task failed or the run died."""
        if task.error is not None and task.id in self.resumed:
            self.found.limits["answered, then failed"] += 1
            return
        deep = self.story.graph.get_state({"configurable": {"thread_id": self.key.thread_id}}, subgraphs=True)
        inner = next((one.state for one in deep.tasks if one.id == task.id), None)
        self.found.expect("answered inside a subgraph", self.where, set(), gone & set(_asked_at_the_bottom(inner)))
        self.found.limits["answered inside a subgraph, then failed or died"] += 1

    def interrupts(self, theirs: Any) -> None:
        listed = {one.id: encoded(one.value) for one in theirs.interrupts}
        known = {task.id for task in theirs.tasks}
        ours: dict[str, Value] = {}
        for task in self.ours.tasks:
            if task.kind == "call":
                continue  # the entrypoint repeats what LangGraph lists
            if task.interrupts and task.id not in known:
                why = "question of an error handler" if task.kind == "handler" else "goto given with a resume"
                self.found.limits[why] += 1
                continue
            ours.update({one.id: one.value for one in task.interrupts})
            for one in next((one.interrupts for one in theirs.tasks if one.id == task.id), ()):
                if one.id not in ours:
                    del listed[one.id]  # answered, and looked into by ``tasks``
        self.found.expect("interrupts", self.where, listed, ours)
        listed_here = {one.id for task in self.ours.tasks for one in task.interrupts if task.kind != "call"}
        self.found.expect("interrupts in all", self.where, listed_here, {one.id for one in self.ours.interrupts})

    def status(self, theirs: Any) -> None:
        mine = self.ours
        listed = {task.id for task in theirs.tasks}
        if any((task.interrupts or task.error) and task.id not in listed for task in mine.tasks if task.kind != "call"):
            return  # a handler or a ``Command(goto=...)`` asks or fails: limits, counted by ``interrupts``
        if any(task.interrupts for task in _listed(mine)):
            expected = {StatusName.WAITING}
        elif any(task.error and not self._handled(task.id) for task in theirs.tasks):
            expected = {StatusName.FAILED, StatusName.CANCELLED}
        else:
            expected = {StatusName.STALLED} if theirs.tasks or self.goto else {StatusName.DONE}
        self.found.expect("status", self.where, True, mine.status in expected or (mine.status, expected))
        self.found.expect("certain", self.where, False, mine.inferred and not self._may_infer())

    def _handled(self, task_id: str) -> bool:
        return any(task.id == task_id and task.state is TaskState.HANDLED for task in self.ours.tasks)

    def _may_infer(self) -> bool:
        """An error beside output may be of a run before; ``__start__`` may be an entrypoint of another name."""
        return any(task.error or task.name == "__start__" for task in self.ours.tasks) or self.story.plan.functional

    def values(self, theirs: Any) -> None:
        if any(not write.channel.startswith(("__", "branch:")) for write in self.null):
            self.found.limits["update given with a resume"] += 1
            return
        state = {name: _folded(value) for name, value in self.reader.state(self.key).items()}
        if self.story.plan.functional:
            self.found.expect("value", self.where, encoded(theirs) or None, state.get("__end__") or None)
            return
        listed = {name: encoded(value) for name, value in theirs.items()}
        for name in [name for name in listed if name not in state and not listed[name]]:
            del listed[name]  # never written: LangGraph shows what the reducer starts from
            self.found.limits["channel never written"] += 1
        self.found.expect("values", self.where, listed, state)


def _folded(value: Value) -> Value:
    if not isinstance(value, DeltaValue):
        return value
    return extend(value.seed if value.has_seed else [], value.writes)


def namespaces(story: Story, reader: Reader) -> Iterator[str]:
    """Namespaces of subgraphs that LangGraph can address: none that a function calls, or below one without rows."""
    spaces = set(reader.store.namespaces(story.thread))
    if "subgraph called by a function" not in story.plan.features:
        yield from (ns for ns in sorted(spaces - {""}) if ns.rpartition("|")[0] in spaces)

"""What a verb is planned on: the thread as it stands, and the graph as far as it is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from ..channels import NOT_NODES
from ..errors import Refused
from ..graphs.drawing import Drawing
from ..model import NULL_TASK, Analysis, CheckpointKey, Snapshot, Task, TaskState, ThreadHead
from ..reader import Reader
from ..status import is_unfinished
from ..store import Scope
from ..text import one_line
from .plan import Intent

_INTERRUPT, _RESUME = "__interrupt__", "__resume__"
_TASKS = ("pull", "push")


@dataclass(frozen=True, slots=True)
class Preview:
    """What a verb would do: the part of a ``Plan`` that depends on the verb.

    Attributes:
        intent: The intent, completed.
        doing: What it does, for the summary: ``runs review``.
        runs: See ``Plan``; so are the rest.
        reuses: Nodes whose saved writes are reused.
        asks: Questions that are asked again.
        notes: Sentences.
        warnings: Sentences that want a second look.
    """

    intent: Intent
    doing: str
    runs: tuple[str, ...] = ()
    reuses: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """A checkpoint, and what its rows mean.

    Attributes:
        snapshot: The checkpoint, without the values of ordinary channels.
        analysis: Its tasks and questions.
    """

    snapshot: Snapshot
    analysis: Analysis

    @property
    def own(self) -> tuple[Task, ...]:
        """Tasks of the step: neither handlers of errors nor calls of ``@task``."""
        return tuple(task for task in self.analysis.tasks if task.kind in _TASKS)

    @property
    def unfinished(self) -> tuple[Task, ...]:
        """Tasks that still have to run."""
        return tuple(task for task in self.own if is_unfinished(task))

    @property
    def runs(self) -> tuple[str, ...]:
        """What runs next, with its number where more than one.

        A node that failed and has an error handler does not run again; its handler does, also one that had finished
        (``langgraph/pregel/_loop.py``, ``_resume_error_handlers_if_applicable``).
        """
        return tuple(
            _tally(
                Counter(
                    f"error handler of {task.name}" if task.state is TaskState.HANDLED else task.name
                    for task in self.unfinished
                )
            )
        )

    @property
    def finished(self) -> tuple[Task, ...]:
        """Tasks whose writes are saved."""
        return tuple(task for task in self.own if not is_unfinished(task))

    @property
    def truncating(self) -> tuple[Task, ...]:
        """Tasks that raised after their output was saved: resuming takes them for finished, and skips what follows."""
        return tuple(task for task in self.own if task.state is TaskState.FAILED and task.channels)

    @property
    def failed_after_answer(self) -> tuple[Task, ...]:
        """Tasks of the step that failed with an answer in hand, their own or that of a ``@task`` call."""
        ids = {write.task_id for write in self.snapshot.writes if write.channel == _RESUME}
        failed = [task for task in self.analysis.tasks if task.id in ids and task.error and not task.interrupts]
        if any(task.kind == "call" for task in failed):
            return self.unfinished
        return tuple(task for task in failed if task.kind in _TASKS)

    @property
    def questioned(self) -> tuple[Task, ...]:
        """Tasks that have asked something, answered or not."""
        ids = {write.task_id for write in self.snapshot.writes if write.channel in (_INTERRUPT, _RESUME)}
        return tuple(task for task in self.own if task.id in ids)

    @property
    def stray_answer(self) -> bool:
        """Whether an answer lies here that names no question: the next question of any task takes it.

        A bare ``Command(resume=value)`` leaves it behind (``langgraph/pregel/_algo.py``, ``get_null_resume``).
        """
        return any(write.task_id == NULL_TASK and write.channel == _RESUME for write in self.snapshot.writes)

    @property
    def nodes_before(self) -> frozenset[str]:
        """Nodes that have run on the way to this checkpoint."""
        return frozenset(self.snapshot.versions_seen) - NOT_NODES


@dataclass(frozen=True, slots=True)
class Scene:
    """What a verb is planned on.

    Attributes:
        reader: The store; ``None`` where it is yet to be made.
        intent: What is asked for.
        head: The thread's root head; ``None`` for a new thread.
        drawing: The graph; ``None`` where it is not known how it looks.
    """

    reader: Reader | None
    intent: Intent
    head: ThreadHead | None
    drawing: Drawing | None

    @property
    def open_reader(self) -> Reader:
        """The store, for verbs that need one.

        Raises:
            Refused: It does not exist yet.
        """
        if self.reader is None:
            raise Refused("The store does not exist yet.", "Only a start makes it.")
        return self.reader

    @property
    def thread_head(self) -> ThreadHead:
        """The head, for verbs that need a thread.

        Raises:
            Refused: There is no such thread.
        """
        if self.head is None:
            raise Refused(f"There is no thread {name_of(self.intent.thread_id)}.", "Start it with an input.")
        return self.head

    def at_head(self) -> View:
        """The thread as it stands."""
        head, reader = self.thread_head, self.open_reader
        found = reader.analyse_heads([head]).get(head.thread_id)
        if found is None:
            raise Refused(f"Thread {name_of(head.thread_id)} was deleted just now.")
        return View(reader.snapshot(head.key, Scope.CONTROL), found)

    def at(self, key: CheckpointKey) -> View:
        """A checkpoint of the thread, as the head or as a step of the past."""
        if self.head is not None and key == self.head.key:
            return self.at_head()
        return View(self.open_reader.snapshot(key, Scope.CONTROL), self.open_reader.analysis(key))


def drawing_at(drawing: Drawing | None, ns: str) -> Drawing | None:
    """Find the subgraph that a namespace belongs to.

    Args:
        drawing: The graph.
        ns: ``node:task_id`` for each level, with ``|`` between them; a level without an id is a subgraph that keeps its
            own history, a number counts the calls of one task.
    """
    for part in filter(None, ns.split("|")):
        name = part.split(":", 1)[0]
        if drawing is None or name.isdigit():
            continue
        drawing = next((node.subgraph for node in drawing.nodes if node.name == name), None)
    return drawing


def node_names(drawing: Drawing) -> tuple[str, ...]:
    """Names of a graph's nodes, without its start and end."""
    return tuple(node.name for node in drawing.nodes if node.written)


def names_of(tasks: Iterable[Task]) -> tuple[str, ...]:
    """Names of nodes, safe, each once, with their number where more than one."""
    return tuple(_tally(Counter(task.name for task in tasks)))


def _tally(counts: Counter[str]) -> Iterable[str]:
    for name, count in counts.items():
        yield f"{name_of(name)} ×{count}" if count > 1 else name_of(name)


def name_of(text: str) -> str:
    """An untrusted name as it may be shown inside a sentence."""
    return one_line(text, 60) or "''"


def listed(names: Iterable[str], most: int = 6) -> str:
    """Names as a list inside a sentence."""
    every = [name_of(name) for name in names]
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(every[:most]) + more

"""What the runs of one thread did, one after another, as their events tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from backends.audit.trace import node_path
from backends.faults import How, Point
from backends.runs.events import Event, Kind

if TYPE_CHECKING:
    from .saved import Saved


class Item(NamedTuple):
    """A piece of work: the same in a run that is repeated, whatever ids its tasks have there.

    Attributes:
        path: The node.
        step: Its superstep.
        number: Which of the tasks of that node in that superstep.
    """

    path: str
    step: int | None
    number: int


@dataclass(slots=True)
class Place:
    """Where a piece of work is saved.

    Attributes:
        ns: Namespace of its graph.
        tasks: Ids of the tasks that did it, or tried.
    """

    ns: str
    tasks: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Course:
    """The runs of a thread so far.

    Attributes:
        runs: How many there have been.
        begun: How often each piece of work began.
        finished: How often each came to its end.
        kept: Nodes whose work was in the store when the present run began.
        now: Nodes that began in the present run.
        running: Pieces that run now, by task id; of a run that is gone, those that ran when it went.
        asked: Nodes that ended with a question last.
        failed: Nodes that raised last.
        places: Namespace and task ids of each piece.
        struck: What the fault did, as its event says; ``None`` as long as none struck.
    """

    runs: int = 0
    begun: Counter[Item] = field(default_factory=Counter)
    finished: Counter[Item] = field(default_factory=Counter)
    kept: frozenset[str] = frozenset()
    now: set[str] = field(default_factory=set)
    running: dict[str, Item] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    places: dict[Item, Place] = field(default_factory=dict)
    struck: Event | None = None
    _spared: str = ""
    _dying: bool = False
    _numbers: Counter[tuple[str, int | None]] = field(default_factory=Counter)

    def next_run(self, saved: Iterable[str] = ()) -> None:
        """Another run begins; nothing runs any more.

        Args:
            saved: Nodes whose work is in the store.
        """
        self.runs += 1
        self.kept = frozenset(saved)
        self.now.clear()
        self.running.clear()
        self._numbers.clear()
        self._spared, self._dying = "", False

    def add(self, event: Event) -> None:
        """Take one event in; what is announced behind a deadly blow does not come to pass."""
        match event.kind:
            case Kind.TASK if not str(event.data.get("name", "")).startswith("__"):
                self._task(event)
            case Kind.FAULT:
                self.struck = event
                self._dying = event.data.get("how") in (How.KILL, How.EXIT)
                if event.data.get("point") == Point.BEFORE and event.data.get("how") != How.LOST:  # it runs on without
                    self._not_begun(str(event.data.get("node")))
            case _:
                pass

    def _task(self, event: Event) -> None:
        data = event.data
        task_id = str(data.get("id"))
        path = node_path(str(data.get("name")), str(data.get("ns") or ""))
        if data.get("phase") == "start":
            if self._dying:
                return
            step = data.get("step") if isinstance(data.get("step"), int) else None
            item = Item(path, step, self._numbers[path, step])
            self._numbers[path, step] += 1
            self.running[task_id] = item
            place = self.places.setdefault(item, Place(""))
            place.ns = str(data.get("ns") or "")
            place.tasks.add(task_id)
            self.begun[item] += 1
            self.now.add(path)
            self.asked.discard(path)
            self.failed.discard(path)
            if self._spared:
                self._not_begun(self._spared)
            return
        ended = self.running.pop(task_id, None)
        if data.get("interrupts"):
            self.asked.add(path)
        elif data.get("error") is not None:
            self.failed.add(path)
        elif ended is not None:
            self.finished[ended] += 1

    def _not_begun(self, node: str) -> None:
        """A node that was announced and then struck before it ran has not begun; it may be announced afterwards."""
        self._spared = node
        for task_id, item in self.running.items():
            if node in (item.path, item.path.rpartition("/")[2]):
                self.begun[item] -= 1
                del self.running[task_id]
                self._spared = ""
                return

    def in_store(self, saved: Saved) -> frozenset[str]:
        """Nodes of which every piece that came to its end is in the store, as far as these runs have told.

        Args:
            saved: What the store has.
        """
        pieces = [*(item for item, times in self.finished.items() if times), *self.running.values()]
        unsaved = {item.path for item in pieces if not saved.has(item.step, self.places[item])}
        return (saved.nodes | {item.path for item in pieces}) - unsaved

    @property
    def paths(self) -> list[str]:
        """Nodes that were announced, in that order."""
        return list(dict.fromkeys(item.path for item in self.begun))

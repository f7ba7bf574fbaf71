"""What LangGraph does while it runs a graph, told as events."""

from __future__ import annotations

import threading
import time
from asyncio import CancelledError
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any, TypeVar, cast

from ..present import preview, to_json
from ..runs.events import Kind
from ..runs.recorder import Recorder
from ..task_rows import CONTROL
from ..text import one_line
from .copies import end_if_copy
from .ending import one_sentence
from .hearing import Task, TaskEnd
from .objects import as_value

_REMEMBERED = 256
"""Of what waits for its counterpart: with ``durability="exit"`` all checkpoints but the last are never saved."""

_PREVIEW = 200

_BURST, _RATE = 10.0, 20.0
"""Results that are shown at once, and in each second after that: showing one costs more than telling it."""


F = TypeVar("F", bound=Callable[..., None])


def _told(tell: F) -> F:
    """One at a time; what cannot be told is named, since LangGraph must not fail for it."""

    @wraps(tell)
    def telling(self: Narrator, *given: Any) -> None:
        end_if_copy()
        with self._turn:
            try:
                tell(self, *given)
            except Exception as error:  # results and questions are of the user's own classes
                text = f"Something could not be told ({tell.__name__}): {one_sentence(error)}"
                self._recorder.write(Kind.LOG, stream="lgtop", level="WARNING", text=text)

    return cast(F, telling)


class Narrator:
    """Tells events of what it hears (``hearing.Listener``), from any thread.

    A checkpoint is told once it is in the store *and* described, whichever comes first: LangGraph also describes
    checkpoints that it never saves.

    Args:
        recorder: Takes the events.

    Attributes:
        replaying: Whether tasks with saved writes run again; otherwise LangGraph announces them but does not run them.
        hears_entering: Whether ``entered`` is called for every task; otherwise one starts when it is announced.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._running: dict[str, Task] = {}
        self._announced: dict[str, Task] = {}
        self._entered: dict[str, None] = {}
        self._described: dict[tuple[str, str], dict[str, Any]] = {}
        self._saved: dict[tuple[str, str], Mapping[str, Any]] = {}
        self._asked: set[str] = set()
        self._reused: set[str] = set()
        self._turn = threading.RLock()
        self._tokens, self._filled = _BURST, time.monotonic()
        self.replaying = False
        self.hears_entering = False

    def running(self) -> list[str]:
        """Names of the nodes that run now; may be called from any thread."""
        return [task.name for task in list(self._running.values())]

    @_told
    def entered(self, task_id: str) -> None:
        """A task is run now; LangGraph has announced it, or is about to.

        Args:
            task_id: Its id.
        """
        if (task := self._announced.pop(task_id, None)) is not None:
            self._begin(task)
            return
        self._entered[task_id] = None
        if len(self._entered) > _REMEMBERED:  # tasks of graphs that the user's code runs for itself
            del self._entered[next(iter(self._entered))]

    def loaded(self, writes: Iterable[tuple[str, str, Any]]) -> None:
        """A checkpoint was read with these pending writes: tasks that have finished are not run again."""
        with self._turn:
            self._reused |= {task_id for task_id, channel, _ in writes if channel not in CONTROL}

    def saved(self, ns: str, checkpoint_id: str, metadata: Mapping[str, Any]) -> None:
        """A checkpoint is in the store."""
        with self._turn:
            self._saved[ns, checkpoint_id] = metadata
            self._tell((ns, checkpoint_id))

    def finish(self) -> None:
        """Tell the checkpoints that the stream did not describe, such as those of ``update_state``."""
        for (ns, checkpoint_id), metadata in self._saved.items():
            step, source = metadata.get("step"), metadata.get("source")
            self._recorder.write(Kind.CHECKPOINT, ns=ns, id=checkpoint_id, step=step, source=source, next=[])
        self._saved.clear()

    def failed(self, task_id: str, error: BaseException) -> None:
        """A task has raised what ends the run: LangGraph's stream stops before it can tell."""
        if (task := self._running.pop(task_id, None)) is not None:
            self._tell_end(task, error=_error(error))

    @_told
    def announced(self, task: Task) -> None:
        """See ``hearing.Listener``."""
        if task.id in self._reused and not self.replaying:
            return
        if self.hears_entering and task.id not in self._entered:
            self._announced[task.id] = task
            return
        self._entered.pop(task.id, None)
        self._begin(task)

    @_told
    def ended(self, task: Task, end: TaskEnd) -> None:
        """See ``hearing.Listener``."""
        error, questions, result = end
        if isinstance(error, CancelledError):
            return  # another one has failed; what runs in a thread goes on nevertheless
        self._running.pop(task.id, None)
        shown = preview(as_value(result()), _PREVIEW) if self._may_show() else None
        self._tell_end(task, None if error is None else _error(error), len(questions), shown)
        for question in questions:
            self._ask(task, question)

    @_told
    def described(self, ns: str, step: int | None, checkpoint_id: str, source: str | None, due: list[str]) -> None:
        """See ``hearing.Listener``."""
        if self._running or self._announced:
            self._end_cached(ns, step or 0)
        self._described[ns, checkpoint_id] = {"step": step, "source": source, "next": due}
        if len(self._described) > _REMEMBERED:
            del self._described[next(iter(self._described))]
        self._tell((ns, checkpoint_id))
        if not due:
            self._recorder.flush()  # no task follows, and the saver may be long in saving the checkpoint

    @_told
    def custom(self, ns: str, value: Any) -> None:
        """See ``hearing.Listener``."""
        self._recorder.write(Kind.CUSTOM, ns=ns, value=to_json(as_value(value)))

    def _begin(self, task: Task) -> None:
        self._running[task.id] = task
        task_id, name, ns, step = task
        self._recorder.write(Kind.TASK, phase="start", id=task_id, name=name, ns=ns, step=step)

    def _may_show(self) -> bool:
        now = time.monotonic()
        self._tokens = min(_BURST, self._tokens + (now - self._filled) * _RATE)
        self._filled = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def _tell_end(self, task: Task, error: str | None = None, asked: int = 0, result: str | None = None) -> None:
        later = error is None and not self._running  # the checkpoint follows at once
        place = {"id": task.id, "name": task.name, "ns": task.ns, "step": task.step}
        self._recorder.write(Kind.TASK, later=later, phase="end", **place, error=error, interrupts=asked, result=result)

    def _ask(self, task: Task, question: Mapping[str, Any]) -> None:
        """Tell a question once: the levels above the one that asks repeat it."""
        if question.get("id") in self._asked:
            return
        self._asked.add(question.get("id", ""))
        value = to_json(as_value(question.get("value")))
        self._recorder.write(Kind.INTERRUPT, id=question.get("id"), node=task.name, ns=task.ns, value=value)

    def _end_cached(self, space: str, step: int) -> None:
        """Tell the end of tasks that were taken from a cache: LangGraph tells none."""
        for task in [*self._running.values(), *self._announced.values()]:
            if task.ns == space and (task.step or 0) <= step:
                if self._announced.pop(task.id, None):
                    self._begin(task)
                self._running.pop(task.id, None)
                self._tell_end(task, result=preview(as_value({}), _PREVIEW))

    def _tell(self, key: tuple[str, str]) -> None:
        if key in self._saved and key in self._described:
            del self._saved[key]
            self._recorder.write(Kind.CHECKPOINT, later=True, ns=key[0], id=key[1], **self._described.pop(key))


def _error(error: Any) -> str:
    """``ValueError: no such order`` on one line."""
    text = one_sentence(error) if isinstance(error, BaseException) else preview(as_value(error), _PREVIEW)
    return one_line(text, _PREVIEW)

"""What LangGraph does while it runs a graph, heard where it would stream it.

To stream is to describe every checkpoint with all its values and every task with its input and result. What a run tells
of them costs a third of that, so it is taken before they are described: ``PregelLoop._emit`` in
``langgraph/pregel/_loop.py`` is called with what there is to describe, whether anybody listens or not. A LangGraph that
has no such place is listened to by its stream mode ``debug``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

_LISTENER: Final = "__pregel_listener"
"""Where the configuration of a run has its listener; graphs inside it inherit that. LangGraph saves no such key."""

_PLACES: Final = {
    "map_debug_tasks": ["tasks"],
    "map_debug_task_results": ["task_tup", "stream_keys"],
    "map_debug_checkpoint": ["config", "channels", "stream_channels", "metadata", "tasks"],
}
"""What describes, and how its parameters begin (``langgraph/pregel/debug.py``)."""


class Task(NamedTuple):
    """A node, to be run once.

    Attributes:
        id: LangGraph's id of the task.
        name: The node's name.
        ns: The namespace of the graph that runs it.
        step: The number of its superstep.
    """

    id: str
    name: str
    ns: str
    step: int | None


class TaskEnd(NamedTuple):
    """What became of a task.

    Attributes:
        error: What it has raised; ``None`` if nothing.
        questions: What it asks, each with ``id`` and ``value``.
        result: Makes what it returned.
    """

    error: Any
    questions: Sequence[Mapping[str, Any]]
    result: Callable[[], Any]


class Listener(Protocol):
    """Takes what comes up, in whatever thread. ``ns`` is the namespace of the graph that does it."""

    def announced(self, task: Task) -> None:
        """A task belongs to the step that begins."""

    def ended(self, task: Task, end: TaskEnd) -> None:
        """A task has come to its end, or to questions."""

    def described(self, ns: str, step: int | None, checkpoint_id: str, source: str | None, due: list[str]) -> None:
        """There is a checkpoint, saved or not, with these nodes to run next."""

    def custom(self, ns: str, value: Any) -> None:
        """A node has given something to its stream writer."""


def heard(graph: Any, config: Mapping[str, Any], listener: Listener) -> dict[str, Any]:
    """The configuration and stream modes of a call that is listened to.

    The stream writer of nodes is set as an outer graph sets that of an inner one: asking for the stream of subgraphs
    instead would have LangGraph wait for it in a thread (``get_waiter`` in ``langgraph/pregel/main.py``) and run each
    node in another.

    Args:
        graph: The graph.
        config: The call's own configuration.
        listener: Takes what comes up; what is streamed besides is to be given to ``take``.
    """
    streamed = {"config": config, "stream_mode": ["debug", "custom"], "subgraphs": True}
    try:
        from langgraph._internal._constants import CONFIG_KEY_RUNTIME, CONFIG_KEY_STREAM
        from langgraph.config import get_config
        from langgraph.pregel import _loop
        from langgraph.pregel.protocol import StreamProtocol
        from langgraph.runtime import Runtime
    except ImportError:
        return streamed
    if not _listen(_loop):
        return streamed

    def write(value: Any) -> None:
        try:
            ns: str = get_config()["configurable"]["checkpoint_ns"]
        except RuntimeError:  # a thread of the node's own, where nothing tells whose it is
            ns = ""
        listener.custom(ns.rpartition("|")[0], value)

    ours = {
        _LISTENER: listener,
        CONFIG_KEY_STREAM: StreamProtocol(lambda chunk: None, set()),  # without one the writer is not taken
        CONFIG_KEY_RUNTIME: Runtime(store=graph.store, stream_writer=write),
    }
    return {"config": {**config, "configurable": {**config["configurable"], **ours}}, "stream_mode": []}


def take(listener: Listener, space: tuple[str, ...], mode: str, data: Any) -> None:
    """Have one item of the stream modes ``debug`` and ``custom`` heard."""
    ns = "|".join(space)
    if mode == "custom":
        listener.custom(ns, data)
        return
    found, step = data["payload"], data.get("step")
    match data["type"]:
        case "task":
            listener.announced(Task(found["id"], found["name"], ns, step))
        case "task_result":
            end = TaskEnd(found["error"], found["interrupts"], lambda: found["result"])
            listener.ended(Task(found["id"], found["name"], ns, step), end)
        case "checkpoint":
            settings, source = found["config"]["configurable"], found["metadata"].get("source")
            place = settings.get("checkpoint_ns", ns), step, settings["checkpoint_id"]
            listener.described(*place, source, list(found["next"]))


def _listen(module: Any) -> bool:
    """Have the loops of LangGraph tell their listeners; whether that can be done."""
    emit = getattr(getattr(module, "PregelLoop", None), "_emit", None)
    if hasattr(emit, "listens"):
        return True
    places = {name: getattr(module, name, None) for name in _PLACES}
    if emit is None or not all(_begins(places[name], parameters) for name, parameters in _PLACES.items()):
        return False
    module.PregelLoop._emit = _listening(emit, *places.values())
    return True


def _begins(function: Any, parameters: Sequence[str]) -> bool:
    return callable(function) and list(inspect.signature(function).parameters)[: len(parameters)] == parameters


def _listening(emit: Callable[..., None], tasks: Any, results: Any, checkpoint: Any) -> Callable[..., None]:
    """``PregelLoop._emit``, told to the loop's listener first."""
    tellers = {tasks: _tell_tasks, results: _tell_end, checkpoint: _tell_checkpoint}

    def listening(loop: Any, mode: str, values: Any, *args: Any, **options: Any) -> None:
        if (tell := tellers.get(values)) is not None:
            listener: Listener | None = loop.config["configurable"].get(_LISTENER)
            if listener is not None:
                tell(listener, loop, "|".join(loop.checkpoint_ns), values, args)
        emit(loop, mode, values, *args, **options)

    listening.listens = True  # type: ignore[attr-defined]
    return listening


def _tell_tasks(listener: Listener, loop: Any, ns: str, _: Any, args: Any) -> None:
    for task in args[0]:
        if task.config is None or "langsmith:hidden" not in task.config.get("tags", ()):
            listener.announced(Task(task.id, task.name, ns, loop.step))


def _tell_end(listener: Listener, loop: Any, ns: str, describe: Any, args: Any) -> None:
    task, writes = args[0]
    error: Any = None
    questions: list[Mapping[str, Any]] = []
    for channel, value in writes:
        if channel == "__error__" and error is None:
            error = value
        elif channel == "__interrupt__":
            asked = value if isinstance(value, Sequence) else [value]
            questions += [{"id": each.id, "value": each.value} for each in asked]

    def result() -> Any:
        others = [write for write in writes if write[0] != "__interrupt__"]  # describing a question would copy it
        return next(describe((task, others), *args[1:]))["result"]

    listener.ended(Task(task.id, task.name, ns, loop.step), TaskEnd(error, questions, result))


def _tell_checkpoint(listener: Listener, loop: Any, ns: str, _: Any, args: Any) -> None:
    settings, metadata, due = args[0]["configurable"], args[3], args[4]
    place = settings.get("checkpoint_ns", ns), loop.step - 1, settings["checkpoint_id"]
    listener.described(*place, metadata.get("source"), [task.name for task in due])

"""How LangGraph is called: by its plain loop or by its asynchronous one."""

from __future__ import annotations

import gc
import inspect
import sys
from collections.abc import Coroutine, Mapping
from contextlib import AbstractContextManager, aclosing, closing
from functools import partial
from typing import Any, NoReturn, Protocol

from .hearing import Listener, heard, take
from .injecting import Injection
from .loop import Loop
from .pulse import GRACE
from .saver import Fence, Saver, open_async_saver, open_saver


def waits(graph: Any, seen: frozenset[int] = frozenset()) -> bool:
    """Whether a graph is to be driven by LangGraph's asynchronous loop.

    That loop takes everything, but costs 1.4 times as much as the plain one; and under the plain one a node runs as in
    a script that calls ``invoke``: in the main thread where it is alone in its step, without an event loop around it.
    So a graph is driven plainly if all that it calls are plain functions: what has an asynchronous side of its own (a
    chat model, a ``ToolNode``, a ``RunnableLambda``) may well have nothing else, since classes must define ``invoke``
    and often only raise there. Stores and savers of an event loop need that loop, and so does an asynchronous
    ``@task``, wherever it is called from: of those even one in an imported module counts. Policies of retrying and
    caching hold plain functions only.
    """
    from langgraph.checkpoint.base import BaseCheckpointSaver
    from langgraph.store.base.batch import AsyncBatchedBaseStore

    if id(graph) in seen:
        return False
    inside = seen | {id(graph)}
    own = seen and isinstance(graph.checkpointer, BaseCheckpointSaver) and hasattr(graph.checkpointer, "loop")
    if own or isinstance(graph.store, AsyncBatchedBaseStore) or (not seen and _has_awaited_task()):
        return True
    routes = getattr(getattr(graph, "builder", None), "branches", {}).values()
    called = [node.bound for node in graph.nodes.values()] + [each.path for route in routes for each in route.values()]
    subgraphs = [inner for node in graph.nodes.values() for inner in getattr(node, "subgraphs", ())]
    return any(_waits(each, inside) for each in (*called, *subgraphs))


def _waits(runnable: Any, seen: frozenset[int]) -> bool:
    from langchain_core.runnables.config import run_in_executor
    from langgraph.pregel import Pregel

    try:
        from langgraph._internal._runnable import RunnableCallable, RunnableSeq
        from langgraph.pregel._read import ChannelRead
        from langgraph.pregel._write import ChannelWrite
    except ImportError:
        return True  # another LangGraph than the one whose parts are known here
    match runnable:
        case Pregel():
            return waits(runnable, seen)
        case RunnableSeq():
            return any(_waits(step, seen) for step in runnable.steps)
        case ChannelRead() | ChannelWrite():
            return False
        case RunnableCallable(func=function, afunc=afunc):
            in_thread = isinstance(afunc, partial) and afunc.func is run_in_executor
            return function is None or not (afunc is None or in_thread)
    return True


def _has_awaited_task() -> bool:
    """Whether any ``@task`` of this process is asynchronous; LangGraph keeps no list of them."""
    if (module := sys.modules.get("langgraph.func")) is None:
        return False
    tasks = (each for each in gc.get_objects() if type(each) is module._TaskFunction)
    return any(inspect.iscoroutinefunction(task.func) for task in tasks)


class Drive(Protocol):
    """A way to call LangGraph.

    Attributes:
        awaited: Whether by the methods that are awaited.
        grace: Seconds that it gets to come to its end when it was interrupted.
    """

    awaited: bool
    grace: float

    def saver(self, address: str, serde: Any, fence: Fence, injection: Injection) -> AbstractContextManager[Saver]:
        """Open the saver that goes with it, with faults in it; see ``saver.open_saver``."""

    def stream(self, graph: Any, given: Any, config: Any, listener: Listener, options: Mapping[str, Any]) -> None:
        """Run a graph to its end, a question or a breakpoint.

        Args:
            graph: The graph.
            given: Its input.
            config: Its configuration.
            listener: Takes what comes up, in subgraphs too.
            options: More for ``stream``; what this LangGraph does not know is left out.
        """

    def update(self, graph: Any, config: Any, values: Any, as_node: str) -> None:
        """Call ``update_state``."""

    def state(self, graph: Any, config: Any) -> Any:
        """Call ``get_state``."""

    def interrupt(self, again: bool) -> None:
        """Stop what runs; to be called by a signal handler in the main thread, which is where the graph is driven."""


class Plain:
    """By ``stream``; LangGraph leaves at once, but for nodes that run in threads, and those do not notice."""

    awaited = False
    grace = GRACE

    def saver(self, address: str, serde: Any, fence: Fence, injection: Injection) -> AbstractContextManager[Saver]:
        """See ``Drive``."""
        return open_saver(address, serde, fence, injection.struck)

    def stream(self, graph: Any, given: Any, config: Any, listener: Listener, options: Mapping[str, Any]) -> None:
        """See ``Drive``."""
        with closing(graph.stream(given, **heard(graph, config, listener), **_known(graph.stream, options))) as items:
            for item in items:
                take(listener, *item)

    def update(self, graph: Any, config: Any, values: Any, as_node: str) -> None:
        """See ``Drive``."""
        graph.update_state(config, values, as_node=as_node)

    def state(self, graph: Any, config: Any) -> Any:
        """See ``Drive``."""
        return graph.get_state(config)

    def interrupt(self, again: bool) -> NoReturn:
        """As in a script: in the node that runs in the main thread, or where LangGraph waits for those that do not.

        Raises:
            KeyboardInterrupt: Always.
        """
        raise KeyboardInterrupt


class Awaited:
    """By ``astream``; coroutines may await what they have to clear away.

    Args:
        loop: The run's event loop.
    """

    awaited = True
    grace = 5 * GRACE

    def __init__(self, loop: Loop) -> None:
        self._loop = loop

    def saver(self, address: str, serde: Any, fence: Fence, injection: Injection) -> AbstractContextManager[Saver]:
        """See ``Drive``."""
        return self._loop.held(open_async_saver(address, serde, fence, injection.async_struck))

    def stream(self, graph: Any, given: Any, config: Any, listener: Listener, options: Mapping[str, Any]) -> None:
        """See ``Drive``."""

        async def drive() -> None:
            items = graph.astream(given, **heard(graph, config, listener), **_known(graph.astream, options))
            async with aclosing(items):
                async for item in items:
                    take(listener, *item)

        self._loop.run(drive())

    def update(self, graph: Any, config: Any, values: Any, as_node: str) -> None:
        """See ``Drive``."""
        self._loop.run(graph.aupdate_state(config, values, as_node=as_node))

    def state(self, graph: Any, config: Any) -> Any:
        """See ``Drive``."""
        state: Coroutine[Any, Any, Any] = graph.aget_state(config)
        return self._loop.run(state)

    def interrupt(self, again: bool) -> None:
        """See ``Loop.interrupt``."""
        self._loop.interrupt(again)


def _known(method: Any, options: Mapping[str, Any]) -> dict[str, Any]:
    known = inspect.signature(method).parameters
    return {name: value for name, value in options.items() if value is not None and name in known}

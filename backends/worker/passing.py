"""Where LangGraph runs a task: every one passes by here, be it a node, a ``Send``, a ``@task`` or one of a subgraph."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, Final

_RUNNERS: Final = ("langgraph.pregel._runner", "langgraph.pregel.runner")
"""Modules that call ``run_with_retry`` and ``arun_with_retry`` for each task, once however often it is retried."""


def pass_by(plain: Callable[[Any], Any], awaited: Callable[[Any], Any]) -> bool:
    """Put something around each run of a task; who comes last is outermost.

    Args:
        plain: Given what runs a task by plain calls, returns what is to be called in its place.
        awaited: The same for what runs one in an event loop.

    Returns:
        Whether that could be done: not if this LangGraph runs tasks in another way.
    """
    for name in _RUNNERS:
        try:
            module: Any = importlib.import_module(name)
        except ImportError:
            continue
        if hasattr(module, "run_with_retry") and hasattr(module, "arun_with_retry"):
            module.run_with_retry = plain(module.run_with_retry)
            module.arun_with_retry = awaited(module.arun_with_retry)
            return True
    return False


def tell_entered(entered: Callable[[str], None]) -> bool:
    """Have it told when a task is really run.

    LangGraph announces the tasks of a superstep together; with ``max_concurrency`` some of them wait for long then.

    Args:
        entered: Takes the id of the task, in whatever thread it runs.

    Returns:
        Whether it will be.
    """

    def plain(run: Callable[..., Any]) -> Callable[..., Any]:
        def telling(task: Any, *args: Any, **options: Any) -> Any:
            entered(task.id)
            return run(task, *args, **options)

        return telling

    def awaited(run: Callable[..., Any]) -> Callable[..., Any]:
        async def telling(task: Any, *args: Any, **options: Any) -> Any:
            entered(task.id)  # not before it is awaited: until then it may wait for its turn
            return await run(task, *args, **options)

        return telling

    return pass_by(plain, awaited)

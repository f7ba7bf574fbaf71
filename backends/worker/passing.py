"""Where LangGraph runs a task: every one passes by here, be it a node, a ``Send``, a ``@task`` or one of a subgraph."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

_RUNNERS: Final = ("langgraph.pregel._runner", "langgraph.pregel.runner")
"""Modules that call ``run_with_retry`` and ``arun_with_retry`` for each task, once however often it is retried."""


def runner() -> ModuleType | None:
    """The module that runs the tasks of this process; ``None`` if this LangGraph runs them in another way."""
    for name in _RUNNERS:
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        if hasattr(module, "run_with_retry") and hasattr(module, "arun_with_retry"):
            return module
    return None


def tell_entered(entered: Callable[[str], None]) -> bool:
    """Have it told when a task is really run.

    LangGraph announces the tasks of a superstep together; with ``max_concurrency`` some of them wait for long then.

    Args:
        entered: Takes the id of the task, in whatever thread it runs.

    Returns:
        Whether it will be.
    """
    if (module := runner()) is None:
        return False
    run, arun = module.run_with_retry, module.arun_with_retry

    def telling(task: Any, *args: Any, **options: Any) -> Any:
        entered(task.id)
        return run(task, *args, **options)

    async def async_telling(task: Any, *args: Any, **options: Any) -> Any:
        entered(task.id)
        return await arun(task, *args, **options)

    module.run_with_retry, module.arun_with_retry = telling, async_telling  # type: ignore[attr-defined]
    return True

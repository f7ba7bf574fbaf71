"""The graphs of ``verb_graphs`` in a process that has an asynchronous task: there a run awaits them."""

from __future__ import annotations

from langgraph.func import task

from tests.verb_graphs import failing_answer, functional, questions, routed, steps


@task
async def waited() -> None:
    """Never called."""


__all__ = ["failing_answer", "functional", "questions", "routed", "steps", "waited"]

"""What a verb would do to a thread as it stands now, or why it cannot be done."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..errors import NotFound, Refused
from ..graphs.drawing import Drawing
from ..locks.holder import Holder
from ..model import ThreadHead
from ..reader import Reader
from ..runs.spec import GraphRef, Verb
from ..store import StoreInfo
from .call import BRANCH, COPY, command_line, python_call
from .gate import Gate
from .plan import Intent, Plan
from .plan_copies import plan_branch, plan_copy
from .plan_runs import plan_answer, plan_resume, plan_retry, plan_start
from .plan_writes import plan_edit, plan_fork
from .scene import Preview, Scene, name_of

DURABILITIES = ("sync", "async", "exit")
"""LangGraph takes any other word for ``async`` (``langgraph/pregel/main.py``)."""

_GRAPH_VERBS: Mapping[str, Callable[[Scene], Preview]] = {
    Verb.START: plan_start,
    Verb.RESUME: plan_resume,
    Verb.RETRY: plan_retry,
    Verb.ANSWER: plan_answer,
    Verb.FORK: plan_fork,
    Verb.EDIT: plan_edit,
}
_ROW_VERBS: Mapping[str, Callable[[Scene, Holder | None], Preview]] = {COPY: plan_copy, BRANCH: plan_branch}


def make_plan(
    reader: Reader | None,
    intent: Intent,
    graph: GraphRef | None,
    drawing: Drawing | None,
    gate: Gate,
    holder: Holder | None = None,
    graph_problem: str = "",
) -> Plan:
    """Work out what an intent would do. Only reads.

    Args:
        reader: The open store; ``None`` where it is yet to be made (START with ``create_store``).
        intent: What is asked for.
        graph: The graph to run it with; not needed for ``copy`` and ``branch``.
        drawing: How that graph looks; ``None`` where it is not known, and the plan then says less.
        gate: Whether the store may be written to.
        holder: Who holds the thread now.
        graph_problem: Why there is no graph, or why it cannot be imported.

    Returns:
        The plan; what a person can mend is its ``refusal``.

    Raises:
        StoreError: The store cannot be read.
    """
    head = None
    preview, refusal = Preview(intent, ""), ""
    try:
        head = _head(reader, intent)
        _check_all(intent, gate, None if reader is None else reader.store.info)
        preview = _preview(Scene(reader, intent, head, drawing), graph, holder, graph_problem)
    except (Refused, NotFound) as error:
        refusal = str(error)
    intent = preview.intent
    awaited = drawing is not None and drawing.awaited
    return Plan(
        intent=intent,
        graph=graph,
        head="" if head is None else head.checkpoint_id,
        summary=f"{intent.verb} {name_of(intent.thread_id)}: {preview.doing or refusal}",
        runs=preview.runs,
        reuses=preview.reuses,
        asks=preview.asks,
        notes=preview.notes,
        warnings=(*_moved(intent, head), *preview.warnings) if not refusal else (),
        refusal=refusal,
        python=python_call(intent, awaited),
        command=command_line(intent, graph, gate.address),
        awaited=awaited,
    )


def _head(reader: Reader | None, intent: Intent) -> ThreadHead | None:
    if not intent.thread_id:
        raise Refused("The thread needs an id.")
    return None if reader is None else reader.store.heads_of([intent.thread_id]).get(intent.thread_id)


def _check_all(intent: Intent, gate: Gate, info: StoreInfo | None) -> None:
    """What holds for every verb."""
    gate.check(info)
    if intent.durability not in DURABILITIES:
        raise Refused(
            f"There is no durability {name_of(intent.durability)}.", f"Choose from {', '.join(DURABILITIES)}."
        )
    if intent.recursion_limit is not None and intent.recursion_limit < 1:
        raise Refused("The recursion limit must be at least 1.")


def _preview(scene: Scene, graph: GraphRef | None, holder: Holder | None, graph_problem: str) -> Preview:
    verb = scene.intent.verb
    if verb in _ROW_VERBS:
        return _ROW_VERBS[verb](scene, holder)
    if verb not in _GRAPH_VERBS:
        raise Refused(f"There is no verb {name_of(verb)}.")
    if holder is not None:
        raise Refused(f"{name_of(scene.intent.thread_id)} is already running: {holder}.", "Stop that run, or wait.")
    if verb != Verb.START:
        _ = scene.thread_head
    if scene.head is not None and scene.head.ns:
        raise Refused(
            f"{name_of(scene.intent.thread_id)} has no root namespace: present releases of LangGraph cannot continue "
            "it.",
            "It can be copied.",
        )
    if graph is None or (graph_problem and scene.drawing is None):
        raise Refused(
            graph_problem or "It is not known which graph this thread belongs to.",
            "" if graph_problem else "Name it with --graph file.py:variable, or begin where langgraph.json is.",
        )
    return _GRAPH_VERBS[verb](scene)


def _moved(intent: Intent, head: ThreadHead | None) -> tuple[str, ...]:
    """A warning where the thread is no longer what the person saw."""
    if not intent.seen_head or head is None or intent.seen_head == head.checkpoint_id:
        return ()
    step = "" if head.step is None else f": it is at step {head.step} now"
    return (f"The thread has moved on since you looked{step}.",)

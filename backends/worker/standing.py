"""Where a thread stands when a run is over."""

from __future__ import annotations

from contextlib import closing

from ..errors import NotFound, StoreError
from ..reader import Reader
from ..runs.events import Outcome
from ..runs.spec import RunSpec, Verb
from ..store import open_store
from .ending import Ending
from .verbs import Work


def standing(work: Work) -> Ending:
    """Say how a run ended that LangGraph brought to its end."""
    state = work.drive.state(work.graph, work.config())
    head = state.config.get("configurable", {}).get("checkpoint_id")
    after = tuple(state.next)
    if work.spec.verb is Verb.EDIT or (work.spec.verb is Verb.FORK and not work.spec.run_after):
        return Ending(Outcome.DONE, "", head, after)
    questions = sum(len(task.interrupts) for task in state.tasks)
    if questions:
        return Ending(
            Outcome.WAITING, "1 question waits." if questions == 1 else f"{questions} questions wait.", head, after
        )
    if state.tasks:
        return Ending(Outcome.PAUSED, f"Stopped before {', '.join(after)}.", head, after)
    return Ending(Outcome.DONE, "", head)


def place(spec: RunSpec) -> tuple[str | None, tuple[str, ...]]:
    """Return the thread's head and what comes next, as far as the store tells without the graph."""
    if spec.verb is Verb.DRAW:
        return None, ()
    try:
        with closing(open_store(spec.store)) as store:
            reader = Reader(store)
            head = reader.head(spec.thread_id)
            return head.checkpoint_id, reader.analysis(head.key).next
    except (StoreError, NotFound):
        return None, ()

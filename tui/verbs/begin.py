"""How each verb begins: what is read, and what the person is asked, before there is a plan.

Every function is called in a worker of a screen, with a spot where the verb makes sense.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from backends.control.call import BRANCH, COPY
from backends.control.names import propose_thread_id
from backends.control.plan import Intent
from backends.errors import NotFound, Refused, StoreError
from backends.model import CheckpointKey, Interrupt, StatusName
from backends.runs.spec import Verb
from backends.text import one_line

from .carry import carry_out, complain, drawing_for, graph_for
from .spot import Spot

if TYPE_CHECKING:
    from backends.reader import Reader
    from backends.runs.stop import How

    from ..app import LgtopApp
    from ..forms.draft import Draft


async def begin(app: LgtopApp, verb: str, spot: Spot | None) -> None:
    """Begin a verb; whatever stands in its way is said on the screen.

    Args:
        app: The app.
        verb: One of ``spot.VERBS``.
        spot: Where the person is; ``None`` only for ``start`` and ``crash``.
    """
    from .crash import crash

    try:
        if verb == "crash":
            await crash(app, spot)
        elif spot is None:
            await start(app, "")
        elif verb == "start":
            await start(app, spot.thread_id)
        else:
            await _VERBS[verb](app, spot)
    except (Refused, StoreError, NotFound) as error:
        complain(app, error)


async def resume(app: LgtopApp, spot: Spot) -> None:
    """Run what is not finished."""
    await carry_out(app, Intent(Verb.RESUME.value, spot.thread_id, seen_head=spot.head))


async def start(app: LgtopApp, thread_id: str) -> None:
    """Run a graph on a new thread, or go on with one from new input."""
    from ..dialogs.graph_choice import choose_graph
    from ..dialogs.start import Start

    graphs = await app.control.graphs()
    if thread_id and graphs:
        fitting = await app.control.fitting(thread_id)
        graphs = [*fitting, *(graph for graph in graphs if graph not in fitting)]
    if not graphs:
        chosen = await choose_graph(app, "the new thread", ())
        graphs = [chosen] if chosen is not None else []
    if graphs:
        await app.push_screen_wait(Start(graphs, thread_id))


# Answers


@dataclass(frozen=True, slots=True)
class Asked:
    """What a thread asks.

    Attributes:
        head: Root head that asks; ``None`` where the thread has no root namespace.
        questions: Pending questions.
    """

    head: str | None
    questions: tuple[Interrupt, ...]


def read_asked(reader: Reader, thread_id: str) -> Asked:
    """Read what a thread asks now; called on the thread of the connection."""
    head = reader.head(thread_id)
    analysis = reader.analyse_heads([head]).get(thread_id)
    return Asked(None if head.ns else head.checkpoint_id, analysis.interrupts if analysis is not None else ())


async def answer(app: LgtopApp, spot: Spot) -> None:
    """Answer the questions of a thread."""
    from ..dialogs.answer import Answer

    asked = await app.store_thread.run(lambda reader: read_asked(reader, spot.thread_id))
    if not asked.questions:
        raise Refused("No question of this thread waits for an answer any more.")
    first = next((number for number, one in enumerate(asked.questions) if one.id == spot.question), 0)
    await app.push_screen_wait(Answer(spot.thread_id, asked.head, asked.questions, first))


# Other states


def read_draft(reader: Reader, key: CheckpointKey, channels: tuple[str, ...]) -> Draft:
    """Read the state at a checkpoint for editing; called on the thread of the connection."""
    from backends.present import to_json

    from ..forms.draft import Draft

    return Draft({name: to_json(value) for name, value in reader.state(key).items()}, channels)


async def edit(app: LgtopApp, spot: Spot) -> None:
    """Write another state, at the head or behind an older checkpoint; nothing runs."""
    await _edit(app, spot, Verb.EDIT)


async def _edit(app: LgtopApp, spot: Spot, verb: Verb) -> None:
    from ..dialogs.edit import Edit, drawing_at, heading

    key = spot.checkpoint or await _head(app, spot)
    if (graph := await graph_for(app, spot.thread_id)) is None:
        return
    if (drawing := await drawing_for(app, graph)) is None:
        return
    inner = drawing_at(drawing, key.ns)
    draft = await app.store_thread.run(lambda reader: read_draft(reader, key, tuple(inner.channels)))
    old = None if verb is Verb.EDIT and spot.checkpoint is None else key.checkpoint_id
    intent = Intent(verb.value, spot.thread_id, seen_head=spot.head, checkpoint=old, ns=key.ns)
    what = "Fork with another state" if verb is Verb.FORK else "Edit"
    title = heading(what, spot.thread_id, "" if spot.checkpoint is None else key.checkpoint_id, app.size.width)
    await app.push_screen_wait(Edit(title, intent, draft, graph, inner))


async def _head(app: LgtopApp, spot: Spot) -> CheckpointKey:
    """The head of a thread, as it is now."""
    return await app.store_thread.run(lambda reader: reader.head(spot.thread_id).key)


async def fork(app: LgtopApp, spot: Spot) -> None:
    """Go on from a checkpoint in another way: in the thread, or as a thread of its own."""
    from ..dialogs.choose import Choice, Choose

    here = "this checkpoint" if spot.checkpoint is not None else "the head"
    over = spot.checkpoint is None and spot.summary is not None and spot.summary.status is StatusName.DONE
    again = Choice("again", f"run again from {here}", "in this thread; it runs anew")
    choices = [
        *(() if over else (again,)),
        Choice("edited", "run with another state", "in this thread, from there"),
        Choice("branch", f"new thread up to {here}", "rows are copied; nothing runs"),
        Choice("copy", "copy the whole thread", "every branch; nothing runs"),
    ]
    chosen = await app.push_screen_wait(Choose(f"Fork {one_line(spot.thread_id, 50)}", choices))
    if chosen == "edited":
        await _edit(app, spot, Verb.FORK)
    elif chosen == "again":
        key = spot.checkpoint or await _head(app, spot)
        intent = Intent(Verb.FORK.value, spot.thread_id, spot.head, checkpoint=key.checkpoint_id, ns=key.ns)
        await carry_out(app, intent)
    elif chosen is not None:
        await _copy(app, spot, whole=chosen == "copy")


async def _copy(app: LgtopApp, spot: Spot, whole: bool) -> None:
    """Copy rows to a new thread."""
    from ..dialogs.ask_text import AskText

    rows = app.index.rows

    def wrong(text: str) -> str:
        return "an id is needed" if not text else "there is such a thread already" if text in rows else ""

    proposed = propose_thread_id(one_line(spot.thread_id, 40), rows)
    target = await app.push_screen_wait(AskText("New thread", proposed, "id of the copy", wrong))
    if target is None:
        return
    if whole:
        await carry_out(app, Intent(COPY, spot.thread_id, spot.head, target=target))
    else:
        key = spot.checkpoint or await _head(app, spot)
        await carry_out(
            app, Intent(BRANCH, spot.thread_id, spot.head, checkpoint=key.checkpoint_id, ns=key.ns, target=target)
        )


# The end of a run


async def stop(app: LgtopApp, spot: Spot) -> None:
    """Stop the run of a thread: gently first."""
    from backends.runs.stop import stop as stop_run

    from ..dialogs.choose import Choice, Choose

    run = app.control.run_of(spot.thread_id)
    if run is None or not run.live:
        raise Refused("No run of this thread is alive any more.")
    choices = [
        Choice("drain", "drain", "its tasks finish, their writes are saved, then it pauses"),
        Choice("cancel", "cancel", "its tasks are told to stop now"),
        Choice("kill", "kill", "its process ends at once; what was not saved is lost"),
    ]
    how = await app.push_screen_wait(Choose(f"Stop run {run.run_id}", choices))
    if how is not None:
        wanted: How = "drain" if how == "drain" else "cancel" if how == "cancel" else "kill"
        await asyncio.to_thread(stop_run, run, wanted)
        app.notify(f"Run {run.run_id} was asked to {how}." if how != "kill" else f"Run {run.run_id} was killed.")


# The rows of a thread


async def delete(app: LgtopApp, spot: Spot) -> None:
    """Delete a thread."""
    await _keep_in_order(app, spot, "delete")


async def prune(app: LgtopApp, spot: Spot) -> None:
    """Delete what nothing of a thread needs."""
    await _keep_in_order(app, spot, "prune")


async def export(app: LgtopApp, spot: Spot) -> None:
    """Export a thread to a file."""
    await _keep_in_order(app, spot, "export")


async def _keep_in_order(app: LgtopApp, spot: Spot, verb: str) -> None:
    """As to many threads, to one."""
    from .many import Target, begin_many

    await begin_many(app, verb, Target.one(spot.thread_id))


_VERBS: Mapping[str, Callable[[LgtopApp, Spot], Awaitable[None]]] = MappingProxyType(
    {"resume": resume, "answer": answer, "fork": fork, "edit": edit, "stop": stop}
    | {"delete": delete, "prune": prune, "export": export}
)

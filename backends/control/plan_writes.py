"""Verbs that go on from another state: fork and edit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches

from ..channels import START
from ..errors import Refused
from ..graphs.drawing import END, Drawing
from ..model import CheckpointKey
from .plan import Intent
from .plan_runs import again, run_notes, step_warnings
from .scene import Preview, Scene, View, drawing_at, listed, name_of, names_of, node_names

COPY_NODE = "__copy__"
"""``as_node`` that makes a sibling of a checkpoint, with nothing changed (``langgraph/pregel/main.py``)."""

_NODES_WITHOUT_VALUES = (END, COPY_NODE)
_UNDECIDED = "a router, a Command or a join decides what is next"
_SPECIAL = (START, END, "__input__", COPY_NODE)
_REPLACING = ("last", "ephemeral", "untracked", "any")
"""Kinds of channels for which any write replaces what is there: they take no ``Overwrite``."""


@dataclass(frozen=True, slots=True)
class _Base:
    """Where a fork or an edit starts from.

    Attributes:
        key: The checkpoint.
        view: What it means.
        drawing: The graph that its namespace belongs to.
        later: Checkpoints of its namespace that are newer.
        followed: Whether one of them is its child.
    """

    key: CheckpointKey
    view: View
    drawing: Drawing | None
    later: int
    followed: bool


def plan_fork(scene: Scene) -> Preview:
    """From any checkpoint, with or without other values, in the same thread."""
    base = _base(scene)
    writing = _placed(scene, base)
    if writing.values is not None or writing.as_node is not None:
        return _writing(scene, _checked(writing, base.drawing), base, "forks")
    if not writing.run_after:
        return _writing(scene, replace(writing, as_node=COPY_NODE), base, "forks")
    if base.key.ns:
        raise Refused("A subgraph's step cannot be run by itself.", "Fork its parent, or write values into it.")
    if not base.view.own:
        raise Refused("Nothing follows this checkpoint.", "Fork from an earlier one, or write other values.")
    runs = names_of(base.view.own)
    intent = replace(scene.intent, checkpoint=base.key.checkpoint_id, ns="")
    return Preview(
        intent,
        f"forks {_place(base)}: runs {listed(runs)}",
        runs=runs,
        notes=(*_branch_notes(base), *run_notes(intent, scene.drawing)),
        warnings=(*again(base.view), *step_warnings(scene, base.view)),
    )


def plan_edit(scene: Scene) -> Preview:
    """``aupdate_state(values, as_node)``; nothing runs."""
    base = _base(scene)
    intent = replace(_placed(scene, base), run_after=False)
    return _writing(scene, _checked(intent, base.drawing), base, "edits")


def _placed(scene: Scene, base: _Base) -> Intent:
    """The intent with the whole id of its checkpoint; an update of the head names none."""
    if base.key == scene.thread_head.key:
        return replace(scene.intent, checkpoint=None, ns="")
    return replace(scene.intent, checkpoint=base.key.checkpoint_id, ns=base.key.ns)


def _base(scene: Scene) -> _Base:
    intent, reader = scene.intent, scene.open_reader
    head = scene.thread_head
    key = reader.resolve_checkpoint(intent.thread_id, intent.checkpoint, intent.ns)
    rows = reader.store.history(head.thread_id, key.ns)
    later = sum(row.key.checkpoint_id > key.checkpoint_id for row in rows)
    followed = any(row.parent_id == key.checkpoint_id for row in rows)
    return _Base(key, scene.at(key), drawing_at(scene.drawing, key.ns), later, followed)


# --- what may be written ---------------------------------------------------------------------------------------------


def _checked(intent: Intent, drawing: Drawing | None) -> Intent:
    """The intent, if LangGraph would do what it says; it drops unknown channels without a word."""
    if intent.values is None and intent.as_node not in _NODES_WITHOUT_VALUES:
        raise Refused("There are no values to write.", 'Give them as JSON: {"channel": value}.')
    if intent.values is not None and intent.as_node == COPY_NODE:
        raise Refused(f"{COPY_NODE} changes nothing.", "Leave the values out, or choose a node.")
    _check_node(intent.as_node, drawing)
    values = intent.values or {}
    if loose := [name for name in intent.replace if name not in values]:
        raise Refused(f"There is no value to replace {listed(loose)} with.")
    if drawing is None or drawing.functional or not drawing.channels:
        return intent
    for name in values:
        if name not in drawing.channels:
            raise Refused(f"The graph has no channel {name_of(name)}.", _meant(name, tuple(drawing.channels)))
    reducing = (name for name in intent.replace if drawing.channels[name] not in _REPLACING)
    return replace(intent, replace=tuple(reducing))


def _check_node(as_node: str | None, drawing: Drawing | None) -> None:
    known = () if drawing is None else node_names(drawing)
    if as_node is None:
        nodes = f"Nodes: {listed(known, 20)}." if known else ""
        raise Refused("It is not said as which node the values are written: its edges fire next.", nodes)
    if known and as_node not in known and as_node not in _SPECIAL:
        raise Refused(f"The graph has no node {name_of(as_node)}.", _meant(as_node, known))


def _meant(name: str, known: tuple[str, ...]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"Did you mean {name_of(near[0])}?" if near else f"It has {listed(known, 20)}."


# --- what comes of it ------------------------------------------------------------------------------------------------


def _writing(scene: Scene, intent: Intent, base: _Base, verb: str) -> Preview:
    after = _next(intent, base)
    runs = () if after is None else tuple(map(name_of, after))
    follows = _UNDECIDED if after is None else f"next: {listed(runs) or 'nothing'}"
    what = f"writes {listed(intent.values)} as {name_of(intent.as_node or '')}" if intent.values else "changes nothing"
    if intent.as_node == END and not intent.values:
        what = "clears all pending tasks"
    running = intent.run_after and intent.verb == "fork"
    return Preview(
        intent,
        f"{verb} {_place(base)}: {what}; {follows}",
        runs=runs if running else (),
        notes=(
            *_channel_notes(intent, base.drawing),
            *_branch_notes(base),
            *(run_notes(intent, scene.drawing) if running else (f"Nothing runs. {follows[0].upper()}{follows[1:]}.",)),
        ),
        warnings=(*_dropped(intent, base, after), *(step_warnings(scene, base.view) if running else ())),
    )


def _next(intent: Intent, base: _Base) -> tuple[str, ...] | None:
    """Nodes that the edges of ``as_node`` lead to; ``None`` where that is not known before."""
    if intent.as_node == COPY_NODE:
        return names_of(base.view.own)
    if intent.as_node == END and not intent.values:
        return ()
    if base.drawing is None:
        return None
    after = base.drawing.next_after.get(intent.as_node or "")
    return None if after is None else tuple(name for name in after if name != END)


def _dropped(intent: Intent, base: _Base, after: tuple[str, ...] | None) -> Iterator[str]:
    """What the step that begins here loses: an update is a step of its own, made from the state before."""
    if base.followed or intent.as_node == COPY_NODE:
        return
    finished = [task for task in base.view.finished if not task.error]
    if finished:
        yield f"{listed(names_of(finished))} finished, and what it saved is dropped: the values are written before it."
    pending = {task.name for task in base.view.unfinished}
    lost = sorted(pending if after is None else pending.difference(after))
    if not lost:
        return
    what = f"{listed(lost)}{' and its questions' if base.view.analysis.interrupts else ''}"
    edges = f"of {name_of(intent.as_node or '')}"
    if after is None:
        yield f"{what} stays pending only if the edges {edges} lead there."
    else:
        yield f"{what} is pending and will not run: no edge {edges} leads there."


def _channel_notes(intent: Intent, drawing: Drawing | None) -> Iterator[str]:
    if drawing is None:
        return
    through = [
        name
        for name in intent.values or {}
        if drawing.channels.get(name, "last") not in _REPLACING and name not in intent.replace
    ]
    if through:
        yield f"{listed(through)} goes through its reducer: the value is added to what is there."


def _branch_notes(base: _Base) -> Iterator[str]:
    if base.later:
        count = f"{base.later} later checkpoint{'s stay' if base.later > 1 else ' stays'}"
        yield f"It becomes the head of the thread; {count} as another branch."


def _place(base: _Base) -> str:
    step = base.view.snapshot.metadata.get("step")
    where = f" of {name_of(base.key.ns)}" if base.key.ns else ""
    return f"step {step}{where}" if isinstance(step, int) else f"checkpoint {base.key.checkpoint_id[:8]}{where}"
